package imaging

import (
	"math"

	"github.com/seed52467199/trainer/data/imaging/pixel"
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
	rows                 Image   // rows of the source, resampled horizontally
	strip                []uint8 // memory of that pass
	columns              []int   // source columns of Nearest
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
	r.check(src, box)
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
		r.horizontal.plan(src.Width, box.X0, box.X1, width, win.X, win.Width, filter, false)
		r.vertical.plan(src.Height, box.Y0, box.Y1, height, win.Y, win.Height, filter, false)
		first, last := r.vertical.Reach()
		part := src.Crop(0, first, src.Width, last-first)
		r.resampleRows(&r.rows, &part, &r.horizontal)
		resampleColumns(dst, &r.rows, &r.vertical, first)
	case wide:
		r.horizontal.plan(src.Width, box.X0, box.X1, width, win.X, win.Width, filter, false)
		part := src.Crop(0, win.Y, src.Width, win.Height)
		r.resampleRows(dst, &part, &r.horizontal)
	case high:
		r.vertical.plan(src.Height, box.Y0, box.Y1, height, win.Y, win.Height, filter, false)
		part := src.Crop(win.X, 0, win.Width, src.Height)
		resampleColumns(dst, &part, &r.vertical, 0)
	default:
		part := src.Crop(win.X, win.Y, win.Width, win.Height)
		dst.CopyFrom(&part)
	}
}

// ResizeFloats is Resize followed by a flip and by normalisation, in one go: dst
// has the height x width x channels values of the result, mirrored left to right
// and upended as asked. The filter is any but Nearest.
func (r *Resizer) ResizeFloats(dst []float32, src *Image, box Rect, width, height int, filter Filter, mirrored, upended bool, norm *pixel.Norm) {
	r.check(src, box)
	if filter == Nearest {
		panic("imaging: ResizeFloats has no nearest")
	}
	// Flipped are the coefficients: each output has those of its opposite.
	r.horizontal.plan(src.Width, box.X0, box.X1, width, 0, width, filter, mirrored)
	r.vertical.plan(src.Height, box.Y0, box.Y1, height, 0, height, filter, upended)
	first, last := r.vertical.Reach()
	part := src.Crop(0, first, src.Width, last-first)
	r.resampleRows(&r.rows, &part, &r.horizontal)
	n := width * src.Channels
	w := &r.vertical
	for i, at := range w.First {
		pixel.ResampleFloats(dst[i*n:(i+1)*n], r.rows.Pix[(at-first)*n:], n, w.Taps[i*w.Size:][:w.Count[i]], norm)
	}
}

func (r *Resizer) check(src *Image, box Rect) {
	if !(box.X0 >= 0 && box.Y0 >= 0 && box.X1 > box.X0 && box.Y1 > box.Y0 &&
		box.X1 <= float32(src.Width) && box.Y1 <= float32(src.Height)) {
		panic("imaging: box empty or outside the image")
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

// weights are the coefficients of one pass.
type weights struct {
	pixel.Weights
	scratch []float64
}

// plan computes the coefficients of outputs from..from+n-1 of the out that the
// span in0..in1 of in pixels is scaled to (precompute_coeffs and
// normalize_coeffs_8bpc in Pillow's Resample.c), in reverse order if asked.
func (w *weights) plan(in int, in0, in1 float32, out, from, n int, filter Filter, reversed bool) {
	scale := float64(in1-in0) / float64(out)
	stretch := max(scale, 1)
	support := filter.support() * stretch
	w.Size = int(math.Ceil(support))*2 + 1
	w.First, w.Count = grow(w.First, n), grow(w.Count, n)
	w.Taps = grow(w.Taps, n*w.Size)
	w.scratch = grow(w.scratch, w.Size)
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
		if reversed {
			i = n - 1 - i
		}
		taps := w.Taps[i*w.Size : (i+1)*w.Size]
		for k, v := range w.scratch[:count] {
			if sum != 0 {
				v /= sum
			}
			v *= 1 << pixel.Precision
			if v < 0 {
				taps[k] = int32(v - 0.5)
			} else {
				taps[k] = int32(v + 0.5)
			}
		}
		w.First[i], w.Count[i] = first, count
	}
}

// resampleRows applies w along the rows of src.
func (r *Resizer) resampleRows(dst, src *Image, w *weights) {
	dst.Reset(len(w.First), src.Height, src.Channels)
	pixel.Rows(dst.Pix, dst.Stride, src.Pix, src.Stride, src.Height, src.Channels, &w.Weights, &r.strip)
}

// resampleColumns applies w down the columns of src, whose first row is row
// offset of the image that w was planned for.
func resampleColumns(dst, src *Image, w *weights, offset int) {
	dst.Reset(src.Width, len(w.First), src.Channels)
	for i, first := range w.First {
		pixel.ResampleBytes(dst.Row(i), src.Pix[(first-offset)*src.Stride:], src.Stride, w.Taps[i*w.Size:][:w.Count[i]])
	}
}

// grow returns s with length n, in its own memory where that is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
