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

// Blend writes Image.blend of a and b, which have the same shape, to dst, which may
// be either: a where alpha is 0, b where it is 1, values beyond both elsewhere.
func Blend(dst, a, b *imaging.Image, alpha float32) {
	if dst != a && dst != b {
		dst.Reset(a.Width, a.Height, a.Channels)
	}
	for y := range a.Height {
		pixel.Blend(dst.Row(y), a.Row(y), b.Row(y), alpha)
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
		// The gray row stands at the beginning of the result's, and is spread from its
		// end.
		pixel.Luma(out[:src.Width], in)
		for x := src.Width - 1; x >= 0; x-- {
			v := out[x]
			to := out[3*x : 3*x+3 : 3*x+3]
			to[0], to[1], to[2] = v, v, v
		}
		pixel.Blend(out, out, in, float32(factor))
	}
}

// Sharpness writes ImageEnhance.Sharpness of src to dst, which is not src: 0 is
// smooth, 1 changes nothing, more sharpens. The outermost pixels stay as they are.
func Sharpness(dst, src *imaging.Image, factor float64) {
	dst.CopyFrom(src)
	if src.Width < 3 || src.Height < 3 {
		return
	}
	c := src.Channels
	for y := 1; y < src.Height-1; y++ {
		in := src.Row(y)
		inner := dst.Row(y)[c : len(in)-c]
		pixel.Smooth(inner, src.Row(y-1), in, src.Row(y+1), c) // ImageFilter.SMOOTH
		pixel.Blend(inner, inner, in[c:len(in)-c], float32(factor))
	}
}

// grow returns s with length n, in its own memory where that is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
