package implicit

// panelLayout is the layout of a panelled band: for every panel of channels, as
// wide as a tile, the source pixels that positions meet. Each row of the
// source lies there once for all taps that meet it; its columns lie there
// once for all taps, or for narrow maps once for every tap, just the pixels
// of the positions side by side, so that sums run over longer pieces.
type panelLayout struct {
	rows    []int // source row of each row, relative to the band's first
	tap     []int // row that tap a meets for the band's first row
	columns []int // source column that each copy of the columns begins with
	width   int   // pixels in a row
	stride  int   // source columns from pixel to pixel
}

// panelsOf lays bands of the given number of lattice rows out. Rows that some
// tap meets for neighbouring rows of the lattice follow each other.
func (p *Cols) panelsOf(rows int) panelLayout {
	l := panelLayout{tap: make([]int, len(p.TapsH))}
	for class := range p.StepH {
		deepest, first := -1, len(l.rows)
		for a, h := range p.TapsH {
			if from := h - p.TapsH[0]; from%p.StepH == class {
				deepest = from / p.StepH
				l.tap[a] = first + deepest
			}
		}
		if deepest < 0 {
			continue
		}
		for i := range rows + deepest {
			l.rows = append(l.rows, p.TapsH[0]+class+i*p.StepH)
		}
	}
	l.columns, l.width, l.stride = p.TapsW, p.OutW, p.StepW
	const wide = 24
	if p.OutW >= wide && p.StepW == 1 {
		l.columns, l.width = p.TapsW[:1], p.OutW+p.spanW()-1
	}
	return l
}

// layPanels lists the tiles of a panelled plan: those that meet the same
// pixels follow each other.
func (p *Cols) layPanels() {
	p.step = p.rows
	p.row = p.layout.width * p.rows
	p.image = len(p.layout.rows) * p.row
	column := p.bands.images * p.image
	p.panelFloats = len(p.layout.columns) * column
	for c := 0; c < p.Channels; c += p.rows {
		for b, w := range p.TapsW {
			at := c / p.rows * p.panelFloats
			if len(p.layout.columns) == 1 {
				at += (w - p.TapsW[0]) * p.rows
			} else {
				at += b * column
			}
			for a := range p.TapsH {
				p.addTiles(at+p.layout.tap[a]*p.row, a, b, c, min(p.rows, p.Channels-c))
			}
		}
	}
	p.tilesPerChannels = len(p.TapsH) * len(p.TapsW)
}

// gatherPanels lays channel panels [first, last) of a band out. Channels that
// the last panel has too many keep what the memory held.
func (j *colsJob) gatherPanels(dst []float32, b band, group, first, last int) {
	l := &j.layout
	column := j.bands.images * j.image
	for copied, w := range l.columns {
		// Pixels [from, to) of a row lie in the source.
		from := min(l.width, ceil(max(0, -w), l.stride))
		to := max(from, min(l.width, ceil(j.InW-w, l.stride)))
		for n := range b.images {
			for r, row := range l.rows {
				h := b.row*j.StepH + row
				d := dst[copied*column+n*j.image+r*j.row:]
				if h < 0 || h >= j.InH || from == to && j.pairs == nil {
					for panel := first; panel < last; panel++ {
						clear(d[(panel-first)*j.panelFloats:][:j.row])
					}
					continue
				}
				at := (((b.image+n)*j.InH+h)*j.InW+w)*j.InPixel + group*j.Channels
				if j.pairs != nil {
					j.gatherPairs(d, at, w, first, last)
					continue
				}
				j.gatherRow(d, j.x[at+from*l.stride*j.InPixel:], first, last, from, to)
			}
		}
	}
}

// gatherRow lays one row of channel panels [first, last) out: pixels [from, to)
// come from x, the others are zero.
func (j *colsJob) gatherRow(d, x []float32, first, last, from, to int) {
	for panel := range last - first {
		row := d[panel*j.panelFloats:][:j.row]
		clear(row[:from*j.rows])
		clear(row[to*j.rows:])
	}
	step := j.layout.stride * j.InPixel
	whole := min(last, j.Channels/j.rows)
	if whole > first {
		j.deal(&d[from*j.rows], &x[first*j.rows], to-from, step, whole-first, j.panelFloats)
	}
	if whole < last {
		channel := whole * j.rows
		row := d[(whole-first)*j.panelFloats+from*j.rows:]
		for i := range to - from {
			copy(row[i*j.rows:][:j.Channels-channel], x[channel+i*step:])
		}
	}
}
