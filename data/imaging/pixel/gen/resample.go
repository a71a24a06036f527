package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// width is an instruction set by its 32-bit lanes.
type width int

const (
	avx2   width = 8
	avx512 width = 16
)

func (w width) suffix() string {
	if w == avx512 {
		return "AVX512"
	}
	return "AVX2"
}

func (w width) new() reg.VecVirtual {
	if w == avx512 {
		return ZMM()
	}
	return YMM()
}

// load reads a constant vector.
func (w width) load(m Mem) reg.VecVirtual {
	r := w.new()
	if w == avx512 {
		VMOVDQU32(m, r)
	} else {
		VMOVDQU(m, r)
	}
	return r
}

// copy copies a register.
func (w width) copy(from reg.VecVirtual) reg.VecVirtual {
	r := w.new()
	if w == avx512 {
		VMOVDQA32(from, r)
	} else {
		VMOVDQA(from, r)
	}
	return r
}

// precision is the number of fraction bits of a coefficient.
const precision = 22

// transpose moves blocks of 8 rows by 16 columns.
func transpose() {
	function("transposeAVX2", "writes n blocks of 16 rows by 8 columns, the transposes of blocks of 8 rows by 16 columns.",
		"dst *uint8, dstStride, dstStep int, src *uint8, srcStride, srcStep, n int")
	dst, dstStride, dstStep := param("dst"), param("dstStride"), param("dstStep")
	src, srcStride, srcStep := param("src"), param("srcStride"), param("srcStep")
	n := param("n")
	next := label("next")
	from, to := GP64(), GP64()
	Label(next)
	MOVQ(src, from)
	var v [8]reg.VecVirtual
	for i := range v {
		v[i] = XMM()
		VMOVDQU(at(from, 0), v[i])
		if i < 7 {
			ADDQ(srcStride, from)
		}
	}
	// interleave pairs v[i] with v[i+4]: after three rounds a register holds two
	// columns of eight.
	for range 3 {
		var u [8]reg.VecVirtual
		for i := range 4 {
			u[2*i], u[2*i+1] = XMM(), XMM()
			VPUNPCKLBW(v[i+4], v[i], u[2*i])
			VPUNPCKHBW(v[i+4], v[i], u[2*i+1])
		}
		v = u
	}
	MOVQ(dst, to)
	for i := range v {
		VMOVQ(v[i], at(to, 0))
		VMOVHPS(v[i], Mem{Base: to, Index: dstStride, Scale: 1})
		if i < 7 {
			LEAQ(Mem{Base: to, Index: dstStride, Scale: 2}, to)
		}
	}
	ADDQ(srcStep, src)
	ADDQ(dstStep, dst)
	DECQ(n)
	JNZ(LabelRef(next))
	end()
}

// accumulate adds tap times the bytes at m to sums.
func (w width) accumulate(sum, tap reg.VecVirtual, m Mem) {
	p := w.new()
	VPMOVZXBD(m, p)
	VPMULLD(tap, p, p)
	VPADDD(p, sum, sum)
}

// resampleRows makes n outputs of 16 rows, one in each byte of a column.
func resampleRows(w width, channels int) {
	name := map[int]string{1: "resampleGray", 3: "resampleRGB"}[channels] + w.suffix()
	function(name, "is ResampleRows.", "dst, src *uint8, first, count *int, taps *int32, size, n int")
	dst, src, first, count, taps, size, n := param("dst"), param("src"), param("first"), param("count"), param("taps"), param("size"), param("n")
	SHLQ(Imm(2), size) // in bytes
	half := w.load(splat(1 << (precision - 1)))
	var zero reg.VecVirtual
	if w == avx512 {
		zero = w.new()
		VPXORD(zero, zero, zero)
	}
	next, inner := label("next"), label("inner")
	from, left, tap := GP64(), GP64(), GP64()
	parts := 16 / int(w) // registers for 16 rows
	Label(next)
	MOVQ(at(first, 0), from)
	if channels == 3 {
		LEAQ(Mem{Base: from, Index: from, Scale: 2}, from)
	}
	SHLQ(Imm(4), from)
	ADDQ(src, from)
	MOVQ(at(count, 0), left)
	MOVQ(taps, tap)
	var sums []reg.VecVirtual
	for range channels * parts {
		sums = append(sums, w.copy(half))
	}
	Label(inner)
	t := w.new()
	VPBROADCASTD(at(tap, 0), t)
	for i, s := range sums {
		w.accumulate(s, t, at(from, int(w)*i))
	}
	ADDQ(Imm(4), tap)
	ADDQ(U32(16*channels), from)
	DECQ(left)
	JNZ(LabelRef(inner))
	for c := range channels {
		if w == avx512 {
			s := sums[c]
			VPSRAD(Imm(precision), s, s)
			VPMAXSD(zero, s, s)
			VPMOVUSDB(s, at(dst, 16*c))
			continue
		}
		a, b := sums[2*c], sums[2*c+1]
		VPSRAD(Imm(precision), a, a)
		VPSRAD(Imm(precision), b, b)
		VPACKSSDW(b, a, a)
		VPACKUSWB(a, a, a) // a0-3 b0-3 ... | a4-7 b4-7 ...
		x := XMM()
		VEXTRACTI128(Imm(1), a, x)
		VPUNPCKLDQ(x, a.AsX(), x)
		VMOVDQU(x, at(dst, 16*c))
	}
	ADDQ(U32(16*channels), dst)
	ADDQ(Imm(8), first)
	ADDQ(Imm(8), count)
	ADDQ(size, taps)
	DECQ(n)
	JNZ(LabelRef(next))
	end()
}

