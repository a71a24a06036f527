package main

import (
	"slices"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The kernels between float32 and bfloat16 take whole vectors alone: lengths are
// multiples of the width.
var bfloat16Kernels = []definition{
	{"widen", "is y = x.", "y []float32, x []uint16", func(k *kernel) {
		n, y, x := k.length("y"), k.pointer("y"), k.pointer("x")
		k.whole(n, func() { VMOVUPS(k.loadHalf(x), k.at(y, 4)) })
	}},
	{"narrow", "is y = x, rounded.", "y []uint16, x []float32", func(k *kernel) {
		n, y, x := k.length("y"), k.pointer("y"), k.pointer("x")
		k.whole(n, func() { k.storeHalf(k.rounded(k.load(x)), y) })
	}},
	{"pairs", "is y = lo in the lower, hi in the upper half, rounded.", "y []uint32, lo, hi []float32", func(k *kernel) {
		n, y, lo, hi := k.length("y"), k.pointer("y"), k.pointer("lo"), k.pointer("hi")
		k.whole(n, func() {
			low, high := k.rounded(k.load(lo)), k.rounded(k.load(hi))
			VPSLLD(U8(16), high, high)
			VMOVUPS(k.or(low, high), k.at(y, 4))
		})
	}},
}

// whole runs body for each vector of n elements, of which there are whole vectors.
func (k *kernel) whole(n reg.GPVirtual, body func()) {
	next, done := k.label("next"), k.label("done")
	k.index = GP64()
	XORL(k.index.As32(), k.index.As32())
	TESTQ(n, n)
	JZ(LabelRef(done))
	Label(next)
	body()
	ADDQ(I32(k.width), k.index)
	CMPQ(k.index, n)
	JL(LabelRef(next))
	Label(done)
}

// loadHalf reads the vector at hand of a slice of bfloat16; the lanes beyond the tail
// are zero.
func (k *kernel) loadHalf(base reg.GPVirtual) vector {
	v, m := k.newVector(), k.at(base, 2)
	switch {
	case k.mask == nil:
		VPMOVZXWD(m, v)
	case k.wide():
		VPMOVZXWD_Z(m, k.mask.k, v)
	default:
		// One by one from the last: reading eight could leave the slice.
		x := v.AsX()
		VPXOR(x, x, x)
		k.eachTail(true, func() {
			VPSLLDQ(U8(2), x, x)
			VPINSRW(U8(0), m, x, x)
		})
		VPMOVZXWD(x, v)
	}
	VPSLLD(U8(16), v, v)
	return v
}

// eachTail runs body for each of the tail's elements, in order or backward, with the
// index on it. It needs no register of its own.
func (k *kernel) eachTail(backward bool, body func()) {
	next := k.label("half")
	count, step := k.mask.count, INCQ
	if backward {
		ADDQ(count, k.index)
		step = DECQ
	}
	Label(next)
	if backward {
		step(k.index)
	}
	body()
	if !backward {
		step(k.index)
	}
	DECQ(count)
	JNZ(LabelRef(next))
	if !backward {
		SUBQ(k.left, k.index)
	}
	MOVQ(k.left, count)
}

// rounded is v as bfloat16 in the lower half of each lane: to the nearest, of two
// equally near ones to the even one. What is not a number stays so.
func (k *kernel) rounded(v vector) vector {
	upper := k.newVector()
	VPSRLD(U8(16), v, upper)
	odd := k.and(upper, k.bits(1))
	VPADDD(k.bits(0x7fff), odd, odd)
	VPADDD(v, odd, odd)
	VPSRLD(U8(16), odd, odd)
	return k.choose(k.compare(v, unordered, v), k.or(upper, k.bits(0x40)), odd)
}

// storeHalf writes the lower halves of the vector at hand and nothing beyond the tail.
func (k *kernel) storeHalf(v vector, base reg.GPVirtual) {
	m := k.at(base, 2)
	switch {
	case k.wide() && k.mask == nil:
		VPMOVDW(v, m)
	case k.wide():
		VPMOVDW(v, k.mask.k, m)
	default:
		x := XMM()
		VEXTRACTI128(U8(1), v, x)
		VPACKUSDW(x, v.AsX(), x)
		if k.mask == nil {
			VMOVUPS(x, m)
			return
		}
		k.eachTail(false, func() {
			VPEXTRW(U8(0), x, m)
			VPSRLDQ(U8(2), x, x)
		})
	}
}

// half is a kernel for these parameters in bfloat16: arithmetic stays float32.
func (d definition) half(names ...string) definition {
	var params []string
	for _, typ := range []string{"[]float32", "[]uint8", "[]int", "int", "float32", "[]float64"} {
		for _, name := range parametersOfType(d.params, typ) {
			t := typ
			if slices.Contains(names, name) {
				t = "[]uint16"
			}
			params = append(params, name+" "+t)
		}
	}
	// In the order of the original.
	order := parameterNames(d.params)
	slices.SortFunc(params, func(a, b string) int {
		return slices.Index(order, strings.Fields(a)[0]) - slices.Index(order, strings.Fields(b)[0])
	})
	return definition{d.name + "Half", d.doc, strings.Join(params, ", "), d.body}
}

// halfOf is for which parameters a kernel exists in bfloat16, too.
var halfOf = map[string][]string{
	"add": {"y", "a", "b"}, "addClip": {"y", "a", "b"}, "mul": {"y", "a", "b"},
	"relu": {"y", "x"}, "reluGrad": {"y", "dy", "out"}, "clip": {"y", "x"}, "clipGrad": {"y", "dy", "x"},
	"scale": {"y", "x"}, "channelSum": {"x"}, "clipGradSum": {"dx", "dy", "y"}, "moments": {"x"},
	"maskMoments": {"dy", "x", "y"}, "maskMomentsClip": {"dy", "x"}, "gradMoments": {"dy", "x"},
	"normalize": {"y", "x"}, "normalizeAdd": {"y", "x", "residual"},
	"gradMomentsClip": {"dy", "x"}, "gradMomentsMasked": {"dy", "x", "y"}, "gradMomentsStore": {"masked", "dy", "x", "y"},
	"normalizeGrad": {"dx", "dy", "x"}, "normalizeGradClip": {"dx", "dy", "x"}, "normalizeGradMasked": {"dx", "dy", "x", "y"},
	"maxPool": {"y", "x"}, "maxPoolGrad": {"dx", "dy"}, "maxPoolGradApart": {"dx", "dy"}, "avgPool": {"y", "x"}, "avgPoolGrad": {"dx", "dy"},
}

// halfKernels are those.
func halfKernels(all []definition) []definition {
	var halves []definition
	for _, d := range all {
		if names := halfOf[d.name]; names != nil {
			halves = append(halves, d.half(names...))
		}
	}
	return halves
}
