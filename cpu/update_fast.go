package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// fastUpdate is the plan of an update by fast kernels, and in plain Go where the rule has
// none; the average moves as by itself.
func fastUpdate(c op.Call, o op.Update, threads *pool.Pool) (plan, error) {
	switch r := o.Rule.(type) {
	case op.LAMB:
		return fastLAMB(c, o, r, threads.Threads())
	case op.LARS:
		return layerwise(c, o, fastLARS(r), fastMovingAverage)
	case op.Adafactor:
		return adafactor[float32](c, o, r, fastMovingAverage)
	case op.Muon:
		return muon(c, o, r, anyStep(r.Rest), fastProduct(threads), fastMovingAverage)
	}
	step := anyStep(o.Rule)
	if step == nil {
		return plan{}, nil
	}
	return update(c, o, step, fastMovingAverage)
}

// anyStep updates a span by a fast kernel or, where the rule has none, in plain Go; nil
// for rules whose elements depend on each other.
func anyStep(r op.Rule) func(updated[float32], span) {
	if step := fastStep(r); step != nil {
		return step
	}
	return portableStep[float32](r)
}

// fastStep updates a span, nil for rules without a fast kernel.
func fastStep(r op.Rule) func(updated[float32], span) {
	switch r := r.(type) {
	case op.SGD:
		return func(u updated[float32], s span) { fastSGDStep(r, u, s, 1) }
	case op.Adam:
		return func(u updated[float32], s span) {
			vec.AdamStep(vecAdam(r, u.hyper, s.group), u.w[s.lo:s.hi], u.state[0][s.lo:s.hi], u.state[1][s.lo:s.hi], u.g[s.lo:s.hi])
		}
	case op.Lion:
		return func(u updated[float32], s span) {
			lr, decay := u.hyper.group(s.group)
			vec.LionStep(vec.Lion{LR: lr, WeightDecay: decay, GradScale: u.hyper.gradScale(), Beta1: r.Beta1, Beta2: r.Beta2},
				u.w[s.lo:s.hi], u.state[0][s.lo:s.hi], u.g[s.lo:s.hi])
		}
	case op.RMSProp:
		if r.TF {
			return func(u updated[float32], s span) { fastRMSPropStep(r, u, s) }
		}
	}
	return nil
}

func fastLARS(o op.LARS) trusting[float32] {
	return trusting[float32]{
		measure: func(u updated[float32], s span, _ int) (weights, grads float64) {
			scale := u.hyper.gradScale()
			return vec.SumSquares(u.w[s.lo:s.hi]), scale * scale * vec.SumSquares(u.g[s.lo:s.hi])
		},
		ratio: larsRatio(o),
		step:  func(u updated[float32], s span, ratio float64) { fastSGDStep(o.SGD, u, s, ratio) },
	}
}

// fastSGDStep multiplies the gradient, weight decay included, with ratio.
func fastSGDStep(o op.SGD, u updated[float32], s span, ratio float64) {
	lr, decay := u.hyper.group(s.group)
	var buf []float32
	if o.Momentum != 0 {
		buf = u.state[0][s.lo:s.hi]
	}
	vec.SGDStep(vec.SGD{LR: lr, WeightDecay: ratio * decay, GradScale: ratio * u.hyper.gradScale(), Momentum: u.hyper.momentum(o.Momentum), Dampening: o.Dampening,
		Nesterov: o.Nesterov, First: u.hyper.step() == 1}, u.w[s.lo:s.hi], buf, u.g[s.lo:s.hi])
}

// vecAdam is the kernels' constants of an Adam.
func vecAdam(o op.Adam, h hyper, group int) vec.Adam {
	lr, decay := h.group(group)
	return vec.Adam{LR: lr, WeightDecay: decay, GradScale: h.gradScale(), Beta1: h.momentum(o.Beta1), Beta2: o.Beta2, Eps: o.Eps,
		Decoupled: o.Decoupled, Nesterov: o.Nesterov, Rectified: o.Rectified, Step: int(h.step())}
}

// fastRMSPropStep is TensorFlow's.
func fastRMSPropStep(o op.RMSProp, u updated[float32], s span) {
	lr, decay := u.hyper.group(s.group)
	square := u.state[0][s.lo:s.hi]
	if u.hyper.step() == 1 {
		vec.Fill(square, 1)
	}
	var buf []float32
	if o.Momentum != 0 {
		buf = u.state[1][s.lo:s.hi]
	}
	vec.RMSPropStep(vec.RMSProp{LR: lr, WeightDecay: decay, GradScale: u.hyper.gradScale(), Alpha: o.Alpha, Eps: o.Eps, Momentum: o.Momentum},
		u.w[s.lo:s.hi], square, buf, u.g[s.lo:s.hi])
}

// fastLAMB makes a span's update twice, for its norm in a thread's own memory and then
// from the new moments: that moves less than keeping it.
func fastLAMB(c op.Call, o op.Update, r op.LAMB, threads int) (plan, error) {
	adam := lambMoments(r)
	updates := make([][grain]float32, threads)
	return layerwise(c, o, trusting[float32]{
		measure: func(u updated[float32], s span, worker int) (weights, norm float64) {
			w, d := u.w[s.lo:s.hi], updates[worker][:s.hi-s.lo]
			vec.AdamDirection(vecAdam(adam, u.hyper, s.group), d, u.state[0][s.lo:s.hi], u.state[1][s.lo:s.hi], u.g[s.lo:s.hi], w)
			return vec.SumSquares(w), vec.SumSquares(d)
		},
		ratio: lambRatio(r),
		step: func(u updated[float32], s span, ratio float64) {
			a := vecAdam(adam, u.hyper, s.group)
			a.LR *= ratio
			vec.AdamWeights(a, u.w[s.lo:s.hi], u.state[0][s.lo:s.hi], u.state[1][s.lo:s.hi])
		},
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

// fastSquaredNorm has no kernel for products.
func fastSquaredNorm(c op.Call) plan {
	if len(c.In) > 1 {
		return plan{}
	}
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
