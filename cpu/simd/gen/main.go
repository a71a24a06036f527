// Command gen writes the assembly of package simd. Every kernel is written
// once, for any vector width and tile shape; [main] lists the shapes.
package main

import (
	"flag"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isaWidth is a vector width and the name that its kernels carry.
type isaWidth struct {
	name  string
	bytes int
	vec   func() reg.VecVirtual
}

var (
	ymm = isaWidth{"AVX2", 32, YMM}
	zmm = isaWidth{"AVX512", 64, ZMM}
)

func main() {
	set := flag.String("set", "float32", "the kernels to write: float32 or pairs")
	flag.Parse()
	if *set == "pairs" {
		pairKernels()
		Generate()
		return
	}
	// 12 accumulators hide the latency of 4 cycles at two FMAs a cycle; as
	// many as the registers allow spare loads. Twelve rows are the most for
	// which every row keeps its own address register.
	rows(ymm, 6, 2, cached)
	rows(ymm, 12, 1, cached)
	rows(zmm, 12, 2, cached)
	rows(zmm, 12, 1, cached)
	// These write whole cache lines.
	rows(ymm, 6, 2, past)
	rows(zmm, 12, 2, past)
	rows(zmm, 12, 1, past)
	rows(ymm, 6, 2, beside)
	rows(ymm, 12, 1, beside)
	rows(zmm, 12, 2, beside)
	rows(zmm, 12, 1, beside)

	cols(ymm, 6, 2)
	cols(ymm, 12, 1)
	cols(zmm, 8, 2)
	cols(zmm, 12, 1)

	laneRows(ymm, 12)
	laneRows(zmm, 12)
	laneCols(ymm, 9)
	laneCols(zmm, 9)

	for _, n := range []int{6, 8, 12, 16, 32} {
		gather(n)
	}
	sum()
	scatter()
	fetch()
	transpose()
	for _, n := range []int{6, 8, 12} {
		deal(n)
	}

	Generate()
}

// kernel opens a function. Parameters change in place where a loop counts
// with them: they are the function's own copies.
func kernel(form string, w isaWidth, mr, nr int, doc, signature string) {
	TEXT(fmt.Sprintf("%s%s_%dx%d", form, w.name, mr, nr), NOSPLIT, signature)
	Doc(doc)
	Pragma("noescape")
}

func param(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

func vectors(w isaWidth, n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = w.vec()
	}
	return v
}

func operands(v []reg.VecVirtual) []Op {
	all := make([]Op, len(v))
	for i := range v {
		all[i] = v[i]
	}
	return all
}

func addresses(n int) []reg.GPVirtual {
	p := make([]reg.GPVirtual, n)
	for i := range p {
		p[i] = GP64()
	}
	return p
}

// at is element offset*4 of the floats at base.
func at(base, offset reg.GPVirtual, disp int) Mem {
	return Mem{Base: base, Index: offset, Scale: 4, Disp: disp}
}

// fma computes acc[i*len(b)+j] += value(i)·b[j] for i < mr, where factor i is
// broadcast into x.
func fma(mr int, acc []Op, b []reg.VecVirtual, x reg.VecVirtual, value func(i int) Mem) {
	for i := range mr {
		VBROADCASTSS(value(i), x)
		for j := range b {
			VFMADD231PS(b[j], x, acc[i*len(b)+j])
		}
	}
}

const rowsParameters = "a *float32, rowA *int, rowC *int, tiles int, taps *int, ntaps int, kc int, b *float32, c *float32, start *float32, floor float32, ceiling float32"

// rowsFrame writes what the two forms of row kernel share: the loop over
// tiles, the accumulators' start and their end. body is the sum over taps; it
// gets the address of every row of a, and a free register.
func rowsFrame(w isaWidth, mr, nv int, past bool, body func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op)) {
	acc := operands(vectors(w, mr*nv))
	finish := func(storeRows func(), _, _ reg.GPVirtual) { storeRows() }
	if past {
		finish = func(_ func(), q, b reg.GPVirtual) {
			eachC(mr, b, q, func(i int, c reg.GPVirtual) {
				for j := range nv {
					VMOVNTPS(acc[i*nv+j], Mem{Base: c, Disp: j * w.bytes})
				}
			})
		}
	}
	rowsFrameIn(w, mr, nv, acc, operands(vectors(w, 2)), body, finish, func() {
		if past {
			SFENCE() // others may read what was written
		}
	})
}

