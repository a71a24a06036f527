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
		Name: "rms", Kind: Norms, Family: "layer", Options: "eps=1e-6", Paper: "Zhang and Sennrich, arXiv 1910.07467",
		norm: func(s *Spec) NormFunc { return RMSNorm(s.Float("eps", 1e-6, 0)) },
	},
	{
		Name: "frn", Kind: Norms, Family: "group", Options: "eps=1e-5", Paper: "Singh and Krishnan, arXiv 1911.09737",
		norm: func(s *Spec) NormFunc { return FilterResponseNorm(s.Float("eps", 1e-5, 0)) },
	},
	{
		Name: "frozen", Kind: Norms, Family: "batch", Options: "eps=1e-5", Paper: "He et al., arXiv 1512.03385, as in detectors",
		norm: func(s *Spec) NormFunc { return FrozenBatchNorm(s.Float("eps", 1e-5, 0)) },
	},
	{
		Name: "bcn", Kind: Norms, Family: "batch-channel", Options: "groups=32, eps=1e-5, estimate=false, speed=0", Paper: "Qiao et al., arXiv 1903.10520",
		norm: func(s *Spec) NormFunc {
			c := BatchChannelConfig{Groups: s.Int("groups", 32, 1), Eps: s.Float("eps", 1e-5, 0), Speed: s.Float("speed", 0, 0)}
			if s.Bool("estimate", false) {
				c.Speed = s.Positive("speed", "estimate=true wants it, for without it the statistics never move")
			} else if c.Speed > 0 {
				s.refuse("speed", "given", "left out without estimate=true")
			}
			return BatchChannelNorm(c)
		},
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
	weight, bias := channelParam(s, "weight", channels, 0, false), channelParam(s, "bias", channels, 0, false)
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		n := batch(x)
		root := g.Power(g.SumTo(g.Mul(x, x), n, 1, 1, channels), 0.5, 0)
		factor := g.Mul(g.Mul(root, g.Power(g.MeanTo(root, n, 1, 1, 1), -1, 1e-6)), g.Param(weight))
		return g.Add(g.Add(x, g.Mul(x, factor)), g.Param(bias))
	})
}

// RMSNorm divides the channels of each position or token by their root mean square.
func RMSNorm(eps float64) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		return newScaled(s, channels, op.LayerNorm{Eps: eps, Root: true}, zero, false)
	}
}

// FilterResponseNorm divides each channel of a sample by its root mean square over the
// map, and lets nothing below a learned threshold, tau, pass, which takes the place of an
// activation (Singh and Krishnan, arXiv 1911.09737).
func FilterResponseNorm(eps float64) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		norm := newScaled(s, channels, op.GroupNorm{Groups: channels, Eps: eps, Root: true}, zero, true)
		tau := channelParam(s, "tau", channels, 0, false)
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			least := g.Param(tau)
			return g.Add(g.ReLU(g.Sub(norm.Forward(g, x), least)), least)
		})
	}
}

// FrozenBatchNorm normalises by statistics, a scale and a shift that training leaves
// alone, as pretrained networks inside detectors do.
func FrozenBatchNorm(eps float64) NormFunc {
	return func(s graph.Scope, channels int, _ bool) graph.Module {
		param := func(name string, init graph.Init) *graph.Param {
			return s.Param(name, graph.Shape{channels}, graph.Layout{}, graph.Statistic, init)
		}
		gamma, beta := param("weight", graph.Ones), param("bias", graph.Zeros)
		mean, variance := param("running_mean", graph.Zeros), param("running_var", graph.Ones)
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			return g.Apply(op.BatchNormInference{Eps: eps}, x, g.Param(gamma), g.Param(beta), g.Param(mean), g.Param(variance))
		})
	}
}

// BatchChannelConfig says how batch-channel normalisation normalises.
type BatchChannelConfig struct {
	// Groups is the number of groups of the second norm.
	Groups int
	Eps    float64
	// Speed, where it is not 0, lets the first norm go by running statistics, which each
	// batch moves by this part of the way, for batches too small to have their own.
	Speed float64
}

// BatchChannelNorm is a batch norm, bn, and behind it a group norm, gn, so that channels
// are normalised by the data set and by the sample (Qiao et al., arXiv 1903.10520). It
// wants standardized weights.
func BatchChannelNorm(c BatchChannelConfig) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		bn := graph.NewBatchNorm(s.Sub("bn"), channels, graph.BatchNormConfig{Eps: c.Eps})
		return &batchChannel{c, bn, GroupNorm(c.Groups, c.Eps)(s.Sub("gn"), channels, zero)}
	}
}

type batchChannel struct {
	BatchChannelConfig
	bn *graph.Norm
	gn graph.Module
}

// Forward implements graph.Module.
func (m *batchChannel) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if m.Speed == 0 || !g.Training() || m.bn.Fixed() {
		return m.gn.Forward(g, m.bn.Forward(g, x))
	}
	mean := g.Apply(op.EstimateMoments{Speed: m.Speed}, x, g.Param(m.bn.Mean), g.Param(m.bn.Var))
	variance := g.Aux(mean, 1)
	return m.gn.Forward(g, g.Apply(op.BatchNormInference{Eps: m.Eps}, x, g.Param(m.bn.Gamma), g.Param(m.bn.Beta), mean, variance))
}

// InstanceNorm normalises each channel of a sample by itself.
func InstanceNorm(eps float64) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		return GroupNorm(channels, eps)(s, channels, zero)
	}
}

// BatchNorm is batch normalisation with PyTorch's constants as a NormFunc.
func BatchNorm(s graph.Scope, channels int, zero bool) graph.Module {
	return BatchNormOf(graph.BatchNormConfig{})(s, channels, zero)
}

// BatchNormOf is BatchNorm with other constants.
func BatchNormOf(c graph.BatchNormConfig) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		own := c
		own.ZeroGamma = zero
		return graph.NewBatchNorm(s, channels, own)
	}
}
