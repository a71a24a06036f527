package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// A layer norm over rows is a group norm whose samples have one position and one
// group each.

func layerNorm[T number](c op.Call, o op.LayerNorm) plan {
	n, ch := columnsOf(c.In[0])
	return grouped[T](grouping{n, 1, ch, 1}, o.Eps, o.Root)
}

func layerNormGrad[T number](c op.Call, o op.LayerNormGrad) plan {
	n, ch := columnsOf(c.In[0])
	return groupedGrad[T](grouping{n, 1, ch, 1}, o.Root)
}

func groupNorm[T number](c op.Call, o op.GroupNorm) plan {
	return grouped[T](groupingOf(c.In[0], o.Groups), o.Eps, o.Root)
}

func groupNormGrad[T number](c op.Call, o op.GroupNormGrad) plan {
	return groupedGrad[T](groupingOf(c.In[0], o.Groups), o.Root)
}

// grouping is samples of so many positions and channels, which form groups.
type grouping struct{ samples, positions, channels, groups int }

func groupingOf(x op.Shape, groups int) grouping {
	n, ch := columnsOf(x)
	return grouping{x[0], n / x[0], ch, groups}
}

// width is the number of channels of a group, count that of its values.
func (g grouping) width() int { return g.channels / g.groups }
func (g grouping) count() int { return g.positions * g.width() }

// each lists the places of the values of group k of a sample, and their channels.
func (g grouping) each(sample, k int, do func(at, channel int)) {
	for p := range g.positions {
		for c := k * g.width(); c < (k+1)*g.width(); c++ {
			do((sample*g.positions+p)*g.channels+c, c)
		}
	}
}

// standard is the mean of n values with these sums of values and of squares, and the
// factor that makes their variance 1; with root the mean counts as 0.
func standard(sum, squares float64, n int, eps float64, root bool) (mean, factor float64) {
	if root {
		return 0, 1 / math.Sqrt(squares/float64(n)+eps)
	}
	mean = sum / float64(n)
	return mean, 1 / math.Sqrt(max(0, squares/float64(n)-mean*mean)+eps)
}

func grouped[T number](g grouping, eps float64, root bool) plan {
	return overRows(each(g.samples*g.groups), func(m operands) func(lo, hi int) {
		x, gamma := as[T](m.in[0]), as[T](m.in[1])
		var beta []T
		if len(m.in) > 2 {
			beta = as[T](m.in[2])
		}
		y, means, factors := as[T](m.out[0]), as[T](m.out[1]), as[T](m.out[2])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				sample, k := i/g.groups, i%g.groups
				var sum, squares float64
				g.each(sample, k, func(at, _ int) { sum += float64(x[at]) })
				mean := sum / float64(g.count())
				if root {
					mean = 0
				}
				g.each(sample, k, func(at, _ int) { squares += (float64(x[at]) - mean) * (float64(x[at]) - mean) })
				factor := 1 / math.Sqrt(squares/float64(g.count())+eps)
				means[i], factors[i] = T(mean), T(factor)
				g.each(sample, k, func(at, c int) {
					v := (float64(x[at]) - mean) * factor * float64(gamma[c])
					if beta != nil {
						v += float64(beta[c])
					}
					y[at] = T(v)
				})
			}
		}
	})
}

// groupedGrad has two stages: dgamma and dbeta, which read dy, before dx, which may
// lie in its place.
func groupedGrad[T number](g grouping, root bool) plan {
	return plan{bind: func(m operands) []stage {
		x, gamma, means, factors, dy := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[T](m.in[3]), as[T](m.in[4])
		dx, dgamma, dbeta := as[T](m.out[0]), as[T](m.out[1]), as[T](m.out[2])
		standardised := func(at, group int) float64 { return (float64(x[at]) - float64(means[group])) * float64(factors[group]) }
		return []stage{
			channels(g.channels).stage(func(lo, hi int) {
				for c := lo; c < hi; c++ {
					var onScale, onShift float64
					for row := range g.samples * g.positions {
						at := row*g.channels + c
						group := row/g.positions*g.groups + c/g.width()
						onScale += float64(dy[at]) * standardised(at, group)
						onShift += float64(dy[at])
					}
					dgamma[c], dbeta[c] = T(onScale), T(onShift)
				}
			}),
			each(g.samples * g.groups).stage(func(lo, hi int) {
				for i := lo; i < hi; i++ {
					var sum, product float64
					g.each(i/g.groups, i%g.groups, func(at, c int) {
						d := float64(dy[at]) * float64(gamma[c])
						sum += d
						product += d * standardised(at, i)
					})
					n := float64(g.count())
					if root {
						sum = 0
					}
					g.each(i/g.groups, i%g.groups, func(at, c int) {
						d := float64(dy[at]) * float64(gamma[c])
						dx[at] = T(float64(factors[i]) * (d - sum/n - standardised(at, i)*product/n))
					})
				}
			}),
		}
	}}
}
