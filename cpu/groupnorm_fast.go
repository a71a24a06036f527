package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// noBounds clip nothing.
var noBounds = [2]float32{float32(math.Inf(-1)), float32(math.Inf(1))}

// normRows is the number of rows of ch elements that pass all steps of a norm
// together, while they are in the first cache.
func normRows(ch int) int { return max(1, 2048/ch) }

func fastLayerNorm(c op.Call, o op.LayerNorm) plan {
	n, ch := columnsOf(c.In[0])
	return overRows(rows(n, ch), func(m operands) func(lo, hi int) {
		x, gamma, beta := floats(m.in[0]), floats(m.in[1]), make([]float32, ch)
		if !o.Root {
			beta = floats(m.in[2])
		}
		y, means, factors := floats(m.out[0]), floats(m.out[1]), floats(m.out[2])
		return func(lo, hi int) {
			for ; lo < hi; lo += normRows(ch) {
				to := min(hi, lo+normRows(ch))
				for i := lo; i < to; i++ {
					row := x[i*ch : (i+1)*ch]
					var sum float64
					if !o.Root {
						sum = vec.Sum(row)
					}
					mean, factor := standard(sum, vec.SumSquares(row), ch, o.Eps, o.Root)
					means[i], factors[i] = float32(mean), float32(factor)
					vec.Affine(y[i*ch:(i+1)*ch], row, float32(factor), float32(-mean*factor))
				}
				part := y[lo*ch : to*ch]
				vec.Normalize(part, part, gamma, beta, noBounds[0], noBounds[1])
			}
		}
	})
}

// fastLayerNormGrad sums dgamma and dbeta in the pass that makes dx.
func fastLayerNormGrad(c op.Call, o op.LayerNormGrad, workers int) plan {
	n, ch := columnsOf(c.In[0])
	sums := sumColumns(n, ch, 2*ch)
	block := normRows(ch) * ch
	return plan{scratch: 8*sums.size() + 4*block*workers, bind: func(m operands) []stage {
		x, gamma, means, factors, dy := floats(m.in[0]), floats(m.in[1]), floats(m.in[2]), floats(m.in[3]), floats(m.in[4])
		dx, dgamma, dbeta := floats(m.out[0]), floats(m.out[1]), floats(m.out[2])
		parts := cut[float64](&m.scratch, sums.size())
		standardised := cut[float32](&m.scratch, block*workers)
		do := func(worker, piece int) {
			onScale, onShift := parts[piece*2*ch:][:ch], parts[piece*2*ch+ch:][:ch]
			clear(onScale)
			clear(onShift)
			lo, hi := sums.bounds(piece)
			for ; lo < hi; lo += normRows(ch) {
				to := min(hi, lo+normRows(ch))
				s := standardised[worker*block:][:(to-lo)*ch]
				for i := lo; i < to; i++ {
					f := float64(factors[i])
					vec.Affine(s[(i-lo)*ch:][:ch], x[i*ch:(i+1)*ch], float32(f), float32(-float64(means[i])*f))
				}
				d := dy[lo*ch : to*ch]
				vec.ChannelDot(onScale, d, s)
				vec.ChannelSum(onShift, d)
				out := dx[lo*ch : to*ch]
				vec.ScaleChannels(out, d, gamma)
				for i := lo; i < to; i++ {
					row, own := out[(i-lo)*ch:][:ch], s[(i-lo)*ch:][:ch]
					f, product := float64(factors[i]), vec.Dot(row, own)/float64(ch)
					var mean float64
					if !o.Root {
						mean = vec.Sum(row) / float64(ch)
					}
					vec.Affine(row, row, float32(f), float32(-mean*f))
					vec.Axpy(row, own, float32(-product*f))
				}
			}
		}
		return []stage{{pieces: sums.pieces(), do: do}, channels(ch).stage(func(lo, hi int) {
			for k := lo; k < hi; k++ {
				dgamma[k], dbeta[k] = float32(sums.total(parts, k)), float32(sums.total(parts, ch+k))
			}
		})}
	}}
}

