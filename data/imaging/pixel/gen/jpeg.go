package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

type ymm = reg.VecVirtual

// idct transforms a block: a register is a row of eight 32-bit values.
func idct() {
	function("idctAVX2", "is IDCT.", "dst *uint8, stride int, block *int32")
	dst, stride, block := param("dst"), param("stride"), param("block")
	var v [8]ymm
	for i := range v {
		v[i] = YMM()
		VMOVDQU(at(block, 32*i), v[i])
	}
	zero := YMM()
	VPXOR(zero, zero, zero)
	for i := range v {
		VMOVDQU(zero, at(block, 32*i))
	}
	const constBits, passBits = 13, 2
	v = transform8(v, constBits-passBits)
	v = transpose8x8(v)
	v = transform8(v, constBits+passBits+3)

	// v[x] is column x. Packed, a 32-bit lane is four pixels of a column.
	level := pairs(128, 128)
	quad := func(a, b, c, d ymm) ymm {
		p, q := YMM(), YMM()
		VPACKSSDW(b, a, p)
		VPACKSSDW(d, c, q)
		VPADDSW(level, p, p)
		VPADDSW(level, q, q)
		VPACKUSWB(q, p, p)
		VPSHUFB(bytes16("tile4x4", [16]int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}), p, p)
		return p
	}
	left := quad(v[0], v[1], v[2], v[3])
	right := quad(v[4], v[5], v[6], v[7])
	low, high := YMM(), YMM()
	VPUNPCKLDQ(right, left, low)  // rows 0, 1 | 4, 5
	VPUNPCKHDQ(right, left, high) // rows 2, 3 | 6, 7
	store := func(x reg.Register) {
		VMOVQ(x.(reg.Vec).AsX(), at(dst, 0))
		VMOVHPS(x.(reg.Vec).AsX(), Mem{Base: dst, Index: stride, Scale: 1})
		LEAQ(Mem{Base: dst, Index: stride, Scale: 2}, dst)
	}
	store(low)
	store(high)
	x := XMM()
	VEXTRACTI128(Imm(1), low, x)
	store(x)
	VEXTRACTI128(Imm(1), high, x)
	store(x)
	end()
}

// transform8 is the transform of jidctint along the index of v, its results
// rounded and shifted right.
func transform8(v [8]ymm, shift uint64) [8]ymm {
	add := func(a, b ymm) ymm { r := YMM(); VPADDD(b, a, r); return r }
	sub := func(a, b ymm) ymm { r := YMM(); VPSUBD(b, a, r); return r }
	mul := func(a ymm, c int32) ymm { r := YMM(); VPMULLD(splat(c), a, r); return r }

	z := mul(add(v[2], v[6]), 4433)
	low := sub(z, mul(v[6], 15137))
	high := add(z, mul(v[2], 6270))
	sum, diff := add(v[0], v[4]), sub(v[0], v[4])
	for _, r := range []ymm{sum, diff} {
		VPSLLD(Imm(13), r, r)
		VPADDD(splat(1<<(shift-1)), r, r)
	}
	e := [4]ymm{add(sum, high), add(diff, low), sub(diff, low), sub(sum, high)}

	z1, z2, z3, z4 := add(v[7], v[1]), add(v[5], v[3]), add(v[7], v[3]), add(v[5], v[1])
	z5 := mul(add(z3, z4), 9633)
	z1, z2 = mul(z1, -7373), mul(z2, -20995)
	z3, z4 = add(mul(z3, -16069), z5), add(mul(z4, -3196), z5)
	o := [4]ymm{
		add(add(mul(v[1], 12299), z1), z4),
		add(add(mul(v[3], 25172), z2), z3),
		add(add(mul(v[5], 16819), z2), z4),
		add(add(mul(v[7], 2446), z1), z3),
	}
	var out [8]ymm
	for i := range 4 {
		out[i], out[7-i] = add(e[i], o[i]), sub(e[i], o[i])
		VPSRAD(Imm(shift), out[i], out[i])
		VPSRAD(Imm(shift), out[7-i], out[7-i])
	}
	return out
}

