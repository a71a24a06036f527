package winograd

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/vec"
)

// The portable transforms: one channel at a time, the square in an array.

// line is a row or a column of a square, as long as the longest.
type line = [9]float32

// square is a square of values.
type square = [9]line

// The points of F(4x4) beside 0 and infinity are a, -a, b and -b; gen says why.
// g0, g1 and g2 are the magnitudes in G.
const (
	a  = 2. / 3
	b  = 3. / 2
	g0 = 27. / 65
	g1 = 18. / 65
	g2 = 12. / 65
)

// linear is a matrix of the transforms: the values that n inputs become.
type linear struct {
	in, out int
	apply   func(d line) line
}

var (
	goInput2 = linear{4, 4, func(d line) line {
		return line{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]}
	}}
	goWeight2 = linear{3, 4, func(g line) line {
		s := (g[0] + g[2]) / 2
		return line{g[0], s + g[1]/2, s - g[1]/2, g[2]}
	}}
	goSpread2 = linear{2, 4, func(d line) line {
		return line{d[0], d[0] + d[1], d[0] - d[1], d[1]}
	}}
	goOutput2 = linear{4, 2, func(m line) line {
		return line{m[0] + m[1] + m[2], m[1] - m[2] + m[3]}
	}}
	goGradient2 = linear{4, 3, func(m line) line {
		s := (m[1] + m[2]) / 2
		return line{m[0] + s, (m[1] - m[2]) / 2, s + m[3]}
	}}

	goInput4 = linear{6, 6, func(d line) line {
		const c = a*a + b*b
		e12, o12, e34, o34 := d[4]-b*b*d[2], a*d[3]-b*d[1], d[4]-a*a*d[2], b*d[3]-a*d[1]
		return line{d[0] - c*d[2] + d[4], e12 + o12, e12 - o12, e34 + o34, e34 - o34, d[1] - c*d[3] + d[5]}
	}}
	goWeight4 = linear{3, 6, func(g line) line {
		e12, e34, odd := -g0*g[0]-g2*g[2], g2*g[0]+g0*g[2], g1*g[1]
		return line{g[0], e12 - odd, e12 + odd, e34 + odd, e34 - odd, g[2]}
	}}
	goSpread4 = linear{4, 6, func(d line) line {
		e12, o12, e34, o34 := b*d[0]+a*d[2], d[1]+a*a*d[3], a*d[0]+b*d[2], d[1]+b*b*d[3]
		return line{d[0], e12 + o12, e12 - o12, e34 + o34, e34 - o34, d[3]}
	}}
	goOutput4 = linear{6, 4, func(m line) line {
		s12, s34, x12, x34 := m[1]+m[2], m[3]+m[4], m[1]-m[2], m[3]-m[4]
		return line{m[0] + b*s12 + a*s34, x12 + x34, a*s12 + b*s34, a*a*x12 + b*b*x34 + m[5]}
	}}
	goGradient4 = linear{6, 3, func(m line) line {
		s12, s34 := m[1]+m[2], m[3]+m[4]
		return line{m[0] - g0*s12 + g2*s34, g1 * (m[2] - m[1] + m[3] - m[4]), m[5] - g2*s12 + g0*s34}
	}}
)

var goKernels = &Kernels{
	Width: 1,
	F2: Tile{
		form:  filtering2,
		Input: gatherGo(goInput2), Weight: gatherGo(goWeight2), Spread: gatherGo(goSpread2),
		Output: outputGo(goOutput2), OutputAdd: scatterGo(goOutput2, true),
		Gradient: scatterGo(goGradient2, false), GradientAdd: scatterGo(goGradient2, true),
		HalfInput: halfGatherGo(goInput2), HalfSpread: halfGatherGo(goSpread2), HalfOutput: halfOutputGo(goOutput2), HalfOutputAdd: halfAddGo(goOutput2),
	},
	F4: Tile{
		form:  filtering4,
		Input: gatherGo(goInput4), Weight: gatherGo(goWeight4), Spread: gatherGo(goSpread4),
		Output: outputGo(goOutput4), OutputAdd: scatterGo(goOutput4, true),
		Gradient: scatterGo(goGradient4, false), GradientAdd: scatterGo(goGradient4, true),
		HalfInput: halfGatherGo(goInput4), HalfSpread: halfGatherGo(goSpread4), HalfOutput: halfOutputGo(goOutput4), HalfOutputAdd: halfAddGo(goOutput4),
	},
	Strided: Tile{
		form:  striding,
		Input: gatherGo(goStridedInput), Weight: gatherGo(goStridedWeight), Spread: gatherGo(goStridedSpread),
		Output: outputGo(goStridedOutput), OutputAdd: scatterGo(goStridedOutput, true),
		Gradient: scatterGo(goStridedGradient, false), GradientAdd: scatterGo(goStridedGradient, true),
	},
	Turned: Tile{
		form:  turning,
		Input: gatherGo(goTurnedInput), Weight: gatherGo(goStridedWeight),
		Output: outputGo(goTurnedOutput), OutputAdd: scatterGo(goTurnedOutput, true),
	},
	Quartered: Tile{
		form:  quartering,
		Input: factorsGo(goLeft), Weight: factorsGo(goRight), Spread: factorsGo(goRight),
		Output: goProduct, OutputAdd: sumsGo(true),
		Gradient: sumsGo(false), GradientAdd: sumsGo(true),
	},
}

