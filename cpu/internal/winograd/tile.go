package winograd

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/isa"
)

// A transform reads a square of vectors of channels and writes another. One
// side is in the image (or the filter): a table has a pointer for every pixel,
// row by row. The other side is positions: vector p lies p·stride floats
// after the first. From tile to tile, of which there is at least one, the
// image's side moves by pixelStep floats and the positions by step. channels
// is a positive multiple of Kernels.Width.

// GatherFunc transforms pixels into positions.
type GatherFunc func(dst *float32, stride, step int, src **float32, pixelStep, tiles, channels int)

// ScatterFunc transforms positions into pixels.
type ScatterFunc func(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int)

// OutputFunc transforms positions into pixels, adds the bias of the channel
// and clips to [low, high]. What is not a number stays. The bias of the second of two
// halves of all columns lies biasStep floats after that of the first.
type OutputFunc func(dst **float32, pixelStep int, src *float32, stride, step, tiles, channels int, bias *float32, biasStep int, low, high float32)

// Tile is the transforms of one kind of tile: Out by Out outputs from In by
// In inputs, with filters of 3 by 3 or, for those that are quartered, of 1.
type Tile struct {
	Out, In int

	Input  GatherFunc // Bᵀ d B; of quarters, the left factors
	Weight GatherFunc // G g Gᵀ; the right factors
	Spread GatherFunc // A dy Aᵀ; the right factors

	Output    OutputFunc  // Aᵀ m A
	OutputAdd ScatterFunc // the same, added to what the pixels hold

	Gradient    ScatterFunc // Gᵀ m G
	GradientAdd ScatterFunc // the same, added

	// These are for pixels of bfloat16: pointers point at these, and
	// pixelStep counts them.
	HalfInput, HalfSpread GatherFunc
	HalfOutput            OutputFunc
	HalfOutputAdd         ScatterFunc

	// These are for pixels of bfloat16, too, where the processor multiplies that.
	// PairInput's positions are bfloat16, which stride and step count. The others write
	// one half of places as large as float32s, for one of two tiles that share these; the
	// lower half is first.
	PairInput             GatherFunc
	LowInput, HighInput   GatherFunc
	LowSpread, HighSpread GatherFunc
}

// input, spread, output and outputAdd are the transforms for pixels of a kind.
func (t *Tile) input(half bool) GatherFunc {
	if half {
		return t.HalfInput
	}
	return t.Input
}

func (t *Tile) spread(half bool) GatherFunc {
	if half {
		return t.HalfSpread
	}
	return t.Spread
}

func (t *Tile) output(half bool) OutputFunc {
	if half {
		return t.HalfOutput
	}
	return t.Output
}

func (t *Tile) outputAdd(half bool) ScatterFunc {
	if half {
		return t.HalfOutputAdd
	}
	return t.OutputAdd
}

// name tells how a plan computes, whose products may be of pairs of bfloat16.
func (t *Tile) name(pairs bool) string {
	if t.quartered() {
		return "strassen"
	}
	name := fmt.Sprintf("winograd f%dx%d", t.Out, t.Out)
	if t.strided() || t.turned() {
		name = "winograd f4x4 of stride 2"
	}
	if pairs {
		name += " of bfloat16"
	}
	return name
}

// quartered tells whether the tile is Strassen's: two pixels whose channels are cut in two.
func (t *Tile) quartered() bool { return t.In == 1 }

// strided and turned tell whether it is one for stride 2, and for an input gradient of
// stride 2.
func (t *Tile) strided() bool { return t.In == 9 }
func (t *Tile) turned() bool  { return t.In == 5 }

// step is the number of the source's pixels from tile to tile.
func (t *Tile) step() int {
	switch {
	case t.strided():
		return 2 * t.Out
	case t.turned():
		return t.Out / 2
	}
	return t.Out
}

// sources, weights, products and spreads are the numbers of vectors, of a tile or of a
// pair of channels, that the transforms of the source and of the filter write, that of the
// result reads, and that of its gradient writes.
func (t *Tile) sources() int {
	if t.quartered() {
		return 7
	}
	return t.In * t.In
}

func (t *Tile) weights() int {
	switch {
	case t.quartered():
		return 7
	case t.strided(), t.turned():
		return 9 * 9
	}
	return t.In * t.In
}

func (t *Tile) products() int {
	if t.strided() {
		return t.spreads()
	}
	return t.weights()
}

func (t *Tile) spreads() int {
	if t.strided() {
		return 5 * 5
	}
	return t.weights()
}

// product is what the source's and the weights' vectors of some numbers add to the
// product of one, over so many of each that follow each other.
type product struct {
	of, source, weight, terms int
	more                      bool // the product has been begun
}

// multiplied lists what makes the products.
func (t *Tile) multiplied() []product {
	var list []product
	switch {
	case t.strided():
		// The even and the odd phase of one point follow each other along both axes.
		for i := range 9 {
			for j := 0; j < 9; j += 2 {
				at := i*9 + j
				list = append(list, product{of: i/2*5 + j/2, source: at, weight: at, terms: min(2, 9-j), more: i%2 == 1})
			}
		}
	case t.turned():
		for i := range 9 {
			for j := range 9 {
				list = append(list, product{of: i*9 + j, source: i/2*5 + j/2, weight: i*9 + j, terms: 1})
			}
		}
	default:
		for i := range t.weights() {
			list = append(list, product{of: i, source: i, weight: i, terms: 1})
		}
	}
	return list
}

// spreadOf is the number of the gradient's vector that meets one of the source.
func (t *Tile) spreadOf(source int) int {
	if t.strided() {
		return source/9/2*5 + source%9/2
	}
	return source
}

// part is the number of channels of n, or columns, that it transforms at a time.
func (t *Tile) part(n int) int {
	if t.quartered() {
		return n / 2
	}
	return n
}

// inputs, outputs and taps are the numbers of pixels, or quarters, of the source, of the
// result and of the filter.
func (t *Tile) inputs() int {
	if t.quartered() {
		return 4
	}
	return t.In * t.In
}

func (t *Tile) outputs() int {
	if t.quartered() {
		return 4
	}
	return t.Out * t.Out
}

func (t *Tile) taps() int {
	if t.quartered() {
		return 4
	}
	return 9
}

// Kernels is the transforms of one level.
type Kernels struct {
	Width     int // channels are transformed in multiples of it
	F2, F4    Tile
	Strided   Tile // forward and for weight gradients
	Turned    Tile // for input gradients of padding 1
	Quartered Tile
}

// For is the transforms of a level, which must not be above isa.Best.
func For(level isa.Level) *Kernels {
	if level > isa.Best() {
		level = isa.Best()
	}
	return kernels[level]
}
