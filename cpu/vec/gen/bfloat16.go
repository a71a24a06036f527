package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The kernels between float32 and bfloat16 take whole vectors alone: lengths are
// multiples of the width.
var bfloat16Kernels = []definition{
	{"widen", "is y = x.", "y []float32, x []uint16", func(k *kernel) {
		n, y, x := k.length("y"), k.pointer("y"), k.pointer("x")
		k.whole(n, func() { VMOVUPS(k.loadHalf(x), k.at(y, 4)) })
	}},
	{"narrow", "is y = x, rounded.", "y []uint16, x []float32", func(k *kernel) {
		n, y, x := k.length("y"), k.pointer("y"), k.pointer("x")
		k.whole(n, func() { k.storeHalf(k.rounded(k.load(x)), y) })
	}},
	{"pairs", "is y = lo in the lower, hi in the upper half, rounded.", "y []uint32, lo, hi []float32", func(k *kernel) {
		n, y, lo, hi := k.length("y"), k.pointer("y"), k.pointer("lo"), k.pointer("hi")
		k.whole(n, func() {
			low, high := k.rounded(k.load(lo)), k.rounded(k.load(hi))
			VPSLLD(U8(16), high, high)
			VMOVUPS(k.or(low, high), k.at(y, 4))
		})
	}},
}

// whole runs body for each vector of n elements, of which there are whole vectors.
func (k *kernel) whole(n reg.GPVirtual, body func()) {
	next, done := k.label("next"), k.label("done")
	k.index = GP64()
	XORL(k.index.As32(), k.index.As32())
	TESTQ(n, n)
	JZ(LabelRef(done))
	Label(next)
	body()
	ADDQ(I32(k.width), k.index)
	CMPQ(k.index, n)
	JL(LabelRef(next))
	Label(done)
}

// loadHalf reads the whole vector at hand of a slice of bfloat16.
func (k *kernel) loadHalf(base reg.GPVirtual) vector {
	v := k.newVector()
	VPMOVZXWD(k.at(base, 2), v)
	VPSLLD(U8(16), v, v)
	return v
}

// rounded is v as bfloat16 in the lower half of each lane: to the nearest, of two
// equally near ones to the even one. What is not a number stays so.
func (k *kernel) rounded(v vector) vector {
	upper := k.newVector()
	VPSRLD(U8(16), v, upper)
	odd := k.and(upper, k.bits(1))
	VPADDD(k.bits(0x7fff), odd, odd)
	VPADDD(v, odd, odd)
	VPSRLD(U8(16), odd, odd)
	return k.choose(k.compare(v, unordered, v), k.or(upper, k.bits(0x40)), odd)
}

// storeHalf writes the lower halves of the whole vector at hand.
func (k *kernel) storeHalf(v vector, base reg.GPVirtual) {
	if k.wide() {
		VPMOVDW(v, k.at(base, 2))
		return
	}
	high := XMM()
	VEXTRACTI128(U8(1), v, high)
	VPACKUSDW(high, v.AsX(), high)
	VMOVUPS(high, k.at(base, 2))
}
