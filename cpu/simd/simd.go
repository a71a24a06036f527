package simd

import (
	"math"

	"github.com/seed52467199/trainer/cpu/isa"
)

// RowsFunc computes tiles·MR rows of c by NR columns. For row r and column n
//
//	c[rowC[r]+n] = min(ceiling, max(floor, start[n] + Σt Σk a[rowA[r]+taps[t]+k] · b[(t·kc+k)·NR+n]))
//
// with t < ntaps and k < kc, both at least 1. Offsets count floats. start
// has NR values; where it is nil, the sum starts from c itself. A value that
// is not a number passes both bounds. Tables may name a row twice to fill up the
// last tile.
type RowsFunc func(a *float32, rowA, rowC *int, tiles int, taps *int, ntaps, kc int, b, c, start *float32, floor, ceiling float32)

// RowsBesideFunc is RowsFunc that meanwhile asks for rows of other maps to be brought
// into the second-level cache: in all of these the next tile's rows at rowC, in the last
// tile none.
type RowsBesideFunc func(a *float32, rowA, rowC *int, tiles int, taps *int, ntaps, kc int, b, c, start *float32, floor, ceiling float32, beside **float32, maps int)

// Clip is the range into which results are brought; what is not a number stays.
// The zero value, like every empty range, clips nothing.
type Clip struct{ Lo, Hi float32 }

// Bounds are Lo and Hi, or infinite where nothing is clipped.
func (c Clip) Bounds() (lo, hi float32) {
	if c.Lo < c.Hi {
		return c.Lo, c.Hi
	}
	return float32(math.Inf(-1)), float32(math.Inf(1))
}

// Rows is a micro-kernel for tiles of MR rows by NR columns.
type Rows struct {
	MR, NR int
	Run    RowsFunc
	// Past, where there is one, is Run that writes c past the caches: for results that
	// they would not hold until they are read. Rows of c are whole cache lines then.
	Past RowsFunc
	// Beside, where there is one, is Run that brings other maps nearer.
	Beside RowsBesideFunc
}

// ColsFunc computes one contiguous tile of MR rows and NR columns,
//
//	c[i·NR+n] += Σs Σp a[segs[s]+p·lda+i] · b[(s·kc+p)·ldb+n]
//
// with s < nseg and p < kc, both at least 1. Offsets and leading dimensions
// count floats. Where fresh is not zero, the sum starts from zero instead.
type ColsFunc func(a *float32, lda int, segs *int, nseg, kc int, b *float32, ldb int, c *float32, fresh int)

// Cols is a micro-kernel for tiles of MR rows by NR columns.
type Cols struct {
	MR, NR int
	Run    ColsFunc
}

// LaneColsFunc computes one contiguous tile of MT taps by NR channels,
//
//	c[t·NR+n] += Σs Σp a[taps[t]+segs[s]+p·lda+n] · b[(s·kc+p)·ldb+n]
//
// and is otherwise like ColsFunc.
type LaneColsFunc func(a *float32, lda int, taps, segs *int, nseg, kc int, b *float32, ldb int, c *float32, fresh int)

// LaneCols is a micro-kernel for tiles of MT taps by NR channels.
type LaneCols struct {
	MT, NR int
	Run    LaneColsFunc
}

// GatherFunc copies pieces of a fixed number of floats, at least one of them,
// that lie step floats apart in src, to dst without gaps.
type GatherFunc func(dst, src *float32, pieces, step int)

// DealFunc deals the pixels of src, at least one, which lie step floats apart, out
// to panels: piece p of a fixed number of floats of pixel i goes to dst at
// p·panelStep + i·(size of a piece).
type DealFunc func(dst, src *float32, pixels, step, panels, panelStep int)

// SumFunc adds parts vectors, at least one, to the n floats at x, one after
// the other: vector i begins i+1 steps after x. n is a positive multiple of 8.
type SumFunc func(x *float32, n, parts, step int)

// ScatterFunc copies n floats, at least one, of each row of src, which lie step
// floats apart, to the row's offset in dst, or adds them where add is not zero. A
// row ends before the next one is read.
type ScatterFunc func(dst *float32, rowC *int, src *float32, rows, step, n, add int)

// TransposeFunc writes the transpose of a square of Set.Square by as many floats. Rows are
// dstStep and srcStep floats apart.
type TransposeFunc func(dst *float32, dstStep int, src *float32, srcStep int)

// FetchFunc asks for cache lines, at least one, from p on, to be brought into the
// second-level cache.
type FetchFunc func(p *float32, lines int)

// Set is the micro-kernels of one level. Rows and Cols offer several widths,
// the widest and fastest first.
type Set struct {
	Rows []Rows
	Cols []Cols
	// LaneRows reads a[rowA[r]+taps[t]+n] in place of a row's own factor: each
	// of the NR channels meets only its own weight. kc is 1.
	LaneRows Rows
	LaneCols LaneCols
	// Gather is by the size of a piece: MR and NR of every Cols.
	Gather map[int]GatherFunc
	// Deal is by the size of a piece: MR of every Cols.
	Deal map[int]DealFunc
	Sum  SumFunc
	// Scatter moves what does not fill a tile.
	Scatter ScatterFunc
	Fetch   FetchFunc
	// Turn is for squares of Square rows.
	Square int
	Turn   TransposeFunc
}

// For is the set of a level, which must not be above isa.Best.
func For(level isa.Level) *Set {
	if level > isa.Best() {
		level = isa.Best()
	}
	return sets[level]
}

// narrowCost is how much longer a kernel takes for each column for every halving of
// the widest one's columns: each factor is loaded for fewer of them. Measured.
const narrowCost = 1.25

// cheapest returns the kernel of the given width that takes the least time for n
// columns, the first of the list where several do.
func cheapest[K any](kernels []K, n int, width func(K) int) K {
	best, least := kernels[0], 0.0
	for i, k := range kernels {
		w := width(k)
		cost := float64((n + w - 1) / w * w)
		for ; w < width(kernels[0]); w *= 2 {
			cost *= narrowCost
		}
		if i == 0 || cost < least {
			best, least = k, cost
		}
	}
	return best
}

// RowsFor is the kernel of s that suits n columns best.
func (s *Set) RowsFor(n int) Rows {
	return cheapest(s.Rows, n, func(k Rows) int { return k.NR })
}

// ColsFor is the kernel of s that suits n columns best.
func (s *Set) ColsFor(n int) Cols {
	return cheapest(s.Cols, n, func(k Cols) int { return k.NR })
}

// Transpose writes the transpose of rows by cols floats of src to dst. Rows are dstStep
// and srcStep floats apart.
func (s *Set) Transpose(dst []float32, dstStep int, src []float32, srcStep, rows, cols int) {
	wholeRows, wholeCols := rows-rows%s.Square, cols-cols%s.Square
	for r := 0; r < wholeRows; r += s.Square {
		for c := 0; c < wholeCols; c += s.Square {
			s.Turn(&dst[c*dstStep+r], dstStep, &src[r*srcStep+c], srcStep)
		}
	}
	for r := range rows {
		from := wholeCols
		if r >= wholeRows {
			from = 0
		}
		for c := from; c < cols; c++ {
			dst[c*dstStep+r] = src[r*srcStep+c]
		}
	}
}
