package vec

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// ChannelMoments adds to sum and squares (C) the rows of x (rows, C) and of x².
// Inside a block it adds up distances from the block's first row, so that the
// variance squares/n - (sum/n)² keeps its precision where the mean is large.
func ChannelMoments[E Element](sum, squares []float64, x []E) {
	agree(len(sum), len(squares))
	checkRows(len(x), len(sum))
	if active == isa.Generic {
		portable.ChannelMoments(sum, squares, singles(x))
		return
	}
	var s, q, p pattern
	for b := cutBlocks(len(x), len(sum)); b.next(); {
		clear(s[:b.cols])
		clear(q[:b.cols])
		first := widened(p[:], x[b.from:b.from+min(b.cols, len(sum))])
		if b.cols > len(sum) {
			first = p.repeat(first)
		}
		momentsOf(s[:], q[:], x[b.from:], first, b.rows, b.cols, b.stride)
		momentsOf(s[:], q[:], x[b.restFrom:], first, b.restRows(), b.rest, b.rest)
		addMoments(sum, squares, b.channel, s[:], q[:], first, b.rows, b.rest)
	}
}

// Normalize is y = x*scale + shift, limited to lo..hi, for each row of x (rows, C),
// with scale and shift (C). A NaN stays.
func Normalize[E Element](y, x []E, scale, shift []float32, lo, hi float32) {
	agree(len(y), len(x))
	agree(len(scale), len(shift))
	checkRows(len(y), len(scale))
	if active == isa.Generic {
		portable.Normalize(singles(y), singles(x), scale, shift, lo, hi)
		return
	}
	var p, q pattern
	scale, shift = p.repeat(scale), q.repeat(shift)
	for _, r := range runs(len(y), len(scale)) {
		normalizeOf(y[r.from:], x[r.from:], scale, shift, r.rows, r.cols, lo, hi)
	}
}

// PastCaches is the size of a result, in floats, from which on it is written past the
// caches: most of it would have left them before it is read.
const PastCaches = 4 << 20

// NormalizePast is Normalize, or NormalizeAdd unless residual is nil, that writes y past
// the caches where it can: for a y that is larger than they are, memory is not read
// first only to be overwritten.
func NormalizePast(y, x, residual, scale, shift []float32, lo, hi float32) {
	width := folded(len(scale)) * len(scale)
	if active == isa.Generic || width%cacheLine != 0 || len(y)%width != 0 || !aligned(y) {
		if residual == nil {
			Normalize(y, x, scale, shift, lo, hi)
		} else {
			NormalizeAdd(y, x, residual, scale, shift, lo, hi)
		}
		return
	}
	agree(len(y), len(x))
	agree(len(scale), len(shift))
	checkRows(len(y), len(scale))
	var p, q pattern
	scale, shift = p.repeat(scale), q.repeat(shift)
	if residual == nil {
		normalizePast(y, x, scale, shift, len(y)/width, width, lo, hi)
		return
	}
	agree(len(y), len(residual))
	normalizeAddPast(y, x, residual, scale, shift, len(y)/width, width, lo, hi)
}

// cacheLine is the length of a cache line, and of the widest vector, in elements.
const cacheLine = 16

// aligned tells whether a slice begins at a cache line.
func aligned(x []float32) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(x)))%(4*cacheLine) == 0
}

// NormalizeAdd is y = x*scale + shift + residual, limited to lo..hi, with residual
// (rows, C).
func NormalizeAdd[E Element](y, x, residual []E, scale, shift []float32, lo, hi float32) {
	agree(len(y), len(x), len(residual))
	agree(len(scale), len(shift))
	checkRows(len(y), len(scale))
	if active == isa.Generic {
		portable.NormalizeAdd(singles(y), singles(x), singles(residual), scale, shift, lo, hi)
		return
	}
	var p, q pattern
	scale, shift = p.repeat(scale), q.repeat(shift)
	for _, r := range runs(len(y), len(scale)) {
		normalizeAddOf(y[r.from:], x[r.from:], residual[r.from:], scale, shift, r.rows, r.cols, lo, hi)
	}
}

// GradMoments adds to sum and product (C) the rows of dy and of dy*(x-mean),
// with dy and x (rows, C) and mean (C): the gradients of batch norm's shift and,
// times 1/std, of its scale.
func GradMoments[E Element](sum, product []float64, dy, x []E, mean []float32) {
	agree(len(dy), len(x))
	agree(len(mean), len(sum), len(product))
	checkRows(len(dy), len(mean))
	if active == isa.Generic {
		portable.GradMoments(sum, product, singles(dy), singles(x), mean)
		return
	}
	var s, t, p pattern
	mean = p.repeat(mean)
	for b := cutBlocks(len(dy), len(sum)); b.next(); {
		clear(s[:b.cols])
		clear(t[:b.cols])
		gradMomentsOf(s[:], t[:], dy[b.from:], x[b.from:], mean[b.channel:], b.rows, b.cols, b.stride)
		gradMomentsOf(s[:], t[:], dy[b.restFrom:], x[b.restFrom:], mean, b.restRows(), b.rest, b.rest)
		addColumns(sum, b.channel, s[:b.cols])
		addColumns(product, b.channel, t[:b.cols])
	}
}