// transpose8x8 transposes 32-bit values.
func transpose8x8(v [8]ymm) [8]ymm {
	var a, b, out [8]ymm
	for i := 0; i < 8; i += 2 {
		a[i], a[i+1] = YMM(), YMM()
		VPUNPCKLDQ(v[i+1], v[i], a[i])
		VPUNPCKHDQ(v[i+1], v[i], a[i+1])
	}
	for i := 0; i < 8; i += 4 {
		for j := range 2 {
			b[i+2*j], b[i+2*j+1] = YMM(), YMM()
			VPUNPCKLQDQ(a[i+2+j], a[i+j], b[i+2*j])
			VPUNPCKHQDQ(a[i+2+j], a[i+j], b[i+2*j+1])
		}
	}
	for i := range 4 {
		out[i], out[i+4] = YMM(), YMM()
		VPERM2I128(Imm(0x20), b[i+4], b[i], out[i])
		VPERM2I128(Imm(0x31), b[i+4], b[i], out[i+4])
	}
	return out
}

// upsample doubles the inner samples 1..n-2 of a row, 16 at a time; the last 16
// may be done twice.
func upsample(name string, both bool) {
	if both {
		function(name, "is the inner part of UpsampleBoth; n is at least 18.", "out, near, far *uint8, n int")
	} else {
		function(name, "is the inner part of UpsampleAcross; n is at least 18.", "out, near *uint8, n int")
	}
	out, near := param("out"), param("near")
	var far reg.GPVirtual
	if both {
		far = param("far")
	}
	n := param("n")
	three := YMM()
	VMOVDQU(pairs(3, 3), three)
	evenRound, oddRound, shift := pairs(1, 1), pairs(2, 2), uint64(2)
	if both {
		evenRound, oddRound, shift = pairs(8, 8), pairs(7, 7), 4
	}
	even, odd := YMM(), YMM()
	VMOVDQU(evenRound, even)
	VMOVDQU(oddRound, odd)
	i := GP64()
	MOVQ(U32(1), i)
	inner, last := GP64(), GP64()
	LEAQ(at(n, -1), inner)
	LEAQ(at(n, -17), last)
	next := label("next")
	Label(next)
	CMPQ(i, last)
	CMOVQGT(last, i)
	sample := func(disp int) ymm {
		s := YMM()
		VPMOVZXBW(Mem{Base: near, Index: i, Scale: 1, Disp: disp}, s)
		if both {
			f := YMM()
			VPMOVZXBW(Mem{Base: far, Index: i, Scale: 1, Disp: disp}, f)
			VPMULLW(three, s, s)
			VPADDW(f, s, s)
		}
		return s
	}
	before, this, after := sample(-1), sample(0), sample(1)
	VPMULLW(three, this, this)
	VPADDW(this, before, before)
	VPADDW(even, before, before)
	VPSRLW(Imm(shift), before, before)
	VPADDW(this, after, after)
	VPADDW(odd, after, after)
	VPSRLW(Imm(shift), after, after)
	VPSLLW(Imm(8), after, after)
	VPOR(after, before, before)
	VMOVDQU(before, Mem{Base: out, Index: i, Scale: 2})
	ADDQ(Imm(16), i)
	CMPQ(i, inner)
	JLT(LabelRef(next))
	end()
}

