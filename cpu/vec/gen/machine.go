package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A target is an instruction set with its vector width.
type target struct {
	suffix string // ends the kernel's name; also the name of its isa.Level
	width  int    // float32 lanes of a vector
}

var (
	avx2   = target{"AVX2", 8}
	avx512 = target{"AVX512", 16}
)

func (t target) wide() bool { return t.width == 16 }

// constants are the read-only vectors that the kernels of one file share.
type constants struct {
	target target
	names  map[uint32]string
	order  []uint32
	mask   bool
}

func newConstants(t target) *constants {
	return &constants{target: t, names: map[uint32]string{}}
}

// splat is the place of a vector with these bits in every lane.
func (c *constants) splat(bits uint32) Mem {
	name, ok := c.names[bits]
	if !ok {
		name = fmt.Sprintf("splat%08x", bits)
		c.names[bits] = name
		c.order = append(c.order, bits)
	}
	return NewDataAddr(Symbol{Name: name, Static: true}, 0)
}

const maskTable = "tailMask"

func (c *constants) write() {
	for _, bits := range c.order {
		GLOBL(c.names[bits], attr.RODATA|attr.NOPTR)
		for lane := range c.target.width {
			DATA(4*lane, U32(bits))
		}
	}
	if c.mask {
		// width lanes of ones, then width lanes of zeros: read at lane
		// width-n it is the mask of the first n lanes.
		GLOBL(maskTable, attr.RODATA|attr.NOPTR)
		for lane := range 2 * c.target.width {
			bits := uint32(math.MaxUint32)
			if lane >= c.target.width {
				bits = 0
			}
			DATA(4*lane, U32(bits))
		}
	}
}

// vector is a register of the target's width.
type vector = reg.VecVirtual

// kernel is the function being written: the target, and where in the data the
// code at hand stands.
type kernel struct {
	target
	constants *constants
	params    string // of the function
	labels    int
	halves    map[reg.GPVirtual]bool // pointers to bfloat16

	index reg.GPVirtual // of the vector at hand, in elements, from the start of the row
	left  reg.GPVirtual // elements from there on
	lane  int           // distance of the vector at hand from index
	mask  *mask         // the lanes in use of the last, partial vector; nil for a whole one
}

func newKernel(t target, c *constants, params string) *kernel {
	return &kernel{target: t, constants: c, params: params, halves: map[reg.GPVirtual]bool{}}
}

// mask selects lanes: a vector of all-ones lanes (AVX2) or a mask register (AVX-512).
type mask struct {
	vector reg.VecVirtual
	k      reg.OpmaskVirtual
	count  reg.GPVirtual // how many, for a tail's mask
}

func (k *kernel) label(what string) string {
	k.labels++
	return fmt.Sprintf("%s%d", what, k.labels)
}

func (k *kernel) newVector() vector {
	if k.wide() {
		return ZMM()
	}
	return YMM()
}

// Parameters.

// pointer loads the address of a slice parameter's first element.
func (k *kernel) pointer(name string) reg.GPVirtual {
	p := Load(Param(name).Base(), GP64()).(reg.GPVirtual)
	k.halves[p] = slices.Contains(parametersOfType(k.params, "[]uint16"), name)
	return p
}

// like is a register for a pointer to what p points at.
func (k *kernel) like(p reg.GPVirtual) reg.GPVirtual {
	q := GP64()
	k.halves[q] = k.halves[p]
	return q
}

// size is the size in bytes of the elements behind a pointer to float32 or bfloat16.
func (k *kernel) size(base reg.GPVirtual) int {
	if k.halves[base] {
		return 2
	}
	return 4
}

// length loads the length of a slice parameter.
func (k *kernel) length(name string) reg.GPVirtual {
	return Load(Param(name).Len(), GP64()).(reg.GPVirtual)
}

// integer loads an int parameter.
func (k *kernel) integer(name string) reg.GPVirtual {
	return Load(Param(name), GP64()).(reg.GPVirtual)
}

// scalar loads a float32 parameter into every lane.
func (k *kernel) scalar(name string) vector {
	v := k.newVector()
	component, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(component.Addr, v)
	return v
}

// field loads float32 number i behind a pointer into every lane.
func (k *kernel) field(base reg.GPVirtual, i int) vector {
	v := k.newVector()
	VBROADCASTSS(Mem{Base: base, Disp: 4 * i}, v)
	return v
}

// Loops.

// each runs body over n elements: whole vectors, unroll of them at a time
// while they last, then the lanes that are left under a mask. Registers of n
// and of what body reads are unchanged.
func (k *kernel) each(n reg.GPVirtual, unroll int, body func()) {
	k.eachMasked(n, unroll, nil, body)
}

// eachMasked is each with the tail's mask made by the caller, for loops within loops.
func (k *kernel) eachMasked(n reg.GPVirtual, unroll int, tail *mask, body func()) {
	many, one, rest, done := k.label("many"), k.label("one"), k.label("rest"), k.label("done")
	k.index = GP64()
	left := GP64()
	k.left = left
	XORL(k.index.As32(), k.index.As32())
	MOVQ(n, left)
	if unroll > 1 {
		Label(many)
		CMPQ(left, I32(unroll*k.width))
		JL(LabelRef(one))
		for u := range unroll {
			k.lane = u * k.width
			body()
		}
		k.lane = 0
		ADDQ(I32(unroll*k.width), k.index)
		SUBQ(I32(unroll*k.width), left)
		JMP(LabelRef(many))
	}
	Label(one)
	CMPQ(left, I32(k.width))
	JL(LabelRef(rest))
	body()
	ADDQ(I32(k.width), k.index)
	SUBQ(I32(k.width), left)
	JMP(LabelRef(one))
	Label(rest)
	TESTQ(left, left)
	JZ(LabelRef(done))
	if tail == nil {
		tail = k.tailMask(left)
	}
	k.mask = tail
	body()
	k.mask = nil
	Label(done)
}

