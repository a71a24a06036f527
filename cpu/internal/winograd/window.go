package winograd

// Spec is a convolution of NHWC images with filters of 3 by 3 pixels and stride 1 or,
// for tiles made for that, 2, or the input gradient of one; for quartered tiles, one with
// filters of 1 pixel and any stride.
type Spec struct {
	Images          int
	InH, InW        int
	Channels        int // of the source
	OutH, OutW      int
	Columns         int // channels of the result
	Pixel, Origin   int // floats from pixel to pixel of the result, 0 for Columns, and before the first
	PadTop, PadLeft int // rows and columns of zeros before the source; negative ones skip pixels
	Turned          bool
	// Stride is the distance of the pixels at which filters begin in the larger map, the
	// source or, of an input gradient, the result; 0 for 1. Pixels of the result that no
	// filter meets stay as they are.
	Stride int
	// Half maps, of the source, of the result and of its gradient, lie in memory as
	// bfloat16. They are widened when a tile is transformed, and rounded when the
	// result is written; between these, everything is float32.
	Half bool
}

// table has a pointer for every pixel of a tile.
type table [9 * 9]*float32

// window is how tiles lie over a map of pixels: tile (i, j) of an image has
// size by size pixels, the first at row i·step - top and column j·step - left.
// It may reach over the map's borders.
type window struct {
	size, step, top, left int
	h, w, pixel           int // of the map; floats from pixel to pixel
	rows, cols            int // tiles of an image

	// parts are what lies in a pixel of a tile, and planes the pixels at one place: floats
	// from its own place.
	parts, planes []int

	// Tiles of these rows and columns lie inside the map.
	rowFrom, rowTo, colFrom, colTo int
}

func newWindow(size, step, top, left, h, w, pixel, rows, cols int) window {
	v := window{size: size, step: step, top: top, left: left, h: h, w: w, pixel: pixel, rows: rows, cols: cols, parts: single, planes: single}
	v.rowFrom, v.rowTo = inside(size, step, top, h, rows)
	v.colFrom, v.colTo = inside(size, step, left, w, cols)
	return v
}

// windows are those of tiles on the source and on the result, and the number of tiles.
func (s Spec) windows(t *Tile) (source, result window, tiles int) {
	if t.form == quartering {
		return s.quarters()
	}
	rows, cols := ceil(s.OutH, t.out), ceil(s.OutW, t.out)
	if t.form == turning {
		s.PadTop, s.PadLeft = 0, 0
	}
	source = newWindow(t.in, t.step, s.PadTop, s.PadLeft, s.InH, s.InW, s.Channels, rows, cols)
	result = newWindow(t.out, t.out, 0, 0, s.OutH, s.OutW, s.Pixel, rows, cols)
	return source, result, s.Images * rows * cols
}

// single is the parts, and the planes, of pixels that are one piece.
var single = []int{0}

// inside is the range of n tiles along an axis that lie on a map of the given
// length.
func inside(size, step, before, length, n int) (from, to int) {
	from = min(n, max(0, ceil(before, step)))
	to = n
	for to > from && (to-1)*step-before+size > length {
		to--
	}
	return from, to
}

// run fills t with the parts of the pixels of a tile, in x or, for those off the map,
// outside, where a pixel has but one part. It returns how many tiles from this one on, the
// last excluded, t serves if its pointers move by step pixels each time.
func (v *window) run(t *table, x pixels, outside *float32, tile, last int) int {
	image, at := tile/(v.rows*v.cols), tile%(v.rows*v.cols)
	i, j := at/v.cols, at%v.cols
	h, w := i*v.step-v.top, j*v.step-v.left
	if i >= v.rowFrom && i < v.rowTo && j >= v.colFrom && j < v.colTo {
		k := 0
		for r := range v.size {
			p := ((image*v.h+h+r)*v.w + w) * v.pixel
			for range v.size {
				for _, part := range v.parts {
					t[k] = x.at(p + part)
					k++
				}
				p += v.pixel
			}
		}
		return min(last-tile, v.colTo-j)
	}
	k := 0
	for r := h; r < h+v.size; r++ {
		for c := w; c < w+v.size; c++ {
			t[k] = outside
			if r >= 0 && r < v.h && c >= 0 && c < v.w {
				t[k] = x.at(((image*v.h+r)*v.w + c) * v.pixel)
			}
			k++
		}
	}
	return 1
}

// strip is the pixels of neighbouring tiles of a row that lie on the map: where
// the first one lies, and how many rows and columns there are.
type strip struct{ tiles, first, rows, cols int }

// strip is that of the tiles from this one to the end of its row, but the last
// excluded. No tile begins off the map.
func (v *window) strip(tile, last int) strip {
	image, at := tile/(v.rows*v.cols), tile%(v.rows*v.cols)
	i, j := at/v.cols, at%v.cols
	n := min(last-tile, v.cols-j)
	h, w := i*v.step, j*v.step
	return strip{
		tiles: n, first: ((image*v.h+h)*v.w + w) * v.pixel,
		rows: min(v.size, v.h-h), cols: min(n*v.step, v.w-w),
	}
}

// ceil is a/b rounded up, for positive b.
func ceil(a, b int) int { return (a + b - 1) / b }

// round is a rounded up to a multiple of to.
func round(a, to int) int { return ceil(a, to) * to }
