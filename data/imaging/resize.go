package imaging

import (
	"encoding/binary"
	"math"
)

// Rect is a rectangle in pixel coordinates with fractions: the pixel in the top
// left corner covers (0, 0) to (1, 1). Coordinates are float32 because Pillow
// keeps its boxes so, and a coefficient depends on it.
type Rect struct{ X0, Y0, X1, Y1 float32 }

// Bounds is the box of the whole image.
func (im *Image) Bounds() Rect {
	return Rect{0, 0, float32(im.Width), float32(im.Height)}
}

// Window is the part of an output image to compute, in its pixels.
type Window struct{ X, Y, Width, Height int }

// Resizer resamples images as Pillow's Image.resize does and keeps its tables
// and buffers from one call to the next. The zero Resizer is ready. It is not
// safe for concurrent use: a worker has its own.
type Resizer struct {
	horizontal, vertical weights
	rows                 Image    // rows of the source, resampled horizontally
	pairs                []uint64 // two rows of the source, one in each half
	columns              []int    // source columns of Nearest
}

// Resize writes the box of src, scaled to width x height, into dst:
// Image.resize((width, height), filter, box). The box must be inside src and
// not empty; pixels around it take part in antialiasing, as in Pillow. Resample
// a Crop of src to keep them out. dst must not share pixels with src.
func (r *Resizer) Resize(dst, src *Image, box Rect, width, height int, filter Filter) {
	r.ResizeWindow(dst, src, box, width, height, filter, Window{0, 0, width, height})
}

// ResizeWindow computes only a window of what Resize would give: the same
// pixels as resizing and cropping afterwards, for less work.
func (r *Resizer) ResizeWindow(dst, src *Image, box Rect, width, height int, filter Filter, win Window) {
	if !(box.X0 >= 0 && box.Y0 >= 0 && box.X1 > box.X0 && box.Y1 > box.Y0 &&
		box.X1 <= float32(src.Width) && box.Y1 <= float32(src.Height)) {
		panic("imaging: box empty or outside the image")
	}
	if win.X < 0 || win.Y < 0 || win.Width < 0 || win.Height < 0 || win.X+win.Width > width || win.Y+win.Height > height {
		panic("imaging: window outside the output image")
	}
	if win.Width == 0 || win.Height == 0 {
		dst.Reset(win.Width, win.Height, src.Channels)
		return
	}
	if filter == Nearest {
		r.nearest(dst, src, box, width, height, win)
		return
	}
	// Pillow leaves out a pass that would change nothing.
	wide := width != src.Width || box.X0 != 0 || box.X1 != float32(width)
	high := height != src.Height || box.Y0 != 0 || box.Y1 != float32(height)
	switch {
	case wide && high:
		r.horizontal.plan(src.Width, box.X0, box.X1, width, win.X, win.Width, filter)
		r.vertical.plan(src.Height, box.Y0, box.Y1, height, win.Y, win.Height, filter)
		first, last := r.vertical.reach()
		part := src.Crop(0, first, src.Width, last-first)
		r.resampleRows(&r.rows, &part, &r.horizontal)
		resampleColumns(dst, &r.rows, &r.vertical, first)
	case wide:
		r.horizontal.plan(src.Width, box.X0, box.X1, width, win.X, win.Width, filter)
		part := src.Crop(0, win.Y, src.Width, win.Height)
		r.resampleRows(dst, &part, &r.horizontal)
	case high:
		r.vertical.plan(src.Height, box.Y0, box.Y1, height, win.Y, win.Height, filter)
		part := src.Crop(win.X, 0, win.Width, src.Height)
		resampleColumns(dst, &part, &r.vertical, 0)
	default:
		part := src.Crop(win.X, win.Y, win.Width, win.Height)
		dst.CopyFrom(&part)
	}
}

// nearest follows Pillow's affine path, which sums up the step instead of
// multiplying it; the rounding errors of that decide ties.
func (r *Resizer) nearest(dst, src *Image, box Rect, width, height int, win Window) {
	dst.Reset(win.Width, win.Height, src.Channels)
	stepX := float64(box.X1-box.X0) / float64(width)
	stepY := float64(box.Y1-box.Y0) / float64(height)

	r.columns = grow(r.columns, win.Width)
	x := float64(box.X0) + float64(stepX*0.5)
	for i := range win.X + win.Width {
		if i >= win.X {
			r.columns[i-win.X] = min(int(x), src.Width-1)
		}
		x += stepX
	}
	y := float64(box.Y0) + float64(stepY*0.5)
	for j := range win.Y + win.Height {
		if j >= win.Y {
			from, to := src.Row(min(int(y), src.Height-1)), dst.Row(j-win.Y)
			if src.Channels == 1 {
				for i, c := range r.columns {
					to[i] = from[c]
				}
			} else {
				for i, c := range r.columns {
					copy(to[3*i:3*i+3], from[3*c:3*c+3])
				}
			}
		}
		y += stepY
	}
}

// precision is the number of fraction bits of a coefficient: 32 bits less 8 of
// the pixel and 2 of headroom for kernels that overshoot.
const precision = 32 - 8 - 2

// half is the rounding of a sum.
const half = 1 << (precision - 1)

// weights are the coefficients of one pass: output i is the sum over k of
// taps[i*size+k] * input[first[i]+k], for k < count[i].
type weights struct {
	size         int
	first, count []int
	taps         []int32
	scratch      []float64
}

