package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Operands named b may be vectors or constants in memory. Each operation
// leaves its operands as they are, except where it says so.

// c is a constant in every lane.
func (k *kernel) c(x float64) Op { return k.constants.splat(math.Float32bits(float32(x))) }

// bits is an integer constant in every lane.
func (k *kernel) bits(x uint32) Op { return k.constants.splat(x) }

// broadcast is a constant in a register.
func (k *kernel) broadcast(x float64) vector {
	v := k.newVector()
	VMOVUPS(k.c(x), v)
	return v
}

func (k *kernel) zero() vector {
	v := k.newVector()
	VXORPS(v, v, v)
	return v
}

func (k *kernel) copy(a vector) vector {
	v := k.newVector()
	VMOVAPS(a, v)
	return v
}

// binary is an instruction of the form r = a op b.
func (k *kernel) binary(op func(...Op), a vector, b Op) vector {
	r := k.newVector()
	op(b, a, r)
	return r
}

func (k *kernel) add(a vector, b Op) vector { return k.binary(VADDPS, a, b) }
func (k *kernel) sub(a vector, b Op) vector { return k.binary(VSUBPS, a, b) }
func (k *kernel) mul(a vector, b Op) vector { return k.binary(VMULPS, a, b) }
func (k *kernel) div(a vector, b Op) vector { return k.binary(VDIVPS, a, b) }
func (k *kernel) and(a vector, b Op) vector { return k.binary(VANDPS, a, b) }
func (k *kernel) or(a vector, b Op) vector  { return k.binary(VORPS, a, b) }

// max is the larger, and b where either is NaN or both are zero. So a NaN
// goes through where b is the data and a the bound.
func (k *kernel) max(a vector, b Op) vector { return k.binary(VMAXPS, a, b) }

// min is the smaller, and b where either is NaN or both are zero.
func (k *kernel) min(a vector, b Op) vector { return k.binary(VMINPS, a, b) }

// clamp limits x to the constants lo..hi; NaN stays.
func (k *kernel) clamp(x vector, lo, hi float64) vector {
	return k.min(k.broadcast(hi), k.max(k.broadcast(lo), x))
}

func (k *kernel) abs(x vector) vector { return k.and(x, k.bits(0x7fffffff)) }

func (k *kernel) sqrt(x vector) vector {
	r := k.newVector()
	VSQRTPS(x, r)
	return r
}

// fma is a*b + c.
func (k *kernel) fma(a vector, b Op, c vector) vector {
	r := k.copy(c)
	VFMADD231PS(b, a, r)
	return r
}

// fnma is c - a*b.
func (k *kernel) fnma(a vector, b Op, c vector) vector {
	r := k.copy(c)
	VFNMADD231PS(b, a, r)
	return r
}

// horner evaluates a polynomial, highest power first.
func (k *kernel) horner(x vector, coefficients ...float64) vector {
	r := k.broadcast(coefficients[0])
	for _, c := range coefficients[1:] {
		VFMADD213PS(k.c(c), x, r)
	}
	return r
}

// The predicates of compare; a NaN makes ordered ones false.
const (
	less           = 0x11
	greater        = 0x1e
	equal          = 0x00
	notLessOrEqual = 0x16 // or unordered
	unordered      = 0x03
	differs        = 0x0c
)

// compare is the lanes where a predicate b.
func (k *kernel) compare(a vector, predicate uint8, b Op) *mask {
	if k.wide() {
		m := K()
		VCMPPS(U8(predicate), b, a, m)
		return &mask{k: m}
	}
	m := YMM()
	VCMPPS(U8(predicate), b, a, m)
	return &mask{vector: m}
}

// both is the lanes in a and in b.
func (k *kernel) both(a, b *mask) *mask { return k.join(VANDPS, KANDW, a, b) }

// either is the lanes in a or in b.
func (k *kernel) either(a, b *mask) *mask { return k.join(VORPS, KORW, a, b) }

func (k *kernel) join(vectors func(...Op), masks func(a, b, r Op), a, b *mask) *mask {
	if k.wide() {
		m := K()
		masks(a.k, b.k, m)
		return &mask{k: m}
	}
	return &mask{vector: k.binary(vectors, a.vector, b.vector)}
}

// choose is yes in the lanes of m and no elsewhere.
func (k *kernel) choose(m *mask, yes Op, no vector) vector {
	r := k.newVector()
	if k.wide() {
		VBLENDMPS(yes, no, m.k, r)
	} else {
		VBLENDVPS(m.vector, yes, no, r)
	}
	return r
}

// keep is a in the lanes of m and zero elsewhere.
func (k *kernel) keep(m *mask, a vector) vector {
	r := k.newVector()
	if k.wide() {
		VMOVAPS_Z(a, m.k, r)
	} else {
		VANDPS(a, m.vector, r)
	}
	return r
}

// inTail is a with the lanes beyond the tail set to zero.
func (k *kernel) inTail(a vector) vector {
	if k.mask == nil {
		return a
	}
	return k.keep(k.mask, a)
}
