package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// fastSumTo serves the sums that networks are full of, where the axes that are
// summed lie side by side: the outer axes are kept, then some are summed, and
// the inner axes are kept. Either kept part may be missing.
func fastSumTo(c op.Call) (plan, error) {
	s, err := stretch(c.In[0], c.Out[0], nil)
	if err != nil {
		return plan{}, err
	}
	outer, height, width := 1, 1, 1
	at := s.axes - 1
	if s.steps[0][at] != 0 {
		width = s.dims[at]
		at--
	}
	if at >= 0 { // neighbours that are both summed, or both kept, are one axis
		height = s.dims[at]
		at--
	}
	if at >= 0 {
		outer = s.dims[at]
		at--
	}
	switch {
	case at >= 0:
		return plan{}, nil
	case outer == 1 && width == 1:
		return fastTotal(height, func(total float64) float32 { return float32(total) }), nil
	case outer == 1:
		return columnTotals(height, width), nil
	case width == 1:
		return overRows(rows(outer, height), func(m operands) func(lo, hi int) {
			x, y := floats(m.in[0]), floats(m.out[0])
			return func(lo, hi int) {
				for i := lo; i < hi; i++ {
					y[i] = float32(vec.Sum(x[i*height:][:height]))
				}
			}
		}), nil
	}
	return blockSums[float32](outer, height, width, 1), nil
}

// blockSums sums x (outer, height, width) over height and multiplies by factor.
func blockSums[E vec.Element](outer, height, width int, factor float64) plan {
	return plan{scratch: 8 * outer * width, bind: func(m operands) []stage {
		x, y := as[E](m.in[0]), as[E](m.out[0])
		all := as[float64](m.scratch)
		return []stage{rows(outer, height*width).stage(func(lo, hi int) {
			for i := lo; i < hi; i++ {
				sums := all[i*width:][:width]
				clear(sums)
				vec.ChannelSum(sums, x[i*height*width:][:height*width])
				for j, s := range sums {
					y[i*width+j] = rounded[E](float32(s * factor))
				}
			}
		})}
	}}
}

// columnTotals sums the n rows of x (n, ch).
func columnTotals(n, ch int) plan {
	columns := sumColumns(n, ch, ch)
	return plan{scratch: 8 * columns.size(), bind: func(m operands) []stage {
		x, y := floats(m.in[0]), floats(m.out[0])
		parts := as[float64](m.scratch)
		return []stage{
			columns.stage(parts, func(sums []float64, lo, hi int) { vec.ChannelSum(sums, x[lo*ch:hi*ch]) }),
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					y[k] = float32(columns.total(parts, k))
				}
			}),
		}
	}}
}

// fastClipGrad is columnTotals of the gradient that it makes.
func fastClipGrad[E vec.Element](c op.Call, o op.ClipGrad) plan {
	n, ch := columnsOf(c.In[0])
	_, width := columnsOf(c.In[1])
	columns := sumColumns(n, ch, ch)
	least, most := bounds(o.Clip).Bounds()
	return plan{scratch: 8 * columns.size(), bind: func(m operands) []stage {
		y, dy, dx, total := as[E](m.in[0]), as[E](m.in[1]), as[E](m.out[0]), floats(m.out[1])
		parts := as[float64](m.scratch)
		return []stage{
			columns.stage(parts, func(sums []float64, lo, hi int) {
				vec.ClipGradSum(sums, dx[lo*ch:hi*ch], dy[lo*width+o.Start:(hi-1)*width+o.Start+ch], y[lo*ch:hi*ch], width, least, most)
			}),
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					total[k] = float32(columns.total(parts, k))
				}
			}),
		}
	}}
}

func fastColumnSum(c op.Call) plan { return columnTotals(columnsOf(c.In[0])) }

// fastTotal makes one number of the sum of n elements.
func fastTotal(n int, of func(total float64) float32) plan {
	return sum(elements(n), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, y := floats(m.in[0]), floats(m.out[0])
		return func(lo, hi int) float64 { return vec.Sum(x[lo:hi]) }, func(total float64) { y[0] = of(total) }
	})
}

func fastMean(c op.Call) plan {
	n := op.Size(c.In[0])
	return fastTotal(n, func(total float64) float32 { return float32(total / float64(n)) })
}

func fastBroadcastTo(c op.Call) (plan, error) {
	s, err := stretch(c.Out[0], c.In[0], nil)
	if err != nil {
		return plan{}, err
	}
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y := floats(m.in[0]), floats(m.out[0])
		return func(lo, hi int) {
			for r := range s.runs(lo, hi) {
				if r.stepA == 0 {
					vec.Fill(y[r.at:r.at+r.n], x[r.a])
				} else {
					copy(y[r.at:r.at+r.n], x[r.a:])
				}
			}
		}
	}), nil
}
