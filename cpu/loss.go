package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/internal/acts"
	"github.com/seed52467199/trainer/graph/op"
)

func softmax[T number](c op.Call) plan {
	n, k := columnsOf(c.In[0])
	return overRows(rows(n, k), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				in, out := x[i*k:][:k], y[i*k:][:k]
				lse := logSumExp(in)
				for j, v := range in {
					out[j] = T(math.Exp(float64(v) - lse))
				}
			}
		}
	})
}

// logSumExp is log(sum(exp(x))). Taking out the largest value keeps exp from
// overflowing.
func logSumExp[T number](x []T) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, float64(v))
	}
	var sum float64
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum)
}

func softmaxGrad[T number](c op.Call) plan {
	n, k := columnsOf(c.In[0])
	return overRows(rows(n, k), func(m operands) func(lo, hi int) {
		y, dy, dx := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		return func(lo, hi int) {
			for at := lo * k; at < hi*k; at += k {
				var dot float64
				for j := at; j < at+k; j++ {
					dot += float64(y[j]) * float64(dy[j])
				}
				for j := at; j < at+k; j++ {
					dx[j] = T(float64(y[j]) * (float64(dy[j]) - dot))
				}
			}
		}
	})
}

// crossEntropy gives a row whose label is no class number a loss and a gradient
// of NaN: training then stops with a sentence about the loss, where a clipped
// label would go unseen.
func crossEntropy[T number](c op.Call, o op.CrossEntropy) plan {
	n, k := columnsOf(c.In[0])
	return sum(rows(n, k), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, target, loss, grad := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0]), as[T](m.out[1])
		wanted := func(i, j int) float64 { return step(float64(target[i]) == float64(j)) }
		if o.Soft {
			wanted = func(i, j int) float64 { return float64(target[i*k+j]) }
		}
		part := func(lo, hi int) (sum float64) {
			for i := lo; i < hi; i++ {
				in, out := x[i*k:][:k], grad[i*k:][:k]
				if !o.Soft && !isClass(float64(target[i]), k) {
					fill(out, T(math.NaN()))
					sum = math.NaN()
					continue
				}
				lse := logSumExp(in)
				var mass float64
				for j, v := range in {
					t := wanted(i, j)*(1-o.Smoothing) + o.Smoothing/float64(k)
					mass += t
					// A class that is not wanted may have a logit of -Inf.
					if t != 0 {
						sum += t * (lse - float64(v))
					}
				}
				for j, v := range in {
					t := wanted(i, j)*(1-o.Smoothing) + o.Smoothing/float64(k)
					out[j] = T((math.Exp(float64(v)-lse)*mass - t) / float64(n))
				}
			}
			return sum
		}
		return part, func(total float64) { loss[0] = T(total / float64(n)) }
	})
}

// isClass tells whether a label is the number of one of k classes.
func isClass(label float64, k int) bool {
	return label >= 0 && label < float64(k) && label == math.Trunc(label)
}

func fill[T number](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}

func bceWithLogits[T number](c op.Call, o op.BCEWithLogits) plan {
	return elementLoss[T](c, lossCount(c, o.SumClasses), func(k int, x, t float64) (loss, grad float64) {
		if o.Weight == nil && o.PosWeight == nil {
			return binaryCrossEntropy(x, t), acts.Logistic(x) - t
		}
		there, not := weightOf(o.PosWeight, k)*t, 1-t
		w := weightOf(o.Weight, k)
		return w * (there*binaryCrossEntropy(x, 1) + not*binaryCrossEntropy(x, 0)), w * (not*acts.Logistic(x) - there*acts.Logistic(-x))
	})
}

// lossCount is what a sum over all elements of logits (N, K) is divided by.
func lossCount(c op.Call, sumClasses bool) float64 {
	if sumClasses {
		return float64(c.In[0][0])
	}
	return float64(op.Size(c.In[0]))
}

// weightOf is the weight of class k, 1 without weights.
func weightOf(weights []float64, k int) float64 {
	if weights == nil {
		return 1
	}
	return weights[k]
}

// binaryCrossEntropy is that of s(x) with t.
func binaryCrossEntropy(x, t float64) float64 {
	return max(x, 0) - x*t + math.Log1p(math.Exp(-math.Abs(x)))
}

// elementLoss is the sum of a loss over all elements, divided by count. k is an
// element's number in the last axis.
func elementLoss[T number](c op.Call, count float64, f func(k int, x, t float64) (loss, grad float64)) plan {
	_, classes := columnsOf(c.In[0])
	return sum(elements(op.Size(c.In[0])), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, target, loss, grad := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0]), as[T](m.out[1])
		part := func(lo, hi int) (sum float64) {
			for i := lo; i < hi; i++ {
				l, g := f(i%classes, float64(x[i]), float64(target[i]))
				grad[i] = T(g / count)
				sum += l
			}
			return sum
		}
		return part, func(total float64) { loss[0] = T(total / count) }
	})
}

// rowLoss is the mean over the rows of the sum of a function of a class's
// probability p and target t. d is its derivative for log p, with p a function of
// that.
func rowLoss[T number](c op.Call, f func(p, logp, t float64) (loss, d float64)) plan {
	n, k := columnsOf(c.In[0])
	return sum(rows(n, k), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, target, loss, grad := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0]), as[T](m.out[1])
		part := func(lo, hi int) (sum float64) {
			for i := lo; i < hi; i++ {
				in, out := x[i*k:][:k], grad[i*k:][:k]
				lse := logSumExp(in)
				var all float64
				for j, v := range in {
					logp := float64(v) - lse
					l, d := f(math.Exp(logp), logp, float64(target[i*k+j]))
					sum += l
					all += d
					out[j] = T(d)
				}
				for j, v := range in {
					out[j] = T((float64(out[j]) - math.Exp(float64(v)-lse)*all) / float64(n))
				}
			}
			return sum
		}
		return part, func(total float64) { loss[0] = T(total / float64(n)) }
	})
}
