package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/seed52467199/trainer/cpu/internal/evex"
)

// element is the size in bytes of a pixel's values: float32, or bfloat16, which is a
// float32's upper half.
type element int

const (
	single element = 4
	half   element = 2
)

// packing is how a vector of a position is written.
type packing int

const (
	wide   packing = iota
	narrow         // rounded to bfloat16
	low            // so, each in the lower half of a place whose upper half becomes zero
	high           // so, in the upper half of a place whose lower half stays
)

// size is the size in bytes of a value's place.
func (p packing) size() element {
	if p == narrow {
		return half
	}
	return single
}

// put writes a vector. Halves are rounded as the processor's own instruction does it,
// which takes what is smaller than the least normal number for zero.
func (p packing) put(v reg.VecVirtual, to Mem) {
	if p == wide {
		VMOVUPS(v, to)
		return
	}
	const free = 30
	VMOVAPS(v, reg.Z30)
	evex.Round(free, free)
	switch p {
	case narrow:
		VMOVUPS(reg.Y30, to)
	case low:
		VPMOVZXWD(reg.Y30, reg.Z30)
		VMOVUPS(reg.Z30, to)
	case high:
		VPMOVZXWD(reg.Y30, reg.Z30)
		VPSLLD(U8(16), reg.Z30, reg.Z30)
		VPORD(to, reg.Z30, reg.Z30)
		VMOVUPS(reg.Z30, to)
	}
}

// load reads a vector.
func (e element) load(from Mem, v reg.VecVirtual) {
	if e == single {
		VMOVUPS(from, v)
		return
	}
	VPMOVZXWD(from, v)
	VPSLLD(U8(16), v, v)
}

// add adds a vector in memory.
func (e element) add(w isaWidth, from Mem, v reg.VecVirtual) {
	if e == single {
		VADDPS(from, v, v)
		return
	}
	wide := w.vec()
	e.load(from, wide)
	VADDPS(wide, v, v)
}

// store writes a vector. What goes to a half is rounded to the nearest, of two equally
// near ones to the even one; what is not a number stays so. v does not stay.
func (e element) store(w isaWidth, v reg.VecVirtual, to Mem) {
	if e == single {
		VMOVUPS(v, to)
		return
	}
	upper, rounded := w.vec(), w.vec()
	VPSRLD(U8(16), v, upper)
	if w.wide() {
		unordered := K()
		VPANDD(rounding("roundOdd"), upper, rounded)
		VPADDD(rounding("roundMost"), rounded, rounded)
		VPADDD(v, rounded, rounded)
		VPSRLD(U8(16), rounded, rounded)
		VCMPPS(U8(3), v, v, unordered)
		VPORD(rounding("roundNaN"), upper, unordered, rounded)
		VPMOVDW(rounded, v.AsY())
		VMOVUPS(v.AsY(), to)
		return
	}
	VPAND(rounding("roundOdd"), upper, rounded)
	VPADDD(rounding("roundMost"), rounded, rounded)
	VPADDD(v, rounded, rounded)
	VPSRLD(U8(16), rounded, rounded)
	VPOR(rounding("roundNaN"), upper, upper)
	VCMPPS(U8(3), v, v, v)
	VBLENDVPS(v, upper, rounded, rounded)
	VEXTRACTI128(U8(1), rounded, upper.AsX())
	VPACKUSDW(upper.AsX(), rounded.AsX(), rounded.AsX())
	VMOVDQU(rounded.AsX(), to)
}

// rounding is the place of a vector of one of these integers.
func rounding(name string) Mem { return NewDataAddr(Symbol{Name: name, Static: true}, 0) }

func writeRounding() {
	for _, c := range []struct {
		name string
		bits uint32
	}{{"roundOdd", 1}, {"roundMost", 0x7fff}, {"roundNaN", 0x40}} {
		GLOBL(c.name, attr.RODATA|attr.NOPTR)
		for lane := range zmm.bytes / 4 {
			DATA(4*lane, U32(c.bits))
		}
	}
}
