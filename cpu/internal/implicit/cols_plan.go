package implicit

import "math"

// What the pieces of Cols are cut for; measured.
const (
	firstLevel  = 10 << 10 // floats of a panel of dy and the source that it meets
	windowDepth = 48       // source channels up to which a band is not panelled
	shareLimit  = 1 << 20  // floats of all shares' sums
)

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
		case p.placed:
			copied, touched = 0, 2*n*p.rows
			if p.mostShares(p.Channels*p.panels*p.nr) >= wanted {
				touched += n * p.nr // the next band is fetched meanwhile
			}
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
	if p.placed {
		p.view = p.inPlace()
		return
	}
	p.view = p.gathered(pixel, p.bands.rows)
}

// layTiles lists the tiles of a group. The tiles of one channel panel follow
// each other, so that their taps find its band in cache.
func (p *Cols) layTiles() {
	if p.panelled {
		p.layPanels()
		return
	}
	p.step, p.row, p.image = p.view.stepW*p.view.pixel, p.view.stepH*p.view.row, p.view.image
	if p.placed {
		p.addTiles(p.tap(&p.view, 0, 0), 0, 0, 0, p.Channels)
		p.tilesPerChannels = 1
		return
	}
	slack := p.rows + p.nr // tiles may reach past the last channel they need
	p.bandFloats = round(p.bands.images*p.view.image+slack, 16)
	if p.Lanes {
		p.layLanes()
	} else {
		p.layWindows()
	}
	p.tilesPerChannels = len(p.tiles)
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

// segmentsOf finds the runs of a band's positions.
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
	p.shareFloats = p.Groups * p.panels * len(p.tiles) * p.rows * p.nr
	p.shares = max(1, min(wanted/p.Groups, p.bands.number, p.mostShares(p.shareFloats)))
	p.reduced = p.Groups * p.panels * ceil(len(p.tiles), tilesReduced)
	if !p.direct {
		p.sideFloats = p.bands.images * p.bands.rows * p.OutW * p.nr
	}
	p.sideFloats = round(p.sideFloats, 16)
}

// mostShares is how many shares, whose sums are of so many floats, stay cheap.
func (p *Cols) mostShares(size int) int {
	least := 300 // positions that outweigh one more sum of all shares
	if p.Lanes {
		least = 64
	}
	return min(p.Images*p.OutH*p.OutW/least, shareLimit/size)
}

// channelPanels is the number of panels of channels that tiles can be cut by.
func (p *Cols) channelPanels() int { return len(p.tiles) / p.tilesPerChannels }

// partsFor cuts the panels of channels and of columns for a number of threads: into as
// few parts as feed them, since each part of the one lays out the other anew, and as
// leave a panelled band in the second-level cache.
func (p *Cols) partsFor(threads int) parts {
	pieces := ceil(min(wanted, 4*threads), p.shares*p.Groups)
	w := parts{1, 1, p.bandFloats}
	source := p.Channels * max(1, len(p.layout.columns))
	for {
		if p.panelled {
			w.bandFloats = round(ceil(p.channelPanels(), w.channels)*p.panelFloats, 16)
		}
		more := p.channelPanels() >= 8*w.channels
		switch {
		case more && w.bandFloats > secondLevel:
			w.channels *= 2
		case w.channels*w.columns >= pieces:
			return w
		case more && (p.panels < 4*w.columns || p.Columns*w.channels <= source*w.columns):
			w.channels *= 2
		case p.panels >= 4*w.columns:
			w.columns *= 2
		default:
			return w
		}
	}
}