// resampleColumns makes one row of outputs from count rows, to bytes or to
// normalised floats. The last block of the row may be done twice.
func resampleColumns(w width, floats bool) {
	block := 4 * int(w)
	if floats {
		block = 3 * int(w)
		function("resampleFloats"+w.suffix(), "is ResampleFloats.", "dst *float32, src *uint8, stride int, taps *int32, count, n int, norm *float32")
	} else {
		function("resampleBytes"+w.suffix(), "is ResampleBytes.", "dst, src *uint8, stride int, taps *int32, count, n int")
	}
	dst, src, stride, taps, count, n := param("dst"), param("src"), param("stride"), param("taps"), param("count"), param("n")
	var norm reg.GPVirtual
	if floats {
		norm = param("norm")
	}
	half := w.load(splat(1 << (precision - 1)))
	zero := w.new()
	if w == avx512 {
		VPXORD(zero, zero, zero)
	} else {
		VPXOR(zero, zero, zero)
	}
	i, last := GP64(), GP64()
	XORQ(i, i)
	LEAQ(at(n, -block), last)
	next, inner := label("next"), label("inner")
	from, left, tap := GP64(), GP64(), GP64()
	Label(next)
	CMPQ(i, last)
	CMOVQGT(last, i)
	LEAQ(Mem{Base: src, Index: i, Scale: 1}, from)
	MOVQ(count, left)
	MOVQ(taps, tap)
	var sums []reg.VecVirtual
	for range block / int(w) {
		sums = append(sums, w.copy(half))
	}
	Label(inner)
	t := w.new()
	VPBROADCASTD(at(tap, 0), t)
	for k, s := range sums {
		w.accumulate(s, t, at(from, int(w)*k))
	}
	ADDQ(Imm(4), tap)
	ADDQ(stride, from)
	DECQ(left)
	JNZ(LabelRef(inner))
	for _, s := range sums {
		VPSRAD(Imm(precision), s, s)
	}
	switch {
	case floats:
		top := w.load(splat(255))
		for k, s := range sums {
			VPMAXSD(zero, s, s)
			VPMINSD(top, s, s)
			w.normalized(s, norm, k)
			w.storeFloats(s, dst, i, k)
		}
	case w == avx512:
		for k, s := range sums {
			VPMAXSD(zero, s, s)
			VPMOVUSDB(s, Mem{Base: dst, Index: i, Scale: 1, Disp: int(w) * k})
		}
	default:
		VPACKSSDW(sums[1], sums[0], sums[0])
		VPACKSSDW(sums[3], sums[2], sums[2])
		VPACKUSWB(sums[2], sums[0], sums[0])
		order := w.load(vector("unpacked", []uint32{0, 4, 1, 5, 2, 6, 3, 7}))
		VPERMD(sums[0], order, sums[0])
		VMOVDQU(sums[0], Mem{Base: dst, Index: i, Scale: 1})
	}
	ADDQ(U32(block), i)
	CMPQ(i, n)
	JLT(LabelRef(next))
	end()
}

func (w width) storeFloats(v reg.VecVirtual, dst, i reg.GPVirtual, k int) {
	VMOVUPS(v, Mem{Base: dst, Index: i, Scale: 4, Disp: 4 * int(w) * k})
}

// The three vectors of means, of deviations and of their inverses that norm
// points to: 48 floats each, with period 3.
const period = 48

// normalized turns integers 0..255 into (v/255 - mean)/std, the quotients
// corrected by their remainders: Norm makes sure that they are rounded as
// divisions are.
func (w width) normalized(v reg.VecVirtual, norm reg.GPVirtual, k int) {
	place := func(row int) Mem { return at(norm, 4*(row*period+int(w)*k)) }
	divide := func(by, inverse Mem) {
		q, e := w.new(), w.copy(v)
		VMULPS(inverse, v, q)
		VFNMADD231PS(by, q, e)
		VFMADD132PS(inverse, q, e)
		if w == avx512 {
			VMOVDQA32(e, v)
		} else {
			VMOVDQA(e, v)
		}
	}
	VCVTDQ2PS(v, v)
	divide(splatFloat(255), splatFloat(1./255))
	VSUBPS(place(0), v, v)
	divide(place(1), place(2))
}

// normalize turns bytes into normalised floats.
func normalize(w width) {
	block := 3 * int(w)
	function("normalize"+w.suffix(), "is Normalize.", "dst *float32, src *uint8, n int, norm *float32")
	dst, src, n, norm := param("dst"), param("src"), param("n"), param("norm")
	i, last := GP64(), GP64()
	XORQ(i, i)
	LEAQ(at(n, -block), last)
	next := label("next")
	Label(next)
	CMPQ(i, last)
	CMOVQGT(last, i)
	for k := range 3 {
		v := w.new()
		VPMOVZXBD(Mem{Base: src, Index: i, Scale: 1, Disp: int(w) * k}, v)
		w.normalized(v, norm, k)
		w.storeFloats(v, dst, i, k)
	}
	ADDQ(U32(block), i)
	CMPQ(i, n)
	JLT(LabelRef(next))
	end()
}
