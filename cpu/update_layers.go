package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// trusting is a rule that scales the step of a parameter by norms of the whole.
type trusting[T number] struct {
	// measure does a span's part that depends on no norm and gives the sums of
	// squares of the weights and of what they are compared with.
	measure func(u updated[T], s span, worker int) (weights, others float64)
	// ratio is what a parameter's step is multiplied with, by both norms.
	ratio func(lr, decay, weights, others float64) float64
	// step moves the weights of a span.
	step func(u updated[T], s span, ratio float64)
}

// layerwise is the plan of an update with norms of each segment, which are summed in the
// order of their spans.
func layerwise[T number](c op.Call, o op.Update, r trusting[T], average averaging) (plan, error) {
	if err := checkState(c, stateInputs(o)...); err != nil {
		return plan{}, err
	}
	spans, first, err := spansOf(c, o)
	if err != nil {
		return plan{}, err
	}
	owner := make([]int, len(spans))
	for i := range o.Segments {
		for k := first[i]; k < first[i+1]; k++ {
			owner[k] = i
		}
	}
	return plan{scratch: 8 * (2*len(spans) + len(o.Segments)), bind: func(m operands) []stage {
		u, move := updatedBy[T](m, o), averageOf(m, o, average)
		scratch := m.scratch
		sums, ratios := cut[float64](&scratch, 2*len(spans)), cut[float64](&scratch, len(o.Segments))
		return []stage{
			{pieces: len(spans), do: func(worker, i int) { sums[2*i], sums[2*i+1] = r.measure(u, spans[i], worker) }},
			{pieces: 1, do: func(_, _ int) {
				for i, s := range o.Segments {
					var weights, others float64
					for k := first[i]; k < first[i+1]; k++ {
						weights += sums[2*k]
						others += sums[2*k+1]
					}
					lr, decay := u.hyper.group(s.Group)
					ratios[i] = r.ratio(lr, decay, math.Sqrt(weights), math.Sqrt(others))
				}
			}},
			{pieces: len(spans), do: func(_, i int) {
				r.step(u, spans[i], ratios[owner[i]])
				move(spans[i].lo, spans[i].hi)
			}},
		}
	}}, nil
}

// lambRatio is LAMB's.
func lambRatio(o op.LAMB) func(lr, decay, weights, updates float64) float64 {
	return func(_, decay, weights, updates float64) float64 {
		r := 1.0
		if (decay != 0 || o.AlwaysAdapt) && weights > 0 && updates > 0 {
			r = weights / updates
		}
		if o.TrustClip {
			r = min(r, 1)
		}
		return r
	}
}

// lambMoments is the Adam whose step LAMB scales.
func lambMoments(o op.LAMB) op.Adam { return op.Adam{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps} }

func lamb[T number](o op.LAMB) trusting[T] {
	// direction is the update of element i by its moments.
	type factors struct{ step, root, eps, decay float64 }
	of := func(u updated[T], s span) (f factors) {
		f.step, f.root, f.eps = adamScalars(lambMoments(o), u.hyper.step())
		_, f.decay = u.hyper.group(s.group)
		return f
	}
	direction := func(f factors, u updated[T], i int) float64 {
		return f.step*float64(u.state[0][i])/(math.Sqrt(float64(u.state[1][i]))*f.root+f.eps) + f.decay*float64(u.w[i])
	}
	return trusting[T]{
		measure: func(u updated[T], s span, _ int) (weights, updates float64) {
			f := of(u, s)
			for i := s.lo; i < s.hi; i++ {
				moments(o.Beta1, o.Beta2, u.hyper.gradScale()*float64(u.g[i]), &u.state[0][i], &u.state[1][i])
				d := direction(f, u, i)
				updates += d * d
			}
			return squares(u.w[s.lo:s.hi]), updates
		},
		ratio: lambRatio(o),
		step: func(u updated[T], s span, ratio float64) {
			f := of(u, s)
			lr, _ := u.hyper.group(s.group)
			for i := s.lo; i < s.hi; i++ {
				u.w[i] = T(float64(u.w[i]) - lr*ratio*direction(f, u, i))
			}
		},
	}
}

// larsRatio is LARS's.
func larsRatio(o op.LARS) func(lr, decay, weights, grads float64) float64 {
	return func(lr, decay, weights, grads float64) float64 {
		if decay == 0 && !o.AlwaysAdapt {
			return 1
		}
		r := 1.0
		if weights > 0 && grads > 0 {
			r = o.TrustCoeff * weights / (grads + decay*weights + o.Eps)
		}
		if o.TrustClip && r < lr {
			return r / lr
		} else if o.TrustClip {
			return 1
		}
		return r
	}
}

func lars[T number](o op.LARS) trusting[T] {
	return trusting[T]{
		measure: func(u updated[T], s span, _ int) (weights, grads float64) {
			scale := u.hyper.gradScale()
			return squares(u.w[s.lo:s.hi]), scale * scale * squares(u.g[s.lo:s.hi])
		},
		ratio: larsRatio(o),
		step:  func(u updated[T], s span, ratio float64) { sgdStep(o.SGD, u, s, ratio) },
	}
}
