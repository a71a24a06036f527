package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// bounded limits x to s[0]..s[1]; NaN stays.
func (k *kernel) bounded(x vector, s []vector) vector { return k.min(s[1], k.max(s[0], x)) }

// passed is dy where a value lies between the bounds in s, else 0: the gradient
// of a fused clip.
func (k *kernel) passed(dy, value vector, s []vector) vector {
	return k.keep(k.inside(value, s[0], s[1]), dy)
}

// past ends a kernel that writes past the caches: others must see what it wrote.
func past(d definition) definition {
	body := d.body
	d.body = func(k *kernel) {
		body(k)
		SFENCE()
	}
	return d
}

var clipBounds = []string{"lo", "hi"}

var batchNormKernels = []definition{
	channelSums("moments", "adds up x-pivot and its square.", 4, []string{"sum", "squares"}, []string{"x"}, nil, []string{"pivot"}, nil,
		func(k *kernel, x, c, _ []vector, _ []reg.GPVirtual) []vector {
			d := k.sub(x[0], c[0])
			return []vector{d, k.mul(d, d)}
		}),
	perChannel("normalize", "is y = x*scale + shift, limited to lo..hi.", []string{"x"}, []string{"y"}, []string{"scale", "shift"}, clipBounds,
		func(k *kernel, x, c, s []vector, out []reg.GPVirtual) {
			k.store(k.bounded(k.fma(x[0], c[0], c[1]), s), out[0])
		}),
	past(perChannel("normalizePast", "is normalize for whole, aligned vectors of y, which it writes past the caches.", []string{"x"}, []string{"y"}, []string{"scale", "shift"}, clipBounds,
		func(k *kernel, x, c, s []vector, out []reg.GPVirtual) {
			k.storePast(k.bounded(k.fma(x[0], c[0], c[1]), s), out[0])
		})),
	past(perChannel("normalizeAddPast", "is normalizeAdd for whole, aligned vectors of y, which it writes past the caches.", []string{"x", "residual"}, []string{"y"}, []string{"scale", "shift"}, clipBounds,
		func(k *kernel, x, c, s []vector, out []reg.GPVirtual) {
			k.storePast(k.bounded(k.add(k.fma(x[0], c[0], c[1]), x[1]), s), out[0])
		})),
	perChannel("normalizeAdd", "is y = x*scale + shift + residual, limited to lo..hi.", []string{"x", "residual"}, []string{"y"}, []string{"scale", "shift"}, clipBounds,
		func(k *kernel, x, c, s []vector, out []reg.GPVirtual) {
			k.store(k.bounded(k.add(k.fma(x[0], c[0], c[1]), x[1]), s), out[0])
		}),
	channelSums("gradMoments", "adds up dy and dy*(x-mean).", 2, []string{"sum", "product"}, []string{"dy", "x"}, nil, []string{"mean"}, nil,
		func(k *kernel, x, c, _ []vector, _ []reg.GPVirtual) []vector {
			return []vector{x[0], k.mul(x[0], k.sub(x[1], c[0]))}
		}),
	channelSums("gradMomentsClip", "is gradMoments of dy where lo < x*scale + shift < hi.", 2, []string{"sum", "product"}, []string{"dy", "x"}, nil, []string{"mean", "scale", "shift"}, clipBounds,
		func(k *kernel, x, c, s []vector, _ []reg.GPVirtual) []vector {
			dy := k.passed(x[0], k.fma(x[1], c[1], c[2]), s)
			return []vector{dy, k.mul(dy, k.sub(x[1], c[0]))}
		}),
	channelSums("gradMomentsMasked", "is gradMoments of dy where lo < y < hi.", 2, []string{"sum", "product"}, []string{"dy", "x", "y"}, nil, []string{"mean"}, clipBounds,
		func(k *kernel, x, c, s []vector, _ []reg.GPVirtual) []vector {
			dy := k.passed(x[0], x[2], s)
			return []vector{dy, k.mul(dy, k.sub(x[1], c[0]))}
		}),
	channelSums("gradMomentsStore", "is gradMomentsMasked that also stores the masked dy.", 1, []string{"sum", "product"}, []string{"dy", "x", "y"}, []string{"masked"}, []string{"mean"}, clipBounds,
		func(k *kernel, x, c, s []vector, at []reg.GPVirtual) []vector {
			dy := k.passed(x[0], x[2], s)
			k.storeExact(dy, at[3])
			return []vector{dy, k.mul(dy, k.sub(x[1], c[0]))}
		}),
	channelSums("maskMoments", "is dy = dy where lo < y < hi and 0 elsewhere, and gradMoments of that.", 2, []string{"sum", "product"}, []string{"dy", "x", "y"}, nil, []string{"mean"}, clipBounds,
		func(k *kernel, x, c, s []vector, at []reg.GPVirtual) []vector {
			dy := k.passed(x[0], x[2], s)
			k.storeExact(dy, at[0])
			return []vector{dy, k.mul(dy, k.sub(x[1], c[0]))}
		}),
	channelSums("maskMomentsClip", "is dy = dy where lo < x*scale + shift < hi and 0 elsewhere, and gradMoments of that.", 2, []string{"sum", "product"}, []string{"dy", "x"}, nil, []string{"mean", "scale", "shift"}, clipBounds,
		func(k *kernel, x, c, s []vector, at []reg.GPVirtual) []vector {
			dy := k.passed(x[0], k.fma(x[1], c[1], c[2]), s)
			k.storeExact(dy, at[0])
			return []vector{dy, k.mul(dy, k.sub(x[1], c[0]))}
		}),
	perChannel("normalizeGrad", "is dx = a*dy + b*x + c.", []string{"dy", "x"}, []string{"dx"}, []string{"a", "b", "c"}, nil,
		func(k *kernel, x, c, _ []vector, out []reg.GPVirtual) {
			k.store(k.fma(x[0], c[0], k.fma(x[1], c[1], c[2])), out[0])
		}),
	perChannel("normalizeGradClip", "is normalizeGrad of dy where lo < x*scale + shift < hi.", []string{"dy", "x"}, []string{"dx"}, []string{"a", "b", "c", "scale", "shift"}, clipBounds,
		func(k *kernel, x, c, s []vector, out []reg.GPVirtual) {
			dy := k.passed(x[0], k.fma(x[1], c[3], c[4]), s)
			k.store(k.fma(dy, c[0], k.fma(x[1], c[1], c[2])), out[0])
		}),
	perChannel("normalizeGradMasked", "is normalizeGrad of dy where lo < y < hi.", []string{"dy", "x", "y"}, []string{"dx"}, []string{"a", "b", "c"}, clipBounds,
		func(k *kernel, x, c, s []vector, out []reg.GPVirtual) {
			k.store(k.fma(k.passed(x[0], x[2], s), c[0], k.fma(x[1], c[1], c[2])), out[0])
		}),
}
