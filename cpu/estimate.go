package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// estimated moves running statistics towards the batch's mean and biased variance.
func estimated[T number](o op.EstimateMoments, mean, variance *T, mu, v float64) {
	before := float64(*mean)
	*mean = T(before + o.Speed*(mu-before))
	*variance = T((1-o.Speed)*float64(*variance) + o.Speed*(v+(mu-before)*(mu-before)))
}

func estimateMoments[T number](c op.Call, o op.EstimateMoments) plan {
	n, ch := columnsOf(c.In[0])
	return overRows(channels(ch), func(m operands) func(lo, hi int) {
		x, mean, variance := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2])
		outMean, outVar := as[T](m.out[0]), as[T](m.out[1])
		return func(lo, hi int) {
			var means, vars block
			momentsOf(&means, &vars, x, n, ch, lo, hi)
			for k := lo; k < hi; k++ {
				estimated(o, &mean[k], &variance[k], means[k-lo], vars[k-lo])
				outMean[k], outVar[k] = mean[k], variance[k]
			}
		}
	})
}

func fastEstimateMoments(c op.Call, o op.EstimateMoments) plan {
	n, ch := columnsOf(c.In[0])
	moments := sumColumns(n, ch, 2*ch)
	return plan{scratch: 8 * moments.size(), bind: func(m operands) []stage {
		x, mean, variance := floats(m.in[0]), floats(m.in[1]), floats(m.in[2])
		outMean, outVar := floats(m.out[0]), floats(m.out[1])
		parts := as[float64](m.scratch)[:moments.size()]
		return []stage{
			moments.stage(parts, func(sums []float64, lo, hi int) {
				vec.ChannelMoments(sums[:ch], sums[ch:], x[lo*ch:hi*ch])
			}),
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					mu, v := moments.moments(parts, k, ch, n)
					estimated(o, &mean[k], &variance[k], mu, v)
					outMean[k], outVar[k] = mean[k], variance[k]
				}
			}),
		}
	}}
}
