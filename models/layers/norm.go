package layers

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// NormFunc declares a normalisation of maps (N, H, W, channels). With zero it
// starts by giving nothing but zeros.
type NormFunc func(s graph.Scope, channels int, zero bool) graph.Module

// norms are the normalisations that configurations choose from.
var norms = []Entry{
	{
		Name: "batch", Kind: Norms, Family: "batch", Options: "eps=1e-5, momentum=0.1", Paper: "Ioffe and Szegedy, arXiv 1502.03167",
		norm: func(s *Spec) NormFunc {
			return BatchNormOf(graph.BatchNormConfig{Eps: s.Float("eps", 1e-5, 0), Momentum: s.Float("momentum", 0.1, 0)})
		},
	},
	{
		Name: "layer", Kind: Norms, Family: "layer", Options: "eps=1e-6", Paper: "Ba et al., arXiv 1607.06450",
		norm: func(s *Spec) NormFunc { return LayerNorm(s.Float("eps", 1e-6, 0)) },
	},
	{
		Name: "group", Kind: Norms, Family: "group", Options: "groups=32, eps=1e-5", Paper: "Wu and He, arXiv 1803.08494",
		norm: func(s *Spec) NormFunc { return GroupNorm(s.Int("groups", 32, 1), s.Float("eps", 1e-5, 0)) },
	},
	{
		Name: "instance", Kind: Norms, Family: "group", Options: "eps=1e-5", Paper: "Ulyanov et al., arXiv 1607.08022",
		norm: func(s *Spec) NormFunc { return InstanceNorm(s.Float("eps", 1e-5, 0)) },
	},
}

// scaled is a normalisation with a scale and perhaps a shift of each channel, as
// weight and bias.
type scaled struct {
	op          op.Op
	gamma, beta *graph.Param // beta is nil where there is none
}

func newScaled(s graph.Scope, channels int, o op.Op, zero, shift bool) *scaled {
	init := graph.Ones
	if zero {
		init = graph.Zeros
	}
	m := &scaled{op: o, gamma: s.Param("weight", graph.Shape{channels}, graph.Layout{}, graph.Bias, init)}
	if shift {
		m.beta = s.Param("bias", graph.Shape{channels}, graph.Layout{}, graph.Bias, graph.Zeros)
	}
	return m
}

// Forward implements graph.Module.
func (m *scaled) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if m.beta == nil {
		return g.Apply(m.op, x, g.Param(m.gamma))
	}
	return g.Apply(m.op, x, g.Param(m.gamma), g.Param(m.beta))
}

// LayerNorm normalises the channels of each position or token by themselves: of maps
// (N, H, W, channels) it is what timm calls LayerNorm2d.
func LayerNorm(eps float64) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		return newScaled(s, channels, op.LayerNorm{Eps: eps}, zero, true)
	}
}

// GroupNorm normalises the channels of a sample in groups, over all positions. Fewer
// channels than groups, or a number that these do not divide, is an error of the graph.
func GroupNorm(groups int, eps float64) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		return newScaled(s, channels, op.GroupNorm{Groups: groups, Eps: eps}, zero, true)
	}
}

// GlobalResponseNorm lets channels compete by their norms over the map (Woo et al.,
// arXiv 2301.00808): with r the root of the sum of x^2 over the map and m its mean over
// channels, x + weight*x*r/(m + 1e-6) + bias. It starts as the identity.
func GlobalResponseNorm(s graph.Scope, channels int, _ bool) graph.Module {
	param := func(name string) *graph.Param {
		return s.Param(name, graph.Shape{channels}, graph.Layout{}, graph.Bias, graph.Zeros)
	}
	weight, bias := param("weight"), param("bias")
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		n := batch(x)
		root := g.Power(g.SumTo(g.Mul(x, x), n, 1, 1, channels), 0.5, 0)
		factor := g.Mul(g.Mul(root, g.Power(g.MeanTo(root, n, 1, 1, 1), -1, 1e-6)), g.Param(weight))
		return g.Add(g.Add(x, g.Mul(x, factor)), g.Param(bias))
	})
}

// InstanceNorm normalises each channel of a sample by itself.
func InstanceNorm(eps float64) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		return newScaled(s, channels, op.GroupNorm{Groups: channels, Eps: eps}, zero, true)
	}
}

// BatchNorm is batch normalisation with PyTorch's constants as a NormFunc.
func BatchNorm(s graph.Scope, channels int, zero bool) graph.Module {
	return graph.NewBatchNorm(s, channels, graph.BatchNormConfig{ZeroGamma: zero})
}

// BatchNormOf is BatchNorm with other constants.
func BatchNormOf(c graph.BatchNormConfig) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		c := c
		c.ZeroGamma = zero
		return graph.NewBatchNorm(s, channels, c)
	}
}