// square computes L·x·Lᵀ in place.
func (l *linear) square(x *square) {
	for i := range l.in {
		x[i] = l.apply(x[i])
	}
	for j := range l.out {
		var column line
		for i := range l.in {
			column[i] = x[i][j]
		}
		column = l.apply(column)
		for i := range l.out {
			x[i][j] = column[i]
		}
	}
}

// float is the i'th of the floats at p.
func float(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

// halfOf is the i'th of the bfloat16 at p.
func halfOf(p *float32, i int) *uint16 { return (*uint16)(unsafe.Add(unsafe.Pointer(p), 2*i)) }

func gatherGo(l linear) GatherFunc {
	return l.gather(func(p *float32, i int) float32 { return *float(p, i) })
}

func halfGatherGo(l linear) GatherFunc {
	return l.gather(func(p *float32, i int) float32 { return vec.Wide(*halfOf(p, i)) })
}

// gather reads every pixel's values with value.
func (l linear) gather(value func(pixel *float32, i int) float32) GatherFunc {
	return func(dst *float32, stride, step int, src **float32, pixelStep, tiles, channels int) {
		pixels := unsafe.Slice(src, l.in*l.in)
		for t := range tiles {
			for c := range channels {
				var x square
				for p, pixel := range pixels {
					x[p/l.in][p%l.in] = value(pixel, t*pixelStep+c)
				}
				l.square(&x)
				for p := range l.out * l.out {
					*float(dst, p*stride+t*step+c) = x[p/l.out][p%l.out]
				}
			}
		}
	}
}

func scatterGo(l linear, add bool) ScatterFunc {
	return func(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int) {
		l.scatter(dst, pixelStep, src, stride, step, tiles, channels, func(pixel *float32, i, _ int, v float32) {
			to := float(pixel, i)
			if add {
				v += *to
			}
			*to = v
		})
	}
}

func halfAddGo(l linear) ScatterFunc {
	return func(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int) {
		l.scatter(dst, pixelStep, src, stride, step, tiles, channels, func(pixel *float32, i, _ int, v float32) {
			to := halfOf(pixel, i)
			*to = vec.Round(vec.Wide(*to) + v)
		})
	}
}

func outputGo(l linear) OutputFunc {
	return l.output(func(pixel *float32, i int, v float32) { *float(pixel, i) = v })
}

func halfOutputGo(l linear) OutputFunc {
	return l.output(func(pixel *float32, i int, v float32) { *halfOf(pixel, i) = vec.Round(v) })
}

// output stores every pixel's values with put.
func (l linear) output(put func(pixel *float32, i int, v float32)) OutputFunc {
	return func(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int, bias *float32, _ int, low, high float32) {
		l.scatter(dst, pixelStep, src, stride, step, tiles, channels, func(pixel *float32, i, c int, v float32) {
			put(pixel, i, clipped(v+*float(bias, c), low, high))
		})
	}
}

// clipped is v within the bounds. The comparisons keep what is not a number.
func clipped(v, low, high float32) float32 {
	if v < low {
		v = low
	}
	if v > high {
		v = high
	}
	return v
}

// scatter hands every pixel, the place of a value in it, channel and value to end.
func (l *linear) scatter(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int, end func(pixel *float32, i, c int, v float32)) {
	pixels := unsafe.Slice(dst, l.out*l.out)
	for t := range tiles {
		for c := range channels {
			var x square
			for p := range l.in * l.in {
				x[p/l.in][p%l.in] = *float(src, p*stride+t*step+c)
			}
			l.square(&x)
			for p, pixel := range pixels {
				end(pixel, t*pixelStep+c, c, x[p/l.out][p%l.out])
			}
		}
	}
}
