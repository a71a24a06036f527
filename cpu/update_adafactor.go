package cpu

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// adafactorLeast is added to the squares of gradients.
const adafactorLeast = 1e-30

// adafactor does a parameter at a time on one thread: its second moment, then the size
// of its update, then the update.
func adafactor[T number](c op.Call, o op.Update, r op.Adafactor, average averaging) (plan, error) {
	if _, _, err := spansOf(c, o); err != nil {
		return plan{}, err
	}
	if len(r.Factors) != len(o.Segments) {
		return plan{}, fmt.Errorf("%d factors for %d segments", len(r.Factors), len(o.Segments))
	}
	work := make([]factoring, len(r.Factors))
	scratch := 0
	for i, f := range r.Factors {
		w := newFactoring(r, f, o.Segments[i])
		if w.end > op.Size(c.In[2]) {
			return plan{}, fmt.Errorf("segment %d keeps state up to element %d of %d", i, w.end, op.Size(c.In[2]))
		}
		w.scratch = scratch
		scratch += w.rows + w.cols + w.means
		work[i] = w
	}
	return plan{scratch: 8 * scratch, bind: func(m operands) []stage {
		u, move, scratch := updatedBy[T](m, o), averageOf(m, o, average), as[float64](m.scratch)
		return []stage{{pieces: len(work), do: func(_, i int) {
			w := &work[i]
			adafactorStep(w, u, scratch[w.scratch:][:w.rows+w.cols+w.means])
			move(w.Offset, w.Offset+w.Len)
		}}}
	}}, nil
}

// factoring is how Adafactor does a parameter.
type factoring struct {
	op.Adafactor
	op.Factors
	op.Segment
	rows, cols, means int // numbers of means, 0 without factoring
	end               int // of the state
	scratch           int // offset
}

func newFactoring(r op.Adafactor, f op.Factors, s op.Segment) factoring {
	w := factoring{Adafactor: r, Factors: f, Segment: s}
	if f.Row == nil {
		w.end = f.SquareAt + s.Len
	} else {
		w.rows, w.cols, w.means = reach(f.Axes, f.Row), reach(f.Axes, f.Col), reach(f.Axes, f.Mean)
		w.end = max(f.RowAt+w.rows, f.ColAt+w.cols)
	}
	if r.Beta1 > 0 {
		w.end = max(w.end, f.MomentAt+s.Len)
	}
	return w
}

// reach is one more than the greatest offset that the steps of axes lead to.
func reach(axes, steps []int) int {
	n := 1
	for i, a := range axes {
		n += (a - 1) * steps[i]
	}
	return n
}

// each visits the parameter's elements with the places of their means.
func (w *factoring) each(visit func(i, row, col, mean int)) {
	last := len(w.Axes) - 1
	var index [8]int
	row, col, mean := 0, 0, 0
	for at := 0; at < w.Len; at += w.Axes[last] {
		for k := range w.Axes[last] {
			visit(at+k, row+k*w.Row[last], col+k*w.Col[last], mean+k*w.Mean[last])
		}
		for a := last - 1; a >= 0; a-- {
			index[a]++
			row, col, mean = row+w.Row[a], col+w.Col[a], mean+w.Mean[a]
			if index[a] < w.Axes[a] {
				break
			}
			row, col, mean = row-index[a]*w.Row[a], col-index[a]*w.Col[a], mean-index[a]*w.Mean[a]
			index[a] = 0
		}
	}
}

func adafactorStep[T number](w *factoring, u updated[T], scratch []float64) {
	lr, decay := u.hyper.group(w.Group)
	state, x, g := u.state[0], u.w[w.Offset:][:w.Len], u.g[w.Offset:][:w.Len]
	scale, fresh := u.hyper.gradScale(), math.Pow(u.hyper.step(), w.DecayRate)
	rowSums, colSums, means := scratch[:w.rows], scratch[w.rows:][:w.cols], scratch[w.rows+w.cols:]
	if w.Factors.Row == nil {
		square := state[w.SquareAt:][:w.Len]
		for i := range square {
			square[i] = mix(square[i], adafactorSquare(scale, g[i]), fresh)
		}
	} else {
		clear(scratch)
		w.each(func(i, row, col, _ int) {
			v := adafactorSquare(scale, g[i])
			rowSums[row] += v
			colSums[col] += v
		})
		rows := state[w.RowAt:][:w.rows]
		for i := range rows {
			rows[i] = mix(rows[i], rowSums[i]*float64(w.rows)/float64(w.Len), fresh)
		}
		cols := state[w.ColAt:][:w.cols]
		for i := range cols {
			cols[i] = mix(cols[i], colSums[i]*float64(w.cols)/float64(w.Len), fresh)
		}
		w.each(func(_, row, _, mean int) { means[mean] += float64(rows[row]) })
		for i := range means {
			means[i] *= float64(w.means) / float64(w.Len)
		}
	}
	total := 0.0
	directions(w, g, state, means, func(_ int, d float64) {
		d *= scale
		total += d * d
	})
	size := scale * lr / max(1, math.Sqrt(total/float64(w.Len))/w.ClipThreshold)
	directions(w, g, state, means, func(i int, d float64) {
		d *= size
		if w.Beta1 > 0 {
			m := &state[w.MomentAt+i]
			d = float64(*m) + (1-w.Beta1)*(d-float64(*m))
			*m = T(d)
		}
		x[i] = T(float64(x[i]) - decay*lr*float64(x[i]) - d)
	})
}

func adafactorSquare[T number](scale float64, g T) float64 {
	d := scale * float64(g)
	return d*d + adafactorLeast
}

// directions visits each element with its gradient divided by the root of the second
// moment.
func directions[T number](w *factoring, g, state []T, means []float64, visit func(i int, d float64)) {
	if w.Factors.Row == nil {
		for i := range g {
			visit(i, float64(g[i])/math.Sqrt(float64(state[w.SquareAt+i])))
		}
		return
	}
	w.each(func(i, row, col, mean int) {
		visit(i, float64(g[i])*math.Sqrt(means[mean]/float64(state[w.RowAt+row]))/math.Sqrt(float64(state[w.ColAt+col])))
	})
}
