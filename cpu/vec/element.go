package vec

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/isa"
)

// Element is what maps are made of: float32, or the bits of a bfloat16, with which
// functions compute as with the float32 that they stand for; results are rounded as
// [Round] does.
type Element interface{ float32 | uint16 }

// Halves tells whether the functions over an Element take bfloat16 at the level in
// force. Elsewhere they must be given float32.
func Halves() bool { return active > isa.Generic }

func isHalf[E Element]() bool { return unsafe.Sizeof(E(0)) == 2 }

// singles is x as float32, which it must be.
func singles[E Element](x []E) []float32 {
	if isHalf[E]() {
		panic("vec: bfloat16 at a level without kernels for it")
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// halves is x as bfloat16, which it must be.
func halves[E Element](x []E) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// widened is x as float32: x itself, or its values in memory.
func widened[E Element](memory []float32, x []E) []float32 {
	if !isHalf[E]() {
		return singles(x)
	}
	memory = memory[:len(x)]
	Widen(memory, halves(x))
	return memory
}
