package implicit

import "github.com/seed52467199/trainer/internal/pool"

type colsJob struct {
	*Cols
	cut        parts
	x, dy, dw  []float32
	sums       []float32
	worker     []float32
	accumulate bool
	reducing   bool
}

// tilesReduced is the number of tiles that one piece of the reduction sums.
const tilesReduced = 16

// Run computes dw from x and dy, or adds to it where accumulate is set.
func (p *Cols) Run(workers *pool.Pool, x, dy, dw, scratch []float32, accumulate bool) {
	scratch = align(scratch)
	j := &p.job
	j.x, j.dy, j.dw, j.accumulate = x, dy, dw, accumulate
	j.sums, j.worker = scratch[:p.shares*p.shareFloats], scratch[p.shares*p.shareFloats:]
	j.cut = p.partsFor(workers.Threads())
	j.reducing = false
	workers.Run(p.shares*p.Groups*j.cut.channels*j.cut.columns, j)
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
	size := j.cut.bandFloats + j.sideFloats
	memory := j.worker[worker*size:][:size]
	col, i := i%j.cut.columns, i/j.cut.columns
	row, i := i%j.cut.channels, i/j.cut.channels
	j.piece(i/j.Groups, i%j.Groups, row, col, memory[:j.cut.bandFloats], memory[j.cut.bandFloats:])
}

// piece sums a share's bands into the tiles of one part of the channels and one
// of the columns.
func (j *colsJob) piece(share, group, channelPart, columnPart int, source, side []float32) {
	firstChannels, lastChannels := part(j.channelPanels(), channelPart, j.cut.channels)
	firstPanel, lastPanel := part(j.panels, columnPart, j.cut.columns)
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
		if j.placed {
			source = j.x[j.start(&j.view, b, group):]
		} else if j.panelled {
			j.gatherPanels(source, b, group, firstChannels, lastChannels)
		} else {
			j.gather(source, &j.view, j.x, b, group)
		}
		var next ahead
		if n+1 < lastBand {
			next = j.ahead(j.band(&j.bands, n+1), (lastPanel-firstPanel)*(lastChannels-firstChannels)*j.tilesPerChannels)
		}
		for panel := firstPanel; panel < lastPanel; panel++ {
			dy, ldb := j.panel(side, b, group, panel)
			for i := firstChannels * j.tilesPerChannels; i < lastChannels*j.tilesPerChannels; i++ {
				c := &sums[((group*j.panels+panel)*len(j.tiles)+i)*area]
				next.fetch(j.fetching)
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
	if j.pairs != nil {
		j.pairPanel(side, b, group, panel)
		return &side[0], j.nr
	}
	at := j.position(b)*j.Pixel + group*j.Columns + panel*j.nr
	if j.direct {
		return &j.dy[at], j.Pixel
	}
	n := b.images * b.rows * j.OutW
	// Where the last panel has fewer columns, its tiles' others get what follows
	// in dy, which goes nowhere; only the last rows of all have nothing there.
	whole := max(0, min(n, (len(j.dy)-at-j.nr)/j.Pixel+1))
	if len(j.dy)-at < j.nr {
		whole = 0
	}
	if whole > 0 {
		j.gatherB(&side[0], &j.dy[at], whole, j.Pixel)
	}
	columns := min(j.nr, j.Columns-panel*j.nr)
	for p := whole; p < n; p++ {
		clear(side[p*j.nr:][copy(side[p*j.nr:][:columns], j.dy[at+p*j.Pixel:]):j.nr])
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