// rowsFrameIn is rowsFrame with accumulators and registers for the bounds of the
// caller's choice. finish ends a tile; it gets what stores the rows in c, and two
// free registers. end ends the last.
func rowsFrameIn(w isaWidth, mr, nv int, acc, bounds []Op, body func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op), finish func(storeRows func(), q, b reg.GPVirtual), end func()) {
	p, q, b := addresses(mr), GP64(), GP64()

	Label("tile")
	{
		MOVQ(param("a"), b)
		MOVQ(param("rowA"), q)
		for i := range p {
			MOVQ(Mem{Base: q, Disp: 8 * i}, p[i])
			LEAQ(at(b, p[i], 0), p[i])
		}
		MOVQ(param("start"), q)
		TESTQ(q, q)
		JZ(LabelRef("continue"))
		for i := range mr {
			for j := range nv {
				VMOVUPS(Mem{Base: q, Disp: j * w.bytes}, acc[i*nv+j])
			}
		}
		JMP(LabelRef("sum"))
	}
	Label("continue")
	eachC(mr, b, q, func(i int, c reg.GPVirtual) {
		for j := range nv {
			VMOVUPS(Mem{Base: c, Disp: j * w.bytes}, acc[i*nv+j])
		}
	})
	Label("sum")
	body(p, q, b, acc)

	// The row's value is the second source, which VMAXPS and VMINPS return
	// where one is not a number: a diverging network stays visible.
	low, high := bounds[0], bounds[1]
	VBROADCASTSS(param("floor"), low)
	VBROADCASTSS(param("ceiling"), high)
	for i := range acc {
		VMAXPS(acc[i], low, acc[i])
		VMINPS(acc[i], high, acc[i])
	}
	finish(func() {
		eachC(mr, b, q, func(i int, c reg.GPVirtual) {
			for j := range nv {
				VMOVUPS(acc[i*nv+j], Mem{Base: c, Disp: j * w.bytes})
			}
		})
	}, q, b)
	ADDQ(Imm(uint64(8*mr)), param("rowA"))
	ADDQ(Imm(uint64(8*mr)), param("rowC"))
	DECQ(param("tiles"))
	JNZ(LabelRef("tile"))
	end()
	VZEROUPPER()
	RET()
}

// eachC calls f with the address of every row of c. base and table are free
// registers.
func eachC(mr int, base, table reg.GPVirtual, f func(i int, c reg.GPVirtual)) {
	eachRow("c", "rowC", 4, mr, base, table, f)
}

// eachRow is eachC for a matrix of elements of size bytes.
func eachRow(matrix, rows string, size uint8, mr int, base, table reg.GPVirtual, f func(i int, c reg.GPVirtual)) {
	c := GP64()
	MOVQ(param(matrix), base)
	MOVQ(param(rows), table)
	for i := range mr {
		MOVQ(Mem{Base: table, Disp: 8 * i}, c)
		LEAQ(Mem{Base: base, Index: c, Scale: size}, c)
		f(i, c)
	}
}

// form is what a kernel of Rows does beside summing.
type form int

const (
	cached form = iota
	past        // it writes past the caches
	beside      // it asks for other maps
)

// rows writes the kernel of Rows: mr rows by nv vectors. Beside its own tile's rows
// of a it asks for the next tile's, a tile's time ahead: twelve interleaved streams
// are more than the processor foresees by itself.
func rows(w isaWidth, mr, nv int, f form) {
	name := [...]string{"rows", "rowsPast", "rowsBeside"}[f]
	parameters, fetch := rowsParameters, (*besideFetch)(nil)
	if f == beside {
		parameters += ", beside **float32, maps int"
		fetch = &besideFetch{table: "rowC", size: 4, rows: mr, bytes: nv * w.bytes, times: 3}
	}
	kernel(name, w, mr, nv*w.bytes/4, "See Rows.", "func("+parameters+")")
	sum := rowsBody(w, mr, nv, fetch, func() func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op, u int) {
		bv, x := vectors(w, nv), w.vec()
		return func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op, u int) {
			for j := range bv {
				VMOVUPS(Mem{Base: b, Disp: (u*nv + j) * w.bytes}, bv[j])
			}
			fma(mr, acc, bv, x, func(i int) Mem { return at(p[i], q, 4*u) })
		}
	})
	rowsFrame(w, mr, nv, f == past, sum)
}

