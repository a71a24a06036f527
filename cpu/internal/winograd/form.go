package winograd

// form is what a kind of tile counts: out by out results from in by in pixels of the source,
// with filters of 3 by 3 or, of quartering, of 1.
type form struct {
	name    string
	out, in int
	step    int // the source's pixels from tile to tile
	halves  int // that channels, and columns, are cut into

	// inputs, outputs and taps are the numbers of pixels, or quarters, of the source, of the
	// result and of the filter.
	inputs, outputs, taps int

	// sources, weights, products and spreads are the numbers of vectors, of a tile or of a
	// pair of channels, that the transforms of the source and of the filter write, that of
	// the result reads, and that of its gradient writes.
	sources, weights, products, spreads int

	multiplied []product
}

// product is what the source's and the weights' vectors of some numbers add to the
// product of one, over so many of each that follow each other.
type product struct {
	of, source, weight, terms int
	more                      bool // the product has been begun
}

var (
	filtering2 = filtering("winograd f2x2", 2)
	filtering4 = filtering("winograd f4x4", 4)

	// striding is for stride 2, and turning for input gradients of it.
	striding = &form{
		name: "winograd f4x4 of stride 2", out: 4, in: 9, step: 8, halves: 1,
		inputs: 9 * 9, outputs: 4 * 4, taps: 9,
		sources: 9 * 9, weights: 9 * 9, products: 5 * 5, spreads: 5 * 5,
		multiplied: joined(),
	}
	turning = &form{
		name: "winograd f4x4 of stride 2", out: 8, in: 5, step: 4, halves: 1,
		inputs: 5 * 5, outputs: 8 * 8, taps: 9,
		sources: 5 * 5, weights: 9 * 9, products: 9 * 9,
		multiplied: parted(),
	}

	// quartering is Strassen's: two pixels whose channels are cut in two.
	quartering = &form{
		name: "strassen", out: 1, in: 1, step: 1, halves: 2,
		inputs: 4, outputs: 4, taps: 4,
		sources: 7, weights: 7, products: 7, spreads: 7,
		multiplied: oneByOne(7),
	}
)

// filtering is the form of minimal filtering of stride 1.
func filtering(name string, out int) *form {
	in := out + 2
	return &form{
		name: name, out: out, in: in, step: out, halves: 1,
		inputs: in * in, outputs: out * out, taps: 9,
		sources: in * in, weights: in * in, products: in * in, spreads: in * in,
		multiplied: oneByOne(in * in),
	}
}

// oneByOne multiplies the vectors of the same number.
func oneByOne(n int) []product {
	list := make([]product, n)
	for i := range list {
		list[i] = product{of: i, source: i, weight: i, terms: 1}
	}
	return list
}

// joined adds the products of the even and of the odd phase of a point, which follow
// each other along both axes.
func joined() []product {
	var list []product
	for i := range 9 {
		for j := 0; j < 9; j += 2 {
			at := i*9 + j
			list = append(list, product{of: pointOf(at), source: at, weight: at, terms: min(2, 9-j), more: i%2 == 1})
		}
	}
	return list
}

// parted multiplies a point's vector by those of both phases.
func parted() []product {
	list := make([]product, 9*9)
	for i := range list {
		list[i] = product{of: i, source: pointOf(i), weight: i, terms: 1}
	}
	return list
}

// pointOf is the point of a vector, of 9 by 9, whose points but the last have two phases.
func pointOf(at int) int { return at/9/2*5 + at%9/2 }

// spreadOf is the number of the gradient's vector that meets one of the source.
func (f *form) spreadOf(source int) int {
	if f == striding {
		return pointOf(source)
	}
	return source
}

// part is the number of channels of n, or columns, that are transformed at a time.
func (f *form) part(n int) int { return n / f.halves }
