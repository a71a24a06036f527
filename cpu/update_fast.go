package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

func fastSGDUpdate(c op.Call, o op.SGDUpdate) (plan, error) {
	return update(c, o.Segments, sgdState(o), sgdHyper, func(m operands) func(span) {
		w, g, momentum, h := floats(m.in[0]), floats(m.in[1]), floats(m.in[sgdMomentum]), hyper(as[float64](m.in[sgdHyper]))
		return func(s span) {
			lr, decay := h.group(s.group)
			var buf []float32
			if o.Momentum != 0 {
				buf = momentum[s.lo:s.hi]
			}
			vec.SGDStep(vec.SGD{LR: lr, WeightDecay: decay, GradScale: h.gradScale(), Momentum: h.momentum(o.Momentum), Dampening: o.Dampening,
				Nesterov: o.Nesterov, First: h.step() == 1}, w[s.lo:s.hi], buf, g[s.lo:s.hi])
		}
	}, fastMovingAverage)
}

func fastAdamUpdate(c op.Call, o op.AdamUpdate) (plan, error) {
	return update(c, o.Segments, adamState, adamHyper, func(m operands) func(span) {
		w, g, first, second := floats(m.in[0]), floats(m.in[1]), floats(m.in[adamFirst]), floats(m.in[adamSecond])
		h := hyper(as[float64](m.in[adamHyper]))
		return func(s span) {
			lr, decay := h.group(s.group)
			vec.AdamStep(vec.Adam{LR: lr, WeightDecay: decay, GradScale: h.gradScale(), Beta1: h.momentum(o.Beta1), Beta2: o.Beta2, Eps: o.Eps,
				Decoupled: o.Decoupled, Step: int(h.step())}, w[s.lo:s.hi], first[s.lo:s.hi], second[s.lo:s.hi], g[s.lo:s.hi])
		}
	}, fastMovingAverage)
}

func fastEMAUpdate(c op.Call) plan {
	return elementwise(op.Size(c.In[0]), func(m operands) func(lo, hi int) {
		return fastMovingAverage(m.in[0], m.in[1], as[float64](m.in[emaDecay]))
	})
}

func fastMovingAverage(average, weights []byte, decay []float64) func(lo, hi int) {
	a, w := floats(average), floats(weights)
	return func(lo, hi int) { vec.Lerp(a[lo:hi], w[lo:hi], float32(1-decay[0])) }
}

func fastSquaredNorm(c op.Call) plan {
	return sum(elements(op.Size(c.In[0])), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, y := floats(m.in[0]), as[float64](m.out[0])
		return func(lo, hi int) float64 { return vec.SumSquares(x[lo:hi]) }, func(total float64) { y[0] = total }
	})
}

func fastAccumulate(c op.Call) plan {
	return elementwise(op.Size(c.In[0]), func(m operands) func(lo, hi int) {
		x, y := floats(m.in[0]), floats(m.in[1])
		return func(lo, hi int) { vec.Add(x[lo:hi], x[lo:hi], y[lo:hi]) }
	})
}
