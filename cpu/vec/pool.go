package vec

import "github.com/seed52467199/trainer/cpu/vec/portable"

// The pooling functions work on a run of output pixels, C channels each, whose
// windows have one form: the window of pixel p is the pixels at p*step+offsets[t]
// in x, counted in elements. Windows that the border cuts off are runs of their
// own, with offsets for what is left of them.

// MaxPool is y (pixels, C) = the largest of each window of x, and index
// (pixels, C) its place in offsets, at most 256 of them: the first of equal ones,
// the last NaN if there is one.
func MaxPool[E Element](y []E, index []uint8, x []E, offsets []int, channels, step int) {
	agree(len(y), len(index))
	checkWindows(len(y), len(x), offsets, channels, step)
	if len(y) > 0 && !maxPoolOf(y, index, x, offsets, channels, step, len(y)/channels) {
		portable.MaxPool(singles(y), index, singles(x), offsets, channels, step)
	}
}

// MaxPoolGrad adds dy (pixels, C) to dx at the places that MaxPool has found.
func MaxPoolGrad[E Element](dx, dy []E, index []uint8, offsets []int, channels, step int) {
	agree(len(dy), len(index))
	checkWindows(len(dy), len(dx), offsets, channels, step)
	if len(dy) > 0 && !maxPoolGradOf(dx, dy, index, offsets, channels, step, len(dy)/channels) {
		portable.MaxPoolGrad(singles(dx), singles(dy), index, offsets, channels, step)
	}
}

// MaxPoolGradApart is MaxPoolGrad for windows that do not overlap: dx becomes dy at
// the places that MaxPool has found and 0 at the others in a window.
func MaxPoolGradApart[E Element](dx, dy []E, index []uint8, offsets []int, channels, step int) {
	agree(len(dy), len(index))
	checkWindows(len(dy), len(dx), offsets, channels, step)
	if len(dy) > 0 && !maxPoolGradApartOf(dx, dy, index, offsets, channels, step, len(dy)/channels) {
		portable.MaxPoolGradApart(singles(dx), singles(dy), index, offsets, channels, step)
	}
}

// AvgPool is y (pixels, C) = the sum of each window of x times scale.
func AvgPool[E Element](y, x []E, offsets []int, channels, step int, scale float32) {
	checkWindows(len(y), len(x), offsets, channels, step)
	if len(y) > 0 && !avgPoolOf(y, x, offsets, channels, step, len(y)/channels, scale) {
		portable.AvgPool(singles(y), singles(x), offsets, channels, step, scale)
	}
}

// AvgPoolGrad adds dy (pixels, C) times scale to dx at each place of each window.
func AvgPoolGrad[E Element](dx, dy []E, offsets []int, channels, step int, scale float32) {
	checkWindows(len(dy), len(dx), offsets, channels, step)
	if len(dy) > 0 && !avgPoolGradOf(dx, dy, offsets, channels, step, len(dy)/channels, scale) {
		portable.AvgPoolGrad(singles(dx), singles(dy), offsets, channels, step, scale)
	}
}

// checkWindows panics unless the windows of n output elements lie within an
// input of this many.
func checkWindows(n, input int, offsets []int, channels, step int) {
	checkRows(n, channels)
	if n == 0 {
		return
	}
	if len(offsets) == 0 {
		panic("vec: a window without pixels")
	}
	last := (n/channels - 1) * step
	for _, o := range offsets {
		if o+min(last, 0) < 0 || o+max(last, 0)+channels > input {
			panic("vec: a window outside its input")
		}
	}
}
