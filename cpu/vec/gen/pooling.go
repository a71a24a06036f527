package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// poolingVectors is the number of vectors of a pixel's channels that are done side
// by side: the loop over the window costs as much as the work in it.
const poolingVectors = 4

// pooling is a kernel over the output pixels of a run. For the n vectors at hand
// of a pixel's channels, f gets a function that runs its argument for each
// offset of the window, with the place of that input pixel.
func pooling(name, doc, params, window, output string, f func(k *kernel, n int, taps func(body func(at reg.GPVirtual)), ptr map[string]reg.GPVirtual)) definition {
	return definition{name, doc, params, func(k *kernel) {
		ptr := map[string]reg.GPVirtual{}
		for _, typ := range []string{"[]float32", "[]uint8", "[]uint16"} {
			for _, p := range parametersOfType(k.params, typ) {
				ptr[p] = k.pointer(p)
			}
		}
		offsets, taps := k.pointer("offsets"), k.length("offsets")
		cols, step, pixels := k.integer("cols"), k.integer("step"), k.integer("pixels")
		tail := k.tailMask(cols)
		overTaps := func(body func(reg.GPVirtual)) {
			t, at := GP64(), k.like(ptr[window])
			XORL(t.As32(), t.As32())
			next := k.label("tap")
			Label(next)
			MOVQ(Mem{Base: offsets, Index: t, Scale: 8}, at)
			LEAQ(Mem{Base: ptr[window], Index: at, Scale: uint8(k.size(at))}, at)
			body(at)
			INCQ(t)
			CMPQ(t, taps)
			JL(LabelRef(next))
		}
		k.repeat(pixels, func() {
			k.eachGroup(cols, poolingVectors, tail, func(n int) { f(k, n, overTaps, ptr) })
			k.advance(ptr[window], step)
			k.advance(ptr[output], cols)
			if index, ok := ptr["index"]; ok {
				ADDQ(cols, index)
			}
		})
	}}
}

// loadBytes reads the vector at hand of a slice of bytes as float32.
func (k *kernel) loadBytes(base reg.GPVirtual) vector {
	v, m := k.newVector(), k.at(base, 1)
	switch {
	case k.mask == nil:
		VPMOVZXBD(m, v)
	case k.wide():
		VPMOVZXBD_Z(m, k.mask.k, v)
	default:
		// Byte by byte from the last: reading eight could leave the slice.
		all, one, left, start := GP64(), GP64(), GP64(), GP64()
		XORL(all.As32(), all.As32())
		MOVQ(k.mask.count, left)
		LEAQ(m, start)
		next := k.label("byte")
		Label(next)
		SHLQ(U8(8), all)
		MOVBQZX(Mem{Base: start, Index: left, Scale: 1, Disp: -1}, one)
		ORQ(one, all)
		DECQ(left)
		JNZ(LabelRef(next))
		x := XMM()
		VMOVQ(all, x)
		VPMOVZXBD(x, v)
	}
	VCVTDQ2PS(v, v)
	return v
}

// storeBytes writes the vector at hand of whole numbers in 0..255 to a slice of bytes.
func (k *kernel) storeBytes(v vector, base reg.GPVirtual) {
	n, m := k.newVector(), k.at(base, 1)
	VCVTPS2DQ(v, n)
	if k.wide() {
		if k.mask == nil {
			VPMOVDB(n, m)
		} else {
			VPMOVDB(n, k.mask.k, m)
		}
		return
	}
	high, low := XMM(), n.AsX()
	VEXTRACTI128(U8(1), n, high)
	VPACKUSDW(high, low, low)
	VPACKUSWB(low, low, low)
	if k.mask == nil {
		VMOVQ(low, m)
		return
	}
	bits, at, left := GP64(), GP64(), GP64()
	VMOVQ(low, bits)
	LEAQ(m, at)
	MOVQ(k.mask.count, left)
	next := k.label("byte")
	Label(next)
	MOVB(bits.As8(), Mem{Base: at})
	SHRQ(U8(8), bits)
	INCQ(at)
	DECQ(left)
	JNZ(LabelRef(next))
}

func poolingParams(first string) string {
	return first + ", offsets []int, cols, step, pixels int"
}

