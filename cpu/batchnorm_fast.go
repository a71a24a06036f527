package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// fastBatchNorm has three stages: moments of each piece's rows, unless they are
// given; from their totals, for each channel, scale and shift with
// y = x*scale + shift; y.
func fastBatchNorm[E vec.Element](c op.Call, o op.BatchNorm, workers int) plan {
	n, ch := columnsOf(c.In[0])
	windows := streaming[E](c, ch, workers)
	moments := sumColumns(n, ch, 2*ch)
	if o.Given {
		moments = sumColumns(0, ch, 2*ch)
	}
	return plan{scratch: 8*moments.size() + windows.scratch(3) + 2*4*ch, bind: func(m operands) []stage {
		gamma, beta := floats(m.in[1]), floats(m.in[2])
		runMean, runVar, count := floats(m.in[3]), floats(m.in[4]), floats(m.in[5])
		mean, invStd := floats(m.out[1]), floats(m.out[2])
		parts := cut[float64](&m.scratch, moments.size())
		x, y := windows.input(&m, 0), windows.result(&m, 0)
		var residual *stream[E]
		if o.Residual {
			residual = windows.input(&m, 6)
		}
		scale, shift := cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch)
		unbias := float64(n) / float64(max(n-1, 1))
		momentsOf := func(k int) (mean, variance float64) { return moments.moments(parts, k, ch, n) }
		if o.Given {
			given, givenVar := floats(m.in[len(m.in)-2]), floats(m.in[len(m.in)-1])
			momentsOf = func(k int) (mean, variance float64) { return float64(given[k]), float64(givenVar[k]) }
		}
		stages := []stage{
			windows.sum(moments, parts, func(sums []float64, w, lo, hi int) {
				vec.ChannelMoments(sums[:ch], sums[ch:], x.take(w, lo, hi))
			}),
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					mu, variance := momentsOf(k)
					inv := 1 / math.Sqrt(variance+o.Eps)
					mean[k], invStd[k] = float32(mu), float32(inv)
					runMean[k] = mix(runMean[k], mu, o.Momentum)
					runVar[k] = mix(runVar[k], variance*unbias, o.Momentum)
					scale[k], shift[k] = affine(gamma[k], beta[k], float64(mean[k]), float64(invStd[k])) // as the backward pass has them
				}
				if lo == 0 {
					count[0]++
				}
			}),
			windows.over(rows(n, ch), normalising(x, residual, y, scale, shift, o.Clip)),
		}
		if o.Given {
			stages = stages[1:]
		}
		return stages
	}}
}

// affine is gamma*(x-mean)*invStd + beta as x*scale + shift.
func affine(gamma, beta float32, mean, invStd float64) (scale, shift float32) {
	s := float64(gamma) * invStd
	return float32(s), float32(float64(beta) - mean*s)
}

// normalising makes elements [lo, hi) of y = x*scale + shift, plus the residual if
// there is one, clipped.
func normalising[E vec.Element](x, residual, y *stream[E], scale, shift []float32, clip op.Clip) func(w, lo, hi int) {
	least, most := bounds(clip).Bounds()
	if y, ok := any(y).(*stream[float32]); ok && y.half == nil && len(y.own) >= vec.PastCaches {
		x, residual := any(x).(*stream[float32]), any(residual).(*stream[float32])
		return func(w, lo, hi int) {
			var add []float32
			if residual != nil {
				add = residual.take(w, lo, hi)
			}
			vec.NormalizePast(y.own[lo:hi], x.take(w, lo, hi), add, scale, shift, least, most)
		}
	}
	return func(w, lo, hi int) {
		if residual != nil {
			vec.NormalizeAdd(y.room(w, lo, hi), x.take(w, lo, hi), residual.take(w, lo, hi), scale, shift, least, most)
		} else {
			vec.Normalize(y.room(w, lo, hi), x.take(w, lo, hi), scale, shift, least, most)
		}
		y.put(w, lo, hi)
	}
}

