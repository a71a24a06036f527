package layers

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// ActFunc declares an activation behind this many channels. Most have no
// parameters and leave the scope alone.
type ActFunc func(s graph.Scope, channels int) graph.Module

// Act is an activation without parameters as an ActFunc.
func Act(f op.Act) ActFunc { return ActAlpha(f, graph.DefaultAlpha(f)) }

// ActAlpha is Act with another parameter than the default, for those that have one.
func ActAlpha(f op.Act, alpha float64) ActFunc {
	return func(graph.Scope, int) graph.Module {
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.ActivationAlpha(x, f, alpha) })
	}
}

// Identity is no activation.
func Identity(graph.Scope, int) graph.Module {
	return graph.Func(func(_ *graph.Graph, x *graph.Node) *graph.Node { return x })
}

// PReLU is x, times a learned factor of its channel where x is not above 0 (He et al.,
// arXiv 1502.01852). All factors start as init; shared, they are one.
func PReLU(init float64, shared bool) ActFunc {
	return func(s graph.Scope, channels int) graph.Module {
		weight := channelParam(s, "weight", channels, init, shared)
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			w := g.Param(weight)
			if shared && channels > 1 {
				w = g.Apply(op.BroadcastTo{Shape: graph.Shape{channels}}, w)
			}
			return g.Apply(op.PReLU{}, x, w)
		})
	}
}

// LearnedSwish is x times the logistic function of beta*x with a learned beta of each
// channel, or a shared one (Ramachandran et al., arXiv 1710.05941), which starts as init.
func LearnedSwish(init float64, shared bool) ActFunc {
	return func(s graph.Scope, channels int) graph.Module {
		beta := channelParam(s, "beta", channels, init, shared)
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			return g.Mul(x, g.Activation(g.Mul(x, g.Param(beta)), op.Sigmoid))
		})
	}
}

// Softplus is log(1+exp(beta*x))/beta.
func Softplus(beta float64) ActFunc {
	if beta == 1 {
		return Act(op.Softplus)
	}
	return func(graph.Scope, int) graph.Module {
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			return g.Scale(g.Activation(g.Scale(x, beta), op.Softplus), 1/beta)
		})
	}
}

// channelParam is a parameter of each channel, or one for all, which weight decay leaves
// alone.
func channelParam(s graph.Scope, name string, channels int, init float64, shared bool) *graph.Param {
	if shared {
		channels = 1
	}
	return s.Param(name, graph.Shape{channels}, graph.Layout{}, graph.Bias, graph.Constant(init))
}

// activations are those that configurations choose from.
var activations = []Entry{
	activation(op.ReLU, "rectifier", "Nair and Hinton, ICML 2010"),
	activation(op.ReLU6, "rectifier", "Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010"),
	{
		Name: "leaky_relu", Kind: Acts, Family: "rectifier", Options: "alpha=0.01", Paper: "Maas et al., ICML 2013",
		act: func(s *Spec) ActFunc { return ActAlpha(op.LeakyReLU, s.Float("alpha", 0.01, 0)) },
	},
	{
		Name: "prelu", Kind: Acts, Family: "rectifier", Options: "init=0.25, shared=false", Paper: "He et al., arXiv 1502.01852",
		act: func(s *Spec) ActFunc { return PReLU(s.Float("init", 0.25, 0), s.Bool("shared", false)) },
	},
	{
		Name: "elu", Kind: Acts, Family: "exponential", Options: "alpha=1", Paper: "Clevert et al., arXiv 1511.07289",
		act: func(s *Spec) ActFunc { return ActAlpha(op.ELU, s.Float("alpha", 1, 0)) },
	},
	{
		Name: "celu", Kind: Acts, Family: "exponential", Options: "alpha=1", Paper: "Barron, arXiv 1704.07483",
		act: func(s *Spec) ActFunc { return ActAlpha(op.CELU, s.Float("alpha", 1, 1e-3)) },
	},
	activation(op.SELU, "exponential", "Klambauer et al., arXiv 1706.02515"),
	{
		Name: "softplus", Kind: Acts, Family: "exponential", Options: "beta=1", Paper: "Dugas et al., NIPS 2000",
		act: func(s *Spec) ActFunc { return Softplus(s.Float("beta", 1, 1e-3)) },
	},
	activation(op.GELU, "gated", "Hendrycks and Gimpel, arXiv 1606.08415"),
	activation(op.GELUTanh, "gated", "Hendrycks and Gimpel, arXiv 1606.08415"),
	activation(op.QuickGELU, "gated", "Hendrycks and Gimpel, arXiv 1606.08415"),
	activation(op.SiLU, "gated", "Elfwing et al., arXiv 1702.03118"),
	{
		Name: "swish", Kind: Acts, Family: "gated", Options: "beta=1, learned=false, shared=false", Paper: "Ramachandran et al., arXiv 1710.05941",
		act: func(s *Spec) ActFunc {
			beta, learned, shared := s.Float("beta", 1, 0), s.Bool("learned", false), s.Bool("shared", false)
			if shared && !learned {
				s.refuse("shared", "true", "false, unless learned=true")
			}
			switch {
			case learned:
				return LearnedSwish(beta, shared)
			case beta == 1:
				return Act(op.SiLU)
			}
			return ActAlpha(op.Swish, beta)
		},
	},
	activation(op.Mish, "gated", "Misra, arXiv 1908.08681"),
	activation(op.HardSwish, "gated", "Howard et al., arXiv 1905.02244"),
	activation(op.HardMish, "gated", "Misra, arXiv 1908.08681, in pieces of parabolas and lines"),
	activation(op.Sigmoid, "squashing", "Rumelhart et al., Nature 323, 1986"),
	activation(op.HardSigmoid, "squashing", "Courbariaux et al., arXiv 1511.00363; of slope 1/6 as in arXiv 1905.02244"),
	activation(op.Tanh, "squashing", "LeCun et al., Efficient BackProp, 1998"),
	activation(op.HardTanh, "squashing", "Collobert, Large Scale Machine Learning, 2004"),
	{Name: "identity", Kind: Acts, Family: "linear", act: func(*Spec) ActFunc { return Identity }},
}

// activation is the entry of one without options.
func activation(f op.Act, family, paper string) Entry {
	return Entry{Name: string(f), Kind: Acts, Family: family, Paper: paper, act: func(*Spec) ActFunc { return Act(f) }}
}
