package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// arithmetic is a commutative operation of two values in the forms that vec has.
type arithmetic struct {
	both    func(y, a, b []float32)
	rows    func(y, a, row []float32) // with one row for each row of a
	number  func(y, a []float32, b float32)
	numbers func(a, b float32) float32
}

func fastAdd(c op.Call, o op.Add) (plan, error) { return addition(o).plan(c) }

// narrowAdd has no plan where a value is repeated.
func narrowAdd(c op.Call, o op.Add, workers int) plan {
	if !c.In[0].Eq(c.In[1]) {
		return plan{}
	}
	if allHalf(c) {
		lo, hi := bounds(o.Clip).Bounds()
		return mapped(c, workers, func(y, a, b []uint16) { vec.AddClip(y, a, b, lo, hi) })
	}
	return mapped(c, workers, addition(o).both)
}

func addition(o op.Add) arithmetic {
	sum := arithmetic{vec.Add[float32], vec.AddBias, func(y, a []float32, b float32) { vec.Affine(y, a, 1, b) },
		func(a, b float32) float32 { return a + b }}
	if o.Clip.On() {
		clip := limitsOf[float32](o.Clip)
		sum = arithmetic{func(y, a, b []float32) { vec.AddClip(y, a, b, clip.lo, clip.hi) },
			func(y, a, row []float32) { vec.AddBias(y, a, row); vec.Clip(y, y, clip.lo, clip.hi) },
			func(y, a []float32, b float32) { vec.Affine(y, a, 1, b); vec.Clip(y, y, clip.lo, clip.hi) },
			func(a, b float32) float32 { return clip.value(a + b) }}
	}
	return sum
}

func fastMul(c op.Call) (plan, error) {
	return arithmetic{vec.Mul[float32], vec.ScaleChannels, vec.Scale[float32], func(a, b float32) float32 { return a * b }}.plan(c)
}

func (f arithmetic) plan(c op.Call) (plan, error) {
	s, err := stretch(c.Out[0], c.In[0], c.In[1])
	if err != nil {
		return plan{}, err
	}
	n := op.Size(c.Out[0])
	for long := range 2 { // the value of the full shape, if one is
		if s.repeatsRow(long, 1-long) {
			return f.overRepeatedRow(s, n, long), nil
		}
	}
	return elementwise(n, func(m operands) func(lo, hi int) {
		a, b, y := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func(lo, hi int) {
			for r := range s.runs(lo, hi) {
				f.run(y[r.at:r.at+r.n], a[r.a:], b[r.b:], r)
			}
		}
	}), nil
}

// run does a run of the last axis.
func (f arithmetic) run(y, a, b []float32, r run) {
	switch {
	case r.stepA == 1 && r.stepB == 1:
		f.both(y, a[:r.n], b[:r.n])
	case r.stepA == 1:
		f.number(y, a[:r.n], b[0])
	case r.stepB == 1:
		f.number(y, b[:r.n], a[0])
	default:
		vec.Fill(y, f.numbers(a[0], b[0]))
	}
}

// repeatsRow tells whether one value has the full shape, and the last two axes
// of the other are a row that is repeated: a bias, or a gate of channels.
func (s *stretched) repeatsRow(full, other int) bool {
	last := s.axes - 1
	if last < 1 || s.steps[other][last] != 1 || s.steps[other][last-1] != 0 {
		return false
	}
	for i, step := last, 1; i >= 0; i-- {
		if s.steps[full][i] != step {
			return false
		}
		step *= s.dims[i]
	}
	return true
}

// overRepeatedRow cuts each block of rows that share one row into pieces.
func (f arithmetic) overRepeatedRow(s stretched, n, long int) plan {
	width, height := s.dims[s.axes-1], s.dims[s.axes-2]
	inner := rows(height, width)
	return overRows(each(n/(width*height)*inner.pieces()), func(m operands) func(lo, hi int) {
		a, row, y := floats(m.in[long]), floats(m.in[1-long]), floats(m.out[0])
		return func(lo, hi int) {
			for p := lo; p < hi; p++ {
				from, to := inner.bounds(p % inner.pieces())
				block := p / inner.pieces() * height
				i, j := (block+from)*width, (block+to)*width
				offsets := [2]int{}
				offsets[0], offsets[1] = s.offsets(i)
				f.rows(y[i:j], a[i:j], row[offsets[1-long]:][:width])
			}
		}
	})
}

func fastScale(c op.Call, o op.Scale) plan {
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y, f := floats(m.in[0]), floats(m.out[0]), float32(o.Factor)
		return func(lo, hi int) { vec.Scale(y[lo:hi], x[lo:hi], f) }
	})
}
