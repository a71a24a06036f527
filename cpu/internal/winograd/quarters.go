package winograd

import "unsafe"

// The portable transforms of Strassen's algorithm, in Winograd's variant of seven
// products and fifteen sums; gen names the source.

// goLeft are the left factors of a matrix's quarters, row by row.
func goLeft(a [4]float32) [7]float32 {
	s1 := a[2] + a[3]
	s2 := s1 - a[0]
	return [7]float32{a[0], a[1], a[1] - s2, a[3], s1, s2, a[0] - a[2]}
}

// goRight are the right factors.
func goRight(b [4]float32) [7]float32 {
	t1 := b[1] - b[0]
	t2 := b[3] - t1
	return [7]float32{b[0], b[2], b[3], t2 - b[2], t1, t2, b[3] - b[1]}
}

// goQuarters are the quarters of the matrices' product.
func goQuarters(p [7]float32) [4]float32 {
	u2 := p[0] + p[5]
	u3 := u2 + p[6]
	return [4]float32{p[0] + p[1], u2 + p[4] + p[2], u3 - p[3], u3 + p[4]}
}

func factorsGo(transform func([4]float32) [7]float32) GatherFunc {
	return func(dst *float32, stride, step int, src **float32, pixelStep, tiles, channels int) {
		pixels := (*[4]*float32)(unsafe.Pointer(src))
		for t := range tiles {
			for c := range channels {
				var x [4]float32
				for i, pixel := range pixels {
					x[i] = *float(pixel, t*pixelStep+c)
				}
				for i, v := range transform(x) {
					*float(dst, i*stride+t*step+c) = v
				}
			}
		}
	}
}

func sumsGo(add bool) ScatterFunc {
	return func(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int) {
		eachQuarter(dst, pixelStep, src, stride, step, tiles, channels, func(to *float32, _, _ int, v float32) {
			if add {
				v += *to
			}
			*to = v
		})
	}
}

func goProduct(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int, bias *float32, biasStep int, low, high float32) {
	eachQuarter(dst, pixelStep, src, stride, step, tiles, channels, func(to *float32, half, c int, v float32) {
		*to = clipped(v+*float(bias, half*biasStep+c), low, high)
	})
}

// eachQuarter hands every place, the half of all columns that it lies in, channel and
// value to end.
func eachQuarter(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int, end func(to *float32, half, c int, v float32)) {
	pixels := (*[4]*float32)(unsafe.Pointer(dst))
	for t := range tiles {
		for c := range channels {
			var p [7]float32
			for i := range p {
				p[i] = *float(src, i*stride+t*step+c)
			}
			for i, v := range goQuarters(p) {
				end(float(pixels[i], t*pixelStep+c), i%2, c, v)
			}
		}
	}
}
