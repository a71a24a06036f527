package winograd

import "github.com/seed52467199/trainer/cpu/isa"

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

// Tile is the transforms of one kind of tile.
type Tile struct {
	*form

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

// named tells how a plan computes, whose products may be of pairs of bfloat16.
func (t *Tile) named(pairs bool) string {
	if pairs {
		return t.name + " of bfloat16"
	}
	return t.name
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
