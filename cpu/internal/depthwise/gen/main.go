// Command gen writes the assembly of package depthwise: each kernel once, for
// any width of a vector of channels.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// width is a number of channels that one register holds. Those that are left
// when the channels fill no more wide registers go through narrow ones.
type width struct {
	name  string
	bytes int
	vec   func() reg.VecVirtual
}

var widths = []width{
	{name: "AVX512_16", bytes: 64, vec: ZMM},
	{name: "AVX2_8", bytes: 32, vec: YMM},
	{name: "AVX2_4", bytes: 16, vec: XMM},
	{name: "AVX2_1", bytes: 4, vec: XMM},
}

func (w width) scalar() bool { return w.bytes == 4 }

func (w width) load(from, to Op) {
	if w.scalar() {
		VMOVSS(from, to)
		return
	}
	VMOVUPS(from, to)
}

// fma computes acc += x·y.
func (w width) fma(x, y, acc Op) {
	if w.scalar() {
		VFMADD231SS(x, y, acc)
		return
	}
	VFMADD231PS(x, y, acc)
}

// prefetch asks for n vectors from the place on that a parameter names, and moves
// that behind them. q is a free register.
func (w width) prefetch(name string, n int, q reg.GPVirtual) {
	MOVQ(param(name), q)
	for i := range n {
		PREFETCHT1(Mem{Base: q, Disp: w.bytes * i})
	}
	ADDQ(I32(int32(w.bytes*n)), q)
	MOVQ(q, param(name))
}

func main() {
	for _, w := range widths {
		run(w)
	}
	for _, w := range widths {
		for taps := 1; taps <= most; taps++ {
			grads(w, taps)
		}
	}
	Generate()
}

