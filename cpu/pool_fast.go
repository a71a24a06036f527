package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// mostTaps is the largest window that the fast MaxPool serves: vec stores the
// winner's number in a byte.
const mostTaps = 256

// fastPooling is a pool with its results cut into runs.
type fastPooling struct {
	pooling
	rows [][]poolRun // of each row of a sample's results
}

// poolRun is n neighbouring results from column ox on whose windows have one
// form: the same taps fall on padding. The other taps of the first result's
// window lie at offsets in the sample.
type poolRun struct {
	ox, n   int
	offsets []int
}

func newFastPooling(g pooling) fastPooling {
	f := fastPooling{pooling: g, rows: make([][]poolRun, g.oh)}
	for oy := range g.oh {
		runs := &f.rows[oy]
		for ox := range g.ow {
			if ox > 0 && g.insideAcross(ox-1) && g.insideAcross(ox) {
				(*runs)[len(*runs)-1].n++
				continue
			}
			r := poolRun{ox: ox, n: 1}
			for _, at := range g.taps(oy*g.ow + ox) {
				r.offsets = append(r.offsets, at)
			}
			*runs = append(*runs, r)
		}
	}
	return f
}

// insideAcross tells whether the windows of a column of results reach beyond
// neither the left nor the right border.
func (g *pooling) insideAcross(ox int) bool {
	left := ox*g.StrideW - g.PadLeft
	return left >= 0 && left+(g.KW-1)*g.DilationW < g.w
}

// span are the elements of a run in result row, which is row%oh of sample row/oh.
func (g *fastPooling) span(row int, r poolRun) (from, to int) {
	from = (row*g.ow + r.ox) * g.c
	return from, from + r.n*g.c
}

// sampleOf is the part of a value of the input's shape that belongs to a row.
func sampleOf[E vec.Element](g *fastPooling, x []E, row int) []E {
	size := g.h * g.w * g.c
	return x[row/g.oh*size:][:size]
}

// step is the distance in the input of neighbouring windows.
func (g *fastPooling) step() int { return g.StrideW * g.c }

// fastMaxPool keeps the winners as bytes at the start of their memory; each is
// the place in the list of those taps that do not fall on padding.
func fastMaxPool[E vec.Element](c op.Call, o op.MaxPool) plan {
	if o.KH*o.KW > mostTaps {
		return plan{}
	}
	g := newFastPooling(newPooling(o.Window, c.In[0], c.Out[0]))
	return overRows(rows(g.n*g.oh, g.ow*g.c), func(m operands) func(lo, hi int) {
		x, y, winner := as[E](m.in[0]), as[E](m.out[0]), m.out[1]
		return func(lo, hi int) {
			for row := lo; row < hi; row++ {
				for _, r := range g.rows[row%g.oh] {
					from, to := g.span(row, r)
					if len(r.offsets) == 0 {
						repeat(y[from:to], float32(math.Inf(-1)))
						continue
					}
					vec.MaxPool(y[from:to], winner[from:to], sampleOf(&g, x, row), r.offsets, g.c, g.step())
				}
			}
		}
	})
}

func fastMaxPoolGrad[E vec.Element](c op.Call, o op.MaxPoolGrad) plan {
	if o.KH*o.KW > mostTaps {
		return plan{}
	}
	g := newFastPooling(newPooling(o.Window, c.Out[0], c.In[0]))
	hand := vec.MaxPoolGrad[E]
	if g.apart() {
		hand = vec.MaxPoolGradApart[E]
	}
	return backward(g, !g.apart() || !g.everywhere(), func(m operands) func(dx []E, row int, r poolRun) {
		winner, dy := m.in[0], as[E](m.in[1])
		return func(dx []E, row int, r poolRun) {
			from, to := g.span(row, r)
			hand(dx, dy[from:to], winner[from:to], r.offsets, g.c, g.step())
		}
	})
}

// repeat makes y of a value.
func repeat[E vec.Element](y []E, v float32) {
	e := rounded[E](v)
	for i := range y {
		y[i] = e
	}
}

// apart tells whether no two windows overlap.
func (g *pooling) apart() bool {
	return g.StrideH > (g.KH-1)*g.DilationH && g.StrideW > (g.KW-1)*g.DilationW
}

