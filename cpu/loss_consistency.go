package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

func jensenShannon[T number](c op.Call, o op.JensenShannon) plan {
	const least = 1e-7
	all, k := columnsOf(c.In[0])
	n, splits := all/o.Splits, o.Splits
	scale := 1 / float64(splits*n)
	return sum(rows(n, splits*k), func(m operands) (func(lo, hi int) float64, func(float64)) {
		x, loss, grad := as[T](m.in[0]), as[T](m.out[0]), as[T](m.out[1])
		part := func(lo, hi int) (sum float64) {
			var lse, dot [op.MaxSplits]float64
			// term is log(p/m) of a class in a split, its probability p, and what its
			// loss grows by with p.
			term := func(i, s, j int, mean float64) (p, ratio, slope float64) {
				logp := float64(x[(s*n+i)*k+j]) - lse[s]
				p = math.Exp(logp)
				ratio = logp - math.Log(max(mean, least))
				if slope = ratio; mean < least {
					slope++
				}
				return p, ratio, slope
			}
			mean := func(i, j int) (m float64) {
				for s := range splits {
					m += math.Exp(float64(x[(s*n+i)*k+j]) - lse[s])
				}
				return m / float64(splits)
			}
			for i := lo; i < hi; i++ {
				for s := range splits {
					lse[s], dot[s] = logSumExp(x[(s*n+i)*k:][:k]), 0
				}
				for j := range k {
					m := mean(i, j)
					for s := range splits {
						p, ratio, slope := term(i, s, j, m)
						if p > 0 {
							sum += p * ratio
							dot[s] += p * slope
						}
					}
				}
				for j := range k {
					m := mean(i, j)
					for s := range splits {
						p, _, slope := term(i, s, j, m)
						g := 0.0
						if p > 0 {
							g = p * (slope - dot[s]) * scale
						}
						grad[(s*n+i)*k+j] = T(g)
					}
				}
			}
			return sum
		}
		return part, func(total float64) { loss[0] = T(total * scale) }
	})
}
