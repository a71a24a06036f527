package simd

import "github.com/seed52467199/trainer/cpu/isa"

// Kernels on pairs of bfloat16: two neighbours of a sum share a float32's place, the
// earlier one in the lower half, and a term of the sum is the products of both. What
// they read as *float32 are such pairs.

// PairRowsFunc is RowsFunc on pairs of a and b. Where y is not nil, the rows go to y,
// rounded to bfloat16, at rowY, which counts elements of y, instead of to c; where add is
// not zero, they are added to what is there. As RowsBesideFunc does, it asks for rows of
// other maps, at rowY.
type PairRowsFunc func(a *float32, rowA, rowC *int, tiles int, taps *int, ntaps, kc int, b, c, start *float32, floor, ceiling float32, y *uint16, rowY *int, add int, beside **uint16, maps int)

// PairRows is a micro-kernel for tiles of MR rows by NR columns.
type PairRows struct {
	MR, NR int
	Run    PairRowsFunc
}

// PairGatherFunc is GatherFunc that makes pairs of the pieces at src and of those
// pixel elements further on. step and pixel count bfloat16.
type PairGatherFunc func(dst *float32, src *uint16, pieces, step, pixel int)

// PairDealFunc is DealFunc that makes pairs of the pixels at src and of those pixel
// elements further on. step and pixel count bfloat16.
type PairDealFunc func(dst *float32, src *uint16, pixels, step, panels, panelStep, pixel int)

// PairSet is the micro-kernels for pairs.
type PairSet struct {
	Rows []PairRows
	// Cols are as in Set, on pairs of a and b.
	Cols []Cols
	// Gather is by the size of a piece: NR of every Cols.
	Gather map[int]PairGatherFunc
	// Deal is by the size of a piece: MR of every Cols.
	Deal map[int]PairDealFunc
}

// PairsFor is the kernels for pairs at a level, nil where the processor has no
// instructions that multiply them.
func PairsFor(level isa.Level) *PairSet {
	if !isa.BFloat16(min(level, isa.Best())) {
		return nil
	}
	return pairSet
}

// RowsFor is the kernel of s that suits n columns best.
func (s *PairSet) RowsFor(n int) PairRows {
	return cheapest(s.Rows, n, func(k PairRows) int { return k.NR })
}

// ColsFor is the kernel of s that suits n columns best.
func (s *PairSet) ColsFor(n int) Cols {
	return cheapest(s.Cols, n, func(k Cols) int { return k.NR })
}
