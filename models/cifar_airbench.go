package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// AirbenchConfig is what the fast networks for small images of Jordan, 94% on
// CIFAR-10 in 3.29 Seconds on a Single GPU (arXiv 2404.00498), differ in.
type AirbenchConfig struct {
	// Widths are those of the blocks, each of which halves the map.
	Widths []int
	// Convs is the number of convolutions of a block. Behind the second of three
	// or more, the block's value then is added to what the last gives.
	Convs int
	// LogitScale multiplies the logits.
	LogitScale float64
}

// NewAirbench declares whiten, a 2x2 convolution with two filters for each direction
// of a patch of three channels (see Config.Whiten), the blocks layer1, layer2, ... of conv1, norm1,
// conv2, norm2, ..., and head, a linear layer without a bias behind the maximum over
// the map. The norms have shifts only, and convolutions begin as the identity on as
// many channels as they take.
func NewAirbench(s graph.Scope, c AirbenchConfig, o Options) (graph.Module, error) {
	if least := 1<<len(c.Widths) + 1; o.ImageSize < least {
		return nil, fmt.Errorf("images of %dx%d pixels leave nothing after %d halvings; it needs %dx%d at least",
			o.ImageSize, o.ImageSize, len(c.Widths), least, least)
	}
	const patch, channels = 2, 2 * 2 * 2 * 3
	whiten := graph.NewConv(s.Sub("whiten"), o.InChans, channels, patch, graph.ConvConfig{Bias: true, BiasInit: graph.Zeros})
	whiten.Weight.Frozen = true
	net, in := graph.Sequential{whiten, graph.Activate(op.GELU)}, channels
	for i, width := range c.Widths {
		net = append(net, newAirbenchBlock(s.Sub(fmt.Sprintf("layer%d", i+1)), in, width, c.Convs))
		in = width
	}
	return append(net,
		graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Flatten(g.GlobalMaxPool(x)) }),
		graph.Drop(o.DropRate),
		graph.NewLinear(s.Sub("head"), in, o.NumClasses, graph.LinearConfig{NoBias: true}),
		graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Scale(x, c.LogitScale) }),
	), nil
}

// airbenchBlock is a number of 3x3 convolutions, each with a norm and GELU, with a max
// pool behind the first.
type airbenchBlock struct{ first, middle, last graph.Sequential }

func newAirbenchBlock(s graph.Scope, in, out, convs int) *airbenchBlock {
	b := &airbenchBlock{}
	gelu := graph.Activate(op.GELU)
	for i := range convs {
		conv := graph.NewConv(s.Sub(fmt.Sprintf("conv%d", i+1)), in, out, 3, graph.ConvConfig{Pad: 1, Init: graph.Dirac(graph.FanInUniform)})
		norm := graph.NewBatchNorm(s.Sub(fmt.Sprintf("norm%d", i+1)), out, graph.BatchNormConfig{Eps: 1e-12, Momentum: 0.4})
		norm.Gamma.Frozen = true
		switch {
		case i == 0:
			b.first = graph.Sequential{conv, maxPool(op.Square(2, 2, 0), false), norm, gelu}
		case i == convs-1 && convs > 2:
			b.last = graph.Sequential{conv, norm}
		default:
			b.middle = append(b.middle, conv, norm, gelu)
		}
		in = out
	}
	return b
}

// Forward implements graph.Module.
func (b *airbenchBlock) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	x = b.first.Forward(g, x)
	if b.last == nil {
		return b.middle.Forward(g, x)
	}
	return g.Activation(g.Add(b.last.Forward(g, b.middle.Forward(g, x)), x), op.GELU)
}

// cifarAirbenches are the networks that reach 94 and 96 % on CIFAR-10 in the paper's
// trainings.
var cifarAirbenches = []Spec{
	cifarAirbench("cifar_airbench94", AirbenchConfig{Widths: []int{64, 256, 256}, Convs: 2, LogitScale: 1. / 9}),
	cifarAirbench("cifar_airbench96", AirbenchConfig{Widths: []int{128, 512, 512}, Convs: 3, LogitScale: 1. / 9}),
}

func cifarAirbench(name string, c AirbenchConfig) Spec {
	return Spec{
		Name:  name,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewAirbench(s, c, o) },
		Config: Config{
			InputSize: 32, InChans: 3, NumClasses: 10, Mean: cifarMean, Std: cifarStd, CropPct: 1, Interpolation: "bilinear",
			FirstConv: []string{"whiten"}, FirstNorm: []string{""}, Whiten: "whiten", Classifier: []string{"head"},
			Paper: "Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv 2404.00498",
		},
	}
}
