package winograd

// Channels that fill no whole vector are transformed in a copy of the tile
// that is as wide as one.

// lanes is the widest Kernels.Width.
const lanes = 16

// tail is memory for one tile of a single vector of channels.
type tail [6 * 6 * lanes]float32

// point makes t point at the tile in m.
func (m *tail) point(t *table) {
	for i := range t {
		t[i] = &m[i*lanes]
	}
}

// gather is f for any number of channels. dst has room for whole vectors; the
// channels that there are not become zero.
func gather(f GatherFunc, width, pixels int, m *tail, dst []float32, stride, step int, src *table, pixelStep, tiles, channels int) {
	whole := channels - channels%width
	if whole > 0 {
		f(&dst[0], stride, step, &src[0], pixelStep, tiles, whole)
	}
	if whole == channels {
		return
	}
	var t table
	m.point(&t)
	clear(m[:])
	for i := range tiles {
		for p, from := range src[:pixels] {
			copy(m[p*lanes:][:channels-whole], floats(from, i*pixelStep+whole, channels-whole))
		}
		f(&dst[i*step+whole], stride, step, &t[0], 0, 1, width)
	}
}

// scatter is f for any number of channels. src has whole vectors.
func scatter(f ScatterFunc, width, pixels int, m *tail, dst *table, pixelStep int, src []float32, stride, step, tiles, channels int) {
	whole := channels - channels%width
	if whole > 0 {
		f(&dst[0], pixelStep, &src[0], stride, step, tiles, whole)
	}
	if whole == channels {
		return
	}
	var t table
	m.point(&t)
	for i := range tiles {
		for p, to := range dst[:pixels] {
			copy(m[p*lanes:], floats(to, i*pixelStep+whole, channels-whole))
		}
		f(&t[0], 0, &src[i*step+whole], stride, step, 1, width)
		m.spill(dst[:pixels], i*pixelStep+whole, channels-whole)
	}
}

// output is f for any number of channels. src and bias have whole vectors.
func output(f OutputFunc, width, pixels int, m *tail, dst *table, pixelStep int, src []float32, stride, step, tiles, channels int, bias []float32, low, high float32) {
	whole := channels - channels%width
	if whole > 0 {
		f(&dst[0], pixelStep, &src[0], stride, step, tiles, whole, &bias[0], low, high)
	}
	if whole == channels {
		return
	}
	var t table
	m.point(&t)
	for i := range tiles {
		f(&t[0], 0, &src[i*step+whole], stride, step, 1, width, &bias[whole], low, high)
		m.spill(dst[:pixels], i*pixelStep+whole, channels-whole)
	}
}

// spill moves n channels of every pixel of the tile to where dst points, at
// an offset.
func (m *tail) spill(dst []*float32, offset, n int) {
	for p, to := range dst {
		copy(floats(to, offset, n), m[p*lanes:])
	}
}
