package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// columnsOf is the number of rows and columns of a value (..., C).
func columnsOf(x op.Shape) (n, c int) {
	c = x[len(x)-1]
	return op.Size(x[:len(x)-1]), c
}

// block is what one piece of a sum over channels carries for each channel.
type block [channelBlock]float64

// batchNorm has two stages: the statistics, in blocks of channels, and then the
// normalisation, in blocks of rows.
func batchNorm[T number](c op.Call, o op.BatchNorm) plan {
	n, ch := columnsOf(c.In[0])
	return plan{bind: func(m operands) []stage {
		x, gamma, beta := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2])
		runMean, runVar, count := as[T](m.in[3]), as[T](m.in[4]), as[T](m.in[5])
		y, mean, invStd := as[T](m.out[0]), as[T](m.out[1]), as[T](m.out[2])
		var residual []T
		if o.Residual {
			residual = as[T](m.in[6])
		}
		var given, givenVar []T
		if o.Given {
			given, givenVar = as[T](m.in[len(m.in)-2]), as[T](m.in[len(m.in)-1])
		}
		unbias, clip := float64(n)/float64(max(n-1, 1)), limitsOf[T](o.Clip)
		return []stage{
			channels(ch).stage(func(lo, hi int) {
				var means, vars block
				if !o.Given {
					momentsOf(&means, &vars, x, n, ch, lo, hi)
				}
				for k := lo; k < hi; k++ {
					mu, variance := means[k-lo], vars[k-lo]
					if o.Given {
						mu, variance = float64(given[k]), float64(givenVar[k])
					}
					mean[k], invStd[k] = T(mu), T(1/math.Sqrt(variance+o.Eps))
					runMean[k] = mix(runMean[k], mu, o.Momentum)
					runVar[k] = mix(runVar[k], variance*unbias, o.Momentum)
				}
				if lo == 0 {
					count[0]++
				}
			}),
			rows(n, ch).stage(func(lo, hi int) {
				for i := lo; i < hi; i++ {
					normalise(y[i*ch:], x[i*ch:], residual, i*ch, ch, clip, func(v T, k int) float64 {
						return normalised(v, mean[k], invStd[k], gamma[k], beta[k])
					})
				}
			}),
		}
	}}
}

// momentsOf makes the mean and the biased variance of the channels [lo, hi) of n
// rows of x.
func momentsOf[T number](means, vars *block, x []T, n, ch, lo, hi int) {
	for i := range n {
		for j, v := range x[i*ch+lo : i*ch+hi] {
			means[j] += float64(v)
		}
	}
	for j := range hi - lo {
		means[j] /= float64(n)
	}
	for i := range n {
		for j, v := range x[i*ch+lo : i*ch+hi] {
			d := float64(v) - means[j]
			vars[j] += d * d
		}
	}
	for j := range hi - lo {
		vars[j] /= float64(n)
	}
}

// mix is old + weight*(new-old).
func mix[T number](old T, new, weight float64) T {
	return T(float64(old) + weight*(new-float64(old)))
}

// normalised is (x-mean)*invStd*gamma + beta, with the same bits wherever it is
// used: the conversion keeps the compiler from fusing the last two operations.
func normalised[T number](x, mean, invStd, gamma, beta T) float64 {
	return float64((float64(x)-float64(mean))*float64(invStd)*float64(gamma)) + float64(beta)
}

// normalise makes a row y of ch channels from x, and from the residual's row at
// element at if there is one.
func normalise[T number](y, x, residual []T, at, ch int, clip limits[T], affine func(v T, k int) float64) {
	for k, v := range x[:ch] {
		r := affine(v, k)
		if residual != nil {
			r += float64(residual[at+k])
		}
		y[k] = clip.value(T(r))
	}
}

func batchNormInference[T number](c op.Call, o op.BatchNormInference) plan {
	n, ch := columnsOf(c.In[0])
	return overRows(rows(n, ch), func(m operands) func(lo, hi int) {
		x, gamma, beta := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2])
		mean, variance, y := as[T](m.in[3]), as[T](m.in[4]), as[T](m.out[0])
		var residual []T
		if o.Residual {
			residual = as[T](m.in[5])
		}
		clip := limitsOf[T](o.Clip)
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				normalise(y[i*ch:], x[i*ch:], residual, i*ch, ch, clip, func(v T, k int) float64 {
					invStd := 1 / math.Sqrt(float64(variance[k])+o.Eps)
					return (float64(v)-float64(mean[k]))*invStd*float64(gamma[k]) + float64(beta[k])
				})
			}
		}
	})
}

