// Command gen writes the assembly of package winograd. Every transform is
// described once, as what a row of its matrix does to a vector of channels
// (matrices.go), and written for both widths.
package main

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/mmcloughlin/avo/attr"
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

func (w isaWidth) wide() bool { return w.bytes == 64 }

func main() {
	for _, w := range []isaWidth{ymm, zmm} {
		for i := range tiles {
			t := &tiles[i]
			size := t.input.in - 2
			gather(w, single, wide, fmt.Sprintf("input%d", size), &t.input)
			gather(w, single, wide, fmt.Sprintf("weight%d", size), &t.weight)
			gather(w, single, wide, fmt.Sprintf("spread%d", size), &t.spread)
			scatter(w, single, fmt.Sprintf("output%d", size), &t.output, finish)
			scatter(w, single, fmt.Sprintf("outputAdd%d", size), &t.output, add)
			scatter(w, single, fmt.Sprintf("gradient%d", size), &t.gradient, move)
			scatter(w, single, fmt.Sprintf("gradientAdd%d", size), &t.gradient, add)
			gather(w, half, wide, fmt.Sprintf("halfInput%d", size), &t.input)
			gather(w, half, wide, fmt.Sprintf("halfSpread%d", size), &t.spread)
			if w.wide() {
				gather(w, half, narrow, fmt.Sprintf("pairInput%d", size), &t.input)
				gather(w, half, low, fmt.Sprintf("lowInput%d", size), &t.input)
				gather(w, half, high, fmt.Sprintf("highInput%d", size), &t.input)
				gather(w, half, low, fmt.Sprintf("lowSpread%d", size), &t.spread)
				gather(w, half, high, fmt.Sprintf("highSpread%d", size), &t.spread)
			}
			scatter(w, half, fmt.Sprintf("halfOutput%d", size), &t.output, finish)
			scatter(w, half, fmt.Sprintf("halfOutputAdd%d", size), &t.output, add)
		}
		gather(w, single, wide, "stridedInput", &strided.input)
		gather(w, single, wide, "stridedWeight", &strided.weight)
		gather(w, single, wide, "stridedSpread", &strided.spread)
		scatter(w, single, "stridedOutput", &strided.output, finish)
		scatter(w, single, "stridedOutputAdd", &strided.output, add)
		scatter(w, single, "stridedGradient", &strided.gradient, move)
		scatter(w, single, "stridedGradientAdd", &strided.gradient, add)
		gather(w, single, wide, "turnedInput", &strided.turnedInput)
		scatter(w, single, "turnedOutput", &strided.turnedOutput, finish)
		scatter(w, single, "turnedOutputAdd", &strided.turnedOutput, add)
		factors(w, "left", &left)
		factors(w, "right", &right)
		sums(w, "product", &product, finish)
		sums(w, "productAdd", &product, add)
		sums(w, "quarters", &product, move)
	}
	writeConstants()
	writeRounding()
	Generate()
}

func kernel(name string, w isaWidth, doc, signature string) {
	TEXT(name+w.name, NOSPLIT, signature)
	Doc(doc)
	Pragma("noescape")
}

