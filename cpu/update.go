package cpu

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
)

// emaDecay is the input with the decay of an average.
const emaDecay = 2

// span is a part of a segment that one piece updates.
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

// updated is the memory that an update works on.
type updated[T number] struct {
	w, g  []T
	state [][]T
	hyper hyper
}

func updatedBy[T number](m operands, o op.Update) updated[T] {
	u := updated[T]{w: as[T](m.in[0]), g: as[T](m.in[1]), hyper: hyper(as[float64](m.in[o.Hyper()]))}
	for _, s := range m.in[2:o.Hyper()] {
		u.state = append(u.state, as[T](s))
	}
	return u
}

// spansOf cuts the segments of an update into spans of at most a grain; first is, for
// each segment, the number of its first span.
func spansOf(c op.Call, o op.Update) (spans []span, first []int, err error) {
	params := op.Size(c.In[0])
	for i, s := range o.Segments {
		if s.Offset < 0 || s.Len < 0 || s.Offset+s.Len > params {
			return nil, nil, fmt.Errorf("segment %d is [%d, %d), outside the %d parameters", i, s.Offset, s.Offset+s.Len, params)
		}
		if n := op.Size(c.In[o.Hyper()]); s.Group < 0 || op.HyperLen(s.Group+1) > n {
			return nil, nil, fmt.Errorf("segment %d belongs to group %d, which the %d hyperparameters do not reach", i, s.Group, n)
		}
		first = append(first, len(spans))
		for lo := s.Offset; lo < s.Offset+s.Len; lo += grain {
			spans = append(spans, span{lo, min(lo+grain, s.Offset+s.Len), s.Group})
		}
	}
	return spans, append(first, len(spans)), nil
}

// checkState refuses vectors, such as the optimizer's state, that are not as long as the
// parameters.
func checkState(c op.Call, inputs ...int) error {
	for _, i := range inputs {
		if n := op.Size(c.In[i]); n != op.Size(c.In[0]) {
			return fmt.Errorf("input %d, of the optimizer's state, has %d elements, want %d like the weights", i, n, op.Size(c.In[0]))
		}
	}
	return nil
}

// stateInputs are the places of an update's state and average among its inputs.
func stateInputs(o op.Update) []int { return o.Mutates()[1:] }

// update is the plan of an update whose elements do not depend on each other: step
// updates a span. Where there is an average, average moves it while the weights are in
// cache.
func update[T number](c op.Call, o op.Update, step func(u updated[T], s span), average averaging) (plan, error) {
	if err := checkState(c, stateInputs(o)...); err != nil {
		return plan{}, err
	}
	spans, _, err := spansOf(c, o)
	if err != nil {
		return plan{}, err
	}
	return overRows(each(len(spans)), func(m operands) func(lo, hi int) {
		u, move := updatedBy[T](m, o), averageOf(m, o, average)
		return func(lo, hi int) {
			for _, s := range spans[lo:hi] {
				step(u, s)
				move(s.lo, s.hi)
			}
		}
	}), nil
}

// averaging moves the elements [lo, hi) of an average towards the weights.
type averaging func(average, weights []byte, decay []float64) func(lo, hi int)

// averageOf moves the average of an update, if it has one.
func averageOf(m operands, o op.Update, average averaging) func(lo, hi int) {
	if !o.Average {
		return func(_, _ int) {}
	}
	return average(m.in[o.Hyper()+1], m.in[0], as[float64](m.in[o.Hyper()+2]))
}

func movingAverage[T number](average, weights []byte, decay []float64) func(lo, hi int) {
	a, w := as[T](average), as[T](weights)
	return func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a[i] = mix(a[i], float64(w[i]), 1-decay[0])
		}
	}
}

// portableUpdate is the plan of an update in plain Go.
func portableUpdate[T number](c op.Call, o op.Update) (plan, error) {
	switch r := o.Rule.(type) {
	case op.LAMB:
		return layerwise(c, o, lamb[T](r), movingAverage[T])
	case op.LARS:
		return layerwise(c, o, lars[T](r), movingAverage[T])
	case op.Adafactor:
		return adafactor[T](c, o, r, movingAverage[T])
	case op.Muon:
		return muon(c, o, r, portableStep[T](r.Rest), portableProduct[T], movingAverage[T])
	}
	if step := portableStep[T](o.Rule); step != nil {
		return update(c, o, step, movingAverage[T])
	}
	return plan{}, fmt.Errorf("this device has no kernel for %s (%T)", o.Kind(), o.Rule)
}

// portableStep updates a span by a rule whose elements do not depend on each other.
func portableStep[T number](r op.Rule) func(updated[T], span) {
	switch r := r.(type) {
	case op.SGD:
		return func(u updated[T], s span) { sgdStep(r, u, s, 1) }
	case op.Adam:
		return func(u updated[T], s span) { adamStep(r, u, s) }
	case op.Adamax:
		return func(u updated[T], s span) { adamaxStep(r, u, s) }
	case op.RMSProp:
		return func(u updated[T], s span) { rmspropStep(r, u, s) }
	case op.Lion:
		return func(u updated[T], s span) { lionStep(r, u, s) }
	case op.Adan:
		return func(u updated[T], s span) { adanStep(r, u, s) }
	case op.MADGRAD:
		return func(u updated[T], s span) { madgradStep(r, u, s) }
	}
	return nil
}

func emaUpdate[T number](c op.Call) plan {
	return elementwise(op.Size(c.In[0]), func(m operands) func(lo, hi int) {
		return movingAverage[T](m.in[0], m.in[1], as[float64](m.in[emaDecay]))
	})
}

func squaredNorm[T number](c op.Call) plan {
	return sum(elements(op.Size(c.In[0])), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, y := as[T](m.in[0]), as[float64](m.out[0])
		part := func(lo, hi int) (sum float64) { return squares(x[lo:hi]) }
		if len(m.in) == 2 {
			by := as[T](m.in[1])
			part = func(lo, hi int) (sum float64) {
				for i := lo; i < hi; i++ {
					v := float64(x[i]) * float64(by[i])
					sum += v * v
				}
				return sum
			}
		}
		return part, func(total float64) { y[0] = total }
	})
}

// squares is the sum of squares of x.
func squares[T number](x []T) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
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
