package implicit

import (
	"math"

	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

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
	gatherA  simd.GatherFunc // of rows floats
	gatherB  simd.GatherFunc // of nr floats
	sum      simd.SumFunc

	view       view // of a gathered band, where it is not panelled
	panelled   bool // the band is laid out as panels of rows channels
	layout     panelLayout
	direct     bool // dy is read in place
	bands      bands
	full, last segments
	tiles      []colsTile
	laneTaps   []int // offsets that the tiles' taps name, rows for every tile
	panels     int   // of nr columns in a group

	shares           int
	rowParts         int // parts of the channel panels that are pieces of their own
	colParts         int // parts of the column panels
	step, row, image int // from position to position of a band, row to row, image to image
	panelFloats      int // of a channel panel of a band
	bandFloats       int // of a band, or of those of its channel panels that are one part
	sideFloats       int // of a band's panel of dy
	shareFloats      int
	reduced, pieces  int
	tilesPerChannels int // tiles of one channel panel
	job              colsJob
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

type colsJob struct {
	*Cols
	x, dy, dw  []float32
	sums       []float32
	worker     []float32
	accumulate bool
	reducing   bool
}

// Sizes that the bands of Cols are cut for, in floats: a panel of dy with
// what it meets stays in the first-level cache; a whole band in the second.
const (
	firstLevel  = 10 << 10
	windowDepth = 48      // source channels up to which a band is read as it is
	shareLimit  = 1 << 20 // floats of all shares' sums
)

// NewCols plans s with the micro-kernels of set.
func NewCols(s ColsSpec, set *simd.Set) *Cols {
	p := &Cols{ColsSpec: s}
	if s.Lanes {
		p.rows, p.nr, p.lanes = set.LaneCols.MT, set.LaneCols.NR, set.LaneCols.Run
	} else {
		k := set.ColsFor(s.Columns)
		p.rows, p.nr, p.cols = k.MR, k.NR, k.Run
		p.gatherA = set.Gather[k.MR]
	}
	p.gatherB, p.sum = set.Gather[p.nr], set.Sum
	p.panels = ceil(s.Columns, p.nr)
	p.panelled = !s.Lanes && s.Channels > windowDepth
	p.direct = s.Columns%p.nr == 0 && s.Groups == 1 && s.Pixel <= 2*p.nr
	p.chooseBands()
	p.layTiles()
	p.full = p.segmentsOf(band{images: p.bands.images, rows: p.bands.rows})
	p.last = p.segmentsOf(p.band(&p.bands, p.bands.number-1))
	p.choosePieces()
	p.job.Cols = p
	return p
}

// pixelFloats is the distance of pixels in a gathered band.
func (p *Cols) pixelFloats() int {
	switch {
	case p.panelled:
		return p.rows
	case p.Lanes:
		return p.panels * p.nr
	}
	return p.Channels
}

// chooseBands takes the size of band with the least expected cost for each
// position: tiles fetched and stored, the border gathered more than once,
// the first-level cache overrun.
func (p *Cols) chooseBands() {
	best := math.Inf(1)
	pixel := p.pixelFloats()
	p.shapes(1024, func(images, rows int) {
		v := p.gathered(pixel, rows)
		n := images * rows * p.OutW
		copied, touched := images*v.image, images*v.image
		switch {
		case p.panelled:
			l := p.panelsOf(rows)
			touched = images * len(l.rows) * l.width * p.rows
			copied = touched * len(l.columns)
		case p.Lanes:
			touched /= p.panels
		}
		touched += n * p.nr
		cost := 1 + 6/float64(n)
		cost += 8 * float64(copied) / (float64(n*len(p.TapsH)*len(p.TapsW)) * float64(p.Columns*pixel))
		if touched > firstLevel {
			cost *= 1 + 0.05*float64(touched-firstLevel)/firstLevel
		}
		if cost < best {
			best, p.bands = cost, p.bandsOf(images, rows)
		}
	})
	if p.panelled {
		p.layout = p.panelsOf(p.bands.rows)
		return
	}
	p.view = p.gathered(pixel, p.bands.rows)
}

// layTiles lists the tiles of a group. The tiles of one channel panel follow
// each other, so that their taps find its band in cache.
func (p *Cols) layTiles() {
	switch {
	case p.Lanes:
		p.layLanes()
	case p.panelled:
		p.layPanels()
	default:
		p.layWindows()
	}
	if p.panelled {
		return
	}
	p.tilesPerChannels = len(p.tiles)
	slack := p.rows + p.nr // tiles may reach past the last channel they need
	p.bandFloats = round(p.bands.images*p.view.image+slack, 16)
	p.step = p.StepW * p.view.pixel
	p.image, p.row = p.view.image, p.StepH*p.view.row
}

// layWindows makes tiles of neighbouring taps of a row, which read one
// contiguous window of the band.
func (p *Cols) layWindows() {
	width, step := p.Channels, 1
	if p.adjacent() {
		width, step = p.Channels*len(p.TapsW), len(p.TapsW)
	}
	for a := range p.TapsH {
		for b := 0; b < len(p.TapsW); b += step {
			p.addTiles(p.tap(&p.view, a, b), a, b, 0, width)
		}
	}
}

// addTiles adds the tiles of n channels from channel c of tap (a, b) on, the
// first at offset at in a band. Channels past the tap's own are those of its
// right neighbours.
func (p *Cols) addTiles(at, a, b, c, n int) {
	for m := 0; m < n; m += p.rows {
		t := colsTile{a: at + m}
		for r := m; r < min(m+p.rows, n); r++ {
			k := c + r
			t.dw = append(t.dw, p.TapH[a]+p.TapW[b+k/p.Channels]+k%p.Channels*p.K)
		}
		p.tiles = append(p.tiles, t)
	}
}

// layLanes makes a tile of every few taps; the last repeats its first tap.
func (p *Cols) layLanes() {
	for a := range p.TapsH {
		for b := range p.TapsW {
			if len(p.laneTaps)%p.rows == 0 {
				p.tiles = append(p.tiles, colsTile{})
			}
			t := &p.tiles[len(p.tiles)-1]
			t.dw = append(t.dw, p.TapH[a]+p.TapW[b])
			p.laneTaps = append(p.laneTaps, p.tap(&p.view, a, b))
		}
	}
	for len(p.laneTaps)%p.rows != 0 {
		p.laneTaps = append(p.laneTaps, p.laneTaps[0])
	}
}

func (p *Cols) segmentsOf(b band) segments {
	s := segments{depth: p.OutW}
	for n := range b.images {
		for i := range b.rows {
			s.offsets = append(s.offsets, n*p.image+i*p.row)
		}
	}
	// Runs that follow each other without a gap are one.
	if p.row == p.OutW*p.step {
		s.depth *= b.rows
		for n := range b.images {
			s.offsets[n] = s.offsets[n*b.rows]
		}
		s.offsets = s.offsets[:b.images]
	}
	if p.image == s.depth*p.step {
		s.depth *= b.images
		s.offsets = s.offsets[:1]
	}
	return s
}

// choosePieces shares the work out: first among positions, as far as the
// shares' sums stay cheap, then among tiles.
func (p *Cols) choosePieces() {
	positions := p.Images * p.OutH * p.OutW
	size := p.Groups * p.panels * len(p.tiles) * p.rows * p.nr
	least := 300 // positions that outweigh one more sum of all shares
	if p.Lanes {
		least = 64
	}
	p.shares = max(1, min(wanted/p.Groups, p.bands.number, positions/least, shareLimit/size))
	// Then source channels, as each part of these lays out only dy again;
	// parts of the columns lay out all taps of the source again.
	p.rowParts, p.colParts = 1, 1
	channelPanels := len(p.tiles) / p.tilesPerChannels
	for p.shares*p.Groups*p.rowParts < wanted && channelPanels >= 8*p.rowParts {
		p.rowParts *= 2
	}
	for p.shares*p.Groups*p.rowParts*p.colParts < wanted && p.Columns >= 256*p.colParts {
		p.colParts *= 2
	}
	if p.panelled {
		p.bandFloats = round(ceil(channelPanels, p.rowParts)*p.panelFloats, 16)
	}
	p.shareFloats = size
	p.pieces = p.shares * p.Groups * p.rowParts * p.colParts
	p.reduced = p.Groups * p.panels * ceil(len(p.tiles), tilesReduced)
	if !p.direct {
		p.sideFloats = p.bands.images * p.bands.rows * p.OutW * p.nr
	}
	p.sideFloats = round(p.sideFloats, 16)
}

// tilesReduced is the number of tiles that one piece of the reduction sums.
const tilesReduced = 16

// ScratchFloats is the scratch memory that Run needs on a pool of the given
// number of threads.
func (p *Cols) ScratchFloats(threads int) int {
	return p.shares*p.shareFloats + threads*(p.bandFloats+p.sideFloats) + alignment
}

// Run computes dw from x and dy, or adds to it where accumulate is set.
func (p *Cols) Run(workers *pool.Pool, x, dy, dw, scratch []float32, accumulate bool) {
	scratch = align(scratch)
	j := &p.job
	j.x, j.dy, j.dw, j.accumulate = x, dy, dw, accumulate
	j.sums, j.worker = scratch[:p.shares*p.shareFloats], scratch[p.shares*p.shareFloats:]
	j.reducing = false
	workers.Run(p.pieces, j)
	j.reducing = true
	workers.Run(p.reduced, j)
	j.x, j.dy, j.dw, j.sums, j.worker = nil, nil, nil, nil, nil
}

// Do sums one piece, or reduces some tiles.
func (j *colsJob) Do(worker, i int) {
	if j.reducing {
		parts := ceil(len(j.tiles), tilesReduced)
		first := i % parts * tilesReduced
		j.reduce(i/parts, first, min(first+tilesReduced, len(j.tiles)))
		return
	}
	size := j.bandFloats + j.sideFloats
	memory := j.worker[worker*size:][:size]
	col, i := i%j.colParts, i/j.colParts
	row, i := i%j.rowParts, i/j.rowParts
	j.piece(i/j.Groups, i%j.Groups, row, col, memory[:j.bandFloats], memory[j.bandFloats:])
}

// piece sums a share's bands into the tiles of one part of the rows and one
// of the columns.
func (j *colsJob) piece(share, group, rowPart, colPart int, source, side []float32) {
	channelPanels := len(j.tiles) / j.tilesPerChannels
	firstChannels, lastChannels := part(channelPanels, rowPart, j.rowParts)
	firstPanel, lastPanel := part(j.panels, colPart, j.colParts)
	firstBand, lastBand := part(j.bands.number, share, j.shares)
	sums := j.sums[share*j.shareFloats:]
	area := j.rows * j.nr
	fresh := 1
	for n := firstBand; n < lastBand; n++ {
		b := j.band(&j.bands, n)
		segs := &j.full
		if b.images*b.rows*j.OutW != segs.positions() {
			segs = &j.last
		}
		if j.panelled {
			j.gatherPanels(source, b, group, firstChannels, lastChannels)
		} else {
			j.gather(source, &j.view, j.x, b, group)
		}
		for panel := firstPanel; panel < lastPanel; panel++ {
			dy, ldb := j.panel(side, b, group, panel)
			for i := firstChannels * j.tilesPerChannels; i < lastChannels*j.tilesPerChannels; i++ {
				c := &sums[((group*j.panels+panel)*len(j.tiles)+i)*area]
				if j.Lanes {
					j.lanes(&source[panel*j.nr], j.step, &j.laneTaps[i*j.rows],
						&segs.offsets[0], len(segs.offsets), segs.depth, dy, ldb, c, fresh)
					continue
				}
				j.cols(&source[j.tiles[i].a-firstChannels*j.panelFloats], j.step,
					&segs.offsets[0], len(segs.offsets), segs.depth, dy, ldb, c, fresh)
			}
		}
		fresh = 0
	}
}

// part is the range of part i of n things in parts.
func part(n, i, parts int) (first, last int) { return n * i / parts, n * (i + 1) / parts }

// panel returns where a panel of dy begins for a band, and the distance of
// its positions. Where dy cannot be read in place, the panel is laid out in
// side.
func (j *colsJob) panel(side []float32, b band, group, panel int) (dy *float32, ldb int) {
	at := j.position(b)*j.Pixel + group*j.Columns + panel*j.nr
	if j.direct {
		return &j.dy[at], j.Pixel
	}
	n := b.images * b.rows * j.OutW
	if columns := min(j.nr, j.Columns-panel*j.nr); columns < j.nr {
		clear(side)
		for p := range n {
			copy(side[p*j.nr:][:columns], j.dy[at+p*j.Pixel:])
		}
	} else {
		j.gatherB(&side[0], &j.dy[at], n, j.Pixel)
	}
	return &side[0], j.nr
}

// position is the number of positions before a band.
func (j *colsJob) position(b band) int { return (b.image*j.OutH + b.row) * j.OutW }

// reduce sums the shares of tiles [first, last) of a panel into dw.
func (j *colsJob) reduce(panel, first, last int) {
	area := j.rows * j.nr
	sums := j.sums[(panel*len(j.tiles)+first)*area:]
	if j.shares > 1 {
		j.sum(&sums[0], (last-first)*area, j.shares-1, j.shareFloats)
	}
	column := panel % j.panels * j.nr
	columns := min(j.nr, j.Columns-column)
	dw := j.dw[panel/j.panels*j.Group+column:]
	for i, t := range j.tiles[first:last] {
		for r, offset := range t.dw {
			row, sum := dw[offset:][:columns], sums[i*area+r*j.nr:][:columns]
			if !j.accumulate {
				copy(row, sum)
				continue
			}
			for c, v := range sum {
				row[c] += v
			}
		}
	}
}