// pooled are n vectors of which all lanes are zero, or what of makes them.
func (k *kernel) pooled(n int, of func() vector) []vector {
	var all []vector
	k.sideBySide(n, func(int) { all = append(all, of()) })
	return all
}

var poolingKernels = []definition{
	pooling("maxPool", "is y = the largest of the window, and index its place in offsets.",
		poolingParams("y []float32, index []uint8, x []float32"), "x", "y",
		func(k *kernel, n int, taps func(func(reg.GPVirtual)), ptr map[string]reg.GPVirtual) {
			best := k.pooled(n, k.newVector)
			for _, b := range best {
				VMOVUPS(k.bits(0xff800000), b)
			}
			where, tap, one := k.pooled(n, k.zero), k.zero(), k.broadcast(1)
			taps(func(at reg.GPVirtual) {
				k.sideBySide(n, func(i int) {
					v := k.load(at)
					m := k.either(k.compare(v, greater, best[i]), k.compare(v, unordered, v))
					VMOVAPS(k.choose(m, v, best[i]), best[i])
					VMOVAPS(k.choose(m, tap, where[i]), where[i])
				})
				VADDPS(one, tap, tap)
			})
			k.sideBySide(n, func(i int) {
				k.store(best[i], ptr["y"])
				k.storeBytes(where[i], ptr["index"])
			})
		}),
	pooling("maxPoolGrad", "adds dy to the place of each window's largest.",
		poolingParams("dx, dy []float32, index []uint8"), "dx", "dy",
		func(k *kernel, n int, taps func(func(reg.GPVirtual)), ptr map[string]reg.GPVirtual) {
			k.winners(n, taps, ptr, func(dy vector, at reg.GPVirtual) vector { return k.add(dy, k.load(at)) })
		}),
	pooling("maxPoolGradApart", "is dx = dy at the place of each window's largest, and 0 elsewhere in it.",
		poolingParams("dx, dy []float32, index []uint8"), "dx", "dy",
		func(k *kernel, n int, taps func(func(reg.GPVirtual)), ptr map[string]reg.GPVirtual) {
			k.winners(n, taps, ptr, func(dy vector, _ reg.GPVirtual) vector { return dy })
		}),
	pooling("avgPool", "is y = the sum of the window times scale.",
		poolingParams("y, x []float32")+", scale float32", "x", "y",
		func(k *kernel, n int, taps func(func(reg.GPVirtual)), ptr map[string]reg.GPVirtual) {
			sum := k.pooled(n, k.zero)
			taps(func(at reg.GPVirtual) {
				k.sideBySide(n, func(i int) { VADDPS(k.load(at), sum[i], sum[i]) })
			})
			scale := k.scalar("scale")
			k.sideBySide(n, func(i int) { k.store(k.mul(sum[i], scale), ptr["y"]) })
		}),
	pooling("avgPoolGrad", "adds dy times scale to each place of the window.",
		poolingParams("dx, dy []float32")+", scale float32", "dx", "dy",
		func(k *kernel, n int, taps func(func(reg.GPVirtual)), ptr map[string]reg.GPVirtual) {
			scale := k.scalar("scale")
			dy := k.pooled(n, func() vector { return k.mul(k.load(ptr["dy"]), scale) })
			taps(func(at reg.GPVirtual) {
				k.sideBySide(n, func(i int) { k.store(k.add(dy[i], k.load(at)), at) })
			})
		}),
}

// winners stores, at each place of the windows, what f makes of dy where that place
// won and of 0 elsewhere.
func (k *kernel) winners(n int, taps func(func(reg.GPVirtual)), ptr map[string]reg.GPVirtual, f func(dy vector, at reg.GPVirtual) vector) {
	where := k.pooled(n, func() vector { return k.loadBytes(ptr["index"]) })
	dy := k.pooled(n, func() vector { return k.load(ptr["dy"]) })
	tap, one := k.zero(), k.broadcast(1)
	taps(func(at reg.GPVirtual) {
		k.sideBySide(n, func(i int) {
			k.store(f(k.keep(k.compare(where[i], equal, tap), dy[i]), at), at)
		})
		VADDPS(one, tap, tap)
	})
}
