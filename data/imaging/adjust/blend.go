package adjust

import (
	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/pixel"
)

// Adjuster keeps the memory of its methods from one picture to the next. The zero
// Adjuster is ready. It is not safe for concurrent use: a worker has its own.
type Adjuster struct {
	sums  []uint32 // of columns
	line  []uint8
	spare imaging.Image

	kernel kernel
}

// blend is Image.blend: a + alpha*(b - a) in float32, without its fraction and
// saturating. The product is rounded before it is added on every machine.
func blend(a, b int32, alpha float32) uint8 {
	return uint8(min(max(int32(float32(a)+float32(alpha*float32(b-a))), 0), 255))
}

// Blend writes Image.blend of a and b, which have the same shape, to dst, which may
// be either: a where alpha is 0, b where it is 1, values beyond both elsewhere.
func Blend(dst, a, b *imaging.Image, alpha float32) {
	if dst != a && dst != b {
		dst.Reset(a.Width, a.Height, a.Channels)
	}
	for y := range a.Height {
		from, to := a.Row(y), b.Row(y)
		out := dst.Row(y)[:len(from)]
		for i, v := range to[:len(from)] {
			out[i] = blend(int32(from[i]), int32(v), alpha)
		}
	}
}

// Gray writes src without colour to dst, which is not src, in the channels it has.
func Gray(dst, src *imaging.Image) { Color(dst, src, 0) }

// Color writes ImageEnhance.Color of src to dst, which is not src: 0 is gray, 1
// changes nothing.
func Color(dst, src *imaging.Image, factor float64) {
	if src.Channels == 1 {
		dst.CopyFrom(src)
		return
	}
	dst.Reset(src.Width, src.Height, src.Channels)
	for y := range src.Height {
		in := src.Row(y)
		out := dst.Row(y)
		// The gray row stands at the beginning of the result's, and is used up from
		// its end.
		pixel.Luma(out[:src.Width], in)
		for x := src.Width - 1; x >= 0; x-- {
			gray := int32(out[x])
			from, to := in[3*x:3*x+3:3*x+3], out[3*x:3*x+3:3*x+3]
			to[0] = blend(gray, int32(from[0]), float32(factor))
			to[1] = blend(gray, int32(from[1]), float32(factor))
			to[2] = blend(gray, int32(from[2]), float32(factor))
		}
	}
}

// Sharpness writes ImageEnhance.Sharpness of src to dst, which is not src: 0 is
// smooth, 1 changes nothing, more sharpens. The outermost pixels stay as they are.
func (a *Adjuster) Sharpness(dst, src *imaging.Image, factor float64) {
	dst.CopyFrom(src)
	if src.Width < 3 || src.Height < 3 {
		return
	}
	c := src.Channels
	a.sums = grow(a.sums, src.Width*c)
	for y := 1; y < src.Height-1; y++ {
		above, in, below := src.Row(y-1), src.Row(y), src.Row(y+1)
		above, below = above[:len(in)], below[:len(in)]
		sums := a.sums[:len(in)]
		for i, v := range in {
			sums[i] = uint32(above[i]) + uint32(v) + uint32(below[i])
		}
		out, in := dst.Row(y)[c:len(in)-c], in[c:len(in)-c]
		left, middle, right := sums[:len(in)], sums[c:][:len(in)], sums[2*c:][:len(in)]
		out = out[:len(in)]
		for i, v := range in {
			// ImageFilter.SMOOTH: 5/13 of the pixel and 1/13 of each around it, rounded.
			sum := left[i] + middle[i] + right[i] + 4*uint32(v)
			out[i] = blend(int32((2*sum+13)/26), int32(v), float32(factor))
		}
	}
}

// grow returns s with length n, in its own memory where that is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
