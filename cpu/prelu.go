package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

func prelu[T number](c op.Call) plan {
	n, ch := columnsOf(c.In[0])
	return overRows(rows(n, ch), func(m operands) func(lo, hi int) {
		x, weight, y := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo * ch; i < hi*ch; i++ {
				if y[i] = x[i]; !(x[i] > 0) {
					y[i] = x[i] * weight[i%ch]
				}
			}
		}
	})
}

func preluGrad[T number](c op.Call) plan {
	n, ch := columnsOf(c.In[0])
	return overRows(channels(ch), func(m operands) func(lo, hi int) {
		x, weight, dy := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2])
		dx, dw := as[T](m.out[0]), as[T](m.out[1])
		return func(lo, hi int) {
			for k := lo; k < hi; k++ {
				var sum float64
				for i := k; i < n*ch; i += ch {
					switch v, d := x[i], dy[i]; {
					case v > 0:
						dx[i] = d
					case math.IsNaN(float64(v)):
						dx[i] = v
						sum += float64(v)
					default:
						sum += float64(v) * float64(d)
						dx[i] = d * weight[k]
					}
				}
				dw[k] = T(sum)
			}
		}
	})
}

func fastPReLU(c op.Call) plan {
	n, ch := columnsOf(c.In[0])
	return overRows(rows(n, ch), func(m operands) func(lo, hi int) {
		x, weight, y := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func(lo, hi int) { vec.PReLU(y[lo*ch:hi*ch], x[lo*ch:hi*ch], weight) }
	})
}

func fastPReLUGrad(c op.Call) plan {
	n, ch := columnsOf(c.In[0])
	return columnPlan(n, ch, 1, func(m operands) func(sums []float64, lo, hi int) {
		x, weight, dy, dx := floats(m.in[0]), floats(m.in[1]), floats(m.in[2]), floats(m.out[0])
		return func(sums []float64, lo, hi int) {
			vec.PReLUGrad(sums, dx[lo*ch:hi*ch], dy[lo*ch:hi*ch], x[lo*ch:hi*ch], weight)
		}
	})
}
