package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// blend mixes bytes, sixteen at a time, in float32: the product is rounded before it
// is added.
func blend() {
	function("blendAVX2", "is Blend of n values, n a multiple of 16 above 0.", "dst, a, b *uint8, n int, alpha float32")
	dst, a, b, n := param("dst"), param("a"), param("b"), param("n")
	alpha, x := YMM(), XMM()
	Load(Param("alpha"), x)
	VBROADCASTSS(x, alpha)
	i := GP64()
	XORQ(i, i)
	next := label("next")
	Label(next)
	eight := func(disp int) ymm {
		from, to, sum := YMM(), YMM(), YMM()
		VPMOVZXBD(Mem{Base: a, Index: i, Scale: 1, Disp: disp}, from)
		VPMOVZXBD(Mem{Base: b, Index: i, Scale: 1, Disp: disp}, to)
		VPSUBD(from, to, to)
		VCVTDQ2PS(from, sum)
		VCVTDQ2PS(to, to)
		VMULPS(alpha, to, to)
		VADDPS(to, sum, sum)
		VCVTTPS2DQ(sum, sum)
		return sum
	}
	storeBytes(eight(0), eight(8), Mem{Base: dst, Index: i, Scale: 1})
	ADDQ(Imm(16), i)
	CMPQ(i, n)
	JLT(LabelRef(next))
	end()
}

// storeBytes saturates two vectors of 32-bit values to 16 bytes.
func storeBytes(p, q ymm, to Mem) {
	high := XMM()
	VPACKSSDW(q, p, p) // p0-3 q0-3 | p4-7 q4-7
	VEXTRACTI128(Imm(1), p, high)
	VPACKUSWB(high, p.AsX(), p.AsX()) // p0-3 q0-3 p4-7 q4-7
	VPSHUFD(Imm(0xd8), p.AsX(), p.AsX())
	VMOVDQU(p.AsX(), to)
}

// smooth sums nine values in 16 bits, the middle one five times, and divides by 13.
func smooth() {
	function("smoothAVX2", "is Smooth of n values, n at least 16.", "dst, above, in, below *uint8, channels, n int")
	dst, above, in, below, channels, n := param("dst"), param("above"), param("in"), param("below"), param("channels"), param("n")
	i, last := GP64(), GP64()
	XORQ(i, i)
	LEAQ(at(n, -16), last)
	left := GP64()
	six, by := YMM(), YMM()
	VMOVDQU(pairs(6, 6), six)
	VMOVDQU(pairs(5042, 5042), by) // 2^16/13, exact as far as sums go
	next := label("next")
	Label(next)
	CMPQ(i, last)
	CMOVQGT(last, i)
	sum, v := YMM(), YMM()
	VMOVDQA(six, sum)
	for _, row := range []reg.GPVirtual{above, in, below} {
		// The pointers are to the first of the three columns.
		LEAQ(Mem{Base: row, Index: i, Scale: 1}, left)
		VPMOVZXBW(at(left, 0), v)
		VPADDW(v, sum, sum)
		VPMOVZXBW(Mem{Base: left, Index: channels, Scale: 1}, v)
		VPADDW(v, sum, sum)
		if row == in {
			VPSLLW(Imm(2), v, v)
			VPADDW(v, sum, sum)
		}
		VPMOVZXBW(Mem{Base: left, Index: channels, Scale: 2}, v)
		VPADDW(v, sum, sum)
	}
	VPMULHUW(by, sum, sum)
	high := XMM()
	VEXTRACTI128(Imm(1), sum, high)
	VPACKUSWB(high, sum.AsX(), sum.AsX())
	VMOVDQU(sum.AsX(), Mem{Base: dst, Index: i, Scale: 1})
	ADDQ(Imm(16), i)
	CMPQ(i, n)
	JLT(LabelRef(next))
	end()
}

