package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A reduction leaves one partial result a lane in the slice acc, which the
// caller combines: sums in float64 in [16]float64, others in [16]float32.

// loadDouble reads the vector at hand as two vectors of float64.
func (k *kernel) loadDouble(base reg.GPVirtual) [2]vector {
	lo, hi := k.newVector(), k.newVector()
	if k.mask == nil {
		m := k.at(base, 4)
		VCVTPS2PD(m, lo)
		VCVTPS2PD(m.Offset(2*k.width), hi)
		return [2]vector{lo, hi}
	}
	x := k.load(base)
	if k.wide() {
		half := YMM()
		VEXTRACTF64X4(U8(1), x, half)
		VCVTPS2PD(x.AsY(), lo)
		VCVTPS2PD(half, hi)
	} else {
		half := XMM()
		VEXTRACTF128(U8(1), x, half)
		VCVTPS2PD(x.AsX(), lo)
		VCVTPS2PD(half, hi)
	}
	return [2]vector{lo, hi}
}

// doubleSum is a kernel that adds up, in float64, what f adds to the
// accumulators for a vector of each input. Four vectors have accumulators of
// their own, to hide the latency of addition.
func doubleSum(name, doc, params string, inputs []string, f func(k *kernel, acc vector, x []vector)) definition {
	return definition{name, doc, params, func(k *kernel) {
		n, out := k.length(inputs[0]), k.pointer("acc")
		in := k.pointers(inputs)
		const unroll = 4
		var acc [unroll][2]vector
		for u := range acc {
			acc[u] = [2]vector{k.zero(), k.zero()}
		}
		k.each(n, unroll, func() {
			u := k.lane / k.width
			var halves [2][]vector
			for _, base := range in {
				d := k.loadDouble(base)
				halves[0] = append(halves[0], d[0])
				halves[1] = append(halves[1], d[1])
			}
			for h := range halves {
				f(k, acc[u][h], halves[h])
			}
		})
		for h := range 2 {
			VADDPD(acc[1][h], acc[0][h], acc[0][h])
			VADDPD(acc[3][h], acc[2][h], acc[2][h])
			VADDPD(acc[2][h], acc[0][h], acc[0][h])
			VMOVUPD(acc[0][h], Mem{Base: out, Disp: 4 * k.width * h})
		}
	}}
}

var reductionKernels = []definition{
	doubleSum("sum", "adds up x in lanes.", "acc []float64, x []float32", []string{"x"},
		func(k *kernel, acc vector, x []vector) { VADDPD(x[0], acc, acc) }),
	doubleSum("sumSquares", "adds up x² in lanes.", "acc []float64, x []float32", []string{"x"},
		func(k *kernel, acc vector, x []vector) { VFMADD231PD(x[0], x[0], acc) }),
	doubleSum("dot", "adds up a*b in lanes.", "acc []float64, a, b []float32", []string{"a", "b"},
		func(k *kernel, acc vector, x []vector) { VFMADD231PD(x[0], x[1], acc) }),
	{"maximum", "takes the largest x in lanes; a NaN makes its lane NaN.", "acc, x []float32", func(k *kernel) {
		n, x, out := k.length("x"), k.pointer("x"), k.pointer("acc")
		best := k.newVector()
		VMOVUPS(Mem{Base: out}, best)
		nan := k.zero() // collects the NaNs, which the maximum passes over
		k.each(n, 4, func() {
			v := k.load(x)
			VADDPS(k.keep(k.compare(v, unordered, v), v), nan, nan)
			if k.mask != nil {
				v = k.choose(k.mask, v, best)
			}
			VMAXPS(best, v, best)
		})
		VADDPS(nan, best, best)
		VMOVUPS(best, Mem{Base: out})
	}},
	{"finite", "adds up 0*x in lanes: zero where every x is finite, else NaN.", "acc, x []float32", func(k *kernel) {
		n, x, out := k.length("x"), k.pointer("x"), k.pointer("acc")
		zero := k.zero()
		acc := [2]vector{k.zero(), k.zero()}
		k.each(n, 2, func() { VFMADD231PS(k.load(x), zero, acc[k.lane/k.width]) })
		VADDPS(acc[1], acc[0], acc[0])
		VMOVUPS(acc[0], Mem{Base: out})
	}},
}
