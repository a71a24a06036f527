package implicit

import "github.com/seed52467199/trainer/cpu/simd"

// ColsSpec is what a Cols plan computes: for tap (a, b), source channel k and
// output channel n of a group, the sum over all positions of the source
// value that the tap reads times the position's value in dy. It goes to
//
//	group·Group + TapH[a] + TapW[b] + k·K + n
//
// in dw (N is 1). Position after position of dy lies Pixel floats apart, each
// with Groups·Columns channels.
type ColsSpec struct {
	Geometry
	Weights
	Columns int // output channels of a group
	Pixel   int
	// Lanes is depthwise: one group, where output channel n reads only source
	// channel n (after Repeat), and Weights.K is not used.
	Lanes bool
}

// Cols is a plan for one weight gradient. It holds no data and may be used by
// one Run at a time.
//
// Positions are cut into a fixed number of shares. Every share sums its bands
// into tiles of its own, then the shares are summed in order.
type Cols struct {
	ColsSpec
	rows, nr int // of a tile
	cols     simd.ColsFunc
	lanes    simd.LaneColsFunc
	deal     simd.DealFunc   // of rows floats
	gatherB  simd.GatherFunc // of nr floats
	sum      simd.SumFunc
	fetching simd.FetchFunc
	pairs    *pairing // of bfloat16, nil for float32

	// A band of the source is read in place, or gathered as it is, by view, or as
	// panels of rows channels, by layout. In each, step, row and image are the floats
	// from one position to the next, to the next row, to the next image.
	panelled         bool
	placed           bool // the source is read in place, as its one tap meets it
	view             view
	layout           panelLayout
	step, row, image int
	bands            bands
	full, last       segments

	panels           int        // of nr columns in a group
	direct           bool       // dy is read in place
	tiles            []colsTile // of a group, for each panel of columns
	tilesPerChannels int        // tiles that meet one panel of channels; all, where there are none
	laneTaps         []int      // offsets that lanes' tiles name, rows for every tile

	// Pieces of work: shares of the bands, by groups, by parts; then pieces of the
	// reduction.
	shares, reduced int

	// Sizes in floats: a channel panel of a band; a band where it is not panelled; a
	// band's panel of dy; a share's sums.
	panelFloats, bandFloats, sideFloats, shareFloats int

	job colsJob
}

// colsTile is a tile of the result: where its first channel lies in a band,
// and where its rows go in dw.
type colsTile struct {
	a  int
	dw []int
}

// segments is a band's runs of neighbouring positions.
type segments struct {
	offsets []int
	depth   int // positions in a run
}

func (s *segments) positions() int { return len(s.offsets) * s.depth }

// NewCols plans s with the micro-kernels of set.
func NewCols(s ColsSpec, set *simd.Set) *Cols {
	p := &Cols{ColsSpec: s}
	if s.Lanes {
		p.rows, p.nr, p.lanes = set.LaneCols.MT, set.LaneCols.NR, set.LaneCols.Run
	} else {
		k := set.ColsFor(s.Columns)
		p.rows, p.nr, p.cols = k.MR, k.NR, k.Run
		p.deal = set.Deal[k.MR]
	}
	p.gatherB, p.sum, p.fetching = set.Gather[p.nr], set.Sum, set.Fetch
	p.placed = !s.Lanes && s.inside() && len(s.TapsH)*len(s.TapsW) == 1 && s.Repeat == 1 && s.Channels%p.rows == 0 && s.Channels > windowDepth
	p.panelled = !s.Lanes && s.Channels > windowDepth && !p.placed
	p.direct = s.Columns%p.nr == 0 && s.Groups == 1
	p.plan()
	return p
}

// plan lays everything out, once the tile, panelled and direct are known.
func (p *Cols) plan() {
	p.panels = ceil(p.Columns, p.nr)
	p.chooseBands()
	p.layTiles()
	p.full = p.segmentsOf(band{images: p.bands.images, rows: p.bands.rows})
	p.last = p.segmentsOf(p.band(&p.bands, p.bands.number-1))
	p.choosePieces()
	p.job.Cols = p
}

// parts cuts a share's tiles by panels of channels and of columns. How many parts there
// are changes no bit.
type parts struct {
	channels, columns int
	bandFloats        int // of a band, or as many of its channel panels as one part has
}

// ScratchFloats is the scratch memory that Run needs on a pool of the given
// number of threads.
func (p *Cols) ScratchFloats(threads int) int {
	return p.shares*p.shareFloats + threads*(p.partsFor(threads).bandFloats+p.sideFloats) + alignment
}