func integer(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

func param(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// positions is the strided side of a transform: a square of n by n vectors,
// the first at base, one after the other stride bytes apart.
type positions struct {
	n           int
	base        reg.GPVirtual
	stride, row reg.GPVirtual // bytes to the next vector, to the next row
	q           reg.GPVirtual // free
	element     element
}

// newPositions reads the stride, in values, from the kernel's parameter.
func newPositions(base reg.GPVirtual, n int, e element) *positions {
	p := &positions{n: n, base: base, stride: integer("stride"), row: GP64(), q: GP64(), element: e}
	SHLQ(Imm(uint64(e/2)), p.stride)
	switch n {
	case 4:
		MOVQ(p.stride, p.row)
		SHLQ(Imm(2), p.row)
	case 5:
		LEAQ(Mem{Base: p.stride, Index: p.stride, Scale: 4}, p.row)
	case 6:
		LEAQ(Mem{Base: p.stride, Index: p.stride, Scale: 2}, p.row)
		ADDQ(p.row, p.row)
	case 9:
		LEAQ(Mem{Base: p.stride, Index: p.stride, Scale: 8}, p.row)
	}
	return p
}

// multiples returns 3 and 5 times a distance, as far as n positions need them.
func (p *positions) multiples(distance reg.GPVirtual) (three, five reg.GPVirtual) {
	three = GP64()
	LEAQ(Mem{Base: distance, Index: distance, Scale: 2}, three)
	if p.n > 4 {
		five = GP64()
		LEAQ(Mem{Base: distance, Index: distance, Scale: 4}, five)
	}
	return three, five
}

// times is the place i distances after q, given three and five times the
// distance.
func times(q reg.GPVirtual, i int, distance, three, five reg.GPVirtual) Mem {
	switch i {
	case 0:
		return Mem{Base: q}
	case 3:
		return Mem{Base: q, Index: three, Scale: 1}
	case 5:
		return Mem{Base: q, Index: five, Scale: 1}
	case 6:
		return Mem{Base: q, Index: three, Scale: 2}
	case 7:
		six := GP64()
		LEAQ(Mem{Base: q, Index: three, Scale: 2}, six)
		return Mem{Base: six, Index: distance, Scale: 1}
	}
	return Mem{Base: q, Index: distance, Scale: uint8(i)}
}

// pixels is the other side: a vector behind each pointer of a table.
type pixels struct {
	table, index, pointer reg.GPVirtual
	element               element
}

func (p *pixels) at(i int) Mem {
	MOVQ(Mem{Base: p.table, Disp: 8 * i}, p.pointer)
	return Mem{Base: p.pointer, Index: p.index, Scale: uint8(p.element)}
}

// each loops over the tiles, and in them over the channels: from tile to tile
// the strided side moves by the parameter step and the pixels by pixelStep,
// from vector to vector both by a vector. begin is run for every tile.
func each(w isaWidth, p *positions, px *pixels, begin, body func()) {
	first, start, left := GP64(), GP64(), GP64()
	XORQ(first, first)
	MOVQ(p.base, start)
	Label("tile")
	MOVQ(first, px.index)
	MOVQ(start, p.base)
	MOVQ(param("channels"), left)
	begin()
	Label("vector")
	body()
	ADDQ(I32(int32(w.bytes/4*int(p.element))), p.base)
	ADDQ(I32(int32(w.bytes/4)), px.index)
	SUBQ(I32(int32(w.bytes/4)), left)
	JG(LabelRef("vector"))
	MOVQ(param("step"), left)
	LEAQ(Mem{Base: start, Index: left, Scale: uint8(p.element)}, start)
	ADDQ(param("pixelStep"), first)
	DECQ(param("tiles"))
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// columns applies m to the columns of a square of which load reads vector
// (i, j), for a group of rows. The result is by row of the group, then column.
func columns(w isaWidth, e element, m *matrix, o *ops, group []int, load func(i, j int) Mem) [][]reg.VecVirtual {
	half := make([][]reg.VecVirtual, m.out)
	for j := range m.in {
		loaded := make([]reg.VecVirtual, m.in)
		m.apply(o, func(i int) reg.VecVirtual {
			if loaded[i] == nil {
				loaded[i] = w.vec()
				e.load(load(i, j), loaded[i])
			}
			return loaded[i]
		}, func(row int) bool { return slices.Contains(group, row) }, func(row int, v reg.VecVirtual) {
			half[row] = append(half[row], v)
		})
	}
	return half
}

// row applies m to one row that columns computed.
func row(m *matrix, o *ops, line []reg.VecVirtual, to func(j int, v reg.VecVirtual)) {
	m.apply(o, func(i int) reg.VecVirtual { return line[i] }, func(int) bool { return true }, to)
}

const gatherSignature = "func(dst *float32, stride int, step int, src **float32, pixelStep int, tiles int, channels int)"

// gather writes a transform from pixels of an element to positions.
func gather(w isaWidth, e element, to packing, name string, m *matrix) {
	kernel(name, w, "See GatherFunc.", gatherSignature)
	p := newPositions(integer("dst"), m.out, to.size())
	three, five := p.multiples(p.stride)
	px := &pixels{integer("src"), GP64(), GP64(), e}
	o := newOps(w, m)
	each(w, p, px, func() {}, func() {
		for _, group := range m.groups(w) {
			half := columns(w, e, m, o, group, func(i, j int) Mem { return px.at(i*m.in + j) })
			for i, g := range group {
				switch {
				case g == 0:
					MOVQ(p.base, p.q)
				case i > 0 && g == group[i-1]+1:
					ADDQ(p.row, p.q)
				default:
					near := 1 << (bits.Len(uint(g)) - 1)
					LEAQ(times(p.base, near, p.row, nil, nil), p.q)
					for range g - near {
						ADDQ(p.row, p.q)
					}
				}
				row(m, o, half[g], func(j int, v reg.VecVirtual) {
					to.put(v, times(p.q, j, p.stride, three, five))
				})
			}
		}
	})
}

// ending is what happens to a value of a pixel.
type ending int

const (
	move   ending = iota
	add           // to what is there
	finish        // the bias added, then clipped
)

// scatterSignature is that of a transform to pixels, and its comment.
func scatterSignature(e ending) (signature, doc string) {
	if e == finish {
		return "func(dst **float32, pixelStep int, src *float32, stride int, step int, tiles int, channels int, bias *float32, biasStep int, low float32, high float32)", "See OutputFunc."
	}
	return "func(dst **float32, pixelStep int, src *float32, stride int, step int, tiles int, channels int)", "See ScatterFunc."
}

// finishing writes pixels with an ending.
type finishing struct {
	w         isaWidth
	e         ending
	bias      reg.GPVirtual
	low, high reg.VecVirtual
}

func newFinishing(w isaWidth, e ending) *finishing {
	f := &finishing{w: w, e: e}
	if e == finish {
		f.bias, f.low, f.high = GP64(), w.vec(), w.vec()
		VBROADCASTSS(param("low"), f.low)
		VBROADCASTSS(param("high"), f.high)
	}
	return f
}

// begin is for the first channels of a tile, next for those that follow.
func (f *finishing) begin() {
	if f.e == finish {
		MOVQ(param("bias"), f.bias)
	}
}

func (f *finishing) next() {
	if f.e == finish {
		ADDQ(I32(int32(f.w.bytes)), f.bias)
	}
}

// put writes v to a pixel, whose bias is that of a half of all columns.
func (f *finishing) put(el element, v reg.VecVirtual, to Mem, half int) {
	switch f.e {
	case add:
		el.add(f.w, to, v)
	case finish:
		bias := Mem{Base: f.bias}
		if half == 1 {
			step := GP64()
			MOVQ(param("biasStep"), step)
			bias = Mem{Base: f.bias, Index: step, Scale: 4}
		}
		VADDPS(bias, v, v)
		// The value is the second source, which is
		// returned where one is not a number.
		VMAXPS(v, f.low, v)
		VMINPS(v, f.high, v)
	}
	el.store(f.w, v, to)
}

// scatter writes a transform from positions to pixels.
func scatter(w isaWidth, el element, name string, m *matrix, e ending) {
	signature, doc := scatterSignature(e)
	kernel(name, w, doc, signature)
	p := newPositions(integer("src"), m.in, single)
	three, five := p.multiples(p.row)
	px := &pixels{integer("dst"), GP64(), GP64(), el}
	o := newOps(w, m)
	f := newFinishing(w, e)
	each(w, p, px, f.begin, func() {
		for _, group := range m.groups(w) {
			column := -1
			half := columns(w, single, m, o, group, func(i, j int) Mem {
				switch {
				case j == column:
				case j == 0:
					MOVQ(p.base, p.q)
				default:
					ADDQ(p.stride, p.q)
				}
				column = j
				return times(p.q, i, p.row, three, five)
			})
			for _, g := range group {
				row(m, o, half[g], func(j int, v reg.VecVirtual) {
					f.put(el, v, px.at(g*m.out+j), 0)
				})
			}
		}
		f.next()
	})
}

// Constants lie in memory, a full vector each, shared by all kernels.
var constants []float64

// constant is the place of a vector whose lanes all have this value.
func constant(value float64) Mem {
	i := slices.Index(constants, value)
	if i < 0 {
		i = len(constants)
		constants = append(constants, value)
	}
	return NewDataAddr(Symbol{Name: fmt.Sprintf("constant%d", i), Static: true}, 0)
}

func writeConstants() {
	for i, value := range constants {
		GLOBL(fmt.Sprintf("constant%d", i), attr.RODATA|attr.NOPTR)
		for lane := range zmm.bytes / 4 {
			DATA(4*lane, F32(float32(value)))
		}
	}
}
