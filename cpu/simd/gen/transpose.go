package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose writes the kernel of TransposeFunc: a square of eight by eight.
func transpose() {
	TEXT("transposeAVX2", NOSPLIT, "func(dst *float32, dstStep int, src *float32, srcStep int)")
	Doc("See TransposeFunc.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64()).(reg.GPVirtual)
	src := Load(Param("src"), GP64()).(reg.GPVirtual)
	ds := Load(Param("dstStep"), GP64())
	ss := Load(Param("srcStep"), GP64())
	SHLQ(Imm(2), ds)
	SHLQ(Imm(2), ss)
	rows := make([]reg.VecVirtual, 8)
	for i := range rows {
		rows[i] = YMM()
		VMOVUPS(Mem{Base: src}, rows[i])
		ADDQ(ss, src)
	}
	pairs := make([]reg.VecVirtual, 8)
	for i := 0; i < 8; i += 2 {
		pairs[i], pairs[i+1] = YMM(), YMM()
		VUNPCKLPS(rows[i+1], rows[i], pairs[i])
		VUNPCKHPS(rows[i+1], rows[i], pairs[i+1])
	}
	fours := make([]reg.VecVirtual, 8)
	for i := 0; i < 8; i += 4 {
		for j := range 2 {
			a, b := pairs[i+j], pairs[i+2+j]
			fours[i+2*j], fours[i+2*j+1] = YMM(), YMM()
			VSHUFPS(Imm(0x44), b, a, fours[i+2*j])
			VSHUFPS(Imm(0xEE), b, a, fours[i+2*j+1])
		}
	}
	for i := range 8 {
		v := YMM()
		selector := uint64(0x20)
		if i >= 4 {
			selector = 0x31
		}
		VPERM2F128(Imm(selector), fours[4+i%4], fours[i%4], v)
		VMOVUPS(v, Mem{Base: dst})
		ADDQ(ds, dst)
	}
	VZEROUPPER()
	RET()
}