// batchNormGrad has two stages. The first sums dgamma and dbeta in blocks of
// channels, unless they are given; the second makes, with xhat the normalised input and n its rows,
//
//	dx = gamma/std * (g - dbeta/n - xhat*dgamma/n)
//
// where g is dy, or with a clip dy where that let the value pass.
func batchNormGrad[T number](c op.Call, o op.BatchNormGrad) plan {
	n, ch := columnsOf(c.In[0])
	return plan{scratch: 2 * 8 * ch, bind: func(m operands) []stage {
		x, gamma, mean, invStd, dy := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[T](m.in[3]), as[T](m.in[4])
		dx := as[T](m.out[0])
		sums := as[float64](m.scratch)
		gsum, bsum := sums[:ch], sums[ch:2*ch]
		var dgamma, dbeta, y, beta, shared []T
		if o.Given {
			dgamma, dbeta = as[T](m.in[5]), as[T](m.in[6])
		} else {
			dgamma, dbeta = as[T](m.out[1]), as[T](m.out[2])
		}
		switch {
		case o.Residual:
			y = as[T](m.in[5])
		case o.Clip.On():
			beta = as[T](m.in[5])
		}
		if o.Share {
			shared = as[T](m.out[3])
		}
		clip := limitsOf[T](o.Clip)
		grad := func(i, k int) float64 {
			if y != nil && !clip.passes(y[i]) || beta != nil && !clip.passes(T(normalised(x[i], mean[k], invStd[k], gamma[k], beta[k]))) {
				return 0
			}
			return float64(dy[i])
		}
		xhat := func(i, k int) float64 { return (float64(x[i]) - float64(mean[k])) * float64(invStd[k]) }
		return []stage{
			channels(ch).stage(func(lo, hi int) {
				if o.Given {
					for k := lo; k < hi; k++ {
						gsum[k], bsum[k] = float64(dgamma[k]), float64(dbeta[k])
					}
					return
				}
				var gs, bs block
				for i := range n {
					for k := lo; k < hi; k++ {
						g := grad(i*ch+k, k)
						gs[k-lo] += g * xhat(i*ch+k, k)
						bs[k-lo] += g
					}
				}
				for k := lo; k < hi; k++ {
					gsum[k], bsum[k] = gs[k-lo], bs[k-lo]
					dgamma[k], dbeta[k] = T(gs[k-lo]), T(bs[k-lo])
				}
			}),
			rows(n, ch).stage(func(lo, hi int) {
				for at := lo * ch; at < hi*ch; at += ch {
					for k := range ch {
						g := grad(at+k, k)
						d := g - bsum[k]/float64(n) - xhat(at+k, k)*gsum[k]/float64(n)
						dx[at+k] = T(float64(gamma[k]) * float64(invStd[k]) * d)
						if shared != nil {
							shared[at+k] = T(g)
						}
					}
				}
			}),
		}
	}}
}

// batchNormInferenceGrad works in blocks of channels: the statistics are
// constants, so that dx needs no sums.
func batchNormInferenceGrad[T number](c op.Call, o op.BatchNormInferenceGrad) plan {
	n, ch := columnsOf(c.In[0])
	return overRows(channels(ch), func(m operands) func(lo, hi int) {
		x, gamma, mean, variance, dy := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[2]), as[T](m.in[3]), as[T](m.in[4])
		dx, dgamma, dbeta := as[T](m.out[0]), as[T](m.out[1]), as[T](m.out[2])
		return func(lo, hi int) {
			for k := lo; k < hi; k++ {
				invStd := 1 / math.Sqrt(float64(variance[k])+o.Eps)
				var gs, bs float64
				for i := k; i < n*ch; i += ch {
					g := float64(dy[i])
					gs += g * (float64(x[i]) - float64(mean[k])) * invStd
					bs += g
					dx[i] = T(g * float64(gamma[k]) * invStd)
				}
				dgamma[k], dbeta[k] = T(gs), T(bs)
			}
		}
	})
}
