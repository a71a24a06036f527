package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

func fastSoftmax(c op.Call) plan {
	n, k := columnsOf(c.In[0])
	return overRows(rows(n, k), func(m operands) func(lo, hi int) {
		x, y := floats(m.in[0]), floats(m.out[0])
		return func(lo, hi int) { vec.Softmax(y[lo*k:hi*k], x[lo*k:hi*k], k) }
	})
}

func fastSoftmaxGrad(c op.Call) plan {
	n, k := columnsOf(c.In[0])
	return overRows(rows(n, k), func(m operands) func(lo, hi int) {
		y, dy, dx := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func(lo, hi int) { vec.SoftmaxGrad(dx[lo*k:hi*k], dy[lo*k:hi*k], y[lo*k:hi*k], k) }
	})
}

func fastCrossEntropy(c op.Call, o op.CrossEntropy) plan {
	n, k := columnsOf(c.In[0])
	return sum(rows(n, k), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, target, loss, grad := floats(m.in[0]), floats(m.in[1]), floats(m.out[0]), floats(m.out[1])
		smoothing, scale := float32(o.Smoothing), 1/float32(n)
		row := func(out, in []float32, i int) float64 {
			if o.Soft {
				return vec.SoftCrossEntropy(out, in, target[i*k:][:k], smoothing, scale)
			}
			if !isClass(float64(target[i]), k) {
				vec.Fill(out, float32(math.NaN()))
				return math.NaN()
			}
			return vec.CrossEntropy(out, in, int(target[i]), smoothing, scale)
		}
		part := func(lo, hi int) (sum float64) {
			for i := lo; i < hi; i++ {
				sum += row(grad[i*k:][:k], x[i*k:][:k], i)
			}
			return sum
		}
		return part, func(total float64) { loss[0] = float32(total / float64(n)) }
	})
}

func fastBCEWithLogits(c op.Call, o op.BCEWithLogits) plan {
	if o.Weight != nil || o.PosWeight != nil {
		return plan{}
	}
	n, count := op.Size(c.In[0]), lossCount(c, o.SumClasses)
	return sum(elements(n), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, target, loss, grad := floats(m.in[0]), floats(m.in[1]), floats(m.out[0]), floats(m.out[1])
		part := func(lo, hi int) float64 {
			return vec.BinaryCrossEntropy(grad[lo:hi], x[lo:hi], target[lo:hi], float32(1/count))
		}
		return part, func(total float64) { loss[0] = float32(total / count) }
	})
}

func fastMSE(c op.Call) plan {
	n := op.Size(c.In[0])
	return sum(elements(n), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, target, loss, grad := floats(m.in[0]), floats(m.in[1]), floats(m.out[0]), floats(m.out[1])
		part := func(lo, hi int) float64 {
			d := grad[lo:hi]
			vec.Sub(d, x[lo:hi], target[lo:hi])
			sum := vec.SumSquares(d)
			vec.Scale(d, d, 2/float32(n))
			return sum
		}
		return part, func(total float64) { loss[0] = float32(total / float64(n)) }
	})
}
