package jpeg

// The transforms of shrunk pictures are libjpeg's (jidctred.c): the inverse DCT
// of 8, its outputs averaged by twos or fours, with what that cancels left out.

const (
	constBits = 13
	passBits  = 2
)

// shrink4 writes a block as 4x4 samples and leaves its coefficients zero.
func shrink4(dst []uint8, stride int, block *[64]int32) {
	const between = constBits - passBits + 1
	for x := range 8 {
		if x == 4 {
			continue // cancelled
		}
		r0, r1, r2, r3 := four(block[x], block[8+x], block[16+x], block[24+x], block[40+x], block[48+x], block[56+x], 1<<(between-1))
		block[x], block[8+x], block[16+x], block[24+x] = r0>>between, r1>>between, r2>>between, r3>>between
	}
	const after = constBits + passBits + 3 + 1
	for y := range 4 {
		in := (*[8]int32)(block[8*y:])
		row := (*[4]uint8)(dst[y*stride:])
		r0, r1, r2, r3 := four(in[0], in[1], in[2], in[3], in[5], in[6], in[7], 1<<(after-1))
		row[0], row[1], row[2], row[3] = level(r0>>after), level(r1>>after), level(r2>>after), level(r3>>after)
	}
	*block = [64]int32{}
}

// four makes four outputs of a transform of 8, with the rounding added in.
func four(a0, a1, a2, a3, a5, a6, a7, round int32) (r0, r1, r2, r3 int32) {
	base := a0<<(constBits+1) + round
	even := a2*15137 - a6*6270                       // 1.847759065, 0.765366865
	inner := a5*11893 - a7*1730 - a3*17799 + a1*8697 // 1.451774981, 0.211164243, 2.172734803, 1.061594337
	outer := a3*7373 - a7*4176 - a5*4926 + a1*20995  // 0.899976223, 0.509795579, 0.601344887, 2.562915447
	high, low := base+even, base-even
	return high + outer, low + inner, low - inner, high - outer
}

// shrink2 writes a block as 2x2 samples and leaves its coefficients zero.
func shrink2(dst []uint8, stride int, block *[64]int32) {
	const between = constBits - passBits + 2
	for _, x := range [5]int{0, 1, 3, 5, 7} {
		r0, r1 := two(block[x], block[8+x], block[24+x], block[40+x], block[56+x], 1<<(between-1))
		block[x], block[8+x] = r0>>between, r1>>between
	}
	const after = constBits + passBits + 3 + 2
	for y := range 2 {
		in := (*[8]int32)(block[8*y:])
		row := (*[2]uint8)(dst[y*stride:])
		r0, r1 := two(in[0], in[1], in[3], in[5], in[7], 1<<(after-1))
		row[0], row[1] = level(r0>>after), level(r1>>after)
	}
	*block = [64]int32{}
}

// two makes two outputs of a transform of 8, with the rounding added in.
func two(a0, a1, a3, a5, a7, round int32) (r0, r1 int32) {
	base := a0<<(constBits+2) + round
	odd := a1*29692 - a3*10426 + a5*6967 - a7*5906 // 3.624509785, 1.272758580, 0.850430095, 0.720959822
	return base + odd, base - odd
}

// level undoes the shift of samples by half their range, and clamps.
func level(v int32) uint8 { return clamp(v + 128) }
