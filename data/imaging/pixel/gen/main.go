// Gen writes the assembly of package pixel. Run it in that package's folder:
//
//	go run ./gen -out kernels_amd64.s -stubs kernels_amd64.go -pkg pixel
package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	idct()
	upsample("upsampleAcrossAVX2", false)
	upsample("upsampleBothAVX2", true)
	yccToRGB()
	luma()
	transpose()
	for _, w := range []width{avx2, avx512} {
		resampleRows(w, 1)
		resampleRows(w, 3)
		resampleColumns(w, false)
		resampleColumns(w, true)
		normalize(w)
	}
	blend()
	smooth()
	boxDown()
	for _, cubic := range []bool{false, true} {
		name := map[bool]string{false: "bilinear", true: "bicubic"}[cubic]
		interpolate(name+"AVX2", cubic, true)
		interpolate(name+"RowAVX2", cubic, false)
	}
	writeConstants()
	Generate()
}

// function begins a kernel; the caller writes its body and calls end.
func function(name, doc, params string) {
	functionOf(name, doc, params, "")
}

// functionOf is function with a result.
func functionOf(name, doc, params, result string) {
	TEXT(name, attr.NOSPLIT, "func("+params+") "+result)
	Pragma("noescape")
	Doc(name + " " + doc)
}

func end() {
	VZEROUPPER()
	RET()
}

func param(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// at is the memory bytes behind a pointer.
func at(p reg.Register, bytes int) Mem { return Mem{Base: p, Disp: bytes} }

// Constants are vectors of 32 bytes, and of 64 where AVX-512 reads them.

type constant struct {
	name  string
	words []uint32
}

var (
	constants []constant
	known     = map[string]bool{}
)

func vector(name string, words []uint32) Mem {
	if !known[name] {
		known[name] = true
		constants = append(constants, constant{name, words})
	}
	return NewDataAddr(Symbol{Name: name, Static: true}, 0)
}

// splat is a vector of one 32-bit value.
func splat(v int32) Mem {
	words := make([]uint32, 16)
	for i := range words {
		words[i] = uint32(v)
	}
	return vector(fmt.Sprintf("splat%08x", uint32(v)), words)
}

// pairs is a vector of 16-bit values low, high, low, high and so on.
func pairs(low, high int) Mem {
	return splat(int32(uint32(uint16(int16(low))) | uint32(uint16(int16(high)))<<16))
}

func splatFloat(v float32) Mem { return splat(int32(math.Float32bits(v))) }

// bytes16 is a shuffle, the same in both halves of a vector. Negative is zero.
func bytes16(name string, order [16]int) Mem {
	words := make([]uint32, 8)
	for i, from := range order {
		b := uint32(0x80)
		if from >= 0 {
			b = uint32(from)
		}
		words[i/4] |= b << (8 * (i % 4))
		words[4+i/4] |= b << (8 * (i % 4))
	}
	return vector(name, words)
}

func writeConstants() {
	for _, c := range constants {
		GLOBL(c.name, attr.RODATA|attr.NOPTR)
		for i, w := range c.words {
			DATA(4*i, U32(w))
		}
	}
}

var labels int

func label(what string) string {
	labels++
	return fmt.Sprintf("%s%d", what, labels)
}
