package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// SqueezeNetConfig is what the versions of SqueezeNet (Iandola et al., arXiv
// 1602.07360) differ in.
type SqueezeNetConfig struct {
	// StemWidth and StemKernel are those of the first convolution, of stride 2.
	StemWidth, StemKernel int
	// Stages are the widths of the fire modules' squeeze layers; a max pool
	// stands before each stage.
	Stages [][]int
	// Act makes the activations.
	Act layers.ActFunc
}

// fire squeezes the channels by a 1x1 convolution and expands them again by a
// 1x1 and a 3x3 convolution side by side, each to four times the squeezed width.
type fire struct{ squeeze, expand1x1, expand3x3 graph.Module }

func newFire(s graph.Scope, in, squeeze int, act layers.ActFunc) *fire {
	layer := func(name string, in, out, k int) graph.Module {
		return graph.Sequential{
			squeezeConv(s.Sub(name), in, out, k, graph.ConvConfig{Pad: k / 2}),
			act(s.Sub(name+"_activation"), out),
		}
	}
	return &fire{
		squeeze:   layer("squeeze", in, squeeze, 1),
		expand1x1: layer("expand1x1", squeeze, 4*squeeze, 1),
		expand3x3: layer("expand3x3", squeeze, 4*squeeze, 3),
	}
}

// Forward implements graph.Module: (N, H, W, in) to (N, H, W, 8*squeeze).
func (f *fire) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	x = f.squeeze.Forward(g, x)
	return g.Concat(3, f.expand1x1.Forward(g, x), f.expand3x3.Forward(g, x))
}

// squeezeConv declares a convolution with a bias, initialised as torchvision does.
func squeezeConv(s graph.Scope, in, out, k int, c graph.ConvConfig) *graph.Convolution {
	c.Bias, c.BiasInit = true, graph.Zeros
	if c.Init == nil {
		c.Init = graph.KaimingUniform
	}
	return graph.NewConv(s, in, out, k, c)
}

// NewSqueezeNet declares a SqueezeNet under torchvision's names: features.0, the
// fire modules as features.3.squeeze and so on, and classifier.1, a 1x1
// convolution whose map is averaged. It has no norms, and of the layers that can be
// chosen only activations.
func NewSqueezeNet(s graph.Scope, c SqueezeNetConfig, o Options) (graph.Module, error) {
	st, err := layers.Style{Act: c.Act}.With(o.Layers, layers.Norms, layers.Attentions, layers.Convs)
	if err != nil {
		return nil, err
	}
	features, classifier := s.Sub("features"), s.Sub("classifier")
	net := graph.Sequential{
		squeezeConv(features.Sub("0"), o.InChans, c.StemWidth, c.StemKernel, graph.ConvConfig{Stride: 2}),
		st.Act(features.Sub("1"), c.StemWidth),
	}
	channels := c.StemWidth
	for _, stage := range c.Stages {
		net = append(net, maxPool(op.Square(3, 2, 0), true))
		for _, squeeze := range stage {
			net = append(net, newFire(features.Sub(fmt.Sprint(len(net))), channels, squeeze, st.Act))
			channels = 8 * squeeze
		}
	}
	return append(net,
		graph.Drop(o.DropRate),
		squeezeConv(classifier.Sub("1"), channels, o.NumClasses, 1, graph.ConvConfig{Init: graph.Normal(0.01)}),
		st.Act(classifier.Sub("2"), o.NumClasses),
		layers.GlobalAvgPool), nil
}

var squeezeNets = []Spec{
	squeezeNet("squeezenet1_0", "squeezenet1_0-b66bff10.pth", SqueezeNetConfig{
		StemWidth: 96, StemKernel: 7, Act: layers.Act(op.ReLU),
		Stages: [][]int{{16, 16, 32}, {32, 48, 48, 64}, {64}},
	}),
	squeezeNet("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", SqueezeNetConfig{
		StemWidth: 64, StemKernel: 3, Act: layers.Act(op.ReLU),
		Stages: [][]int{{16, 16}, {32, 32}, {48, 48, 64, 64}},
	}),
}

func squeezeNet(name, weights string, c SqueezeNetConfig) Spec {
	info := imageNet("Iandola et al., SqueezeNet, arXiv 1602.07360", 0.875, "https://download.pytorch.org/models/"+weights).resized("bilinear")
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"features.0"}, []string{""}, []string{"classifier.1"}
	return Spec{
		Name: name, DropRate: 0.5, Layers: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewSqueezeNet(s, c, o) },
	}
}
