package implicit

import (
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/cpu/vec"
)

// Weights tells where the weight of a term lies: tap (a, b), source channel
// k of the group and output channel n of the group are at
//
//	group·Group + TapH[a] + TapW[b] + k·K + n·N
type Weights struct {
	TapH, TapW []int // as long as the geometry's TapsH and TapsW
	Group      int
	K, N       int // one of them is 1
}

// Output tells where the value of position (i, j) of an image lies: image ·
// Image + i·Row + j·Pixel + Origin, plus group·Channels and the channel.
type Output struct {
	Image, Row, Pixel, Origin int
	Channels                  int // of a group
}

// RowsSpec is what a Rows plan computes.
type RowsSpec struct {
	Geometry
	Weights
	Out  Output
	Clip simd.Clip
	// Lanes is depthwise: there is one group, output channel n reads only
	// source channel n (after Repeat), and Weights.K is not used.
	Lanes bool
	// Fold sums every Fold neighbouring output channels into one; Out.Channels
	// counts them before. 1 but for Lanes.
	Fold int
}

// Rows is a plan for one lattice. It holds no data and may be used by one
// Run at a time.
type Rows struct {
	RowsSpec
	kernel     simd.Rows
	set        *simd.Set
	view       view
	bands      bands
	passes     []pass
	full       table // rows of a full band
	last       table // rows of the last band of an image, or of the last images
	panels     int   // of NR columns in a group
	panelFirst bool  // a panel takes all passes before the next panel does
	chunk      int   // panels that one piece of work does
	pieces     int
	past       bool // y may be written past the caches

	linear []int // offsets of a tile buffer's rows

	// Sizes in floats: all packed weights, these with the start values, and
	// a worker's gathered band and tile buffer.
	packedFloats, fixedFloats int
	bandFloats, tileFloats    int

	job rowsJob
}

// pass is a part of the sum that keeps its panel of weights in the first
// level of cache.
type pass struct {
	taps  []int // offsets from a position
	depth int   // terms of each tap
	first int   // number of terms in the passes before
}

// table names the rows of a band for the micro-kernel, the last row repeated
// to fill up the last tile.
type table struct {
	a, c  []int
	rows  int
	tiles int
}

// NewRows plans s with the micro-kernels of set.
func NewRows(s RowsSpec, set *simd.Set) *Rows {
	kernel := set.RowsFor(s.Out.Channels)
	if s.Lanes {
		kernel = set.LaneRows
	}
	return planRows(s, kernel, set)
}

// planRows plans s for tiles of the kernel's size.
func planRows(s RowsSpec, kernel simd.Rows, set *simd.Set) *Rows {
	p := &Rows{RowsSpec: s, kernel: kernel, set: set}
	p.panels = ceil(s.Out.Channels, p.kernel.NR)
	merged := p.chooseView()
	p.chooseBands()
	p.layPasses(merged)
	p.layTables()
	p.choosePieces()
	p.past = p.mayPass()
	p.job.Rows = p
	return p
}

// mayPass tells whether y is large, and all of its rows' parts whole cache lines that one
// pass writes.
func (p *Rows) mayPass() bool {
	o := &p.Out
	for _, step := range []int{o.Image, o.Row, o.Pixel, o.Origin, o.Channels} {
		if step%alignment != 0 {
			return false
		}
	}
	return p.kernel.Past != nil && p.Fold == 1 && len(p.passes) == 1 && o.Channels%p.kernel.NR == 0 &&
		p.Images*p.OutH*p.OutW*p.Groups*o.Channels >= vec.PastCaches
}

// ScratchFloats is the scratch memory that Run needs on a pool of the given
// number of threads.
func (p *Rows) ScratchFloats(threads int) int {
	return p.fixedFloats + threads*(p.bandFloats+p.tileFloats) + alignment
}
