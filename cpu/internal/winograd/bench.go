package winograd

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/simd"
)

// Channels that fill no whole vector are transformed in a copy of the tile
// that is as wide as one.

// lanes is the widest Kernels.Width, and a cache line.
const lanes = 16

// bench is what one worker transforms with.
type bench struct {
	pixels table
	padded table // points at copied
	copied [9 * 9 * lanes]float32
	size   int      // of a pixel's value, in bytes
	_      [64]byte // workers' benches share no cache line
}

// benchesFor adds benches until every worker has one.
func benchesFor(workers int, have []*bench) []*bench {
	for len(have) < workers {
		b := &bench{size: sizeOf(false)}
		for i := range b.padded {
			b.padded[i] = &b.copied[i*lanes]
		}
		have = append(have, b)
	}
	return have
}

// gather is f for any number of channels of the bench's pixels, of which a
// tile has n. dst has room for whole vectors; the channels that there are not
// become zero.
func (b *bench) gather(f GatherFunc, width, n int, dst []float32, stride, step, pixelStep, tiles, channels int) {
	whole := channels - channels%width
	if whole > 0 {
		f(&dst[0], stride, step, &b.pixels[0], pixelStep, tiles, whole)
	}
	if whole == channels {
		return
	}
	clear(b.copied[:])
	for i := range tiles {
		for p, from := range b.pixels[:n] {
			b.fetch(p, from, i*pixelStep+whole, channels-whole)
		}
		f(&dst[i*step+whole], stride, step, &b.padded[0], 0, 1, width)
	}
}

// scatter is f for any number of channels of the bench's pixels. src has whole
// vectors.
func (b *bench) scatter(f ScatterFunc, width, n int, pixelStep int, src []float32, stride, step, tiles, channels int) {
	whole := channels - channels%width
	if whole > 0 {
		f(&b.pixels[0], pixelStep, &src[0], stride, step, tiles, whole)
	}
	if whole == channels {
		return
	}
	for i := range tiles {
		for p, to := range b.pixels[:n] {
			b.fetch(p, to, i*pixelStep+whole, channels-whole)
		}
		f(&b.padded[0], 0, &src[i*step+whole], stride, step, 1, width)
		b.spill(n, i*pixelStep+whole, channels-whole)
	}
}

// output is f for any number of channels of the bench's pixels. src and bias
// have whole vectors.
func (b *bench) output(f OutputFunc, width, n int, pixelStep int, src []float32, stride, step, tiles, channels int, bias []float32, biasStep int, c simd.Clip) {
	low, high := c.Bounds()
	whole := channels - channels%width
	if whole > 0 {
		f(&b.pixels[0], pixelStep, &src[0], stride, step, tiles, whole, &bias[0], biasStep, low, high)
	}
	if whole == channels {
		return
	}
	for i := range tiles {
		f(&b.padded[0], 0, &src[i*step+whole], stride, step, 1, width, &bias[whole], biasStep, low, high)
		b.spill(n, i*pixelStep+whole, channels-whole)
	}
}

// fetch copies some channels at an offset from a pixel to pixel p of the copied tile.
func (b *bench) fetch(p int, from *float32, offset, channels int) {
	copy(b.bytes(b.padded[p], 0, channels), b.bytes(from, offset, channels))
}

// spill moves some channels of the copied tile to its n pixels, at an offset.
func (b *bench) spill(n, offset, channels int) {
	for p, to := range b.pixels[:n] {
		copy(b.bytes(to, offset, channels), b.bytes(b.padded[p], 0, channels))
	}
}

// bytes is the memory of n of a pixel's values, from an offset on.
func (b *bench) bytes(p *float32, offset, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(p), b.size*offset)), b.size*n)
}