func fastBatchNormInference[E vec.Element](c op.Call, o op.BatchNormInference, workers int) plan {
	n, ch := columnsOf(c.In[0])
	windows := streaming[E](c, ch, workers)
	return plan{scratch: windows.scratch(3) + 2*4*ch, bind: func(m operands) []stage {
		gamma, beta := floats(m.in[1]), floats(m.in[2])
		mean, variance := floats(m.in[3]), floats(m.in[4])
		x, y := windows.input(&m, 0), windows.result(&m, 0)
		var residual *stream[E]
		if o.Residual {
			residual = windows.input(&m, 5)
		}
		scale, shift := cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch)
		return []stage{
			elements(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					scale[k], shift[k] = affine(gamma[k], beta[k], float64(mean[k]), 1/math.Sqrt(float64(variance[k])+o.Eps))
				}
			}),
			windows.over(rows(n, ch), normalising(x, residual, y, scale, shift, o.Clip)),
		}
	}}
}

// fastBatchNormGrad has three stages: sums over each piece's rows; from their
// totals, for each channel, factors with dx = onG*g + onX*x + offset, where g is
// dy or, with a clip, dy where that let the value pass; dx. A shared g is stored
// in the first. A clip without a residual is made again from x: that is less to
// read than y.
func fastBatchNormGrad[E vec.Element](c op.Call, o op.BatchNormGrad, workers int) plan {
	n, ch := columnsOf(c.In[0])
	if o.Given {
		return fastBatchNormGradGiven[E](c, n, ch, workers)
	}
	windows := streaming[E](c, ch, workers)
	moments := sumColumns(n, ch, 2*ch)
	again := o.Clip.On() && !o.Residual
	least, most := bounds(o.Clip).Bounds()
	return plan{scratch: 8*moments.size() + windows.scratch(5) + 5*4*ch, bind: func(m operands) []stage {
		gamma, mean, invStd := floats(m.in[1]), floats(m.in[2]), floats(m.in[3])
		dgamma, dbeta := floats(m.out[1]), floats(m.out[2])
		parts := cut[float64](&m.scratch, moments.size())
		x, dy, dx := windows.input(&m, 0), windows.input(&m, 4), windows.result(&m, 0)
		onG, onX, offset := cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch)
		scale, shift := cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch)
		var beta []float32
		var y, shared *stream[E]
		switch {
		case again:
			beta = floats(m.in[5])
		case o.Residual:
			y = windows.input(&m, 5)
		}
		if o.Share {
			shared = windows.result(&m, 3)
		}
		stages := []stage{
			windows.sum(moments, parts, func(sums []float64, w, lo, hi int) {
				sum, product := sums[:ch], sums[ch:]
				dy, x := dy.take(w, lo, hi), x.take(w, lo, hi)
				switch {
				case again:
					vec.GradMomentsClip(sum, product, dy, x, mean, scale, shift, least, most)
				case o.Share:
					vec.GradMomentsMasked(sum, product, shared.room(w, lo, hi), dy, x, y.take(w, lo, hi), mean, least, most)
					shared.put(w, lo, hi)
				case o.Residual:
					vec.GradMomentsMasked(sum, product, nil, dy, x, y.take(w, lo, hi), mean, least, most)
				default:
					vec.GradMoments(sum, product, dy, x, mean)
				}
			}),
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					sum, product := moments.total(parts, k), moments.total(parts, ch+k)
					inv := float64(invStd[k])
					dbeta[k], dgamma[k] = float32(sum), float32(product*inv)
					onG[k], onX[k], offset[k] = gradFactors(gamma[k], float64(mean[k]), inv, sum, product, n)
				}
			}),
			windows.over(rows(n, ch), func(w, lo, hi int) {
				room, x := dx.room(w, lo, hi), x.take(w, lo, hi)
				switch {
				case again:
					vec.NormalizeGradClip(room, dy.take(w, lo, hi), x, onG, onX, offset, scale, shift, least, most)
				case o.Share:
					vec.NormalizeGrad(room, shared.take(w, lo, hi), x, onG, onX, offset)
				case o.Residual:
					vec.NormalizeGradMasked(room, dy.take(w, lo, hi), x, y.take(w, lo, hi), onG, onX, offset, least, most)
				default:
					vec.NormalizeGrad(room, dy.take(w, lo, hi), x, onG, onX, offset)
				}
				dx.put(w, lo, hi)
			}),
		}
		if !again {
			return stages
		}
		return append([]stage{channels(ch).stage(func(lo, hi int) {
			for k := lo; k < hi; k++ {
				scale[k], shift[k] = affine(gamma[k], beta[k], float64(mean[k]), float64(invStd[k]))
			}
		})}, stages...)
	}}
}

