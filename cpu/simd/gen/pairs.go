package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/seed52467199/trainer/cpu/internal/evex"
)

// The kernels for pairs of bfloat16. Those of package evex name physical vectors, which
// are chosen here.

var zmms = [32]reg.VecPhysical{
	reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
	reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
	reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
	reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
}

// The vectors after the accumulators, which are the first ones.
const (
	firstB  = 24 // two
	firstX  = 26 // two, in turn
	firstLo = 28 // the bounds
	rounded = 30
)

func pairKernels() {
	pairRows(12, 2)
	pairRows(12, 1)
	pairCols(8, 2)
	pairCols(12, 1)
	for _, n := range []int{16, 32} {
		pairGather(n)
	}
	for _, n := range []int{8, 12} {
		pairDeal(n)
	}
}

func firstVectors(from, n int) []Op {
	v := make([]Op, n)
	for i := range v {
		v[i] = zmms[from+i]
	}
	return v
}

// dots adds the products of nv vectors at b with pairs, one for each of mr rows.
func dots(mr, nv int, b func(j int) Mem, pair func(i int) Mem) {
	for j := range nv {
		VMOVUPS(b(j), zmms[firstB+j])
	}
	for i := range mr {
		x := firstX + i%2
		VPBROADCASTD(pair(i), zmms[x])
		for j := range nv {
			evex.Dot(i*nv+j, x, firstB+j)
		}
	}
}

// pairRows writes the kernel of PairRows: mr rows by nv vectors.
func pairRows(mr, nv int) {
	kernel("pairRows", zmm, mr, 16*nv, "See PairRows.",
		"func("+rowsParameters+", y *uint16, rowY *int, add int, beside **uint16, maps int)")
	fetch := &besideFetch{table: "rowY", size: 2, rows: mr, bytes: 32 * nv, times: 2}
	sum := rowsBody(zmm, mr, nv, fetch, func() func(p []reg.GPVirtual, q, b reg.GPVirtual, acc []Op, u int) {
		return func(p []reg.GPVirtual, q, b reg.GPVirtual, _ []Op, u int) {
			dots(mr, nv, func(j int) Mem { return Mem{Base: b, Disp: (u*nv + j) * 64} }, func(i int) Mem { return at(p[i], q, 4*u) })
		}
	})
	rowsFrameIn(zmm, mr, nv, firstVectors(0, mr*nv), firstVectors(firstLo, 2), sum, func(storeRows func(), q, b reg.GPVirtual) {
		MOVQ(param("y"), b)
		TESTQ(b, b)
		JZ(LabelRef("wide"))
		MOVQ(param("add"), q)
		TESTQ(q, q)
		JZ(LabelRef("narrow"))
		eachRow("y", "rowY", 2, mr, b, q, func(i int, c reg.GPVirtual) {
			for j := range nv {
				VPMOVZXWD(Mem{Base: c, Disp: 32 * j}, reg.Z30)
				VPSLLD(Imm(16), reg.Z30, reg.Z30)
				VADDPS(reg.Z30, zmms[i*nv+j], zmms[i*nv+j])
			}
		})
		Label("narrow")
		eachRow("y", "rowY", 2, mr, b, q, func(i int, c reg.GPVirtual) {
			for j := range nv {
				evex.Round(rounded, i*nv+j)
				VMOVUPS(reg.Y30, Mem{Base: c, Disp: 32 * j})
			}
		})
		ADDQ(Imm(uint64(8*mr)), param("rowY"))
		JMP(LabelRef("stored"))
		Label("wide")
		storeRows()
		Label("stored")
	}, func() {})
}

// pairCols writes the kernel of PairCols: mr columns of a by nv vectors of b.
func pairCols(mr, nv int) {
	kernel("pairCols", zmm, mr, 16*nv, "See PairCols.", colsSignature)
	colsOver(zmm, firstVectors(0, mr*nv), func(a, q, b reg.GPVirtual, _ []Op) {
		dots(mr, nv, func(j int) Mem { return Mem{Base: b, Disp: 64 * j} }, func(i int) Mem { return at(a, q, 4*i) })
	})
}

// pairGather writes the kernel of PairGather for pieces of n channels.
func pairGather(n int) {
	TEXT(fmt.Sprintf("pairGatherAVX2_%d", n), NOSPLIT, "func(dst *float32, src *uint16, pieces int, step int, pixel int)")
	Doc("See PairGatherFunc.")
	gathering(n, 1, pairing(n))
}

// pairDeal writes the kernel of PairDeal for pieces of n channels.
func pairDeal(n int) {
	TEXT(fmt.Sprintf("pairDealAVX2_%d", n), NOSPLIT, "func(dst *float32, src *uint16, pixels int, step int, panels int, panelStep int, pixel int)")
	Doc("See PairDealFunc.")
	dealing(n, 1, pairing(n))
}

// pairing is what makes pairs of n channels, a multiple of four, of two pixels.
func pairing(n int) func(from, to Mem) {
	var second reg.Register
	return func(from, to Mem) {
		if second == nil {
			second = GP64()
		}
		MOVQ(param("pixel"), second)
		LEAQ(Mem{Base: from.Base, Index: second, Scale: 2}, second)
		for c := 0; c < n; {
			var low, high Op = YMM(), YMM()
			lanes := 8
			if n-c < 8 {
				low, high, lanes = XMM(), XMM(), 4
			}
			VPMOVZXWD(from.Offset(2*c), low)
			VPMOVZXWD(Mem{Base: second, Disp: 2 * c}, high)
			VPSLLD(Imm(16), high, high)
			VPOR(low, high, high)
			VMOVDQU(high, to.Offset(4*c))
			c += lanes
		}
	}
}
