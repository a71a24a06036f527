package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// batchNormAgain is the second stage of batchNorm.
func batchNormAgain[T number](c op.Call, o op.BatchNormAgain) plan {
	n, ch := columnsOf(c.In[0])
	clip := limitsOf[T](o.Norm.Clip)
	return overRows(rows(n, ch), func(m operands) func(lo, hi int) {
		x, gamma, beta, y := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[T](m.out[0])
		mean, invStd := as[T](m.in[len(m.in)-2]), as[T](m.in[len(m.in)-1])
		var residual []T
		if o.Norm.Residual {
			residual = as[T](m.in[3])
		}
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				normalise(y[i*ch:], x[i*ch:], residual, i*ch, ch, clip, func(v T, k int) float64 {
					return normalised(v, mean[k], invStd[k], gamma[k], beta[k])
				})
			}
		}
	})
}

// fastBatchNormAgain is fastBatchNorm from where the statistics are known.
func fastBatchNormAgain[E vec.Element](c op.Call, o op.BatchNormAgain, workers int) plan {
	n, ch := columnsOf(c.In[0])
	windows := streaming[E](c, ch, workers)
	return plan{scratch: windows.scratch(3) + 2*4*ch, bind: func(m operands) []stage {
		gamma, beta := floats(m.in[1]), floats(m.in[2])
		mean, invStd := floats(m.in[len(m.in)-2]), floats(m.in[len(m.in)-1])
		x, y := windows.input(&m, 0), windows.result(&m, 0)
		var residual *stream[E]
		if o.Norm.Residual {
			residual = windows.input(&m, 3)
		}
		scale, shift := cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch)
		return []stage{
			elements(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					scale[k], shift[k] = affine(gamma[k], beta[k], float64(mean[k]), float64(invStd[k]))
				}
			}),
			windows.over(rows(n, ch), normalising(x, residual, y, scale, shift, o.Norm.Clip)),
		}
	}}
}
