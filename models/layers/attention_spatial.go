package layers

import (
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// spatialAttentions weight each position.
var spatialAttentions = []Entry{
	{
		Name: "coord", Kind: Attentions, Family: "channel+spatial", Options: "reduction=32, least=8", Paper: "Hou et al., arXiv 2103.02907",
		attn: func(s *Spec) AttentionFunc { return Coordinate(s.Float("reduction", 32, 1), s.Int("least", 8, 1)) },
	},
	{
		Name: "triplet", Kind: Attentions, Family: "channel+spatial", Options: "k=7", Paper: "Misra et al., arXiv 2010.03045",
		attn: func(s *Spec) AttentionFunc { return Triplet(s.Odd("k", 7)) },
	},
	{
		Name: "simam", Kind: Attentions, Family: "channel+spatial", Options: "lambda=1e-4", Paper: "Yang et al., ICML 2021",
		attn: func(s *Spec) AttentionFunc { return SimAM(s.Float("lambda", 1e-4, 0)) },
	},
	{
		Name: "lka", Kind: Attentions, Family: "spatial", Paper: "Guo et al., arXiv 2202.09741",
		attn: func(*Spec) AttentionFunc { return LargeKernel },
	},
}

// Coordinate weights each position by the product of two gates, one of its row and one
// of its column (Hou et al., arXiv 2103.02907): the means of rows and columns pass one
// 1x1 convolution to max(least, channels/reduction) channels, a batch norm and
// hard_swish together, then conv_h and conv_w apart.
func Coordinate(reduction float64, least int) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		hidden := max(least, int(float64(channels)/reduction))
		conv := graph.NewConv(s.Sub("conv1"), channels, hidden, 1, graph.ConvConfig{})
		norm := graph.NewBatchNorm(s.Sub("bn1"), hidden, graph.BatchNormConfig{})
		rows := graph.NewConv(s.Sub("conv_h"), hidden, channels, 1, graph.ConvConfig{})
		columns := graph.NewConv(s.Sub("conv_w"), hidden, channels, 1, graph.ConvConfig{})
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			if x == nil {
				return nil
			}
			n, h, w := x.Shape()[0], x.Shape()[1], x.Shape()[2]
			means := g.Concat(1, g.MeanTo(x, n, h, 1, channels), g.Reshape(g.MeanTo(x, n, 1, w, channels), n, w, 1, channels))
			y := g.Activation(norm.Forward(g, conv.Forward(g, means)), op.HardSwish)
			byRow := g.Activation(rows.Forward(g, g.Slice(y, 1, 0, h, 1)), op.Sigmoid)
			byColumn := g.Activation(columns.Forward(g, g.Slice(y, 1, h, h+w, 1)), op.Sigmoid)
			return g.Mul(g.Mul(x, g.Reshape(byColumn, n, 1, w, channels)), byRow)
		})
	}
}

// SimAM weights each value by the logistic function of how far it stands out of its
// map (Yang et al., ICML 2021): with d = (x - mean)^2, of d/(4*(sum of d/(pixels-1) +
// lambda)) + 1/2. It has no parameters.
func SimAM(lambda float64) AttentionFunc {
	return func(graph.Scope, int) graph.Module {
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			rest := g.Sub(x, spatialMean(g, x))
			d := g.Mul(rest, rest)
			energy := g.Mul(d, g.Scale(g.Power(unbiasedMean(g, d), -1, lambda), 0.25))
			return g.Mul(x, g.Activation(g.Power(energy, 1, 0.5), op.Sigmoid))
		})
	}
}

// LargeKernel weights each value by a convolution of its surroundings, taken apart
// (Guo et al., arXiv 2202.09741): depthwise 5x5, depthwise 7x7 of dilation 3, 1x1.
func LargeKernel(s graph.Scope, channels int) graph.Module {
	depthwise := func(name string, k, dilation int) graph.Module {
		return graph.NewConv(s.Sub(name), channels, channels, k, graph.ConvConfig{Pad: dilation * (k / 2), Dilation: dilation, Groups: channels, Bias: true})
	}
	surroundings := graph.Sequential{
		depthwise("conv0", 5, 1), depthwise("conv_spatial", 7, 3),
		graph.NewConv(s.Sub("conv1"), channels, channels, 1, graph.ConvConfig{Bias: true}),
	}
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Mul(x, surroundings.Forward(g, x)) })
}

// Triplet is the mean of the map under three gates, each of which sees two of its
// axes, the third one as its maximum and mean (Misra et al., arXiv 2010.03045).
func Triplet(k int) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		return &triplet{
			// The first gate's kernel is as high as files call it wide.
			channelsWidth:  newPairGate(s.Sub("cw"), k, graph.TransposedConvLayout),
			heightChannels: newPairGate(s.Sub("hc"), k, graph.ConvLayout),
			heightWidth:    newPairGate(s.Sub("hw"), k, graph.ConvLayout),
		}
	}
}

type triplet struct{ channelsWidth, heightChannels, heightWidth *pairGate }

// Forward implements graph.Module.
func (t *triplet) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
	y := t.channelsWidth.gate(g, x, graph.Shape{n, 1, w, c}, w, c)
	y = g.Add(y, t.heightChannels.gate(g, x, graph.Shape{n, h, 1, c}, h, c))
	return g.Scale(g.Add(y, t.heightWidth.gate(g, x, graph.Shape{n, h, w, 1}, h, w)), 1./3)
}

// pairGate is a k x k convolution of the maximum and the mean over one axis, its batch
// norm, and the logistic function.
type pairGate struct {
	window op.Window
	weight *graph.Param
	norm   *graph.Norm
}

func newPairGate(s graph.Scope, k int, layout func(graph.Shape) graph.Layout) *pairGate {
	shape := graph.Shape{k, k, 2, 1}
	s = s.Sub("conv")
	return &pairGate{
		window: op.Square(k, 1, k/2),
		weight: s.Sub("conv").Param("weight", shape, layout(shape), graph.Weight, graph.Uniform(1/math.Sqrt(float64(2*k*k)))),
		norm:   graph.NewBatchNorm(s.Sub("bn"), 1, graph.BatchNormConfig{Momentum: 0.01}),
	}
}

// gate is x under the gate of what remains in this shape, a map of h x w.
func (p *pairGate) gate(g *graph.Graph, x *graph.Node, shape graph.Shape, h, w int) *graph.Node {
	most, mean := g.Reshape(g.MaxTo(x, shape...), shape[0], h, w, 1), g.Reshape(g.MeanTo(x, shape...), shape[0], h, w, 1)
	y := g.Conv2D(g.Concat(3, most, mean), g.Param(p.weight), nil, p.window, 1)
	return g.Mul(x, g.Reshape(g.Activation(p.norm.Forward(g, y), op.Sigmoid), shape...))
}
