package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// foldNorm has two stages: the factor and the new bias of each output channel, and
// the weights by rows.
func foldNorm[T number](c op.Call, o op.FoldNorm) plan {
	return foldingNorm(c, o, func(y, x, scale []T) {
		for i := range y {
			y[i] = x[i] * scale[i%len(scale)]
		}
	})
}

func fastFoldNorm(c op.Call, o op.FoldNorm) plan { return foldingNorm(c, o, vec.ScaleChannels) }

// foldingNorm is the plan of FoldNorm for rows scaled by scaleRows.
func foldingNorm[T number](c op.Call, o op.FoldNorm, scaleRows func(y, x, scale []T)) plan {
	n, ch := columnsOf(c.In[0])
	return plan{scratch: 8 * ch, bind: func(m operands) []stage {
		w, gamma, beta, mean, variance := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[T](m.in[3]), as[T](m.in[4])
		folded, shift := as[T](m.out[0]), as[T](m.out[1])
		var bias []T
		if o.Bias {
			bias = as[T](m.in[5])
		}
		scale := cut[T](&m.scratch, ch)
		return []stage{
			elements(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					s := float64(gamma[k]) / math.Sqrt(float64(variance[k])+o.Eps)
					at := -float64(mean[k])
					if bias != nil {
						at += float64(bias[k])
					}
					scale[k], shift[k] = T(s), T(float64(beta[k])+at*s)
				}
			}),
			rows(n, ch).stage(func(lo, hi int) { scaleRows(folded[lo*ch:hi*ch], w[lo*ch:hi*ch], scale) }),
		}
	}}
}
