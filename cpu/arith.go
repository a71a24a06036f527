package cpu

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

func add[T number](c op.Call, o op.Add) (plan, error) {
	clip := limitsOf[T](o.Clip)
	return binary(c, func(a, b T) T { return clip.value(a + b) })
}

func mul[T number](c op.Call) (plan, error) {
	return binary(c, func(a, b T) T { return a * b })
}

// binary is the plan of an elementwise operation with broadcasting.
func binary[T number](c op.Call, f func(a, b T) T) (plan, error) {
	s, err := stretch(c.Out[0], c.In[0], c.In[1])
	if err != nil {
		return plan{}, err
	}
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		a, b, y := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		return func(lo, hi int) {
			for r := range s.runs(lo, hi) {
				i, j := r.a, r.b
				for k := range y[r.at : r.at+r.n] {
					y[r.at+k] = f(a[i], b[j])
					i += r.stepA
					j += r.stepB
				}
			}
		}
	}), nil
}

func scale[T number](c op.Call, o op.Scale) plan {
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y, f := as[T](m.in[0]), as[T](m.out[0]), T(o.Factor)
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				y[i] = f * x[i]
			}
		}
	})
}

func exp[T number](c op.Call) plan {
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				y[i] = T(math.Exp(float64(x[i])))
			}
		}
	})
}

func power[T number](c op.Call, o op.Power) plan {
	f := powerOf(o)
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				y[i] = T(f(float64(x[i])))
			}
		}
	})
}

// powerOf is the function without a general power where a simpler one is exact.
func powerOf(o op.Power) func(x float64) float64 {
	switch o.Exponent {
	case 0:
		return func(float64) float64 { return 1 }
	case 1:
		return func(x float64) float64 { return x + o.Shift }
	case 2:
		return func(x float64) float64 { return (x + o.Shift) * (x + o.Shift) }
	case 0.5:
		return func(x float64) float64 { return math.Sqrt(x + o.Shift) }
	case -0.5:
		return func(x float64) float64 { return 1 / math.Sqrt(x+o.Shift) }
	case -1:
		return func(x float64) float64 { return 1 / (x + o.Shift) }
	}
	return func(x float64) float64 { return math.Pow(x+o.Shift, o.Exponent) }
}

// maxAxes is the largest number of axes of a stretched, after those that
// stretch alike have been merged.
const maxAxes = 8

// stretched says how two values stretch to a common shape: the shape's axes,
// slowest first, and each value's step along them, 0 where it stretches. The
// last axis has steps of 0 or 1.
type stretched struct {
	axes  int
	dims  [maxAxes]int
	steps [2][maxAxes]int
}

// stretch lines up a and b with shape as graph/op's broadcasting does.
func stretch(shape, a, b op.Shape) (stretched, error) {
	var s stretched
	next := [2]int{1, 1} // step of the next axis that does not stretch
	for i := len(shape) - 1; i >= 0; i-- {
		var step [2]int
		for v, of := range []op.Shape{a, b} {
			if k := i - len(shape) + len(of); k >= 0 && of[k] != 1 {
				step[v] = next[v]
				next[v] *= of[k]
			}
		}
		if shape[i] == 1 {
			continue
		}
		if f := s.axes - 1; f >= 0 && step[0] == s.steps[0][f]*s.dims[f] && step[1] == s.steps[1][f]*s.dims[f] {
			s.dims[f] *= shape[i]
			continue
		}
		if s.axes == maxAxes {
			return s, fmt.Errorf("%v and %v stretch to %v along too many axes by turns, at most %d are served", a, b, shape, maxAxes)
		}
		s.dims[s.axes], s.steps[0][s.axes], s.steps[1][s.axes] = shape[i], step[0], step[1]
		s.axes++
	}
	if s.axes == 0 {
		s.axes, s.dims[0] = 1, 1
	}
	s.reverse()
	return s, nil
}

// reverse turns the axes from fastest first to slowest first.
func (s *stretched) reverse() {
	for i, j := 0, s.axes-1; i < j; i, j = i+1, j-1 {
		s.dims[i], s.dims[j] = s.dims[j], s.dims[i]
		for v := range s.steps {
			s.steps[v][i], s.steps[v][j] = s.steps[v][j], s.steps[v][i]
		}
	}
}

// offsets are the elements of a and b at element i of the common shape.
func (s *stretched) offsets(i int) (a, b int) {
	for k := s.axes - 1; k >= 0; k-- {
		at := i % s.dims[k]
		i /= s.dims[k]
		a += at * s.steps[0][k]
		b += at * s.steps[1][k]
	}
	return a, b
}

// run is a piece of the last axis: n elements from at of the common shape, and
// where and in what steps they lie in a and b.
type run struct{ at, n, a, stepA, b, stepB int }

// runs lists the runs of the elements [lo, hi).
func (s *stretched) runs(lo, hi int) func(yield func(run) bool) {
	return func(yield func(run) bool) {
		last := s.axes - 1
		width := s.dims[last]
		for at := lo; at < hi; {
			n := min(width-at%width, hi-at)
			a, b := s.offsets(at)
			if !yield(run{at, n, a, s.steps[0][last], b, s.steps[1][last]}) {
				return
			}
			at += n
		}
	}
}
