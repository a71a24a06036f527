package implicit

// A panelled band holds, for every panel of channels and every column of
// taps, just the pixels that the positions meet through these taps, side by
// side, as wide as a tile: whatever the stride and the border, a tile's sum
// runs over contiguous memory. Rows lie once for all taps of the column.

// slots are the rows of a panelled band. Rows that some tap meets for
// neighbouring rows of the lattice follow each other.
type slots struct {
	source []int // source row of each slot, relative to the band's first row
	tap    []int // slot that tap a meets for the band's first row
}

func (g *Geometry) slotsOf(rows int) slots {
	s := slots{tap: make([]int, len(g.TapsH))}
	for class := range g.StepH {
		deepest, first := -1, len(s.source)
		for a, h := range g.TapsH {
			if from := h - g.TapsH[0]; from%g.StepH == class {
				deepest = from / g.StepH
				s.tap[a] = first + deepest
			}
		}
		if deepest < 0 {
			continue
		}
		for i := range rows + deepest {
			s.source = append(s.source, g.TapsH[0]+class+i*g.StepH)
		}
	}
	return s
}

// layPanels lists the tiles of a panelled plan: those that meet the same
// pixels follow each other.
func (p *Cols) layPanels() {
	p.step = p.rows
	p.row = p.OutW * p.rows
	p.image = len(p.slots.source) * p.row
	column := p.bands.images * p.image
	p.panelFloats = len(p.TapsW) * column
	for c := 0; c < p.Channels; c += p.rows {
		for b := range p.TapsW {
			for a := range p.TapsH {
				at := c/p.rows*p.panelFloats + b*column + p.slots.tap[a]*p.row
				p.addTiles(at, a, b, c, min(p.rows, p.Channels-c))
			}
		}
	}
	p.tilesPerChannels = len(p.TapsH) * len(p.TapsW)
}

// gatherPanels lays channel panels [first, last) of a band out. Channels that
// the last panel has too many keep what the memory held.
func (j *colsJob) gatherPanels(dst []float32, b band, group, first, last int) {
	column := j.bands.images * j.image
	for n := range b.images {
		for slot, row := range j.slots.source {
			h := b.row*j.StepH + row
			for panel := first; panel < last; panel++ {
				channel := panel * j.rows
				count := min(j.rows, j.Channels-channel)
				for tap, w := range j.TapsW {
					d := dst[(panel-first)*j.panelFloats+tap*column+n*j.image+slot*j.row:][:j.row]
					// Positions [from, to) of the row meet a pixel.
					from := min(j.OutW, ceil(max(0, -w), j.StepW))
					to := max(from, min(j.OutW, ceil(j.InW-w, j.StepW)))
					if h < 0 || h >= j.InH || from == to {
						clear(d)
						continue
					}
					clear(d[:from*j.rows])
					clear(d[to*j.rows:])
					at := (((b.image+n)*j.InH+h)*j.InW+from*j.StepW+w)*j.InPixel + group*j.Channels + channel
					if count == j.rows {
						j.gatherA(&d[from*j.rows], &j.x[at], to-from, j.StepW*j.InPixel)
						continue
					}
					for i := from; i < to; i++ {
						copy(d[i*j.rows:][:count], j.x[at:])
						at += j.StepW * j.InPixel
					}
				}
			}
		}
	}
}
