package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

var lossKernels = []definition{
	{"expSum", "is y = e^(x-shift), and adds y up in lanes.", "acc, y, x []float32, shift float32", func(k *kernel) {
		n, y, x, out := k.length("y"), k.pointer("y"), k.pointer("x"), k.pointer("acc")
		shift := k.scalar("shift")
		acc := k.zero()
		k.each(n, 1, func() {
			e := k.exp(k.sub(k.load(x), shift))
			k.store(e, y)
			VADDPS(k.inTail(e), acc, acc)
		})
		VMOVUPS(acc, Mem{Base: out})
	}},
	{"expSumOnly", "adds up e^(x-shift) in lanes.", "acc, x []float32, shift float32", func(k *kernel) {
		n, x, out := k.length("x"), k.pointer("x"), k.pointer("acc")
		shift := k.scalar("shift")
		acc := k.zero()
		k.each(n, 1, func() {
			VADDPS(k.inTail(k.exp(k.sub(k.load(x), shift))), acc, acc)
		})
		VMOVUPS(acc, Mem{Base: out})
	}},
	elementwise("softmaxGrad", "is y = p * (dy-s).", "y, p, dy []float32, s float32", []string{"p", "dy"},
		func(k *kernel, s, x []vector) vector { return k.mul(x[0], k.sub(x[1], s[0])) }),
	elementwise("crossEntropyGrad", "is y = p*s - t*u - v.", "y, p, t []float32, s, u, v float32", []string{"p", "t"},
		func(k *kernel, s, x []vector) vector {
			return k.fnma(x[1], s[1], k.sub(k.mul(x[0], s[0]), s[2]))
		}),
	{"binaryCrossEntropy", "is grad = (sigmoid(x)-t)*scale, and adds up max(x,0) - x*t + log(1+e^-|x|) in lanes.",
		"acc, grad, x, t []float32, scale float32", func(k *kernel) {
			n, grad, x, t, out := k.length("grad"), k.pointer("grad"), k.pointer("x"), k.pointer("t"), k.pointer("acc")
			scale := k.scalar("scale")
			acc := k.zero()
			k.each(n, 1, func() {
				v, target := k.load(x), k.load(t)
				e, _, y := k.logistic(v)
				k.store(k.mul(k.sub(y, target), scale), grad)
				loss := k.fnma(v, target, k.max(k.zero(), v))
				loss = k.add(loss, k.log1p(e))
				VADDPS(k.inTail(loss), acc, acc)
			})
			VMOVUPS(acc, Mem{Base: out})
		}},
}