// everywhere tells whether windows without gaps cover the whole input.
func (g *pooling) everywhere() bool {
	return g.DilationH == 1 && g.DilationW == 1 && g.StrideH <= g.KH && g.StrideW <= g.KW && g.below(g.oh-1) == g.h &&
		g.ow*g.StrideW-g.PadLeft+g.KW-g.StrideW >= g.w
}

// below is the row of the input behind the last one that the windows of a row of
// results reach.
func (g *pooling) below(oy int) int {
	return min(max(oy*g.StrideH-g.PadTop+(g.KH-1)*g.DilationH+1, 0), g.h)
}

// backward is the plan of a pool's gradient, with one sample a piece, as windows
// may overlap: over hands back to dx, the gradient of its sample, what a run of
// results gets. With fresh, rows of dx are cleared just before they are reached,
// so that they are still in cache.
func backward[E vec.Element](g fastPooling, fresh bool, over func(m operands) func(dx []E, row int, r poolRun)) plan {
	width := g.w * g.c
	return overRows(each(g.n), func(m operands) func(lo, hi int) {
		dx, hand := as[E](m.out[0]), over(m)
		return func(lo, hi int) {
			for sample := lo; sample < hi; sample++ {
				to, cleared := sampleOf(&g, dx, sample*g.oh), 0
				for oy := range g.oh {
					if end := g.below(oy) * width; fresh && end > cleared {
						clear(to[cleared:end])
						cleared = end
					}
					for _, r := range g.rows[oy] {
						if len(r.offsets) > 0 {
							hand(to, sample*g.oh+oy, r)
						}
					}
				}
				if fresh {
					clear(to[cleared:])
				}
			}
		}
	})
}

// mean is what the sum over each window of a run is multiplied by.
func (g *fastPooling) mean(row int, r poolRun, padding bool) float32 {
	return 1 / float32(g.counted(row*g.ow+r.ox, padding))
}

func fastAvgPool[E vec.Element](c op.Call, o op.AvgPool) plan {
	g := newFastPooling(newPooling(o.Window, c.In[0], c.Out[0]))
	return overRows(rows(g.n*g.oh, g.ow*g.c), func(m operands) func(lo, hi int) {
		x, y := as[E](m.in[0]), as[E](m.out[0])
		return func(lo, hi int) {
			for row := lo; row < hi; row++ {
				for _, r := range g.rows[row%g.oh] {
					from, to := g.span(row, r)
					if len(r.offsets) == 0 {
						clear(y[from:to])
						continue
					}
					vec.AvgPool(y[from:to], sampleOf(&g, x, row), r.offsets, g.c, g.step(), g.mean(row, r, o.CountPad))
				}
			}
		}
	})
}

func fastAvgPoolGrad[E vec.Element](c op.Call, o op.AvgPoolGrad) plan {
	g := newFastPooling(newPooling(o.Window, c.Out[0], c.In[0]))
	return backward(g, true, func(m operands) func(dx []E, row int, r poolRun) {
		dy := as[E](m.in[0])
		return func(dx []E, row int, r poolRun) {
			from, to := g.span(row, r)
			vec.AvgPoolGrad(dx, dy[from:to], r.offsets, g.c, g.step(), g.mean(row, r, o.CountPad))
		}
	})
}

func fastGlobalAvgPool[E vec.Element](c op.Call) plan {
	x := c.In[0]
	return blockSums[E](x[0], x[1]*x[2], x[3], 1/float64(x[1]*x[2]))
}

func fastGlobalAvgPoolGrad[E vec.Element](c op.Call, o op.GlobalAvgPoolGrad) plan {
	n, ch, area := c.In[0][0], c.In[0][1], o.H*o.W
	return overRows(rows(n, area*ch), func(m operands) func(lo, hi int) {
		dy, dx := as[E](m.in[0]), as[E](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				to := dx[i*area*ch:][:area*ch]
				vec.Scale(to[:ch], dy[i*ch:][:ch], 1/float32(area))
				for have := ch; have < len(to); have *= 2 {
					copy(to[have:], to[:have])
				}
			}
		}
	})
}