// yccToRGB converts 16 pixels at a time; the last 16 may be done twice. The
// factors of libjpeg have 16 fraction bits; what does not fit a signed 16-bit
// factor is taken out as a whole multiple:
// 1.402 v = v + (26345 v)/65536, 1.772 u = 2u - (14942 u)/65536 and
// -0.344 u - 0.714 v = -v + (-22554 u + 18734 v)/65536.
func yccToRGB() {
	function("yccToRGBAVX2", "is YCCToRGB; n is at least 16.", "dst, luma, cb, cr *uint8, n int")
	dst, luma, cb, cr, n := param("dst"), param("luma"), param("cb"), param("cr"), param("n")
	load := func(low, high int) ymm { r := YMM(); VMOVDQU(pairs(low, high), r); return r }
	two, centre := load(2, 2), load(128, 128)
	ofV, ofU, green := load(26345, 16384), load(-14942, 16384), load(-22554, 18734)
	half := YMM()
	VMOVDQU(splat(1<<15), half)
	i, last := GP64(), GP64()
	XORQ(i, i)
	LEAQ(at(n, -16), last)
	to := GP64()
	next := label("next")
	Label(next)
	CMPQ(i, last)
	CMOVQGT(last, i)
	y, u, v := YMM(), YMM(), YMM()
	VPMOVZXBW(Mem{Base: luma, Index: i, Scale: 1}, y)
	VPMOVZXBW(Mem{Base: cb, Index: i, Scale: 1}, u)
	VPMOVZXBW(Mem{Base: cr, Index: i, Scale: 1}, v)
	VPSUBW(centre, u, u)
	VPSUBW(centre, v, v)
	// product is (a*low + b*high [+ half]) >> 16 of the factors' two halves.
	product := func(a, b, factors ymm, rounded bool) ymm {
		p, q := YMM(), YMM()
		VPUNPCKLWD(b, a, p)
		VPUNPCKHWD(b, a, q)
		for _, r := range []ymm{p, q} {
			VPMADDWD(factors, r, r)
			if rounded {
				VPADDD(half, r, r)
			}
			VPSRAD(Imm(16), r, r)
		}
		VPACKSSDW(q, p, p)
		return p
	}
	r := product(v, two, ofV, false)
	VPADDW(v, r, r)
	VPADDW(y, r, r)
	b := product(u, two, ofU, false)
	VPADDW(u, b, b)
	VPADDW(u, b, b)
	VPADDW(y, b, b)
	g := product(u, v, green, true)
	VPSUBW(v, g, g)
	VPADDW(y, g, g)
	VPACKUSWB(g, r, r) // in each half: 8 of red, 8 of green
	VPACKUSWB(b, b, b)
	head, tail, t := YMM(), YMM(), YMM()
	VPSHUFB(bytes16("redGreenHead", [16]int{0, 8, -1, 1, 9, -1, 2, 10, -1, 3, 11, -1, 4, 12, -1, 5}), r, head)
	VPSHUFB(bytes16("blueHead", [16]int{-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1}), b, t)
	VPOR(t, head, head)
	VPSHUFB(bytes16("redGreenTail", [16]int{13, -1, 6, 14, -1, 7, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1}), r, tail)
	VPSHUFB(bytes16("blueTail", [16]int{-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, -1, -1, -1, -1, -1, -1}), b, t)
	VPOR(t, tail, tail)
	LEAQ(Mem{Base: i, Index: i, Scale: 2}, to)
	ADDQ(dst, to)
	VMOVDQU(head.AsX(), at(to, 0))
	VMOVQ(tail.AsX(), at(to, 16))
	x := XMM()
	VEXTRACTI128(Imm(1), head, x)
	VMOVDQU(x, at(to, 24))
	VEXTRACTI128(Imm(1), tail, x)
	VMOVQ(x, at(to, 40))
	ADDQ(Imm(16), i)
	CMPQ(i, n)
	JLT(LabelRef(next))
	end()
}

// luma converts blocks of 16 pixels. Green's factor is too large for 16 signed
// bits, so green takes part twice: with red and with blue.
func luma() {
	function("lumaAVX2", "is Luma of n pixels, n a multiple of 16; it reads 4 bytes beyond them.", "dst, rgb *uint8, n int")
	dst, rgb, n := param("dst"), param("rgb"), param("n")
	load := func(low, high int) ymm { r := YMM(); VMOVDQU(pairs(low, high), r); return r }
	redGreen, greenBlue := load(19595, 19235), load(19235, 7471)
	half, order := YMM(), YMM()
	VMOVDQU(splat(1<<15), half)
	VMOVDQU(vector("unpacked2", []uint32{0, 4, 1, 5, 0, 4, 1, 5}), order)
	next := label("next")
	Label(next)
	eight := func(disp int) ymm {
		v, a, b := YMM(), YMM(), YMM()
		VMOVDQU(at(rgb, disp), v.AsX())
		VINSERTI128(Imm(1), at(rgb, disp+12), v, v)
		VPSHUFB(bytes16("redGreen", [16]int{0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1}), v, a)
		VPSHUFB(bytes16("greenBlue", [16]int{1, -1, 2, -1, 4, -1, 5, -1, 7, -1, 8, -1, 10, -1, 11, -1}), v, b)
		VPMADDWD(redGreen, a, a)
		VPMADDWD(greenBlue, b, b)
		VPADDD(b, a, a)
		VPADDD(half, a, a)
		VPSRLD(Imm(16), a, a)
		return a
	}
	p, q := eight(0), eight(24)
	VPACKUSDW(q, p, p) // p0-3 q0-3 | p4-7 q4-7
	VPACKUSWB(p, p, p)
	VPERMD(p, order, p)
	VMOVDQU(p.AsX(), at(dst, 0))
	ADDQ(Imm(16), dst)
	ADDQ(Imm(48), rgb)
	SUBQ(Imm(16), n)
	JNZ(LabelRef(next))
	end()
}