func param(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

func integer(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// tile is the number of values that are summed side by side: enough to hide the
// latency of the additions, and for one load of a weight to serve many.
const tile = 12

// walk addresses places that lie step bytes apart.
type walk struct{ base, step, step3 reg.GPVirtual }

// at is the place of index i, from bases 4 and 8 steps further on.
func (p walk) at(i int, bases []reg.GPVirtual) Mem {
	m := Mem{Base: bases[i/4]}
	switch i % 4 {
	case 1:
		m.Index, m.Scale = p.step, 1
	case 2:
		m.Index, m.Scale = p.step, 2
	case 3:
		m.Index, m.Scale = p.step3, 1
	}
	return m
}

// spread sets the bases for n places from the first one on.
func (p walk) spread(n int, bases []reg.GPVirtual) {
	if n > 4 {
		LEAQ(Mem{Base: bases[0], Index: p.step, Scale: 4}, bases[1])
	}
	if n > 8 {
		LEAQ(Mem{Base: bases[0], Index: p.step, Scale: 8}, bases[2])
	}
}

// run writes the kernel of Run.
func run(w width) {
	TEXT("run"+w.name, NOSPLIT, "func(x *float32, xstep int, w *float32, taps *int, ntaps int, start *float32, y *float32, ystep int, n int, panels int, floor float32, ceiling float32, nextx *float32, times int, nexty *float32)")
	Doc("See RunFunc.")
	Pragma("noescape")
	left := AllocLocal(8)
	source := walk{GP64(), integer("xstep"), GP64()}
	target := walk{GP64(), integer("ystep"), GP64()}
	for _, p := range []walk{source, target} {
		SHLQ(Imm(2), p.step)
		LEAQ(Mem{Base: p.step, Index: p.step, Scale: 2}, p.step3)
	}
	weights, q, count := GP64(), GP64(), GP64()
	bases := []reg.GPVirtual{GP64(), GP64(), GP64()}

	Label("panel")
	MOVQ(param("x"), source.base)
	MOVQ(param("y"), target.base)
	MOVQ(param("w"), weights)
	MOVQ(param("n"), q)
	MOVQ(q, left)

	Label("tile")
	CMPQ(q, Imm(tile))
	JGE(LabelRef(body(tile)))
	dispatch(q, 1, tile-1)

	for n := 1; n <= tile; n++ {
		Label(body(n))
		acc := make([]reg.VecVirtual, n)
		for i := range acc {
			acc[i] = w.vec()
		}
		weight := w.vec()

		w.prefetch("nexty", n, q)
		MOVQ(param("times"), count)
		TESTQ(count, count)
		JZ(LabelRef(fmt.Sprint("start", n)))
		Label(fmt.Sprint("ahead", n))
		w.prefetch("nextx", n, q)
		DECQ(count)
		JNZ(LabelRef(fmt.Sprint("ahead", n)))
		Label(fmt.Sprint("start", n))

		MOVQ(param("start"), q)
		TESTQ(q, q)
		JZ(LabelRef(fmt.Sprint("continue", n)))
		w.load(Mem{Base: q}, acc[0])
		for _, a := range acc[1:] {
			VMOVAPS(acc[0], a)
		}
		JMP(LabelRef(fmt.Sprint("sum", n)))
		Label(fmt.Sprint("continue", n))
		MOVQ(target.base, bases[0])
		target.spread(n, bases)
		for i, a := range acc {
			w.load(target.at(i, bases), a)
		}

		Label(fmt.Sprint("sum", n))
		MOVQ(param("ntaps"), count)
		MOVQ(param("taps"), q)
		TESTQ(count, count)
		JZ(LabelRef(fmt.Sprint("finish", n)))
		Label(fmt.Sprint("tap", n))
		MOVQ(Mem{Base: q, Disp: 8}, bases[0])
		w.load(Mem{Base: weights, Index: bases[0], Scale: 4}, weight)
		MOVQ(Mem{Base: q}, bases[0])
		LEAQ(Mem{Base: source.base, Index: bases[0], Scale: 4}, bases[0])
		source.spread(n, bases)
		for i, a := range acc {
			w.fma(source.at(i, bases), weight, a)
		}
		ADDQ(Imm(16), q)
		DECQ(count)
		JNZ(LabelRef(fmt.Sprint("tap", n)))

		// The value is the second source, which a minimum or maximum returns where
		// one is not a number: a diverging network stays visible.
		Label(fmt.Sprint("finish", n))
		bound := w.vec()
		w.broadcast("floor", bound)
		for _, a := range acc {
			w.max(a, bound)
		}
		w.broadcast("ceiling", bound)
		for _, a := range acc {
			w.min(a, bound)
		}
		MOVQ(target.base, bases[0])
		target.spread(n, bases)
		for i, a := range acc {
			w.load(a, target.at(i, bases))
		}
		MOVQ(left, q)
		SUBQ(Imm(uint64(n)), q)
		JZ(LabelRef("next"))
		MOVQ(q, left)
		for _, p := range []walk{source, target} {
			IMUL3Q(Imm(uint64(n)), p.step, count)
			ADDQ(count, p.base)
		}
		JMP(LabelRef("tile"))
	}

	Label("next")
	for _, name := range []string{"x", "w", "y"} {
		ADDQ(Imm(uint64(w.bytes)), param(name))
	}
	CMPQ(param("start"), Imm(0))
	JZ(LabelRef("sums"))
	ADDQ(Imm(uint64(w.bytes)), param("start"))
	Label("sums")
	DECQ(param("panels"))
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}

func (w width) broadcast(name string, to reg.VecVirtual) {
	if w.scalar() {
		VMOVSS(param(name), to)
		return
	}
	VBROADCASTSS(param(name), to)
}

func (w width) max(a, bound reg.VecVirtual) {
	if w.scalar() {
		VMAXSS(a, bound, a)
		return
	}
	VMAXPS(a, bound, a)
}

func (w width) min(a, bound reg.VecVirtual) {
	if w.scalar() {
		VMINSS(a, bound, a)
		return
	}
	VMINPS(a, bound, a)
}

func body(n int) string { return fmt.Sprint("body", n) }

// dispatch jumps to the body for q in [from, to].
func dispatch(q reg.GPVirtual, from, to int) {
	if from == to {
		JMP(LabelRef(body(from)))
		return
	}
	middle := (from + to + 1) / 2
	if middle == to {
		CMPQ(q, Imm(uint64(middle)))
		JE(LabelRef(body(middle)))
		dispatch(q, from, middle-1)
		return
	}
	high := fmt.Sprintf("from%dto%d", middle, to)
	CMPQ(q, Imm(uint64(middle)))
	JGE(LabelRef(high))
	dispatch(q, from, middle-1)
	Label(high)
	dispatch(q, middle, to)
}

// most is the largest number of taps whose sums stay in registers.
const most = 9

// grads writes the kernel of Grads for a number of taps.
func grads(w width, taps int) {
	TEXT(fmt.Sprintf("grads%sx%d", w.name, taps), NOSPLIT, "func(x *float32, xstep int, xrow int, dy *float32, ystep int, yrow int, taps *int, n int, rows int, sums *float32, panels int, nextx *float32, times int, nexty *float32)")
	Doc("See GradsFunc.")
	Pragma("noescape")
	rows, left, times := AllocLocal(8), AllocLocal(8), AllocLocal(8)
	p := make([]reg.GPVirtual, taps)
	acc := make([]reg.VecVirtual, taps)
	for i := range p {
		p[i], acc[i] = GP64(), w.vec()
	}
	dv, at, dy, count := w.vec(), GP64(), GP64(), GP64()
	xstep, ystep := integer("xstep"), integer("ystep")
	SHLQ(Imm(2), xstep)
	SHLQ(Imm(2), ystep)
	SHLQ(Imm(2), param("xrow"))
	SHLQ(Imm(2), param("yrow"))
	sum := func(i int) Mem {
		MOVQ(Mem{Base: count, Disp: 16*i + 8}, at)
		return Mem{Base: dy, Index: at, Scale: 4}
	}

	Label("panel")
	MOVQ(param("rows"), at)
	MOVQ(at, rows)
	MOVQ(param("taps"), count)
	MOVQ(param("x"), dy)
	for i := range p {
		MOVQ(Mem{Base: count, Disp: 16 * i}, p[i])
		LEAQ(Mem{Base: dy, Index: p[i], Scale: 4}, p[i])
	}
	MOVQ(param("sums"), dy)
	for i, a := range acc {
		w.load(sum(i), a)
	}
	MOVQ(param("dy"), dy)
	XORQ(at, at)

	// Some pixels, the last ones of a row fewer.
	const some = 8
	q := GP64()
	Label("row")
	MOVQ(param("n"), count)
	Label("some")
	XORQ(q, q)
	SUBQ(Imm(some), count)
	CMOVQLT(count, q)
	MOVQ(count, left)
	LEAQ(Mem{Base: q, Disp: some}, count)
	w.prefetch("nexty", some, q)
	MOVQ(param("times"), q)
	MOVQ(q, times)
	TESTQ(q, q)
	JZ(LabelRef("pixel"))
	Label("ahead")
	w.prefetch("nextx", some, q)
	DECQ(times)
	JNZ(LabelRef("ahead"))

	Label("pixel")
	w.load(Mem{Base: dy}, dv)
	for i, a := range acc {
		w.fma(Mem{Base: p[i], Index: at, Scale: 1}, dv, a)
	}
	ADDQ(xstep, at)
	ADDQ(ystep, dy)
	DECQ(count)
	JNZ(LabelRef("pixel"))
	MOVQ(left, count)
	TESTQ(count, count)
	JG(LabelRef("some"))
	ADDQ(param("xrow"), at)
	ADDQ(param("yrow"), dy)
	DECQ(rows)
	JNZ(LabelRef("row"))

	MOVQ(param("taps"), count)
	MOVQ(param("sums"), dy)
	for i, a := range acc {
		w.load(a, sum(i))
	}
	for _, name := range []string{"x", "dy", "sums"} {
		ADDQ(Imm(uint64(w.bytes)), param(name))
	}
	DECQ(param("panels"))
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}
