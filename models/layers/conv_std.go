package layers

import (
	"math"

	"github.com/seed52467199/trainer/graph"
)

// Standardization says how weights are standardized (Qiao et al., arXiv 1903.10520): the
// weights of each output channel are brought to mean 0 and variance 1 in every pass, and
// the gradient goes through both.
type Standardization struct {
	// Eps is added to the variance; timm's constant is 1e-6.
	Eps float64
	// Outside adds Eps to the standard deviation instead, as some released weights
	// expect.
	Outside bool
	// Gain gives each output channel a learned factor beside 1/sqrt(fan-in), as networks
	// without norms want it (Brock et al., arXiv 2101.08692).
	Gain bool
}

// Conv is s as a ConvFunc. Weights are to be followed by a norm unless they have a gain.
func (s Standardization) Conv(scope graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
	m := &standardized{Standardization: s, conv: graph.NewConv(scope, in, out, k, c)}
	if s.Gain {
		shape := graph.Shape{out}
		m.gain = scope.Param("gain", shape, graph.ShapedLayout(shape, graph.Shape{out, 1, 1, 1}), graph.Bias, graph.Ones)
	}
	return m
}

type standardized struct {
	Standardization
	conv *graph.Convolution
	gain *graph.Param
}

// Forward implements graph.Module.
func (m *standardized) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	w := m.Weight(g, g.Param(m.conv.Weight))
	if m.gain != nil {
		shape := m.conv.Weight.Shape
		fan := shape[0] * shape[1] * shape[2]
		w = g.Mul(w, g.Scale(g.Param(m.gain), 1/math.Sqrt(float64(fan))))
	}
	return m.conv.Convolve(g, x, w, m.conv.Window)
}

// Weight standardizes a convolution's weight w (KH, KW, C/groups, K).
func (s Standardization) Weight(g *graph.Graph, w *graph.Node) *graph.Node {
	if w == nil {
		return nil
	}
	k := w.Shape()[3]
	rest := g.Sub(w, g.MeanTo(w, 1, 1, 1, k))
	variance := g.MeanTo(g.Mul(rest, rest), 1, 1, 1, k)
	if s.Outside {
		return g.Mul(rest, g.Power(g.Power(variance, 0.5, 0), -1, s.Eps))
	}
	return g.Mul(rest, g.Power(variance, -0.5, s.Eps))
}

var standardConvs = []Entry{
	{
		Name: "std", Kind: Convs, Family: "weight standardization", Options: "eps=1e-6, outside=false", Paper: "Qiao et al., arXiv 1903.10520",
		conv: func(s *Spec) Convolver {
			return Convolver{Every: Standardization{Eps: s.Float("eps", 1e-6, 0), Outside: s.Bool("outside", false)}.Conv}
		},
	},
	{
		Name: "scaled_std", Kind: Convs, Family: "weight standardization", Options: "eps=1e-6", Paper: "Brock et al., arXiv 2101.08692",
		conv: func(s *Spec) Convolver {
			return Convolver{Every: Standardization{Eps: s.Float("eps", 1e-6, 0), Gain: true}.Conv}
		},
	},
}
