package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// ShuffleNetV2Config is what ShuffleNets V2 (Ma et al., arXiv 1807.11164) differ in.
type ShuffleNetV2Config struct {
	// Depths is the number of blocks of each stage, Widths their channels.
	Depths, Widths []int
	// Stem and Head are the channels of the first and the last convolution.
	Stem, Head int
	Style      layers.Style
}

// NewShuffleNetV2 declares a ShuffleNet V2 under torchvision's names: conv1.0, conv1.1,
// stage2.0.branch1.0 and so on, conv5.0, fc.
func NewShuffleNetV2(s graph.Scope, c ShuffleNetV2Config, o Options) (graph.Module, error) {
	err := checkStages("ShuffleNet V2", c.Depths, "widths", c.Widths)
	if err != nil {
		return nil, err
	}
	if c.Style, err = c.Style.With(o.Layers, layers.Attentions); err != nil {
		return nil, err
	}
	unit := func(s graph.Scope, in, out, k, stride int) graph.Module {
		return c.Style.Outside().ConvNormAct(s.Sub("0"), s.Sub("1"), in, out, k, stride)
	}
	net := graph.Sequential{unit(s.Sub("conv1"), o.InChans, c.Stem, 3, 2), stemPool}
	channels := c.Stem
	eachBlock(c.Depths, 0, func(i, k int, _ float64) {
		c := c
		c.Style = c.Style.At(i)
		net = append(net, c.block(s.Sub(fmt.Sprintf("stage%d.%d", i+2, k)), channels, c.Widths[i], k == 0))
		channels = c.Widths[i]
	})
	return append(net, unit(s.Sub("conv5"), channels, c.Head, 1, 1), layers.NewPoolHead(s.Sub("fc"), c.Head, o.NumClasses, o.DropRate, graph.LinearConfig{})), nil
}

// block declares a block: half of the channels pass a branch, the other half nothing or,
// where the map is halved, all pass both of two branches; then the halves are mixed.
func (c ShuffleNetV2Config) block(s graph.Scope, in, out int, down bool) graph.Module {
	half := out / 2
	depthwise := func(s graph.Scope, first, channels, stride int) graph.Sequential {
		conv := c.Style.Convolve(s.Sub(fmt.Sprint(first)), channels, channels, 3, graph.ConvConfig{Stride: stride, Groups: channels})
		return graph.Sequential{conv, c.Style.Norm(s.Sub(fmt.Sprint(first+1)), channels, false)}
	}
	pointwise := func(s graph.Scope, first, in int) graph.Module {
		return c.Style.ConvNormAct(s.Sub(fmt.Sprint(first)), s.Sub(fmt.Sprint(first+1)), in, half, 1, 1)
	}
	b := &shuffleBlock{}
	stride, entering := 1, half
	if down {
		first := s.Sub("branch1")
		b.first = append(depthwise(first, 0, in, 2), pointwise(first, 2, in))
		stride, entering = 2, in
	}
	second := s.Sub("branch2")
	b.second = append(graph.Sequential{pointwise(second, 0, entering)}, append(depthwise(second, 3, half, stride), pointwise(second, 5, half))...)
	return b
}

type shuffleBlock struct {
	first, second graph.Sequential // first is nil where half of the channels stay as they are
}

// Forward implements graph.Module.
func (b *shuffleBlock) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	left, right := x, x
	if b.first == nil {
		c := x.Shape()[3]
		left, right = g.Slice(x, 3, 0, c/2, 1), g.Slice(x, 3, c/2, c, 1)
	} else {
		left = b.first.Forward(g, x)
	}
	return layers.ChannelShuffle(2).Forward(g, g.Concat(3, left, b.second.Forward(g, right)))
}

// shuffleNetV2s have the preprocessing of torchvision's weights.
var shuffleNetV2s = []Spec{
	shuffleNetV2("shufflenet_v2_x1_0", ShuffleNetV2Config{Depths: []int{4, 8, 4}, Widths: []int{116, 232, 464}, Stem: 24, Head: 1024},
		"https://download.pytorch.org/models/shufflenetv2_x1-5666bf0f80.pth"),
}

func shuffleNetV2(name string, c ShuffleNetV2Config, weights string) Spec {
	c.Style = batchNormed(op.ReLU)
	info := imageNet("Ma et al., ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design, arXiv 1807.11164", 0.875, weights).resized("bilinear")
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"conv1.0"}, []string{"conv1.1"}, []string{"fc"}
	return Spec{
		Name: name, Layers: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewShuffleNetV2(s, c, o) },
	}
}