// rowsBody writes the sum of a kernel of Rows, which may fetch other maps meanwhile. term
// makes what adds term u from the one at hand on.
func rowsBody(w isaWidth, mr, nv int, fetch *besideFetch, term func() func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op, u int)) func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op) {
	tap, left, ahead, count := AllocLocal(8), AllocLocal(8), AllocLocal(8), AllocLocal(8)
	if fetch != nil {
		fetch.allocate()
	}
	none := GP64()
	XORQ(none, none)
	MOVQ(none, ahead)
	return func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op) {
		next := GP64() // q, but in the next tile
		add := term()
		step := func(u int) { add(p, q, b, acc, u) }
		const unroll = 4

		// The last tile looks as far ahead as the one before it.
		if fetch != nil {
			fetch.none(next)
		}
		MOVQ(param("tiles"), next)
		DECQ(next)
		JZ(LabelRef("last"))
		MOVQ(param("rowA"), q)
		MOVQ(Mem{Base: q, Disp: 8 * mr}, next)
		SUBQ(Mem{Base: q}, next)
		MOVQ(next, ahead)
		if fetch != nil {
			fetch.begin(next)
		}
		Label("last")

		MOVQ(param("taps"), q)
		MOVQ(q, tap)
		MOVQ(param("ntaps"), q)
		MOVQ(q, left)
		MOVQ(param("b"), b)

		Label("tap")
		MOVQ(param("kc"), q)
		MOVQ(q, count)
		MOVQ(tap, q)
		ADDQ(Imm(8), tap)
		MOVQ(Mem{Base: q}, q)
		MOVQ(ahead, next)
		ADDQ(q, next)
		SUBQ(Imm(unroll), count)
		JL(LabelRef("rest"))

		Label("four")
		for u := range unroll {
			for i := u; i < mr; i += unroll {
				PREFETCHT1(at(p[i], next, 0))
			}
			step(u)
		}
		if fetch != nil {
			fetch.some(next, b)
			MOVQ(ahead, next)
			ADDQ(q, next)
		}
		ADDQ(Imm(unroll), q)
		ADDQ(Imm(unroll), next)
		ADDQ(I32(int32(unroll*nv*w.bytes)), b)
		SUBQ(Imm(unroll), count)
		JGE(LabelRef("four"))

		Label("rest")
		ADDQ(Imm(unroll), count)
		JZ(LabelRef("next"))
		Label("one")
		step(0)
		INCQ(q)
		ADDQ(I32(int32(nv*w.bytes)), b)
		DECQ(count)
		JNZ(LabelRef("one"))

		Label("next")
		DECQ(left)
		JNZ(LabelRef("tap"))
	}
}

// laneRows writes the kernel of LaneRows: mr rows by one vector.
func laneRows(w isaWidth, mr int) {
	kernel("laneRows", w, mr, w.bytes/4, "See LaneRows.", "func("+rowsParameters+")")
	tap, left := AllocLocal(8), AllocLocal(8)
	rowsFrame(w, mr, 1, false, func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op) {
		weight := w.vec()
		MOVQ(param("taps"), q)
		MOVQ(q, tap)
		MOVQ(param("ntaps"), q)
		MOVQ(q, left)
		MOVQ(param("b"), b)

		Label("tap")
		MOVQ(tap, q)
		ADDQ(Imm(8), tap)
		MOVQ(Mem{Base: q}, q)
		VMOVUPS(Mem{Base: b}, weight)
		ADDQ(Imm(uint64(w.bytes)), b)
		for i := range acc {
			VFMADD231PS(at(p[i], q, 0), weight, acc[i])
		}
		DECQ(left)
		JNZ(LabelRef("tap"))
	})
}

// accumulators loads acc from c, or clears them where fresh is set.
func accumulators(w isaWidth, n int, q reg.GPVirtual) []Op {
	return begin(w, operands(vectors(w, n)), q)
}

// begin does that in registers of the caller's choice.
func begin(w isaWidth, acc []Op, q reg.GPVirtual) []Op {
	MOVQ(param("fresh"), q)
	TESTQ(q, q)
	JZ(LabelRef("continue"))
	for i := range acc {
		zero(w, acc[i])
	}
	JMP(LabelRef("sum"))
	Label("continue")
	MOVQ(param("c"), q)
	for i := range acc {
		VMOVUPS(Mem{Base: q, Disp: i * w.bytes}, acc[i])
	}
	Label("sum")
	return acc
}

// zero clears a register with the instruction of its width.
func zero(w isaWidth, v Op) {
	if w.bytes == 64 {
		VPXORQ(v, v, v)
		return
	}
	VXORPS(v, v, v)
}

// pixels writes the loop over segments and their pixels around step, which
// sums one pixel: a moves by lda floats, b by ldb, from pixel to pixel.
func pixels(a, b, offset, lda, ldb reg.GPVirtual, step func()) {
	k, seg, left := GP64(), GP64(), AllocLocal(8)
	MOVQ(param("nseg"), k)
	MOVQ(k, left)
	MOVQ(param("segs"), seg)
	Label("segment")
	MOVQ(Mem{Base: seg}, offset)
	ADDQ(Imm(8), seg)
	MOVQ(param("kc"), k)
	Label("pixel")
	step()
	ADDQ(lda, offset)
	ADDQ(ldb, b)
	DECQ(k)
	JNZ(LabelRef("pixel"))
	DECQ(left)
	JNZ(LabelRef("segment"))
}

