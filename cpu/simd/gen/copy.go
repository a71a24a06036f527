package main

import (
	"fmt"

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

// deal writes the kernel of Deal for pieces of n floats. Four pixels at a time, so
// that whole cache lines are written, and it asks for the next four ahead.
func deal(n int) {
	TEXT(fmt.Sprintf("dealAVX2_%d", n), NOSPLIT, "func(dst *float32, src *float32, pixels int, step int, panels int, panelStep int)")
	Doc("See DealFunc.")
	dealing(n, 2, func(from, to Mem) { copyPiece(n, from, to) })
}

// dealing writes the body of a deal of pieces that become n floats, with steps of
// elements of 1<<size bytes.
func dealing(n int, size uint64, move func(from, to Mem)) {
	Pragma("noescape")
	dst := Load(Param("dst"), GP64()).(reg.GPVirtual)
	src := Load(Param("src"), GP64()).(reg.GPVirtual)
	left := Load(Param("pixels"), GP64())
	step := Load(Param("step"), GP64()).(reg.GPVirtual)
	panelStep := Load(Param("panelStep"), GP64())
	SHLQ(Imm(size), step)
	SHLQ(Imm(2), panelStep)
	from, to, panels, ahead := GP64(), GP64(), GP64(), GP64()
	pixel := addresses(4)
	LEAQ(Mem{Base: step, Index: step, Scale: 1}, ahead)
	ADDQ(ahead, ahead)

	// group moves some neighbouring pixels, a panel after the other.
	group := func(name string, pixels int) {
		MOVQ(src, from)
		MOVQ(dst, to)
		MOVQ(param("panels"), panels)
		Label(name)
		MOVQ(from, pixel[0])
		for i := 1; i < pixels; i++ {
			LEAQ(Mem{Base: pixel[i-1], Index: step, Scale: 1}, pixel[i])
		}
		for i := range pixels {
			if pixels > 1 {
				PREFETCHT0(Mem{Base: pixel[i], Index: ahead, Scale: 1})
			}
			move(Mem{Base: pixel[i]}, Mem{Base: to, Disp: 4 * n * i})
		}
		ADDQ(Imm(uint64(n<<size)), from)
		ADDQ(panelStep, to)
		DECQ(panels)
		JNZ(LabelRef(name))
		for range pixels {
			ADDQ(step, src)
		}
		ADDQ(I32(int32(4*n*pixels)), dst)
	}
	SUBQ(Imm(4), left)
	JL(LabelRef("rest"))
	Label("four")
	group("fourPanels", 4)
	SUBQ(Imm(4), left)
	JGE(LabelRef("four"))
	Label("rest")
	ADDQ(Imm(4), left)
	JZ(LabelRef("done"))
	Label("one")
	group("onePanels", 1)
	DECQ(left)
	JNZ(LabelRef("one"))
	Label("done")
	VZEROUPPER()
	RET()
}

// copyPiece moves n floats, an even number.
func copyPiece(n int, from, to Mem) {
	y, x := YMM(), XMM()
	at := 0
	for ; n-at >= 8; at += 8 {
		VMOVUPS(from.Offset(4*at), y)
		VMOVUPS(y, to.Offset(4*at))
	}
	if n-at >= 4 {
		VMOVUPS(from.Offset(4*at), x)
		VMOVUPS(x, to.Offset(4*at))
		at += 4
	}
	if n-at >= 2 {
		VMOVSD(from.Offset(4*at), x)
		VMOVSD(x, to.Offset(4*at))
	}
}

// fetch writes the kernel of Fetch.
func fetch() {
	TEXT("fetchAVX2", NOSPLIT, "func(p *float32, lines int)")
	Doc("See FetchFunc.")
	Pragma("noescape")
	p := Load(Param("p"), GP64())
	lines := Load(Param("lines"), GP64())
	Label("line")
	PREFETCHT1(Mem{Base: p})
	ADDQ(Imm(64), p)
	DECQ(lines)
	JNZ(LabelRef("line"))
	RET()
}
