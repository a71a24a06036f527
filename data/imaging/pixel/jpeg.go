package pixel

import "github.com/seed52467199/trainer/cpu/isa"

// IDCT writes the inverse DCT of a block of dequantised coefficients, in the
// order row, column, as 8x8 samples, and leaves the block zero. It is libjpeg's
// accurate integer transform (jidctint.c, after Loeffler, Ligtenberg and
// Moschytz 1989): 13 fraction bits in the constants, 2 kept between the passes.
func IDCT(dst []uint8, stride int, block *[64]int32) {
	if stride < 8 {
		panic("pixel: a block needs a stride of at least 8")
	}
	dst = dst[:7*stride+8]
	if active >= isa.AVX2 {
		idctAVX2(&dst[0], stride, &block[0])
		return
	}
	idctPortable(dst, stride, block)
}

func idctPortable(dst []uint8, stride int, block *[64]int32) {
	const between = constBits - passBits
	for x := range 8 {
		// A column without AC, which is frequent, needs no transform.
		if block[8+x]|block[16+x]|block[24+x]|block[32+x]|block[40+x]|block[48+x]|block[56+x] == 0 {
			v := block[x] << passBits
			for y := 0; y < 64; y += 8 {
				block[y+x] = v
			}
			continue
		}
		e0, e1, e2, e3 := even(block[x], block[16+x], block[32+x], block[48+x], 1<<(between-1))
		o0, o1, o2, o3 := odd(block[8+x], block[24+x], block[40+x], block[56+x])
		block[x], block[56+x] = (e0+o0)>>between, (e0-o0)>>between
		block[8+x], block[48+x] = (e1+o1)>>between, (e1-o1)>>between
		block[16+x], block[40+x] = (e2+o2)>>between, (e2-o2)>>between
		block[24+x], block[32+x] = (e3+o3)>>between, (e3-o3)>>between
	}
	const after = constBits + passBits + 3
	for y := range 8 {
		in := (*[8]int32)(block[8*y:])
		row := (*[8]uint8)(dst[y*stride:])
		e0, e1, e2, e3 := even(in[0], in[2], in[4], in[6], 1<<(after-1))
		o0, o1, o2, o3 := odd(in[1], in[3], in[5], in[7])
		row[0], row[7] = level((e0+o0)>>after), level((e0-o0)>>after)
		row[1], row[6] = level((e1+o1)>>after), level((e1-o1)>>after)
		row[2], row[5] = level((e2+o2)>>after), level((e2-o2)>>after)
		row[3], row[4] = level((e3+o3)>>after), level((e3-o3)>>after)
	}
	*block = [64]int32{}
}

const (
	constBits = 13
	passBits  = 2
)

// even is the even part of a transform of 8, with the rounding added in.
func even(a0, a2, a4, a6, round int32) (e0, e1, e2, e3 int32) {
	z := (a2 + a6) * 4433 // 0.541196100
	low := z - a6*15137   // 1.847759065
	high := z + a2*6270   // 0.765366865
	sum := (a0+a4)<<constBits + round
	diff := (a0-a4)<<constBits + round
	return sum + high, diff + low, diff - low, sum - high
}

// odd is its odd part.
func odd(a1, a3, a5, a7 int32) (o0, o1, o2, o3 int32) {
	z1, z2, z3, z4 := a7+a1, a5+a3, a7+a3, a5+a1
	z5 := (z3 + z4) * 9633     // 1.175875602
	z1 *= -7373                // 0.899976223
	z2 *= -20995               // 2.562915447
	z3 = z3*-16069 + z5        // 1.961570560
	z4 = z4*-3196 + z5         // 0.390180644
	return a1*12299 + z1 + z4, // 1.501321110
		a3*25172 + z2 + z3, // 3.072711026
		a5*16819 + z2 + z4, // 2.053119869
		a7*2446 + z1 + z3 // 0.298631336
}

// level undoes the shift of samples by half their range, and clamps.
func level(v int32) uint8 { return clamp(v + 128) }

