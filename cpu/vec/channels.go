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
func ChannelSum(sum []float64, x []float32) {
	checkRows(len(x), len(sum))
	if active == isa.Generic {
		portable.ChannelSum(sum, x)
		return
	}
	var acc pattern
	for b := cutBlocks(len(x), len(sum)); b.next(); {
		clear(acc[:b.cols])
		channelSum(acc[:], x[b.from:], b.rows, b.cols, b.stride)
		channelSum(acc[:], x[b.restFrom:], b.restRows(), b.rest, b.rest)
		b.addTo(sum, &acc)
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
		k.addTo(sum, &acc)
	}
}
