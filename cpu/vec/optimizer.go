package vec

import (
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// SGD holds the constants of [SGDStep].
type SGD = portable.SGD

// Adam holds the constants of [AdamStep] and [AdamDirection].
type Adam = portable.Adam

// Lion holds the constants of [LionStep].
type Lion = portable.Lion

// RMSProp holds the constants of [RMSPropStep].
type RMSProp = portable.RMSProp

// SGDStep updates the weights w and the momentum buffer buf, which is nil
// without momentum, from the gradients g, all of one length, as [SGD] tells.
func SGDStep(s SGD, w, buf, g []float32) {
	agree(len(w), len(g))
	momentum, damped, direct, buffer := s.Coefficients()
	p := [...]float32{float32(s.GradScale), float32(s.WeightDecay), float32(s.LR),
		float32(momentum), float32(damped), float32(direct), float32(buffer)}
	switch {
	case active == isa.Generic:
		portable.SGDStep(s, w, buf, g)
	case buf == nil:
		sgd(w, g, p[:])
	default:
		agree(len(w), len(buf))
		sgdMomentumStep(w, buf, g, p[:])
	}
}

// AdamStep updates the weights w and the moments m and v from the gradients g,
// all of one length, as [Adam] tells.
func AdamStep(a Adam, w, m, v, g []float32) {
	agree(len(w), len(m), len(v), len(g))
	if active == isa.Generic {
		portable.AdamStep(a, w, m, v, g)
		return
	}
	l2, keep := a.WeightDecay, 1.0
	if a.Decoupled {
		l2, keep = 0, 1-a.LR*a.WeightDecay
	}
	first, _, _ := a.Scalars()
	p := adamTable(a, l2, keep, a.LR*first)
	if a.Nesterov {
		nadam(w, m, v, g, p[:])
		return
	}
	adam(w, m, v, g, p[:])
}

// AdamWeights is what [AdamStep] does to the weights, where the moments m and v are new
// already, as [AdamDirection] leaves them, and weight decay keeps apart from the
// gradient; all of one length.
func AdamWeights(a Adam, w, m, v []float32) {
	agree(len(w), len(m), len(v))
	if active == isa.Generic {
		portable.AdamWeights(a, w, m, v)
		return
	}
	first, _, _ := a.Scalars()
	p := adamTable(a, 0, 1-a.LR*a.WeightDecay, a.LR*first)
	adamWeights(w, m, v, p[:])
}

// LionStep updates the weights w and the moment m from the gradients g, all of one
// length, as [Lion] tells.
func LionStep(l Lion, w, m, g []float32) {
	agree(len(w), len(m), len(g))
	if active == isa.Generic {
		portable.LionStep(l, w, m, g)
		return
	}
	p := [...]float32{float32(l.GradScale), float32(1 - l.LR*l.WeightDecay), float32(1 - l.Beta1), float32(1 - l.Beta2), float32(l.LR)}
	lion(w, m, g, p[:])
}

// RMSPropStep updates the weights w, the mean square v and the momentum buffer buf, which
// is nil without momentum, from the gradients g, all of one length, as [RMSProp] tells.
func RMSPropStep(r RMSProp, w, v, buf, g []float32) {
	agree(len(w), len(v), len(g))
	p := [...]float32{float32(r.GradScale), float32(r.WeightDecay), float32(1 - r.Alpha), float32(r.Eps), float32(r.LR), float32(r.Momentum)}
	switch {
	case active == isa.Generic:
		portable.RMSPropStep(r, w, v, buf, g)
	case buf == nil:
		rmsprop(w, v, g, p[:])
	default:
		agree(len(w), len(buf))
		rmspropMomentum(w, v, buf, g, p[:])
	}
}

// AdamDirection updates the moments m and v from the gradients g and sets u to
// the step that Adam takes for a learning rate of 1, plus WeightDecay*w: what
// LAMB (arXiv 1904.00962) scales by its trust ratio.
func AdamDirection(a Adam, u, m, v, g, w []float32) {
	agree(len(u), len(m), len(v), len(g), len(w))
	if active == isa.Generic {
		portable.AdamDirection(a, u, m, v, g, w)
		return
	}
	first, _, _ := a.Scalars()
	p := adamTable(a, 0, 1, first)
	adamDirection(u, m, v, g, w, p[:])
}

// adamTable is the coefficients in the kernels' order.
func adamTable(a Adam, l2, keep, step float64) [10]float32 {
	_, root, eps := a.Scalars()
	return [...]float32{float32(a.GradScale), float32(l2), float32(keep),
		float32(1 - a.Beta1), float32(a.Beta2), float32(1 - a.Beta2),
		float32(step), float32(root), float32(eps), float32(a.WeightDecay)}
}