// GradMomentsClip is GradMoments of dy where Normalize with scale, shift (C), lo and
// hi gave a value inside its limits, else 0. It makes that value again, with the
// same bits.
func GradMomentsClip[E Element](sum, product []float64, dy, x []E, mean, scale, shift []float32, lo, hi float32) {
	agree(len(dy), len(x))
	agree(len(mean), len(sum), len(product), len(scale), len(shift))
	checkRows(len(dy), len(mean))
	if active == isa.Generic {
		portable.GradMomentsClip(sum, product, singles(dy), singles(x), mean, scale, shift, lo, hi)
		return
	}
	var s, t, p, q, r pattern
	mean, scale, shift = p.repeat(mean), q.repeat(scale), r.repeat(shift)
	for b := cutBlocks(len(dy), len(sum)); b.next(); {
		clear(s[:b.cols])
		clear(t[:b.cols])
		gradMomentsClipOf(s[:], t[:], dy[b.from:], x[b.from:], mean[b.channel:], scale[b.channel:], shift[b.channel:], b.rows, b.cols, b.stride, lo, hi)
		gradMomentsClipOf(s[:], t[:], dy[b.restFrom:], x[b.restFrom:], mean, scale, shift, b.restRows(), b.rest, b.rest, lo, hi)
		addColumns(sum, b.channel, s[:b.cols])
		addColumns(product, b.channel, t[:b.cols])
	}
}

// GradMomentsMasked is GradMoments of dy where the layer's result y (rows, C) lies
// inside lo..hi, else 0. It stores that in masked (rows, C), which is the gradient
// of the residual, unless masked is nil.
func GradMomentsMasked[E Element](sum, product []float64, masked, dy, x, y []E, mean []float32, lo, hi float32) {
	agree(len(dy), len(x), len(y))
	agree(len(mean), len(sum), len(product))
	checkRows(len(dy), len(mean))
	if masked != nil {
		agree(len(dy), len(masked))
	}
	if active == isa.Generic {
		portable.GradMomentsMasked(sum, product, singles(masked), singles(dy), singles(x), singles(y), mean, lo, hi)
		return
	}
	var s, t, p pattern
	mean = p.repeat(mean)
	for b := cutBlocks(len(dy), len(sum)); b.next(); {
		clear(s[:b.cols])
		clear(t[:b.cols])
		if masked == nil {
			gradMomentsMaskedOf(s[:], t[:], dy[b.from:], x[b.from:], y[b.from:], mean[b.channel:], b.rows, b.cols, b.stride, lo, hi)
			gradMomentsMaskedOf(s[:], t[:], dy[b.restFrom:], x[b.restFrom:], y[b.restFrom:], mean, b.restRows(), b.rest, b.rest, lo, hi)
		} else {
			gradMomentsStoreOf(s[:], t[:], masked[b.from:], dy[b.from:], x[b.from:], y[b.from:], mean[b.channel:], b.rows, b.cols, b.stride, lo, hi)
			gradMomentsStoreOf(s[:], t[:], masked[b.restFrom:], dy[b.restFrom:], x[b.restFrom:], y[b.restFrom:], mean, b.restRows(), b.rest, b.rest, lo, hi)
		}
		addColumns(sum, b.channel, s[:b.cols])
		addColumns(product, b.channel, t[:b.cols])
	}
}

// NormalizeGrad is dx = a*dy + b*x + c for each row (rows, C), with a, b and c (C).
// For batch norm over n rows with scale gamma, s = 1/std and the sums of
// GradMoments: a = gamma*s, b = -a*s²*product/n, c = -a*sum/n - b*mean.
func NormalizeGrad[E Element](dx, dy, x []E, a, b, c []float32) {
	agree(len(dx), len(dy), len(x))
	agree(len(a), len(b), len(c))
	checkRows(len(dx), len(a))
	if active == isa.Generic {
		portable.NormalizeGrad(singles(dx), singles(dy), singles(x), a, b, c)
		return
	}
	var p, q, s pattern
	a, b, c = p.repeat(a), q.repeat(b), s.repeat(c)
	for _, r := range runs(len(dx), len(a)) {
		normalizeGradOf(dx[r.from:], dy[r.from:], x[r.from:], a, b, c, r.rows, r.cols)
	}
}

// NormalizeGradClip is NormalizeGrad of dy where Normalize with scale, shift (C), lo
// and hi gave a value inside its limits, else 0.
func NormalizeGradClip[E Element](dx, dy, x []E, a, b, c, scale, shift []float32, lo, hi float32) {
	agree(len(dx), len(dy), len(x))
	agree(len(a), len(b), len(c), len(scale), len(shift))
	checkRows(len(dx), len(a))
	if active == isa.Generic {
		portable.NormalizeGradClip(singles(dx), singles(dy), singles(x), a, b, c, scale, shift, lo, hi)
		return
	}
	var p, q, s, t, u pattern
	a, b, c, scale, shift = p.repeat(a), q.repeat(b), s.repeat(c), t.repeat(scale), u.repeat(shift)
	for _, r := range runs(len(dx), len(a)) {
		normalizeGradClipOf(dx[r.from:], dy[r.from:], x[r.from:], a, b, c, scale, shift, r.rows, r.cols, lo, hi)
	}
}

// NormalizeGradMasked is NormalizeGrad of dy where the layer's result y (rows, C)
// lies inside lo..hi, else 0.
func NormalizeGradMasked[E Element](dx, dy, x, y []E, a, b, c []float32, lo, hi float32) {
	agree(len(dx), len(dy), len(x), len(y))
	agree(len(a), len(b), len(c))
	checkRows(len(dx), len(a))
	if active == isa.Generic {
		portable.NormalizeGradMasked(singles(dx), singles(dy), singles(x), singles(y), a, b, c, lo, hi)
		return
	}
	var p, q, s pattern
	a, b, c = p.repeat(a), q.repeat(b), s.repeat(c)
	for _, r := range runs(len(dx), len(a)) {
		normalizeGradMaskedOf(dx[r.from:], dy[r.from:], x[r.from:], y[r.from:], a, b, c, r.rows, r.cols, lo, hi)
	}
}
