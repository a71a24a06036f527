package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// blocked is a reduction as networks are full of: the outer axes are kept, then some
// that lie side by side are reduced, and the inner axes are kept. Either kept part
// may be missing.
type blocked struct{ outer, height, width int }

// blockOf is the reduction of x to y, and whether it is a block.
func blockOf(x, y op.Shape) (b blocked, ok bool, err error) {
	s, err := stretch(x, y, nil)
	if err != nil {
		return b, false, err
	}
	b = blocked{1, 1, 1}
	at := s.axes - 1
	if s.steps[0][at] != 0 {
		b.width = s.dims[at]
		at--
	}
	if at >= 0 { // neighbours that are both reduced, or both kept, are one axis
		b.height = s.dims[at]
		at--
	}
	if at >= 0 {
		b.outer = s.dims[at]
		at--
	}
	return b, at < 0, nil
}

// eachRow makes each element of the result of its elements of the input, which lie
// side by side.
func (b blocked) eachRow(of func(m operands) func(lo, hi int) float32) plan {
	return overRows(rows(b.outer, b.height), func(m operands) func(lo, hi int) {
		y, make := floats(m.out[0]), of(m)
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				y[i] = make(i*b.height, (i+1)*b.height)
			}
		}
	})
}

// fastSumTo serves blocks.
func fastSumTo(c op.Call) (plan, error) {
	b, ok, err := blockOf(c.In[0], c.Out[0])
	switch {
	case err != nil || !ok:
		return plan{}, err
	case b.outer == 1 && b.width == 1:
		return fastTotal(b.height, func(total float64) float32 { return float32(total) }), nil
	case b.outer == 1:
		return columnTotals(b.height, b.width), nil
	case b.width == 1:
		return b.eachRow(func(m operands) func(lo, hi int) float32 {
			x := floats(m.in[0])
			return func(lo, hi int) float32 { return float32(vec.Sum(x[lo:hi])) }
		}), nil
	}
	return blockSums[float32](b.outer, b.height, b.width, 1), nil
}

// fastDotTo serves blocks, but not those of which one number remains.
func fastDotTo(c op.Call) (plan, error) {
	b, ok, err := blockOf(c.In[0], c.Out[0])
	switch {
	case err != nil || !ok || b.outer*b.width == 1:
		return plan{}, err
	case b.outer == 1:
		return columnPlan(b.height, b.width, 0, func(m operands) func(sums []float64, lo, hi int) {
			x, y := floats(m.in[0]), floats(m.in[1])
			return func(sums []float64, lo, hi int) {
				vec.ChannelDot(sums, x[lo*b.width:hi*b.width], y[lo*b.width:hi*b.width])
			}
		}), nil
	case b.width == 1:
		return b.eachRow(func(m operands) func(lo, hi int) float32 {
			x, y := floats(m.in[0]), floats(m.in[1])
			return func(lo, hi int) float32 { return float32(vec.Dot(x[lo:hi], y[lo:hi])) }
		}), nil
	}
	return blockPlan[float32](b.outer, b.height, b.width, 1, func(m operands) func(sums []float64, lo, hi int) {
		x, y := floats(m.in[0]), floats(m.in[1])
		return func(sums []float64, lo, hi int) { vec.ChannelDot(sums, x[lo:hi], y[lo:hi]) }
	}), nil
}

// fastMaxTo serves rows.
func fastMaxTo(c op.Call) (plan, error) {
	b, ok, err := blockOf(c.In[0], c.Out[0])
	if err != nil || !ok || b.width != 1 {
		return plan{}, err
	}
	return b.eachRow(func(m operands) func(lo, hi int) float32 {
		x := floats(m.in[0])
		return func(lo, hi int) float32 { return vec.Max(x[lo:hi]) }
	}), nil
}

// fastMaxToGrad serves rows, in which one element wins as a rule.
func fastMaxToGrad(c op.Call) (plan, error) {
	b, ok, err := blockOf(c.In[0], c.In[1])
	if err != nil || !ok || b.width != 1 {
		return plan{}, err
	}
	return overRows(rows(b.outer, b.height), func(m operands) func(lo, hi int) {
		x, y, dy, dx := floats(m.in[0]), floats(m.in[1]), floats(m.in[2]), floats(m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				from, most, winners, last := x[i*b.height:][:b.height], y[i], 0, 0
				for k, v := range from {
					if v == most {
						winners++
						last = k
					}
				}
				to := dx[i*b.height:][:b.height]
				clear(to)
				if winners > 0 {
					to[last] = dy[i] / float32(winners)
				}
				for k := 0; winners > 1 && k < last; k++ {
					if from[k] == most {
						to[k] = to[last]
					}
				}
			}
		}
	}), nil
}

// blockSums sums x (outer, height, width) over height and multiplies by factor.
func blockSums[E vec.Element](outer, height, width int, factor float64) plan {
	return blockPlan[E](outer, height, width, factor, func(m operands) func(sums []float64, lo, hi int) {
		x := as[E](m.in[0])
		return func(sums []float64, lo, hi int) { vec.ChannelSum(sums, x[lo:hi]) }
	})
}

// blockPlan is the plan of sums over height, times factor: of returns what adds the
// elements [lo, hi), which are a block of height x width, to sums.
func blockPlan[E vec.Element](outer, height, width int, factor float64, of func(m operands) func(sums []float64, lo, hi int)) plan {
	return plan{scratch: 8 * outer * width, bind: func(m operands) []stage {
		y, add, all := as[E](m.out[0]), of(m), as[float64](m.scratch)
		return []stage{rows(outer, height*width).stage(func(lo, hi int) {
			for i := lo; i < hi; i++ {
				sums := all[i*width:][:width]
				clear(sums)
				add(sums, i*height*width, (i+1)*height*width)
				for j, s := range sums {
					y[i*width+j] = rounded[E](float32(s * factor))
				}
			}
		})}
	}}
}

// columnTotals sums the n rows of x (n, ch).
func columnTotals(n, ch int) plan {
	return columnPlan(n, ch, 0, func(m operands) func(sums []float64, lo, hi int) {
		x := floats(m.in[0])
		return func(sums []float64, lo, hi int) { vec.ChannelSum(sums, x[lo*ch:hi*ch]) }
	})
}

// columnPlan is the plan of a sum of n rows of ch numbers, which is the operation's result
// of this index: of returns what adds the rows [lo, hi) to sums.
func columnPlan(n, ch, result int, of func(m operands) func(sums []float64, lo, hi int)) plan {
	columns := sumColumns(n, ch, ch)
	return plan{scratch: 8 * columns.size(), bind: func(m operands) []stage {
		y, parts := floats(m.out[result]), as[float64](m.scratch)
		return []stage{
			columns.stage(parts, of(m)),
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					y[k] = float32(columns.total(parts, k))
				}
			}),
		}
	}}
}

// fastClipGrad sums the columns of the gradient that it makes.
func fastClipGrad[E vec.Element](c op.Call, o op.ClipGrad) plan {
	n, ch := columnsOf(c.In[0])
	_, width := columnsOf(c.In[1])
	least, most := bounds(o.Clip).Bounds()
	return columnPlan(n, ch, 1, func(m operands) func(sums []float64, lo, hi int) {
		y, dy, dx := as[E](m.in[0]), as[E](m.in[1]), as[E](m.out[0])
		return func(sums []float64, lo, hi int) {
			vec.ClipGradSum(sums, dx[lo*ch:hi*ch], dy[lo*width+o.Start:(hi-1)*width+o.Start+ch], y[lo*ch:hi*ch], width, least, most)
		}
	})
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
