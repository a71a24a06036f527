package layers

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// channelAttentions weight each channel by what all of its map holds.
var channelAttentions = []Entry{
	{
		Name: "none", Kind: Attentions, Family: "none", Paper: "",
		attn: func(*Spec) AttentionFunc { return nil },
	},
	{
		Name: "se", Kind: Attentions, Family: "channel", Options: "reduction=16, divisor=8", Paper: "Hu et al., arXiv 1709.01507",
		attn: func(s *Spec) AttentionFunc {
			return SqueezeExcite(SqueezeExciteConfig{Reduction: s.Float("reduction", 16, 1), Divisor: s.Int("divisor", 8, 1)})
		},
	},
}

// SqueezeExciteConfig says how squeeze-and-excitation narrows. Zero values mean
// timm's: a sixteenth of the channels, a multiple of 8, relu, the logistic function.
type SqueezeExciteConfig struct {
	// Reduction is the ratio of the channels to those between the two layers.
	Reduction float64
	// Divisor divides their number.
	Divisor int
	// Hidden, where set, is their number instead.
	Hidden int
	// Act is between the layers, Gate behind them.
	Act, Gate op.Act
}

// SqueezeExcite weights channels by sigmoid(fc2(relu(fc1(mean over the map))))
// (Hu et al., arXiv 1709.01507): fc1 and fc2 are 1x1 convolutions with biases.
func SqueezeExcite(c SqueezeExciteConfig) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module { return newSqueezeExcite(s, channels, c) }
}

type squeezeExcite struct {
	squeeze, excite *graph.Convolution
	act, gate       op.Act
}

func newSqueezeExcite(s graph.Scope, channels int, c SqueezeExciteConfig) *squeezeExcite {
	if c.Reduction == 0 {
		c.Reduction = 16
	}
	if c.Divisor == 0 {
		c.Divisor = 8
	}
	if c.Act == "" {
		c.Act = op.ReLU
	}
	if c.Gate == "" {
		c.Gate = op.Sigmoid
	}
	hidden := c.Hidden
	if hidden == 0 {
		hidden = Divisible(float64(channels)/c.Reduction, c.Divisor, 0)
	}
	return &squeezeExcite{
		squeeze: graph.NewConv(s.Sub("fc1"), channels, hidden, 1, graph.ConvConfig{Bias: true}),
		excite:  graph.NewConv(s.Sub("fc2"), hidden, channels, 1, graph.ConvConfig{Bias: true}),
		act:     c.Act, gate: c.Gate,
	}
}

// Forward implements graph.Module.
func (m *squeezeExcite) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	y := g.Activation(m.squeeze.Forward(g, spatialMean(g, x)), m.act)
	return g.Mul(x, g.Activation(m.excite.Forward(g, y), m.gate))
}

// spatialMean is the mean over height and width that keeps the axes:
// (N, H, W, C) to (N, 1, 1, C).
func spatialMean(g *graph.Graph, x *graph.Node) *graph.Node {
	y := g.GlobalAvgPool(x)
	if y == nil {
		return nil
	}
	return g.Reshape(y, y.Shape()[0], 1, 1, y.Shape()[1])
}

// Divisible rounds v to the nearest multiple of divisor, at least divisor, and
// one multiple up where that falls below limit times v: limit is .9 in
// MobileNets and 0 in squeeze-and-excitation.
func Divisible(v float64, divisor int, limit float64) int {
	n := max(divisor, int(v+float64(divisor)/2)/divisor*divisor)
	if float64(n) < limit*v {
		n += divisor
	}
	return n
}
