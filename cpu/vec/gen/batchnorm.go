package main

import "github.com/mmcloughlin/avo/reg"

// positive keeps dy where the layer's output was positive: the gradient of a
// fused ReLU.
func (k *kernel) positive(dy, y vector) vector {
	return k.keep(k.compare(y, greater, k.zero()), dy)
}

var batchNormKernels = []definition{
	channelSums("moments", "adds up x-pivot and its square.", 4, []string{"sum", "squares"}, []string{"x"}, nil, []string{"pivot"},
		func(k *kernel, x, c []vector, _ []reg.GPVirtual) []vector {
			d := k.sub(x[0], c[0])
			return []vector{d, k.mul(d, d)}
		}),
	perChannel("normalize", "is y = x*scale + shift.", []string{"x"}, []string{"y"}, []string{"scale", "shift"},
		func(k *kernel, x, c []vector, out []reg.GPVirtual) {
			k.store(k.fma(x[0], c[0], c[1]), out[0])
		}),
	perChannel("normalizeReLU", "is y = max(x*scale + shift, 0).", []string{"x"}, []string{"y"}, []string{"scale", "shift"},
		func(k *kernel, x, c []vector, out []reg.GPVirtual) {
			k.store(k.max(k.zero(), k.fma(x[0], c[0], c[1])), out[0])
		}),
	perChannel("normalizeAdd", "is y = x*scale + shift + residual.", []string{"x", "residual"}, []string{"y"}, []string{"scale", "shift"},
		func(k *kernel, x, c []vector, out []reg.GPVirtual) {
			k.store(k.add(k.fma(x[0], c[0], c[1]), x[1]), out[0])
		}),
	perChannel("normalizeAddReLU", "is y = max(x*scale + shift + residual, 0).", []string{"x", "residual"}, []string{"y"}, []string{"scale", "shift"},
		func(k *kernel, x, c []vector, out []reg.GPVirtual) {
			k.store(k.max(k.zero(), k.add(k.fma(x[0], c[0], c[1]), x[1])), out[0])
		}),
	channelSums("gradMoments", "adds up dy and dy*(x-mean).", 2, []string{"sum", "product"}, []string{"dy", "x"}, nil, []string{"mean"},
		func(k *kernel, x, c []vector, _ []reg.GPVirtual) []vector {
			return []vector{x[0], k.mul(x[0], k.sub(x[1], c[0]))}
		}),
	channelSums("gradMomentsReLU", "is gradMoments of dy where y > 0.", 2, []string{"sum", "product"}, []string{"dy", "x", "y"}, nil, []string{"mean"},
		func(k *kernel, x, c []vector, _ []reg.GPVirtual) []vector {
			dy := k.positive(x[0], x[2])
			return []vector{dy, k.mul(dy, k.sub(x[1], c[0]))}
		}),
	channelSums("gradMomentsReLUStore", "is gradMomentsReLU that also stores the masked dy.", 1, []string{"sum", "product"}, []string{"dy", "x", "y"}, []string{"masked"}, []string{"mean"},
		func(k *kernel, x, c []vector, out []reg.GPVirtual) []vector {
			dy := k.positive(x[0], x[2])
			k.store(dy, out[0])
			return []vector{dy, k.mul(dy, k.sub(x[1], c[0]))}
		}),
	perChannel("normalizeGrad", "is dx = a*dy + b*x + c.", []string{"dy", "x"}, []string{"dx"}, []string{"a", "b", "c"},
		func(k *kernel, x, c []vector, out []reg.GPVirtual) {
			k.store(k.fma(x[0], c[0], k.fma(x[1], c[1], c[2])), out[0])
		}),
	perChannel("normalizeGradReLU", "is normalizeGrad of dy where y > 0.", []string{"dy", "x", "y"}, []string{"dx"}, []string{"a", "b", "c"},
		func(k *kernel, x, c []vector, out []reg.GPVirtual) {
			k.store(k.fma(k.positive(x[0], x[2]), c[0], k.fma(x[1], c[1], c[2])), out[0])
		}),
}