func store(w isaWidth, acc []Op, q reg.GPVirtual) {
	MOVQ(param("c"), q)
	for i := range acc {
		VMOVUPS(acc[i], Mem{Base: q, Disp: i * w.bytes})
	}
	VZEROUPPER()
	RET()
}

// cols writes the kernel of Cols: mr columns of a by nv vectors of b.
func cols(w isaWidth, mr, nv int) {
	kernel("cols", w, mr, nv*w.bytes/4, "See Cols.", colsSignature)
	bv, x := vectors(w, nv), w.vec()
	colsOver(w, operands(vectors(w, mr*nv)), func(a, q, b reg.GPVirtual, acc []Op) {
		for j := range bv {
			VMOVUPS(Mem{Base: b, Disp: j * w.bytes}, bv[j])
		}
		fma(mr, acc, bv, x, func(i int) Mem { return at(a, q, 4*i) })
	})
}

const colsSignature = "func(a *float32, lda int, segs *int, nseg int, kc int, b *float32, ldb int, c *float32, fresh int)"

// colsOver writes the body of a kernel of Cols around pixel, which adds one pixel.
func colsOver(w isaWidth, acc []Op, pixel func(a, q, b reg.GPVirtual, acc []Op)) {
	q := GP64()
	begin(w, acc, q)
	a := Load(Param("a"), GP64()).(reg.GPVirtual)
	b := Load(Param("b"), GP64()).(reg.GPVirtual)
	lda := Load(Param("lda"), GP64()).(reg.GPVirtual)
	ldb := Load(Param("ldb"), GP64()).(reg.GPVirtual)
	SHLQ(Imm(2), ldb)
	pixels(a, b, q, lda, ldb, func() { pixel(a, q, b, acc) })
	store(w, acc, q)
}

// laneCols writes the kernel of LaneCols: mt taps by one vector.
func laneCols(w isaWidth, mt int) {
	kernel("laneCols", w, mt, w.bytes/4, "See LaneCols.",
		"func(a *float32, lda int, taps *int, segs *int, nseg int, kc int, b *float32, ldb int, c *float32, fresh int)")
	q := GP64()
	acc := accumulators(w, mt, q)
	p := addresses(mt)
	a := Load(Param("a"), GP64()).(reg.GPVirtual)
	MOVQ(param("taps"), q)
	for i := range p {
		MOVQ(Mem{Base: q, Disp: 8 * i}, p[i])
		LEAQ(at(a, p[i], 0), p[i])
	}
	b := Load(Param("b"), GP64()).(reg.GPVirtual)
	ldb := Load(Param("ldb"), GP64()).(reg.GPVirtual)
	lda := Load(Param("lda"), GP64()).(reg.GPVirtual)
	SHLQ(Imm(2), ldb)
	bv := w.vec()
	pixels(a, b, q, lda, ldb, func() {
		VMOVUPS(Mem{Base: b}, bv)
		for i := range acc {
			VFMADD231PS(at(p[i], q, 0), bv, acc[i])
		}
	})
	store(w, acc, q)
}

// gather writes the kernel of Gather for pieces of n floats.
func gather(n int) {
	TEXT(fmt.Sprintf("gatherAVX2_%d", n), NOSPLIT, "func(dst *float32, src *float32, pieces int, step int)")
	Doc("See GatherFunc.")
	gathering(n, 2, func(from, to Mem) { copyPiece(n, from, to) })
}

// gathering writes the body of a gather of pieces that become n floats, with steps
// of elements of 1<<size bytes.
func gathering(n int, size uint64, move func(from, to Mem)) {
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	left := Load(Param("pieces"), GP64())
	step := Load(Param("step"), GP64())
	SHLQ(Imm(size), step)

	Label("piece")
	move(Mem{Base: src}, Mem{Base: dst})
	ADDQ(step, src)
	ADDQ(I32(int32(4*n)), dst)
	DECQ(left)
	JNZ(LabelRef("piece"))
	VZEROUPPER()
	RET()
}

// sum writes the kernel of Sum.
func sum() {
	TEXT("sumAVX2", NOSPLIT, "func(x *float32, n int, parts int, step int)")
	Doc("See SumFunc.")
	Pragma("noescape")
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	step := Load(Param("step"), GP64())
	SHLQ(Imm(2), step)
	part, left, total := GP64(), GP64(), YMM()

	Label("vector")
	MOVQ(x, part)
	MOVQ(param("parts"), left)
	VMOVUPS(Mem{Base: x}, total)
	Label("part")
	ADDQ(step, part)
	VADDPS(Mem{Base: part}, total, total)
	DECQ(left)
	JNZ(LabelRef("part"))
	VMOVUPS(total, Mem{Base: x})
	ADDQ(Imm(32), x)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}