// fastGroupNorm is a batch norm of each sample, whose moments are put together by
// group.
func fastGroupNorm(c op.Call, o op.GroupNorm) plan {
	g := groupingOf(c.In[0], o.Groups)
	ch, size := g.channels, g.positions*g.channels
	return plan{scratch: g.samples * ch * (2*8 + 2*4), bind: func(m operands) []stage {
		x, gamma, beta := floats(m.in[0]), floats(m.in[1]), floats(m.in[2])
		y, means, factors := floats(m.out[0]), floats(m.out[1]), floats(m.out[2])
		moments := cut[float64](&m.scratch, 2*ch*g.samples)
		affines := cut[float32](&m.scratch, 2*ch*g.samples)
		return []stage{each(g.samples).stage(func(lo, hi int) {
			for n := lo; n < hi; n++ {
				sum, squares := moments[2*n*ch:][:ch], moments[(2*n+1)*ch:][:ch]
				scale, shift := affines[2*n*ch:][:ch], affines[(2*n+1)*ch:][:ch]
				clear(moments[2*n*ch : 2*(n+1)*ch])
				vec.ChannelMoments(sum, squares, x[n*size:(n+1)*size])
				for k := range g.groups {
					var s, q float64
					for j := k * g.width(); j < (k+1)*g.width(); j++ {
						s += sum[j]
						q += squares[j]
					}
					mean, factor := standard(s, q, g.count(), o.Eps, o.Root)
					means[n*g.groups+k], factors[n*g.groups+k] = float32(mean), float32(factor)
					for j := k * g.width(); j < (k+1)*g.width(); j++ {
						scale[j], shift[j] = affine(gamma[j], beta[j], mean, factor)
					}
				}
				vec.Normalize(y[n*size:(n+1)*size], x[n*size:(n+1)*size], scale, shift, noBounds[0], noBounds[1])
			}
		})}
	}}
}

// fastGroupNormGrad sums, for each sample and channel, dy and its products with what
// was normalised; puts them together by group; and then makes dx = onDy*dy + onX*x +
// offset.
func fastGroupNormGrad(c op.Call, o op.GroupNormGrad) plan {
	g := groupingOf(c.In[0], o.Groups)
	ch, size := g.channels, g.positions*g.channels
	return plan{scratch: g.samples * ch * (2*8 + 4*4), bind: func(m operands) []stage {
		x, gamma, means, factors, dy := floats(m.in[0]), floats(m.in[1]), floats(m.in[2]), floats(m.in[3]), floats(m.in[4])
		dx, dgamma, dbeta := floats(m.out[0]), floats(m.out[1]), floats(m.out[2])
		sums := cut[float64](&m.scratch, 2*ch*g.samples)
		memory := cut[float32](&m.scratch, 4*ch*g.samples)
		return []stage{
			each(g.samples).stage(func(lo, hi int) {
				for n := lo; n < hi; n++ {
					sum, product := sums[2*n*ch:][:ch], sums[(2*n+1)*ch:][:ch]
					own := memory[4*n*ch:]
					mean, onDy, onX, offset := own[:ch], own[ch:][:ch], own[2*ch:][:ch], own[3*ch:][:ch]
					for j := range mean {
						mean[j] = means[n*g.groups+j/g.width()]
					}
					clear(sums[2*n*ch : 2*(n+1)*ch])
					vec.GradMoments(sum, product, dy[n*size:(n+1)*size], x[n*size:(n+1)*size], mean)
					for k := range g.groups {
						f := float64(factors[n*g.groups+k])
						var s, q float64
						for j := k * g.width(); j < (k+1)*g.width(); j++ {
							product[j] *= f // with the standardised value
							s += float64(gamma[j]) * sum[j]
							q += float64(gamma[j]) * product[j]
						}
						s, q = s/float64(g.count()), q/float64(g.count())
						if o.Root {
							s = 0
						}
						for j := k * g.width(); j < (k+1)*g.width(); j++ {
							onDy[j], onX[j] = float32(f*float64(gamma[j])), float32(-f*f*q)
							offset[j] = float32(f * (f*q*float64(mean[j]) - s))
						}
					}
					vec.NormalizeGrad(dx[n*size:(n+1)*size], dy[n*size:(n+1)*size], x[n*size:(n+1)*size], onDy, onX, offset)
				}
			}),
			channels(ch).stage(func(lo, hi int) {
				for k := lo; k < hi; k++ {
					var onScale, onShift float64
					for n := range g.samples {
						onShift += sums[2*n*ch+k]
						onScale += sums[(2*n+1)*ch+k]
					}
					dgamma[k], dbeta[k] = float32(onScale), float32(onShift)
				}
			}),
		}
	}}
}
