package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// scatter writes the kernel of Scatter. What a row has over a multiple of eight
// floats is moved by its binary digits: masked stores are slow on some processors.
func scatter() {
	TEXT("scatterAVX2", NOSPLIT, "func(dst *float32, rowC *int, src *float32, rows int, step int, n int, add int)")
	Doc("See ScatterFunc.")
	Pragma("noescape")
	base := Load(Param("dst"), GP64()).(reg.GPVirtual)
	table := Load(Param("rowC"), GP64())
	src := Load(Param("src"), GP64())
	step := Load(Param("step"), GP64())
	n := Load(Param("n"), GP64())
	add := Load(Param("add"), GP64())
	SHLQ(Imm(2), step)
	to, from, left := GP64(), GP64(), GP64()
	wide, narrow, sum := YMM(), XMM(), XMM()

	Label("row")
	MOVQ(Mem{Base: table}, to)
	ADDQ(Imm(8), table)
	LEAQ(at(base, to, 0), to)
	MOVQ(src, from)
	MOVQ(n, left)
	SUBQ(Imm(8), left)
	JL(LabelRef("four"))

	Label("eight")
	VMOVUPS(Mem{Base: from}, wide)
	TESTQ(add, add)
	JZ(LabelRef("storeEight"))
	VADDPS(Mem{Base: to}, wide, wide)
	Label("storeEight")
	VMOVUPS(wide, Mem{Base: to})
	ADDQ(Imm(32), from)
	ADDQ(Imm(32), to)
	SUBQ(Imm(8), left)
	JGE(LabelRef("eight"))

	digit := func(name, next string, floats int, move func(from, to Op)) {
		Label(name)
		TESTQ(U32(uint32(floats)), n)
		JZ(LabelRef(next))
		move(Mem{Base: from}, narrow)
		TESTQ(add, add)
		JZ(LabelRef(name + "Store"))
		move(Mem{Base: to}, sum)
		VADDPS(sum, narrow, narrow)
		Label(name + "Store")
		move(narrow, Mem{Base: to})
		ADDQ(Imm(uint64(4*floats)), from)
		ADDQ(Imm(uint64(4*floats)), to)
	}
	digit("four", "two", 4, func(from, to Op) { VMOVUPS(from, to) })
	digit("two", "one", 2, func(from, to Op) { VMOVSD(from, to) })
	digit("one", "next", 1, func(from, to Op) { VMOVSS(from, to) })

	Label("next")
	ADDQ(step, src)
	DECQ(param("rows"))
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