func clamp(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// fewest is the shortest row that the kernels of this file take: 16 samples, and
// for upsampling a neighbour on each side.
const fewest = 18

// UpsampleAcross doubles a row of at least 2 samples by libjpeg's triangle
// filter: a sample between two weighs the nearer by 3/4. out has twice the length.
func UpsampleAcross(out, in []uint8) {
	last := len(in) - 1
	out = out[:2*len(in)]
	out[0] = in[0]
	out[1] = uint8((3*int(in[0]) + int(in[1]) + 2) >> 2)
	out[2*last] = uint8((3*int(in[last]) + int(in[last-1]) + 1) >> 2)
	out[2*last+1] = in[last]
	if active >= isa.AVX2 && len(in) >= fewest {
		upsampleAcrossAVX2(&out[0], &in[0], len(in))
		return
	}
	for x := 1; x < last; x++ {
		s := 3 * int(in[x])
		out[2*x] = uint8((s + int(in[x-1]) + 1) >> 2)
		out[2*x+1] = uint8((s + int(in[x+1]) + 2) >> 2)
	}
}

// UpsampleBoth doubles the row near, of at least 2 samples, blended 3:1 with the
// row far on the other side of the output row: the triangle in both directions.
func UpsampleBoth(out, near, far []uint8) {
	last := len(near) - 1
	far = far[:len(near)]
	out = out[:2*len(near)]
	at := func(x int) int { return 3*int(near[x]) + int(far[x]) }
	out[0] = uint8((4*at(0) + 8) >> 4)
	out[1] = uint8((3*at(0) + at(1) + 7) >> 4)
	out[2*last] = uint8((3*at(last) + at(last-1) + 8) >> 4)
	out[2*last+1] = uint8((4*at(last) + 7) >> 4)
	if active >= isa.AVX2 && len(near) >= fewest {
		upsampleBothAVX2(&out[0], &near[0], &far[0], len(near))
		return
	}
	before, this := at(0), at(1)
	for x := 1; x < last; x++ {
		next := at(x + 1)
		out[2*x] = uint8((3*this + before + 8) >> 4)
		out[2*x+1] = uint8((3*this + next + 7) >> 4)
		before, this = this, next
	}
}

// The conversion's factors with 16 fraction bits (jdcolor.c), tabulated by Cb or Cr.
var redOfCr, blueOfCb, greenOfCr, greenOfCb = func() (r, b, gr, gb [256]int32) {
	for i := range 256 {
		x := int32(i) - 128
		r[i] = (91881*x + 1<<15) >> 16  // 1.40200
		b[i] = (116130*x + 1<<15) >> 16 // 1.77200
		gr[i] = -46802 * x              // 0.71414
		gb[i] = -22554*x + 1<<15        // 0.34414, and the rounding
	}
	return
}()

// YCCToRGB converts a row to interleaved RGB as libjpeg does.
func YCCToRGB(dst, luma, cb, cr []uint8) {
	cb, cr, dst = cb[:len(luma)], cr[:len(luma)], dst[:3*len(luma)]
	if active >= isa.AVX2 && len(luma) >= fewest {
		yccToRGBAVX2(&dst[0], &luma[0], &cb[0], &cr[0], len(luma))
		return
	}
	for x, l := range luma {
		u, v := cb[x], cr[x]
		p := dst[3*x : 3*x+3 : 3*x+3]
		p[0] = clamp(int32(l) + redOfCr[v])
		p[1] = clamp(int32(l) + (greenOfCb[u]+greenOfCr[v])>>16)
		p[2] = clamp(int32(l) + blueOfCb[u])
	}
}

// Luma writes the gray values of a row of RGB pixels, by ITU-R 601 in 16-bit
// fixed point with rounding: what Pillow's convert("L") computes.
func Luma(gray, rgb []uint8) {
	rgb = rgb[:3*len(gray)]
	done := 0
	if active >= isa.AVX2 && len(gray) >= fewest {
		done = (len(gray) - 2) &^ 15 // the kernel looks a pixel and a byte further
		lumaAVX2(&gray[0], &rgb[0], done)
	}
	for x := done; x < len(gray); x++ {
		p := rgb[3*x : 3*x+3 : 3*x+3]
		gray[x] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
	}
}
