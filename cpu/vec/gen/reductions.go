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

// addDoubles adds vectors of float64 to the vector at hand of a slice.
func (k *kernel) addDoubles(v [2]vector, base reg.GPVirtual) {
	for h := range v {
		m := k.at(base, 8).Offset(4 * k.width * h)
		VADDPD(m, v[h], v[h])
		VMOVUPD(v[h], m)
	}
}

// Sums of columns that were made in float32 go on in float64, whole vectors alone.
var settlingKernels = []definition{
	{"addWide", "is y = y + x.", "y []float64, x []float32", func(k *kernel) {
		n, y, x := k.length("x"), k.pointer("y"), k.pointer("x")
		k.whole(n, func() { k.addDoubles(k.loadDouble(x), y) })
	}},
	{"settleMoments", "adds up x and x² of count rows, given the sums s of x-pivot and q of its square.", "sum, squares []float64, s, q, pivot []float32, count float32", func(k *kernel) {
		n, sum, squares := k.length("s"), k.pointer("sum"), k.pointer("squares")
		s, q, p := k.pointer("s"), k.pointer("q"), k.pointer("pivot")
		one, count := k.scalar("count"), k.newVector()
		if k.wide() {
			VCVTPS2PD(one.AsY(), count)
		} else {
			VCVTPS2PD(one.AsX(), count)
		}
		k.whole(n, func() {
			first, second, pivot := k.loadDouble(s), k.loadDouble(q), k.loadDouble(p)
			for h := range pivot {
				// q + pivot*(2s + count*pivot), and s + count*pivot
				shift, twice := k.newVector(), k.newVector()
				VMULPD(pivot[h], count, shift)
				VADDPD(first[h], shift, twice)
				VADDPD(first[h], twice, twice)
				VFMADD231PD(pivot[h], twice, second[h])
				VADDPD(shift, first[h], first[h])
			}
			k.addDoubles(first, sum)
			k.addDoubles(second, squares)
		})
	}},
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
