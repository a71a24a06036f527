package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// DenseNetConfig is what densely connected networks (Huang et al., arXiv
// 1608.06993, DenseNet-BC) differ in.
type DenseNetConfig struct {
	// Stem is the width of the first convolution.
	Stem int
	// Growth is the number of channels that each layer adds, Bottleneck how many
	// times as many its 1x1 convolution gives.
	Growth, Bottleneck int
	// Depths is the number of layers of each block.
	Depths []int
	// Style has the norms, the activations and the convolutions.
	Style layers.Style
}

// denseLayer appends to a map what its branch gives of it: (N, H, W, in) to
// (N, H, W, in + growth).
type denseLayer struct{ branch graph.Module }

// Forward implements graph.Module.
func (l denseLayer) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return g.Concat(3, x, l.branch.Forward(g, x))
}

func (c DenseNetConfig) layer(s graph.Scope, in int) denseLayer {
	st, inner := c.Style, c.Bottleneck*c.Growth
	return denseLayer{graph.Sequential{
		st.NormAct(s.Sub("norm1"), in),
		st.Convolve(s.Sub("conv1"), in, inner, 1, graph.ConvConfig{}),
		st.NormAct(s.Sub("norm2"), inner),
		st.Convolve(s.Sub("conv2"), inner, c.Growth, 3, graph.ConvConfig{}),
	}}
}

// transition declares what stands between two blocks: it halves the channels and
// the map.
func (c DenseNetConfig) transition(s graph.Scope, in int) graph.Sequential {
	st := c.Style.Outside()
	return graph.Sequential{
		st.NormAct(s.Sub("norm"), in),
		st.Convolve(s.Sub("conv"), in, in/2, 1, graph.ConvConfig{}),
		graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.AvgPool(x, op.Square(2, 2, 0), false, true) }),
	}
}

// NewDenseNet declares a DenseNet under torchvision's names: features.conv0 and
// norm0, features.denseblock1.denselayer1.norm1 and so on, features.transition1,
// features.norm5, classifier.
func NewDenseNet(s graph.Scope, c DenseNetConfig, o Options) (graph.Module, error) {
	var err error
	if c.Style, err = c.Style.With(o.Layers, layers.Attentions); err != nil {
		return nil, err
	}
	s = s.ConvInit(graph.KaimingNormalFanIn)
	features, channels := s.Sub("features"), c.Stem
	net := graph.Sequential{
		c.Style.Outside().ConvNormAct(features.Sub("conv0"), features.Sub("norm0"), o.InChans, c.Stem, 7, 2),
		stemPool,
	}
	for i, depth := range c.Depths {
		c := c
		c.Style = c.Style.At(i)
		block := features.Sub(fmt.Sprintf("denseblock%d", i+1))
		for k := range depth {
			net = append(net, c.layer(block.Sub(fmt.Sprintf("denselayer%d", k+1)), channels))
			channels += c.Growth
		}
		if i < len(c.Depths)-1 {
			net = append(net, c.transition(features.Sub(fmt.Sprintf("transition%d", i+1)), channels))
			channels /= 2
		}
	}
	return append(net,
		c.Style.NormAct(features.Sub("norm5"), channels),
		layers.NewPoolHead(s.Sub("classifier"), channels, o.NumClasses, o.DropRate, graph.LinearConfig{BiasInit: graph.Zeros}),
	), nil
}

var denseNets = []Spec{
	denseNet("densenet121", DenseNetConfig{
		Stem: 64, Growth: 32, Bottleneck: 4, Depths: []int{6, 12, 24, 16},
		Style: batchNormed(op.ReLU),
	}),
}

func denseNet(name string, c DenseNetConfig) Spec {
	info := imageNet("Huang et al., Densely Connected Convolutional Networks, arXiv 1608.06993", 0.875, timmHub+name+".ra_in1k")
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"features.conv0"}, []string{"features.norm0"}, []string{"classifier"}
	return Spec{
		Name: name, Layers: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewDenseNet(s, c, o) },
	}
}
