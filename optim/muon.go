package optim

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Muon says how muon does what op.Muon leaves open; the zero value is timm's way.
type Muon struct {
	// Steps is the number of Newton-Schulz steps, 0 for 5, and Coefficients names
	// theirs: quintic, empty for it, or original (3.4445, -4.7750 and 2.0315 in each
	// step), which is kellerjordan.github.io/posts/muon.
	Steps        int
	Coefficients string
	// Scale names what multiplies the learning rate for a matrix of o outputs and i
	// inputs: match_rms_adamw, empty for it, 0.2*sqrt(max(o, i)) (arXiv 2502.16982);
	// original, sqrt(max(1, o/i)); rms_to_rms, sqrt(o/i) (arXiv 2502.07529); or none, 1.
	Scale string
	// Unit brings a matrix to the norm sqrt(o) before each update, as
	// github.com/KellerJordan/cifar10-airbench does, so that a norm must follow it.
	Unit bool
	// Rest is what updates parameters that are no matrices: adamw, empty for it, with
	// Betas and Eps, which Nesterov makes nadamw; or sgd, with RestMomentum.
	Rest         string
	RestMomentum float64
	// Except tells by their names which matrices go with those; nil is none.
	Except func(name string) bool
}

// muonCoefficients are those of the Newton-Schulz steps; further steps have the last.
var muonCoefficients = map[string][][3]float64{
	"quintic": { // leloykun.github.io/ponder/muon-opt-coeffs
		{4.0848, -6.8946, 2.9270},
		{3.9505, -6.3029, 2.6377},
		{3.7418, -5.5913, 2.3037},
		{2.8769, -3.1427, 1.2046},
		{2.8366, -3.0525, 1.2012},
	},
	"original": {{3.4445, -4.7750, 2.0315}},
}

// muonScales are the factors of the learning rate.
var muonScales = map[string]func(outs, ins float64) float64{
	"match_rms_adamw": func(outs, ins float64) float64 { return 0.2 * math.Sqrt(max(outs, ins)) },
	"original":        func(outs, ins float64) float64 { return math.Sqrt(max(1, outs/ins)) },
	"rms_to_rms":      func(outs, ins float64) float64 { return math.Sqrt(outs / ins) },
	"none":            func(_, _ float64) float64 { return 1 },
}

// fill checks the configuration and puts in what is left open.
func (m Muon) fill() (Muon, error) {
	if m.Steps == 0 {
		m.Steps = 5
	}
	if m.Coefficients == "" {
		m.Coefficients = "quintic"
	}
	if m.Scale == "" {
		m.Scale = "match_rms_adamw"
	}
	if m.Rest == "" {
		m.Rest = "adamw"
	}
	switch {
	case m.Steps < 0:
		return m, fmt.Errorf("optimizer muon: %d steps, want one or more", m.Steps)
	case muonCoefficients[m.Coefficients] == nil:
		return m, fmt.Errorf("optimizer muon: coefficients %q are unknown; known are %v", m.Coefficients, slices.Sorted(maps.Keys(muonCoefficients)))
	case muonScales[m.Scale] == nil:
		return m, fmt.Errorf("optimizer muon: scale %q is unknown; known are %v", m.Scale, slices.Sorted(maps.Keys(muonScales)))
	case m.Rest != "adamw" && m.Rest != "sgd":
		return m, fmt.Errorf("optimizer muon: %q cannot update what is no matrix; adamw and sgd can", m.Rest)
	}
	return m, nil
}

// steps are the coefficients of every step.
func (m Muon) steps() [][3]float64 {
	known := muonCoefficients[m.Coefficients]
	list := make([][3]float64, m.Steps)
	for i := range list {
		list[i] = known[min(i, len(known)-1)]
	}
	return list
}

// muonRest is the rule for what is no matrix.
func (c Config) muonRest() op.Rule {
	if c.Muon.Rest == "sgd" {
		return op.SGD{Momentum: c.Muon.RestMomentum, Nesterov: c.Nesterov && c.Muon.RestMomentum > 0}
	}
	return op.Adam{Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps, Decoupled: true, Nesterov: c.Nesterov}
}

// muon declares what Muon keeps of a parameter.
func (s *state) muon(p *graph.Param, m Muon) tied {
	t := tied{of: p, matrix: isMatrix(p) && (m.Except == nil || !m.Except(p.Name))}
	if t.matrix || m.Rest == "sgd" {
		t.moment = s.like(p, "momentum_buffer")
		return t
	}
	t.moment, t.square = s.like(p, "exp_avg"), s.like(p, "exp_avg_sq")
	return t
}

// Bounds of what timm calls suitable for Muon.
const (
	leastSide  = 4
	mostAspect = 128
)

// isMatrix tells whether Muon can orthogonalise a parameter: a weight whose outputs and
// inputs, the places of a kernel included, are a matrix that is not too narrow. Position
// tables, which take no weight decay either, are none.
func isMatrix(p *graph.Param) bool {
	file := p.FileShape()
	if p.Role != graph.Weight || len(file) < 2 || file[0] == 1 || file[1] == 1 {
		return false
	}
	outs, ins := file[0], p.Len()/file[0]
	short, long := min(outs, ins), max(outs, ins)
	return short >= leastSide && long <= mostAspect*short
}

// asMatrix is how Muon finds the values once they have memory.
func (t tied) asMatrix(m Muon) op.Matrix {
	o := op.Matrix{MomentAt: t.moment.Offset()}
	if t.square != nil {
		o.SquareAt = t.square.Offset()
	}
	if !t.matrix {
		return o
	}
	outs := t.of.FileShape()[0]
	ins := t.of.Len() / outs
	o.Rows, o.Cols = ins, outs
	if outputsFirst(t.of) {
		o.Rows, o.Cols = outs, ins
	}
	o.Scale = muonScales[m.Scale](float64(outs), float64(ins))
	if m.Unit {
		o.Norm = math.Sqrt(float64(outs))
	}
	return o
}

// outputsFirst tells whether the first axis of the file comes first in memory, too;
// it comes last else.
func outputsFirst(p *graph.Param) bool {
	_, owner := p.Axes()
	return owner[0] == 0
}
