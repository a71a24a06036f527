package vec

import (
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// ChannelMoments adds to sum and squares (C) the rows of x (rows, C) and of x².
// Inside a block it adds up distances from the block's first row, so that the
// variance squares/n - (sum/n)² keeps its precision where the mean is large.
func ChannelMoments(sum, squares []float64, x []float32) {
	agree(len(sum), len(squares))
	checkRows(len(x), len(sum))
	if active == isa.Generic {
		portable.ChannelMoments(sum, squares, x)
		return
	}
	var s, q, p pattern
	for b := cutBlocks(len(x), len(sum)); b.next(); {
		clear(s[:b.cols])
		clear(q[:b.cols])
		first := x[b.from : b.from+min(b.cols, len(sum))]
		if b.cols > len(sum) {
			first = p.repeat(first)
		}
		moments(s[:], q[:], x[b.from:], first, b.rows, b.cols, b.stride)
		moments(s[:], q[:], x[b.restFrom:], first, b.restRows(), b.rest, b.rest)
		c := b.channel
		for j, pivot := range first {
			n, pivot, distance := b.count(j), float64(pivot), float64(s[j])
			sum[c] += distance + n*pivot
			squares[c] += float64(q[j]) + 2*pivot*distance + n*pivot*pivot
			if c++; c == len(sum) {
				c = 0
			}
		}
	}
}

// Normalize is y = x*scale + shift for each row of x (rows, C), with scale and
// shift (C).
func Normalize(y, x, scale, shift []float32) {
	agree(len(y), len(x))
	agree(len(scale), len(shift))
	checkRows(len(y), len(scale))
	if active == isa.Generic {
		portable.Normalize(y, x, scale, shift)
		return
	}
	var p, q pattern
	scale, shift = p.repeat(scale), q.repeat(shift)
	for _, r := range runs(len(y), len(scale)) {
		normalize(y[r.from:], x[r.from:], scale, shift, r.rows, r.cols)
	}
}

// NormalizeReLU is Normalize with ReLU.
func NormalizeReLU(y, x, scale, shift []float32) {
	agree(len(y), len(x))
	agree(len(scale), len(shift))
	checkRows(len(y), len(scale))
	if active == isa.Generic {
		portable.NormalizeReLU(y, x, scale, shift)
		return
	}
	var p, q pattern
	scale, shift = p.repeat(scale), q.repeat(shift)
	for _, r := range runs(len(y), len(scale)) {
		normalizeReLU(y[r.from:], x[r.from:], scale, shift, r.rows, r.cols)
	}
}

// NormalizeAdd is Normalize plus residual (rows, C).
func NormalizeAdd(y, x, residual, scale, shift []float32) {
	agree(len(y), len(x), len(residual))
	agree(len(scale), len(shift))
	checkRows(len(y), len(scale))
	if active == isa.Generic {
		portable.NormalizeAdd(y, x, residual, scale, shift)
		return
	}
	var p, q pattern
	scale, shift = p.repeat(scale), q.repeat(shift)
	for _, r := range runs(len(y), len(scale)) {
		normalizeAdd(y[r.from:], x[r.from:], residual[r.from:], scale, shift, r.rows, r.cols)
	}
}

// NormalizeAddReLU is Normalize plus residual (rows, C), with ReLU.
func NormalizeAddReLU(y, x, residual, scale, shift []float32) {
	agree(len(y), len(x), len(residual))
	agree(len(scale), len(shift))
	checkRows(len(y), len(scale))
	if active == isa.Generic {
		portable.NormalizeAddReLU(y, x, residual, scale, shift)
		return
	}
	var p, q pattern
	scale, shift = p.repeat(scale), q.repeat(shift)
	for _, r := range runs(len(y), len(scale)) {
		normalizeAddReLU(y[r.from:], x[r.from:], residual[r.from:], scale, shift, r.rows, r.cols)
	}
}

// GradMoments adds to sum and product (C) the rows of dy and of dy*(x-mean),
// with dy and x (rows, C) and mean (C): the gradients of batch norm's shift and,
// times 1/std, of its scale.
func GradMoments(sum, product []float64, dy, x, mean []float32) {
	agree(len(dy), len(x))
	agree(len(mean), len(sum), len(product))
	checkRows(len(dy), len(mean))
	if active == isa.Generic {
		portable.GradMoments(sum, product, dy, x, mean)
		return
	}
	var s, t, p pattern
	mean = p.repeat(mean)
	for b := cutBlocks(len(dy), len(sum)); b.next(); {
		clear(s[:b.cols])
		clear(t[:b.cols])
		gradMoments(s[:], t[:], dy[b.from:], x[b.from:], mean[b.channel:], b.rows, b.cols, b.stride)
		gradMoments(s[:], t[:], dy[b.restFrom:], x[b.restFrom:], mean, b.restRows(), b.rest, b.rest)
		b.addTo(sum, &s)
		b.addTo(product, &t)
	}
}

// GradMomentsReLU is GradMoments of dy where the fused layer's output y
// (rows, C) is above 0, else 0. It stores that in masked (rows, C), which is the
// gradient of the residual, unless masked is nil.
func GradMomentsReLU(sum, product []float64, masked, dy, x, y, mean []float32) {
	agree(len(dy), len(x), len(y))
	agree(len(mean), len(sum), len(product))
	checkRows(len(dy), len(mean))
	if masked != nil {
		agree(len(dy), len(masked))
	}
	if active == isa.Generic {
		portable.GradMomentsReLU(sum, product, masked, dy, x, y, mean)
		return
	}
	var s, t, p pattern
	mean = p.repeat(mean)
	for b := cutBlocks(len(dy), len(sum)); b.next(); {
		clear(s[:b.cols])
		clear(t[:b.cols])
		if masked == nil {
			gradMomentsReLU(s[:], t[:], dy[b.from:], x[b.from:], y[b.from:], mean[b.channel:], b.rows, b.cols, b.stride)
			gradMomentsReLU(s[:], t[:], dy[b.restFrom:], x[b.restFrom:], y[b.restFrom:], mean, b.restRows(), b.rest, b.rest)
		} else {
			gradMomentsReLUStore(s[:], t[:], masked[b.from:], dy[b.from:], x[b.from:], y[b.from:], mean[b.channel:], b.rows, b.cols, b.stride)
			gradMomentsReLUStore(s[:], t[:], masked[b.restFrom:], dy[b.restFrom:], x[b.restFrom:], y[b.restFrom:], mean, b.restRows(), b.rest, b.rest)
		}
		b.addTo(sum, &s)
		b.addTo(product, &t)
	}
}

// NormalizeGrad is dx = a*dy + b*x + c for each row (rows, C), with a, b and c (C).
// For batch norm over n rows with scale gamma, s = 1/std and the sums of
// GradMoments: a = gamma*s, b = -a*s²*product/n, c = -a*sum/n - b*mean.
func NormalizeGrad(dx, dy, x, a, b, c []float32) {
	agree(len(dx), len(dy), len(x))
	agree(len(a), len(b), len(c))
	checkRows(len(dx), len(a))
	if active == isa.Generic {
		portable.NormalizeGrad(dx, dy, x, a, b, c)
		return
	}
	var p, q, s pattern
	a, b, c = p.repeat(a), q.repeat(b), s.repeat(c)
	for _, r := range runs(len(dx), len(a)) {
		normalizeGrad(dx[r.from:], dy[r.from:], x[r.from:], a, b, c, r.rows, r.cols)
	}
}

// NormalizeGradReLU is NormalizeGrad of dy where the fused layer's output y
// (rows, C) is above 0, else 0.
func NormalizeGradReLU(dx, dy, x, y, a, b, c []float32) {
	agree(len(dx), len(dy), len(x), len(y))
	agree(len(a), len(b), len(c))
	checkRows(len(dx), len(a))
	if active == isa.Generic {
		portable.NormalizeGradReLU(dx, dy, x, y, a, b, c)
		return
	}
	var p, q, s pattern
	a, b, c = p.repeat(a), q.repeat(b), s.repeat(c)
	for _, r := range runs(len(dx), len(a)) {
		normalizeGradReLU(dx[r.from:], dy[r.from:], x[r.from:], y[r.from:], a, b, c, r.rows, r.cols)
	}
}
