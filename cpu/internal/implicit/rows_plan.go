package implicit

import "math"

// Cache sizes that bands are cut for, in floats: what may be streamed often
// must fit in the second-level cache beside other things, and the panel of
// weights that a pass keeps reading should fit in the first level.
const (
	secondLevel = 80 << 10
	passDepth   = 320
)

func (p *pass) terms() int { return len(p.taps) * p.depth }

// terms is the length of the sum behind one value.
func (p *Rows) terms() int {
	n := len(p.TapsH) * len(p.TapsW)
	if !p.Lanes {
		n *= p.Channels
	}
	return n
}

// aliasing is a distance between rows, in floats, at which they fall on the
// same lines of the first-level cache.
const aliasing = 1024

// chooseView decides whether bands are gathered; merged tells whether a row
// of taps is one piece.
func (p *Rows) chooseView() (merged bool) {
	merged = p.adjacent() && !p.Lanes && len(p.TapsW) > 1
	dense := p.InPixel == p.Channels && p.Repeat == 1
	whole := !p.Lanes || p.Channels%p.kernel.NR == 0 // else the last lanes read past the source
	aliased := !p.Lanes && p.InPixel*p.StepW%aliasing == 0
	if p.inside() && p.Repeat == 1 && (dense || !merged) && whole && !aliased {
		p.view = p.inPlace()
		return merged
	}
	pixel := p.depth()
	if !merged && pixel%aliasing == 0 {
		pixel += 16
	}
	p.view = p.gathered(pixel, 1)
	return merged
}

// chooseBands takes the size of band with the least expected cost for each
// position.
func (p *Rows) chooseBands() {
	best := math.Inf(1)
	p.shapes(1024, func(images, rows int) {
		if cost := p.bandCost(images, rows); cost < best {
			best, p.bands = cost, p.bandsOf(images, rows)
		}
	})
	if p.view.cols > 0 {
		p.view = p.gathered(p.view.pixel, p.bands.rows)
		p.bandFloats = round(p.bands.images*p.view.image+p.kernel.NR, 16)
	}
	p.panelFirst = p.sourceFloats(p.bands.images, p.bands.rows) <= secondLevel
}

// sourceFloats is the size of what a band reads.
func (p *Rows) sourceFloats(images, rows int) int {
	if p.view.cols > 0 {
		return images * p.gathered(p.view.pixel, rows).image
	}
	return images * p.bandRows(rows) * p.OutW * p.Channels
}

// sliceFloats is the size of what one pass reads of a band of n positions.
func (p *Rows) sliceFloats(source, n int) int {
	if p.Lanes {
		return source
	}
	return min(source, n*min(p.terms(), passDepth))
}

// bandCost is the time of a band for each position, over that of the
// multiplications alone. The constants are measured.
func (p *Rows) bandCost(images, rows int) float64 {
	n := images * rows * p.OutW
	columns := p.panels * p.kernel.NR
	weights := p.terms() * columns
	source := p.sourceFloats(images, rows)

	// Rows that fill up the last tile; the first tile waits for the weights.
	cost := float64(round(n, p.kernel.MR)) / float64(n)
	if weights > secondLevel {
		cost *= 1 + 6/float64(n)
	} else {
		cost *= 1 + 2/float64(n)
	}
	if p.view.cols > 0 {
		cost += 8 * float64(source) / (float64(n) * float64(weights))
	}
	if p.Lanes {
		// So little work for each value that y should stay in cache, too.
		source += n * columns
	}
	// A band too large for the cache is read by slices, and y goes in and
	// out once for every pass.
	if source > secondLevel {
		cost += 0.04
		if slice := p.sliceFloats(source, n); slice > secondLevel {
			cost += 0.2 * float64(slice-secondLevel) / secondLevel
		}
	}
	// Workers idle at the end.
	b := p.bandsOf(images, rows)
	return cost * (1 + 0.5/float64(b.number*p.Groups)) * (1 + 1/float64(b.number*p.Groups*p.panels))
}

// layPasses cuts the sum. A tap deeper than a pass is cut into equal parts;
// otherwise a pass takes several taps.
func (p *Rows) layPasses(merged bool) {
	var taps []int
	depth := p.Channels
	if p.Lanes {
		depth = 1
	}
	if merged {
		depth *= len(p.TapsW)
	}
	for a := range p.TapsH {
		for b := range p.TapsW {
			if b == 0 || !merged {
				taps = append(taps, p.tap(&p.view, a, b))
			}
		}
	}
	if parts := ceil(depth, passDepth); parts > 1 {
		for _, tap := range taps {
			for i := range parts {
				from, to := depth*i/parts, depth*(i+1)/parts
				p.addPass([]int{tap + from}, to-from)
			}
		}
		return
	}
	number := ceil(len(taps)*depth, passDepth)
	for i := range number {
		p.addPass(taps[len(taps)*i/number:len(taps)*(i+1)/number], depth)
	}
}

func (p *Rows) addPass(taps []int, depth int) {
	if len(taps) == 0 {
		return
	}
	first := 0
	if n := len(p.passes); n > 0 {
		first = p.passes[n-1].first + p.passes[n-1].terms()
	}
	p.passes = append(p.passes, pass{taps, depth, first})
}

func (p *Rows) layTables() {
	full := band{images: p.bands.images, rows: p.bands.rows}
	p.full = p.newTable(full)
	p.last = p.newTable(p.band(&p.bands, p.bands.number-1))
	for i := range p.full.tiles * p.kernel.MR {
		p.linear = append(p.linear, i*p.kernel.NR)
	}
}

func (p *Rows) newTable(b band) table {
	t := table{
		a: p.positions(nil, b.images, b.rows, p.view.image, p.view.stepH*p.view.row, p.view.stepW*p.view.pixel),
		c: p.positions(nil, b.images, b.rows, p.Out.Image, p.Out.Row, p.Out.Pixel),
	}
	t.rows = len(t.a)
	t.tiles = ceil(t.rows, p.kernel.MR)
	for len(t.a) < t.tiles*p.kernel.MR {
		t.a = append(t.a, t.a[t.rows-1])
		t.c = append(t.c, t.c[t.rows-1])
	}
	return t
}

// wanted is the number of pieces of work that keeps the workers of a large
// machine busy.
const wanted = 32

// choosePieces shares a band's panels among several pieces where there are
// few bands.
func (p *Rows) choosePieces() {
	p.chunk = p.panels
	if p.Fold == 1 {
		p.chunk = max(1, p.panels/ceil(wanted, p.bands.number*p.Groups))
	}
	p.pieces = p.bands.number * p.Groups * ceil(p.panels, p.chunk)
	padded := p.panels * p.kernel.NR
	p.packedFloats = p.Groups * p.terms() * padded
	if p.Lanes {
		p.packedFloats = p.terms() * padded
	}
	p.fixedFloats = round(p.packedFloats, 16) + round(p.Groups*padded, 16)
	p.tileFloats = round(p.full.tiles*p.kernel.MR*p.kernel.NR, 16)
	if p.Fold > 1 {
		p.tileFloats *= p.panels
	}
}