// plan computes the coefficients of outputs from..from+n-1 of the out that the
// span in0..in1 of in pixels is scaled to (precompute_coeffs and
// normalize_coeffs_8bpc in Pillow's Resample.c).
func (w *weights) plan(in int, in0, in1 float32, out, from, n int, filter Filter) {
	scale := float64(in1-in0) / float64(out)
	stretch := max(scale, 1)
	support := filter.support() * stretch
	w.size = int(math.Ceil(support))*2 + 1
	w.first, w.count = grow(w.first, n), grow(w.count, n)
	w.taps = grow(w.taps, n*w.size)
	w.scratch = grow(w.scratch, w.size)
	inverse := 1 / stretch
	for i := range n {
		centre := float64(in0) + float64((float64(from+i)+0.5)*scale)
		first := max(int(centre-support+0.5), 0)
		count := min(int(centre+support+0.5), in) - first
		var sum float64
		for k := range count {
			v := filter.at((float64(k+first) - centre + 0.5) * inverse)
			w.scratch[k] = v
			sum += v
		}
		taps := w.taps[i*w.size : (i+1)*w.size]
		for k, v := range w.scratch[:count] {
			if sum != 0 {
				v /= sum
			}
			v *= 1 << precision
			if v < 0 {
				taps[k] = int32(v - 0.5)
			} else {
				taps[k] = int32(v + 0.5)
			}
		}
		w.first[i], w.count[i] = first, count
	}
}

// reach is the span of inputs that the outputs need.
func (w *weights) reach() (first, last int) {
	n := len(w.first) - 1
	return w.first[0], w.first[n] + w.count[n]
}

// The passes sum up in 64-bit registers that hold two 32-bit lanes, which halves
// the multiplications. A lane's sum always fits; what a negative low lane borrows
// from the high one, split gives back.

// bothHalves is the rounding in both lanes.
const bothHalves = half<<32 | half

// widen makes a coefficient ready to multiply both lanes.
func widen(tap int32) uint64 { return uint64(int64(tap)) }

// split rounds the two lanes.
func split(sums uint64) (low, high uint8) {
	l := int32(sums)
	return clip(l), clip(int32((sums - uint64(int64(l))) >> 32))
}

// resampleRows applies w along the rows of src, two at a time.
func (r *Resizer) resampleRows(dst, src *Image, w *weights) {
	dst.Reset(len(w.first), src.Height, src.Channels)
	first, last := w.reach()
	first, last = first*src.Channels, last*src.Channels
	r.pairs = grow(r.pairs, src.Width*src.Channels)
	for y := 0; y < src.Height; y += 2 {
		next := min(y+1, src.Height-1) // a last odd row goes with itself
		low, high := src.Row(y)[first:last], src.Row(next)[first:last]
		pairs := r.pairs[first:last]
		for i := range pairs {
			pairs[i] = uint64(low[i]) | uint64(high[i])<<32
		}
		if src.Channels == 1 {
			resampleGrayRows(dst.Row(y), dst.Row(next), r.pairs, w)
		} else {
			resampleRGBRows(dst.Row(y), dst.Row(next), r.pairs, w)
		}
	}
}

func resampleGrayRows(low, high []uint8, pairs []uint64, w *weights) {
	for i, first := range w.first {
		taps := w.taps[i*w.size:][:w.count[i]]
		in := pairs[first:][:len(taps)]
		sums := uint64(bothHalves)
		for k, t := range taps {
			sums += in[k] * widen(t)
		}
		low[i], high[i] = split(sums)
	}
}

func resampleRGBRows(low, high []uint8, pairs []uint64, w *weights) {
	for i, first := range w.first {
		taps := w.taps[i*w.size:][:w.count[i]]
		in := pairs[3*first:][:3*len(taps)]
		r, g, b := uint64(bothHalves), uint64(bothHalves), uint64(bothHalves)
		for _, tap := range taps {
			t := widen(tap)
			p := (*[3]uint64)(in)
			r += p[0] * t
			g += p[1] * t
			b += p[2] * t
			in = in[3:]
		}
		p, q := low[3*i:3*i+3:3*i+3], high[3*i:3*i+3:3*i+3]
		p[0], q[0] = split(r)
		p[1], q[1] = split(g)
		p[2], q[2] = split(b)
	}
}

// resampleColumns applies w down the columns of src, whose first row is row
// offset of the image that w was planned for.
func resampleColumns(dst, src *Image, w *weights, offset int) {
	dst.Reset(src.Width, len(w.first), src.Channels)
	for i, first := range w.first {
		out := dst.Row(i)
		taps := w.taps[i*w.size:][:w.count[i]]
		top := src.Pix[(first-offset)*src.Stride:]
		x := 0
		for ; x+8 <= len(out); x += 8 {
			eightColumns((*[8]uint8)(out[x:]), top[x:], src.Stride, taps)
		}
		for ; x < len(out); x++ {
			sum, at := int32(half), x
			for _, t := range taps {
				sum += t * int32(top[at])
				at += src.Stride
			}
			out[x] = clip(sum)
		}
	}
}

// eightColumns sums up eight columns, n and n+4 in the lanes of one register.
func eightColumns(out *[8]uint8, in []uint8, stride int, taps []int32) {
	const pair = 0x000000ff_000000ff
	a, b, c, d := uint64(bothHalves), uint64(bothHalves), uint64(bothHalves), uint64(bothHalves)
	at := 0
	for _, tap := range taps {
		t := widen(tap)
		v := binary.LittleEndian.Uint64(in[at:])
		a += v & pair * t
		b += v >> 8 & pair * t
		c += v >> 16 & pair * t
		d += v >> 24 & pair * t
		at += stride
	}
	out[0], out[4] = split(a)
	out[1], out[5] = split(b)
	out[2], out[6] = split(c)
	out[3], out[7] = split(d)
}

// clip rounds a fixed-point sum down to a byte, saturating.
func clip(sum int32) uint8 {
	return uint8(min(max(sum>>precision, 0), 255))
}

// grow returns s with length n, in its own memory where that is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
