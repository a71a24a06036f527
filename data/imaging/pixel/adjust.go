package pixel

import "github.com/seed52467199/trainer/cpu/isa"

// Blend writes a + alpha*(b - a), in float32, without its fraction and saturating.
// dst may be a or b; all have the length of dst. The product is rounded before it is
// added on every machine.
func Blend(dst, a, b []uint8, alpha float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	done := 0
	if active >= isa.AVX2 && len(dst) >= 16 {
		done = len(dst) &^ 15
		blendAVX2(&dst[0], &a[0], &b[0], done, alpha)
	}
	blendPortable(dst[done:], a[done:], b[done:], alpha)
}

func blendPortable(dst, a, b []uint8, alpha float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = BlendByte(a[i], b[i], alpha)
	}
}

// BlendByte is Blend of one value.
func BlendByte(a, b uint8, alpha float32) uint8 {
	return clamp(int32(float32(a) + float32(alpha*float32(int32(b)-int32(a)))))
}

// Smooth writes the means of the inner values of three rows, those with a pixel on
// either side, to dst: 5/13 of the value and 1/13 of each around it, rounded. The
// rows are longer than dst by two pixels, and none shares its memory.
func Smooth(dst, above, in, below []uint8, channels int) {
	n := len(dst)
	above, in, below = above[:n+2*channels], in[:n+2*channels], below[:n+2*channels]
	if active >= isa.AVX2 && n >= 16 {
		smoothAVX2(&dst[0], &above[0], &in[0], &below[0], channels, n)
		return
	}
	for i := range dst {
		sum := 4 * int(in[i+channels])
		for at := i; at <= i+2*channels; at += channels {
			sum += int(above[at]) + int(in[at]) + int(below[at])
		}
		dst[i] = uint8((sum + 6) / 13)
	}
}

// Box is the mean of a number of values and a part of the two next to them, with 24
// fraction bits in the weights.
type Box struct {
	// Weight is that of each value, Far that of the two next to them.
	Weight, Far uint32
}

// Mean is that of the values' sum and of the two next to them.
func (b Box) Mean(sum uint32, left, right uint8) uint8 {
	return uint8((sum*b.Weight + (uint32(left)+uint32(right))*b.Far + 1<<23) >> 24)
}

// Down moves the sums of columns one row down: enters is what comes in, before is
// what leaves and is then next to the box, as after is on its other side. It writes
// the means to out. All have the length of out.
func (b Box) Down(out []uint8, sums []uint32, before, enters, after []uint8) {
	n := len(out)
	sums, before, enters, after = sums[:n], before[:n], enters[:n], after[:n]
	done := 0
	if active >= isa.AVX2 && n >= 16 {
		done = n &^ 15
		boxDownAVX2(&out[0], &sums[0], &before[0], &enters[0], &after[0], done, b.Weight, b.Far)
	}
	for i := done; i < n; i++ {
		sum := sums[i] + uint32(enters[i]) - uint32(before[i])
		sums[i] = sum
		out[i] = b.Mean(sum, before[i], after[i])
	}
}

// Taps are the columns and rows around a place, as offsets in bytes, and how far it
// is past the second of them. The assembly knows this layout.
type Taps struct {
	Columns, Rows [4]int
	DX, DY        float64
}

// vector tells whether the kernels can make the pixel out of in: they read four
// bytes at a pixel.
func (t *Taps) vector(out, in []uint8) bool {
	return active >= isa.AVX2 && len(out) == 3 && t.Rows[3]+t.Columns[3]+4 <= len(in)
}

// unpack is the pixel in the low bytes.
func unpack(out []uint8, packed uint32) {
	out[0], out[1], out[2] = uint8(packed), uint8(packed>>8), uint8(packed>>16)
}

// Bilinear writes a pixel of len(out) channels, interpolated from the two columns
// and rows in the middle of t, without its fraction. All arithmetic is float64 in
// Pillow's order; what has no weight is left out.
func Bilinear(out, in []uint8, t *Taps) {
	if t.vector(out, in) {
		if t.DY == 0 {
			unpack(out, bilinearRowAVX2(&in[0], &t.Columns[0]))
		} else {
			unpack(out, bilinearAVX2(&in[0], &t.Columns[0]))
		}
		return
	}
	x0, x1 := t.Columns[1], t.Columns[2]
	for c := range out {
		first := in[t.Rows[1]+c:]
		v := lerp(first[x0], first[x1], t.DX)
		if t.DY != 0 {
			second := in[t.Rows[2]+c:]
			v += float64((lerp(second[x0], second[x1], t.DX) - v) * t.DY)
		}
		out[c] = uint8(v)
	}
}

func lerp(a, b uint8, d float64) float64 {
	return float64(a) + float64(float64(int(b)-int(a))*d)
}

// Bicubic is Bilinear by Keys' cubic with a = -1 over all four columns and rows,
// saturating.
func Bicubic(out, in []uint8, t *Taps) {
	if t.vector(out, in) {
		if t.DY == 0 {
			unpack(out, bicubicRowAVX2(&in[0], &t.Columns[0]))
		} else {
			unpack(out, bicubicAVX2(&in[0], &t.Columns[0]))
		}
		return
	}
	for c := range out {
		v := t.across(in, 1, c)
		if t.DY != 0 {
			v = cubic(t.across(in, 0, c), v, t.across(in, 2, c), t.across(in, 3, c), t.DY)
		}
		out[c] = clamp(int32(v))
	}
}

// across is the value of a channel on one of the rows.
func (t *Taps) across(in []uint8, row, c int) float64 {
	p := in[t.Rows[row]+c:]
	if t.DX == 0 {
		return float64(p[t.Columns[1]])
	}
	return cubic(float64(p[t.Columns[0]]), float64(p[t.Columns[1]]), float64(p[t.Columns[2]]), float64(p[t.Columns[3]]), t.DX)
}

// cubic is the curve through b and c, d of the way from one to the other. Each
// product is rounded, so that every machine gets the same.
func cubic(a, b, c, d, at float64) float64 {
	p2 := c - a
	p3 := 2*(a-b) + c - d
	p4 := b - a - c + d
	return b + float64(at*(p2+float64(at*(p3+float64(at*p4)))))
}