// gradFactors are the factors of dx = onG*g + onX*x + offset, given the sums of g and
// of g*(x-mean) over n rows.
func gradFactors(gamma float32, mean, inv, sum, product float64, n int) (onG, onX, offset float32) {
	a := float64(gamma) * inv
	b := -a * inv * inv * product / float64(n)
	return float32(a), float32(b), float32(-a*sum/float64(n) - b*mean)
}

// fastBatchNormGradGiven has the last two of those stages.
func fastBatchNormGradGiven[E vec.Element](c op.Call, n, ch, workers int) plan {
	windows := streaming[E](c, ch, workers)
	return plan{scratch: windows.scratch(3) + 3*4*ch, bind: func(m operands) []stage {
		gamma, mean, invStd := floats(m.in[1]), floats(m.in[2]), floats(m.in[3])
		dgamma, dbeta := floats(m.in[5]), floats(m.in[6])
		x, g, dx := windows.input(&m, 0), windows.input(&m, 4), windows.result(&m, 0)
		onG, onX, offset := cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch), cut[float32](&m.scratch, ch)
		return []stage{
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					inv := float64(invStd[k])
					onG[k], onX[k], offset[k] = gradFactors(gamma[k], float64(mean[k]), inv, float64(dbeta[k]), float64(dgamma[k])/inv, n)
				}
			}),
			windows.over(rows(n, ch), func(w, lo, hi int) {
				vec.NormalizeGrad(dx.room(w, lo, hi), g.take(w, lo, hi), x.take(w, lo, hi), onG, onX, offset)
				dx.put(w, lo, hi)
			}),
		}
	}}
}

// fastBatchNormInferenceGrad sums before it writes dx, which may take dy's
// memory.
func fastBatchNormInferenceGrad(c op.Call, o op.BatchNormInferenceGrad) plan {
	n, ch := columnsOf(c.In[0])
	moments := sumColumns(n, ch, 2*ch)
	return plan{scratch: 8*moments.size() + 4*ch, bind: func(m operands) []stage {
		x, gamma, mean, variance, dy := floats(m.in[0]), floats(m.in[1]), floats(m.in[2]), floats(m.in[3]), floats(m.in[4])
		dx, dgamma, dbeta := floats(m.out[0]), floats(m.out[1]), floats(m.out[2])
		parts := cut[float64](&m.scratch, moments.size())
		scale := cut[float32](&m.scratch, ch)
		return []stage{
			moments.stage(parts, func(sums []float64, lo, hi int) {
				vec.GradMoments(sums[:ch], sums[ch:], dy[lo*ch:hi*ch], x[lo*ch:hi*ch], mean)
			}),
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					inv := 1 / math.Sqrt(float64(variance[k])+o.Eps)
					dbeta[k], dgamma[k] = float32(moments.total(parts, k)), float32(moments.total(parts, ch+k)*inv)
					scale[k] = float32(float64(gamma[k]) * inv)
				}
			}),
			rows(n, ch).stage(func(lo, hi int) { vec.ScaleChannels(dx[lo*ch:hi*ch], dy[lo*ch:hi*ch], scale) }),
		}
	}}
}
