package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// pooling is the geometry of a pooling operation and its gradient.
type pooling struct {
	op.Window
	n, h, w, c, oh, ow int
}

func newPooling(w op.Window, x, y op.Shape) pooling {
	return pooling{Window: w, n: x[0], h: x[1], w: x[2], c: x[3], oh: y[1], ow: y[2]}
}

// taps calls f for each tap, in row-major order, that does not fall on padding
// for the window of result pixel p: with its number in the window and the
// element where its input pixel begins.
func (g *pooling) taps(p int) func(f func(tap, at int) bool) {
	n, oy, ox := p/(g.oh*g.ow), p/g.ow%g.oh, p%g.ow
	return func(f func(tap, at int) bool) {
		for kh := range g.KH {
			iy, inside := tap(oy, g.StrideH, kh, g.DilationH, g.PadTop, g.h)
			if !inside {
				continue
			}
			for kw := range g.KW {
				ix, inside := tap(ox, g.StrideW, kw, g.DilationW, g.PadLeft, g.w)
				if inside && !f(kh*g.KW+kw, ((n*g.h+iy)*g.w+ix)*g.c) {
					return
				}
			}
		}
	}
}

// noWinner stands for the winner of a window that covers padding alone, which
// ceil mode and dilation can make.
const noWinner = -1

func maxPool[T number](c op.Call, o op.MaxPool) plan {
	g := newPooling(o.Window, c.In[0], c.Out[0])
	return overRows(rows(g.n*g.oh*g.ow, g.c), func(m operands) func(lo, hi int) {
		x, y, winner := as[T](m.in[0]), as[T](m.out[0]), as[T](m.out[1])
		return func(lo, hi int) {
			for p := lo; p < hi; p++ {
				best, who := y[p*g.c:][:g.c], winner[p*g.c:][:g.c]
				fill(best, T(math.Inf(-1)))
				fill(who, noWinner)
				for tap, at := range g.taps(p) {
					for j, v := range x[at:][:g.c] {
						if v > best[j] || v != v || who[j] == noWinner {
							best[j], who[j] = v, T(tap)
						}
					}
				}
			}
		}
	})
}

// maxPoolGrad makes one sample a piece, as windows overlap.
func maxPoolGrad[T number](c op.Call, o op.MaxPoolGrad) plan {
	g := newPooling(o.Window, c.Out[0], c.In[0])
	return overRows(each(g.n), func(m operands) func(lo, hi int) {
		winner, dy, dx := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		return func(lo, hi int) {
			clear(dx[lo*g.h*g.w*g.c : hi*g.h*g.w*g.c])
			for p := lo * g.oh * g.ow; p < hi*g.oh*g.ow; p++ {
				for tap, at := range g.taps(p) {
					for j, who := range winner[p*g.c:][:g.c] {
						if who == T(tap) {
							dx[at+j] += dy[p*g.c+j]
						}
					}
				}
			}
		}
	})
}

// counted is the number of taps that the mean over the window of result pixel p
// divides by.
func (g *pooling) counted(p int, padding bool) int {
	h, w, top, left := g.h, g.w, g.PadTop, g.PadLeft
	if padding { // the padded map, without padding of its own
		h, w, top, left = g.PadTop+g.h+g.PadBottom, g.PadLeft+g.w+g.PadRight, 0, 0
	}
	var rows, cols int
	for kh := range g.KH {
		if _, inside := tap(p/g.ow%g.oh, g.StrideH, kh, g.DilationH, top, h); inside {
			rows++
		}
	}
	for kw := range g.KW {
		if _, inside := tap(p%g.ow, g.StrideW, kw, g.DilationW, left, w); inside {
			cols++
		}
	}
	return max(1, rows*cols)
}

func avgPool[T number](c op.Call, o op.AvgPool) plan {
	g := newPooling(o.Window, c.In[0], c.Out[0])
	return overRows(rows(g.n*g.oh*g.ow, g.c), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for p := lo; p < hi; p++ {
				count := float64(g.counted(p, o.CountPad))
				for j := range g.c {
					var sum float64
					for _, at := range g.taps(p) {
						sum += float64(x[at+j])
					}
					y[p*g.c+j] = T(sum / count)
				}
			}
		}
	})
}

// avgPoolGrad makes one sample a piece, as windows overlap.
func avgPoolGrad[T number](c op.Call, o op.AvgPoolGrad) plan {
	g := newPooling(o.Window, c.Out[0], c.In[0])
	return overRows(each(g.n), func(m operands) func(lo, hi int) {
		dy, dx := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			clear(dx[lo*g.h*g.w*g.c : hi*g.h*g.w*g.c])
			for p := lo * g.oh * g.ow; p < hi*g.oh*g.ow; p++ {
				count := T(g.counted(p, o.CountPad))
				for _, at := range g.taps(p) {
					for j, d := range dy[p*g.c:][:g.c] {
						dx[at+j] += d / count
					}
				}
			}
		}
	})
}

// globalAvgPool makes a block of one sample's channels a piece.
func globalAvgPool[T number](c op.Call) plan {
	n, h, w, ch := c.In[0][0], c.In[0][1], c.In[0][2], c.In[0][3]
	s := channels(ch)
	return overRows(each(n*s.pieces()), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for p := lo; p < hi; p++ {
				sample, part := p/s.pieces(), p%s.pieces()
				from, to := s.bounds(part)
				var sums block
				for i := sample * h * w; i < (sample+1)*h*w; i++ {
					for j, v := range x[i*ch+from : i*ch+to] {
						sums[j] += float64(v)
					}
				}
				for j := from; j < to; j++ {
					y[sample*ch+j] = T(sums[j-from] / float64(h*w))
				}
			}
		}
	})
}

func globalAvgPoolGrad[T number](c op.Call, o op.GlobalAvgPoolGrad) plan {
	n, ch := c.In[0][0], c.In[0][1]
	area := o.H * o.W
	return overRows(rows(n*area, ch), func(m operands) func(lo, hi int) {
		dy, dx := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for j, d := range dy[i/area*ch:][:ch] {
					dx[i*ch+j] = d / T(area)
				}
			}
		}
	})
}
