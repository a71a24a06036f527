package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// sumTo sums, for each element of the result, over the axes that it lacks.
func sumTo[T number](c op.Call) (plan, error) {
	return reduced(c, func(m operands) func(from int, along *axes) T {
		x := as[T](m.in[0])
		return func(from int, along *axes) T {
			var sum float64
			for i := range along.size() {
				sum += float64(x[from+along.offset(i)])
			}
			return T(sum)
		}
	})
}

func dotTo[T number](c op.Call) (plan, error) {
	return reduced(c, func(m operands) func(from int, along *axes) T {
		a, b := as[T](m.in[0]), as[T](m.in[1])
		return func(from int, along *axes) T {
			var sum float64
			for i := range along.size() {
				at := from + along.offset(i)
				sum += float64(a[at]) * float64(b[at])
			}
			return T(sum)
		}
	})
}

func maxTo[T number](c op.Call) (plan, error) {
	return reduced(c, func(m operands) func(from int, along *axes) T {
		x := as[T](m.in[0])
		return func(from int, along *axes) T {
			most := T(math.Inf(-1))
			for i := range along.size() {
				most = max(most, x[from+along.offset(i)])
			}
			return most
		}
	})
}

// reduced is the plan of an operation that makes each element of the result of the
// elements of the input along the axes that the result lacks: of returns what makes
// the one whose first element is at from.
func reduced[T number](c op.Call, of func(m operands) func(from int, along *axes) T) (plan, error) {
	kept, lacking, err := reduction(c.In[0], c.Out[0])
	return overRows(rows(op.Size(c.Out[0]), lacking.size()), func(m operands) func(lo, hi int) {
		y, make := as[T](m.out[0]), of(m)
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				y[i] = make(kept.offset(i), &lacking)
			}
		}
	}), err
}

// reduction is the axes of x that y has, and those that it lacks.
func reduction(x, y op.Shape) (kept, lacking axes, err error) {
	s, err := stretch(x, y, nil)
	return s.part(func(step int) bool { return step != 0 }), s.part(func(step int) bool { return step == 0 }), err
}

func maxToGrad[T number](c op.Call) (plan, error) {
	kept, lacking, err := reduction(c.In[0], c.In[1])
	return overRows(rows(op.Size(c.In[1]), lacking.size()), func(m operands) func(lo, hi int) {
		x, y, dy, dx := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				from, winners := kept.offset(i), 0
				for k := range lacking.size() {
					if x[from+lacking.offset(k)] == y[i] {
						winners++
					}
				}
				share := dy[i] / T(max(1, winners))
				for k := range lacking.size() {
					at := from + lacking.offset(k)
					dx[at] = 0
					if x[at] == y[i] {
						dx[at] = share
					}
				}
			}
		}
	}), err
}

// axes are some of a value's axes, slowest first, with the value's steps along
// them.
type axes struct {
	n           int
	dims, steps [maxAxes]int
}

// part selects axes of the common shape by the step that its first value takes
// along them.
func (s *stretched) part(by func(step int) bool) axes {
	var p axes
	step := 1 // in the common shape, along axis i
	for i := s.axes - 1; i >= 0; i-- {
		if by(s.steps[0][i]) {
			at := maxAxes - 1 - p.n
			p.dims[at], p.steps[at] = s.dims[i], step
			p.n++
		}
		step *= s.dims[i]
	}
	copy(p.dims[:], p.dims[maxAxes-p.n:])
	copy(p.steps[:], p.steps[maxAxes-p.n:])
	return p
}

// size is the number of elements along the axes.
func (p *axes) size() int {
	n := 1
	for _, d := range p.dims[:p.n] {
		n *= d
	}
	return n
}

// offset is where the i-th element along the axes lies.
func (p *axes) offset(i int) (at int) {
	for k := p.n - 1; k >= 0; k-- {
		at += i % p.dims[k] * p.steps[k]
		i /= p.dims[k]
	}
	return at
}

func broadcastTo[T number](c op.Call) (plan, error) {
	s, err := stretch(c.Out[0], c.In[0], nil)
	if err != nil {
		return plan{}, err
	}
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for r := range s.runs(lo, hi) {
				for k := range r.n {
					y[r.at+k] = x[r.a+k*r.stepA]
				}
			}
		}
	}), nil
}

// clipGrad works in blocks of channels, each of which has its sum to itself.
func clipGrad[T number](c op.Call, o op.ClipGrad) plan {
	n, ch := columnsOf(c.In[0])
	_, width := columnsOf(c.In[1])
	clip := limitsOf[T](o.Clip)
	return overRows(channels(ch), func(m operands) func(lo, hi int) {
		y, dy, dx, total := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0]), as[T](m.out[1])
		return func(lo, hi int) {
			for k := lo; k < hi; k++ {
				var sum float64
				for i := range n {
					var d T
					if clip.passes(y[i*ch+k]) {
						d = dy[i*width+o.Start+k]
					}
					dx[i*ch+k] = d
					sum += float64(d)
				}
				total[k] = T(sum)
			}
		}
	})
}

func columnSum[T number](c op.Call) plan {
	n, ch := columnsOf(c.In[0])
	return overRows(channels(ch), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			var sums block
			for i := range n {
				for j, v := range x[i*ch+lo : i*ch+hi] {
					sums[j] += float64(v)
				}
			}
			for k := lo; k < hi; k++ {
				y[k] = T(sums[k-lo])
			}
		}
	})
}

func mean[T number](c op.Call) plan {
	n := op.Size(c.In[0])
	return sum(elements(n), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		part := func(lo, hi int) (sum float64) {
			for _, v := range x[lo:hi] {
				sum += float64(v)
			}
			return sum
		}
		return part, func(total float64) { y[0] = T(total / float64(n)) }
	})
}