// eachGroup is eachMasked with a body that is given the number of vectors at hand,
// group while they last and then one, so that it can do them side by side.
func (k *kernel) eachGroup(n reg.GPVirtual, group int, tail *mask, body func(vectors int)) {
	many, one, rest, done := k.label("many"), k.label("one"), k.label("rest"), k.label("done")
	k.index = GP64()
	left := GP64()
	k.left = left
	XORL(k.index.As32(), k.index.As32())
	MOVQ(n, left)
	for _, loop := range []struct {
		name, next string
		vectors    int
	}{{many, one, group}, {one, rest, 1}} {
		Label(loop.name)
		CMPQ(left, I32(loop.vectors*k.width))
		JL(LabelRef(loop.next))
		body(loop.vectors)
		ADDQ(I32(loop.vectors*k.width), k.index)
		SUBQ(I32(loop.vectors*k.width), left)
		JMP(LabelRef(loop.name))
	}
	Label(rest)
	TESTQ(left, left)
	JZ(LabelRef(done))
	k.mask = tail
	body(1)
	k.mask = nil
	Label(done)
}

// sideBySide calls f for each of the vectors at hand in turn.
func (k *kernel) sideBySide(vectors int, f func(i int)) {
	for i := range vectors {
		k.lane = i * k.width
		f(i)
	}
	k.lane = 0
}

// repeat runs body n times; n counts down to zero.
func (k *kernel) repeat(n reg.GPVirtual, body func()) {
	next, done := k.label("next"), k.label("end")
	TESTQ(n, n)
	JZ(LabelRef(done))
	Label(next)
	body()
	DECQ(n)
	JNZ(LabelRef(next))
	Label(done)
}

// tailMask selects the first n%width lanes.
func (k *kernel) tailMask(n reg.GPVirtual) *mask {
	count := GP64()
	MOVQ(n, count)
	ANDQ(I32(k.width-1), count)
	if k.wide() {
		bits := GP32()
		MOVL(I32(-1), bits)
		BZHIL(count.As32(), bits, bits)
		m := K()
		KMOVW(bits, m)
		return &mask{k: m, count: count}
	}
	k.constants.mask = true
	table := GP64()
	LEAQ(NewDataAddr(Symbol{Name: maskTable, Static: true}, 4*k.width), table)
	NEGQ(count)
	v := YMM()
	VMOVDQU(Mem{Base: table, Index: count, Scale: 4}, v)
	NEGQ(count)
	return &mask{vector: v, count: count}
}

// Memory.

// at is the place of the vector at hand in an array of elements of size bytes.
func (k *kernel) at(base reg.GPVirtual, size int) Mem {
	return Mem{Base: base, Index: k.index, Scale: uint8(size), Disp: size * k.lane}
}

// load reads the vector at hand; the lanes beyond the tail are zero.
func (k *kernel) load(base reg.GPVirtual) vector {
	if k.halves[base] {
		return k.loadHalf(base)
	}
	v, m := k.newVector(), k.at(base, 4)
	switch {
	case k.mask == nil:
		VMOVUPS(m, v)
	case k.wide():
		VMOVUPS_Z(m, k.mask.k, v)
	default:
		VMASKMOVPS(m, k.mask.vector, v)
	}
	return v
}

// store writes the vector at hand and nothing beyond the tail.
func (k *kernel) store(v vector, base reg.GPVirtual) {
	if k.halves[base] {
		k.storeHalf(k.rounded(v), base)
		return
	}
	m := k.at(base, 4)
	switch {
	case k.mask == nil:
		VMOVUPS(v, m)
	case k.wide():
		VMOVUPS(v, k.mask.k, m)
	default:
		VMASKMOVPS(v, k.mask.vector, m)
	}
}

// storeExact is store of values that bfloat16 holds exactly: read as such, or zero.
func (k *kernel) storeExact(v vector, base reg.GPVirtual) {
	if !k.halves[base] {
		k.store(v, base)
		return
	}
	half := k.newVector()
	VPSRLD(U8(16), v, half)
	k.storeHalf(half, base)
}

// storePast writes the vector at hand past the caches. It must be whole and aligned.
func (k *kernel) storePast(v vector, base reg.GPVirtual) { VMOVNTPS(v, k.at(base, 4)) }

// advance moves a pointer by n elements.
func (k *kernel) advance(base, n reg.GPVirtual) {
	LEAQ(Mem{Base: base, Index: n, Scale: uint8(k.size(base))}, base)
}

// pointers loads the addresses of several slices.
func (k *kernel) pointers(names []string) []reg.GPVirtual {
	var all []reg.GPVirtual
	for _, name := range names {
		all = append(all, k.pointer(name))
	}
	return all
}

// loads reads the vector at hand of several slices.
func (k *kernel) loads(bases []reg.GPVirtual) []vector {
	var all []vector
	for _, base := range bases {
		all = append(all, k.load(base))
	}
	return all
}

// scalars loads every float32 parameter, in order.
func (k *kernel) scalars(params string) []vector {
	var all []vector
	for _, name := range parametersOfType(params, "float32") {
		all = append(all, k.scalar(name))
	}
	return all
}
