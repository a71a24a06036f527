package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

func mse[T number](c op.Call) plan {
	return elementLoss[T](c, lossCount(c, false), func(_ int, x, t float64) (loss, grad float64) {
		return (x - t) * (x - t), 2 * (x - t)
	})
}

func mae[T number](c op.Call) plan {
	return elementLoss[T](c, lossCount(c, false), func(_ int, x, t float64) (loss, grad float64) {
		d := math.Abs(x - t)
		if d == 0 {
			return 0, 0
		}
		return d, (x - t) / d
	})
}

func huber[T number](c op.Call, o op.Huber) plan {
	return elementLoss[T](c, lossCount(c, false), func(_ int, x, t float64) (loss, grad float64) {
		d := x - t
		if far := math.Abs(d); far > o.Delta {
			return o.Delta * (far - o.Delta/2), math.Copysign(o.Delta, d)
		}
		return d * d / 2, d
	})
}