// boxDown moves a box's sums down a row of n columns and writes their means.
func boxDown() {
	function("boxDownAVX2", "is BoxDown of n columns, n a multiple of 16 above 0.", "out *uint8, sums *uint32, before, enters, after *uint8, n int, weight, far uint32")
	out, sums, before, enters, after, n := param("out"), param("sums"), param("before"), param("enters"), param("after"), param("n")
	broadcast := func(name string) ymm {
		x, y := XMM(), YMM()
		g := Load(Param(name), GP32())
		VMOVD(g, x)
		VPBROADCASTD(x, y)
		return y
	}
	weight, far := broadcast("weight"), broadcast("far")
	round := YMM()
	VMOVDQU(splat(1<<23), round)
	i := GP64()
	XORQ(i, i)
	next := label("next")
	Label(next)
	eight := func(disp int) ymm {
		sum, left, v := YMM(), YMM(), YMM()
		place := Mem{Base: sums, Index: i, Scale: 4, Disp: 4 * disp}
		VMOVDQU(place, sum)
		VPMOVZXBD(Mem{Base: enters, Index: i, Scale: 1, Disp: disp}, v)
		VPADDD(v, sum, sum)
		VPMOVZXBD(Mem{Base: before, Index: i, Scale: 1, Disp: disp}, left)
		VPSUBD(left, sum, sum)
		VMOVDQU(sum, place)
		VPMULLD(weight, sum, sum)
		VPMOVZXBD(Mem{Base: after, Index: i, Scale: 1, Disp: disp}, v)
		VPADDD(left, v, v)
		VPMULLD(far, v, v)
		VPADDD(v, sum, sum)
		VPADDD(round, sum, sum)
		VPSRLD(Imm(24), sum, sum)
		return sum
	}
	storeBytes(eight(0), eight(8), Mem{Base: out, Index: i, Scale: 1})
	ADDQ(Imm(16), i)
	CMPQ(i, n)
	JLT(LabelRef(next))
	end()
}

// interpolate makes one RGB pixel of those around a place, in float64: a lane is a
// channel, and the fourth is the next pixel's, unused. Without rows it keeps to the
// row that the place is on.
func interpolate(name string, cubic, rows bool) {
	functionOf(name, "is a pixel of three channels; it reads a byte beyond the last.", "in *uint8, taps *int", "uint32")
	in, taps := param("in"), param("taps")
	across, down := YMM(), YMM()
	VBROADCASTSD(at(taps, 64), across)
	VBROADCASTSD(at(taps, 72), down)
	first, n := 1, 2
	if cubic {
		first, n = 0, 4
	}
	column := make([]reg.GPVirtual, n)
	for k := range column {
		column[k] = GP64()
		MOVQ(at(taps, 8*(first+k)), column[k])
	}
	// row makes the value on one of the rows.
	row := func(r int) ymm {
		p := GP64()
		MOVQ(at(taps, 32+8*r), p)
		ADDQ(in, p)
		v := make([]reg.VecVirtual, n)
		for k := range v {
			v[k] = XMM()
			VPMOVZXBD(Mem{Base: p, Index: column[k], Scale: 1}, v[k])
		}
		double := func(x reg.VecVirtual) ymm { y := YMM(); VCVTDQ2PD(x, y); return y }
		if !cubic {
			d := XMM()
			VPSUBD(v[0], v[1], d)
			a, b := double(v[0]), double(d)
			VMULPD(across, b, b)
			VADDPD(b, a, a)
			return a
		}
		t, e, p2, p3, p4 := XMM(), XMM(), XMM(), XMM(), XMM()
		VPSUBD(v[1], v[0], t)  // a-b
		VPSUBD(v[2], v[3], e)  // d-c
		VPSUBD(v[0], v[2], p2) // c-a
		VPADDD(t, t, p3)
		VPSUBD(e, p3, p3) // 2(a-b)+c-d
		VPSUBD(t, e, p4)  // b-a-c+d
		return horner(double(v[1]), double(p2), double(p3), double(p4), across)
	}
	var result ymm
	switch {
	case !rows:
		result = row(1)
	case !cubic:
		result = row(1)
		second := row(2)
		VSUBPD(result, second, second)
		VMULPD(down, second, second)
		VADDPD(second, result, result)
	default:
		a, b, c, d := row(0), row(1), row(2), row(3)
		p2, p3, p4 := YMM(), YMM(), YMM()
		VSUBPD(a, c, p2)
		VSUBPD(b, a, p3)
		VADDPD(p3, p3, p3)
		VADDPD(c, p3, p3)
		VSUBPD(d, p3, p3)
		VSUBPD(a, b, p4)
		VSUBPD(c, p4, p4)
		VADDPD(d, p4, p4)
		result = horner(b, p2, p3, p4, down)
	}
	x := XMM()
	VCVTTPD2DQY(result, x)
	VPACKSSDW(x, x, x)
	VPACKUSWB(x, x, x)
	packed := GP32()
	VMOVD(x, packed)
	Store(packed, ReturnIndex(0))
	end()
}

// horner is p1 + d*(p2 + d*(p3 + d*p4)).
func horner(p1, p2, p3, p4, d ymm) ymm {
	VMULPD(d, p4, p4)
	VADDPD(p4, p3, p3)
	VMULPD(d, p3, p3)
	VADDPD(p3, p2, p2)
	VMULPD(d, p2, p2)
	r := YMM()
	VADDPD(p2, p1, r)
	return r
}
