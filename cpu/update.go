package cpu

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// Inputs of the updates, in order.
const (
	sgdMomentum = 2
	sgdHyper    = 3

	adamFirst  = 2
	adamSecond = 3
	adamHyper  = 4

	emaDecay = 2
)

// span is a part of the parameters that one piece updates.
type span struct{ lo, hi, group int }

// hyper is a vector of hyperparameters in op.Hyper's layout.
type hyper []float64

func (h hyper) gradScale() float64 { return h[op.HyperGradScale] }
func (h hyper) step() float64      { return h[op.HyperStep] }

// group is a group's learning rate and weight decay.
func (h hyper) group(g int) (lr, decay float64) {
	v := h[op.HyperShared+g*op.HyperPerGroup:]
	return v[op.HyperLR], v[op.HyperWeightDecay]
}

// momentum is that of this update: the operation's own, unless the vector has one.
func (h hyper) momentum(own float64) float64 {
	if n := len(h) - op.HyperShared; n%op.HyperPerGroup != 0 {
		return h[len(h)-1]
	}
	return own
}

// update is the plan of an optimizer's step over segments of the parameters,
// cut into spans of at most a grain. Of the inputs, state vectors of the
// optimizer follow the weights and the gradients; input hyper holds the
// hyperparameters. Where an average of the weights and its decay follow, average
// moves each span of it while the weights are in cache.
func update(c op.Call, segments []op.Segment, state, hyper int, over func(m operands) func(s span), average averaging) (plan, error) {
	params, averaged := op.Size(c.In[0]), len(c.In) > hyper+1
	for i, v := range c.In {
		if used := i < 2+state || i == hyper+1; used && op.Size(v) != params {
			return plan{}, fmt.Errorf("input %d, of the optimizer's state, has %d elements, want %d like the weights", i, op.Size(v), params)
		}
	}
	var spans []span
	for i, s := range segments {
		if s.Offset < 0 || s.Len < 0 || s.Offset+s.Len > params {
			return plan{}, fmt.Errorf("segment %d is [%d, %d), outside the %d parameters", i, s.Offset, s.Offset+s.Len, params)
		}
		if n := op.Size(c.In[hyper]); s.Group < 0 || op.HyperLen(s.Group+1) > n {
			return plan{}, fmt.Errorf("segment %d belongs to group %d, which the %d hyperparameters do not reach", i, s.Group, n)
		}
		for lo := s.Offset; lo < s.Offset+s.Len; lo += grain {
			spans = append(spans, span{lo, min(lo+grain, s.Offset+s.Len), s.Group})
		}
	}
	return overRows(each(len(spans)), func(m operands) func(lo, hi int) {
		do := over(m)
		if !averaged {
			return func(lo, hi int) {
				for _, s := range spans[lo:hi] {
					do(s)
				}
			}
		}
		move := average(m.in[hyper+1], m.in[0], as[float64](m.in[hyper+2]))
		return func(lo, hi int) {
			for _, s := range spans[lo:hi] {
				do(s)
				move(s.lo, s.hi)
			}
		}
	}), nil
}

// averaging moves the elements [lo, hi) of an average towards the weights.
type averaging func(average, weights []byte, decay []float64) func(lo, hi int)

func movingAverage[T number](average, weights []byte, decay []float64) func(lo, hi int) {
	a, w := as[T](average), as[T](weights)
	return func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a[i] = mix(a[i], float64(w[i]), 1-decay[0])
		}
	}
}

// sgdState is the number of state vectors that SGD uses.
func sgdState(o op.SGDUpdate) int {
	if o.Momentum != 0 {
		return 1
	}
	return 0
}

// adamState is the number of state vectors that Adam uses.
const adamState = 2

func sgdUpdate[T number](c op.Call, o op.SGDUpdate) (plan, error) {
	return update(c, o.Segments, sgdState(o), sgdHyper, func(m operands) func(span) {
		w, g, momentum, h := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[sgdMomentum]), hyper(as[float64](m.in[sgdHyper]))
		return func(s span) {
			lr, decay := h.group(s.group)
			o := o
			o.Momentum = h.momentum(o.Momentum)
			for i := s.lo; i < s.hi; i++ {
				d := h.gradScale()*float64(g[i]) + decay*float64(w[i])
				if o.Momentum != 0 {
					v := d
					if h.step() != 1 {
						v = o.Momentum*float64(momentum[i]) + (1-o.Dampening)*d
					}
					momentum[i] = T(v)
					if o.Nesterov {
						d += o.Momentum * v
					} else {
						d = v
					}
				}
				w[i] = T(float64(w[i]) - lr*d)
			}
		}
	}, movingAverage[T])
}

func adamUpdate[T number](c op.Call, o op.AdamUpdate) (plan, error) {
	return update(c, o.Segments, adamState, adamHyper, func(m operands) func(span) {
		w, g, first, second := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[adamFirst]), as[T](m.in[adamSecond])
		h := hyper(as[float64](m.in[adamHyper]))
		return func(s span) {
			lr, decay := h.group(s.group)
			o := o
			o.Beta1 = h.momentum(o.Beta1)
			size := lr / (1 - math.Pow(o.Beta1, h.step()))
			root := math.Sqrt(1 - math.Pow(o.Beta2, h.step()))
			for i := s.lo; i < s.hi; i++ {
				d, v := h.gradScale()*float64(g[i]), float64(w[i])
				if o.Decoupled {
					v *= 1 - lr*decay
				} else {
					d += decay * v
				}
				m1 := float64(first[i]) + (1-o.Beta1)*(d-float64(first[i]))
				m2 := o.Beta2*float64(second[i]) + (1-o.Beta2)*d*d
				first[i], second[i] = T(m1), T(m2)
				w[i] = T(v - size*m1/(math.Sqrt(m2)/root+o.Eps))
			}
		}
	}, movingAverage[T])
}

func emaUpdate[T number](c op.Call) plan {
	return elementwise(op.Size(c.In[0]), func(m operands) func(lo, hi int) {
		return movingAverage[T](m.in[0], m.in[1], as[float64](m.in[emaDecay]))
	})
}

func squaredNorm[T number](c op.Call) plan {
	return sum(elements(op.Size(c.In[0])), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, y := as[T](m.in[0]), as[float64](m.out[0])
		part := func(lo, hi int) (sum float64) {
			for _, v := range x[lo:hi] {
				sum += float64(v) * float64(v)
			}
			return sum
		}
		return part, func(total float64) { y[0] = total }
	})
}

func accumulate[T number](c op.Call) plan {
	return elementwise(op.Size(c.In[0]), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.in[1])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				x[i] += y[i]
			}
		}
	})
}
