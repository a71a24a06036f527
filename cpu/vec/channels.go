package vec

import (
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// checkRows panics unless n elements are whole rows of c channels.
func checkRows(n, c int) {
	if c == 0 || n%c != 0 {
		panic("vec: not whole rows of channels")
	}
}

// AddBias is y = x + bias for each row of x (rows, C), with bias (C).
func AddBias(y, x, bias []float32) {
	agree(len(y), len(x))
	checkRows(len(y), len(bias))
	if active == isa.Generic {
		portable.AddBias(y, x, bias)
		return
	}
	var p pattern
	bias = p.repeat(bias)
	for _, r := range runs(len(y), len(bias)) {
		addBias(y[r.from:], x[r.from:], bias, r.rows, r.cols)
	}
}

// ScaleChannels is y = x * scale for each row of x (rows, C), with scale (C): a
// channel gate, given the rows of one image.
func ScaleChannels(y, x, scale []float32) {
	agree(len(y), len(x))
	checkRows(len(y), len(scale))
	if active == isa.Generic {
		portable.ScaleChannels(y, x, scale)
		return
	}
	var p pattern
	scale = p.repeat(scale)
	for _, r := range runs(len(y), len(scale)) {
		gate(y[r.from:], x[r.from:], scale, r.rows, r.cols)
	}
}

// ChannelSum adds to sum (C) the rows of x (rows, C): the gradient of a bias.
func ChannelSum[E Element](sum []float64, x []E) {
	checkRows(len(x), len(sum))
	if active == isa.Generic {
		portable.ChannelSum(sum, singles(x))
		return
	}
	var acc pattern
	for b := cutBlocks(len(x), len(sum)); b.next(); {
		clear(acc[:b.cols])
		channelSumOf(acc[:], x[b.from:], b.rows, b.cols, b.stride)
		channelSumOf(acc[:], x[b.restFrom:], b.restRows(), b.rest, b.rest)
		addColumns(sum, b.channel, acc[:b.cols])
	}
}

// ClipGradSum is dx = dy where lo < y < hi, else 0, for rows (rows, C) of dx and y,
// and adds these rows to sum (C): the gradients of a clip and of the bias before it.
// The rows of dy lie stride elements apart, for they may be a part of longer ones.
func ClipGradSum[E Element](sum []float64, dx, dy, y []E, stride int, lo, hi float32) {
	agree(len(dx), len(y))
	checkRows(len(y), len(sum))
	c := len(sum)
	if rows := len(y) / c; rows > 0 && (stride < c || len(dy) < (rows-1)*stride+c) {
		panic("vec: rows outside the slice")
	}
	switch {
	case active == isa.Generic:
		portable.ClipGradSum(sum, singles(dx), singles(dy), singles(y), stride, lo, hi)
		return
	case stride != c:
		clipGradSumApart(sum, dx, dy, y, stride, lo, hi)
		return
	}
	var acc pattern
	for b := cutBlocks(len(y), c); b.next(); {
		clear(acc[:b.cols])
		clipGradSumOf(acc[:], dx[b.from:], dy[b.from:], y[b.from:], b.rows, b.cols, b.stride, b.stride, lo, hi)
		clipGradSumOf(acc[:], dx[b.restFrom:], dy[b.restFrom:], y[b.restFrom:], b.restRows(), b.rest, b.rest, b.rest, lo, hi)
		addColumns(sum, b.channel, acc[:b.cols])
	}
}

// clipGradSumApart is ClipGradSum where rows of dy have gaps, so that several cannot
// be read as one.
func clipGradSumApart[E Element](sum []float64, dx, dy, y []E, stride int, lo, hi float32) {
	var acc pattern
	rows := len(y) / len(sum)
	for row := 0; row < rows; row += blockFolds {
		n := min(blockFolds, rows-row)
		for c := 0; c < len(sum); c += maxPattern {
			sums := sum[c:min(c+maxPattern, len(sum))]
			part := acc[:len(sums)]
			clear(part)
			at := row*len(sum) + c
			clipGradSumOf(part, dx[at:], dy[row*stride+c:], y[at:], n, len(sums), len(sum), stride, lo, hi)
			addColumns(sums, 0, part)
		}
	}
}

// PReLU is y = x, or slope*x where x is not above 0, for each row of x (rows, C),
// with slope (C) (arXiv 1502.01852).
func PReLU(y, x, slope []float32) {
	agree(len(y), len(x))
	checkRows(len(y), len(slope))
	if active == isa.Generic {
		portable.PReLU(y, x, slope)
		return
	}
	var p pattern
	slope = p.repeat(slope)
	for _, r := range runs(len(y), len(slope)) {
		prelu(y[r.from:], x[r.from:], slope, r.rows, r.cols)
	}
}

// PReLUGrad is the gradient of PReLU, from its input x: dx, and what it adds to sum (C)
// for slope.
func PReLUGrad(sum []float64, dx, dy, x, slope []float32) {
	agree(len(dx), len(dy), len(x))
	agree(len(sum), len(slope))
	checkRows(len(x), len(slope))
	if active == isa.Generic {
		portable.PReLUGrad(sum, dx, dy, x, slope)
		return
	}
	var acc, p pattern
	repeated := p.repeat(slope)
	for b := cutBlocks(len(x), len(slope)); b.next(); {
		clear(acc[:b.cols])
		preluGrad(acc[:], dx[b.from:], dy[b.from:], x[b.from:], repeated[b.channel:], b.rows, b.cols, b.stride)
		preluGrad(acc[:], dx[b.restFrom:], dy[b.restFrom:], x[b.restFrom:], repeated, b.restRows(), b.rest, b.rest)
		addColumns(sum, b.channel, acc[:b.cols])
	}
}

// ChannelDot adds to sum (C) the rows of a*b, both (rows, C): the gradient of a
// channel gate or of a scale.
func ChannelDot(sum []float64, a, b []float32) {
	agree(len(a), len(b))
	checkRows(len(a), len(sum))
	if active == isa.Generic {
		portable.ChannelDot(sum, a, b)
		return
	}
	var acc pattern
	for k := cutBlocks(len(a), len(sum)); k.next(); {
		clear(acc[:k.cols])
		channelDot(acc[:], a[k.from:], b[k.from:], k.rows, k.cols, k.stride)
		channelDot(acc[:], a[k.restFrom:], b[k.restFrom:], k.restRows(), k.rest, k.rest)
		addColumns(sum, k.channel, acc[:k.cols])
	}
}
