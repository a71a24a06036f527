package jpeg

// inverse writes the inverse DCT of a block of dequantised coefficients as 8x8
// samples. It is libjpeg's accurate integer transform (jidctint.c, after
// Loeffler, Ligtenberg and Moschytz 1989): 13 fraction bits in the constants, 2
// kept between the passes. last is the zigzag number of the last coefficient
// that is not 0.
func inverse(dst []uint8, stride int, block *[64]int32, last int) {
	if last == 0 {
		v := level((block[0] + 4) >> 3)
		for range 8 {
			row := dst[:8:8]
			for x := range row {
				row[x] = v
			}
			if len(dst) < stride {
				return
			}
			dst = dst[stride:]
		}
		return
	}
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
	for y := 0; y < 64; y += 8 {
		in := (*[8]int32)(block[y : y+8])
		row := (*[8]uint8)(dst[:8])
		e0, e1, e2, e3 := even(in[0], in[2], in[4], in[6], 1<<(after-1))
		o0, o1, o2, o3 := odd(in[1], in[3], in[5], in[7])
		row[0], row[7] = level((e0+o0)>>after), level((e0-o0)>>after)
		row[1], row[6] = level((e1+o1)>>after), level((e1-o1)>>after)
		row[2], row[5] = level((e2+o2)>>after), level((e2-o2)>>after)
		row[3], row[4] = level((e3+o3)>>after), level((e3-o3)>>after)
		if y < 56 {
			dst = dst[stride:]
		}
	}
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
func level(v int32) uint8 { return uint8(min(max(v+128, 0), 255)) }
