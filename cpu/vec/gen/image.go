package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// bytePattern is the period of the per-channel values of normalizeBytes: whole
// vectors of either width, whole pixels of one or three channels.
const bytePattern = 48

var imageKernels = []definition{
	{"normalizeBytes", "is y = x*scale + shift, with patterns of 48 for scale and shift.", "y []float32, x []uint8, scale, shift []float32", func(k *kernel) {
		n, y, x, scale, shift := k.length("y"), k.pointer("y"), k.pointer("x"), k.pointer("scale"), k.pointer("shift")
		next, done := k.label("next"), k.label("done")
		Label(next)
		CMPQ(n, I32(bytePattern))
		JL(LabelRef(done))
		for lane := 0; lane < bytePattern; lane += k.width {
			v, s := k.newVector(), k.newVector()
			VPMOVZXBD(Mem{Base: x, Disp: lane}, v)
			VCVTDQ2PS(v, v)
			VMOVUPS(Mem{Base: scale, Disp: 4 * lane}, s)
			VFMADD213PS(Mem{Base: shift, Disp: 4 * lane}, s, v)
			VMOVUPS(v, Mem{Base: y, Disp: 4 * lane})
		}
		ADDQ(I32(bytePattern), x)
		ADDQ(I32(4*bytePattern), y)
		SUBQ(I32(bytePattern), n)
		JMP(LabelRef(next))
		Label(done)
		k.each(n, 1, func() {
			v, s := k.loadBytes(x), k.load(scale)
			VFMADD213PS(k.load(shift), s, v)
			k.store(v, y)
		})
	}},
}
