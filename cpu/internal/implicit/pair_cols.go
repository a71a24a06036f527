package implicit

import (
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// PairCols is Cols on bfloat16: sums and dw are float32. To the plan, a pair of
// neighbouring positions of a row is one position; a row's last one may be a pair with
// nothing, for which dy counts as zero.
type PairCols struct{ *Cols }

// pairing is how pairs are made of positions.
type pairing struct {
	deal   simd.PairDealFunc
	gather simd.PairGatherFunc
	outW   int // positions in a row
	apart  int // source pixels from a pair's first to its second

	x, dy []uint16
}

// NewPairCols plans s with the micro-kernels of pairs, which lacks what set has. s
// must have no Lanes.
func NewPairCols(s ColsSpec, pairs *simd.PairSet, set *simd.Set) *PairCols {
	k := pairs.ColsFor(s.Columns)
	p := &Cols{ColsSpec: s, rows: k.MR, nr: k.NR, cols: k.Run, sum: set.Sum, panelled: true}
	p.pairs = &pairing{deal: pairs.Deal[k.MR], gather: pairs.Gather[k.NR], outW: s.OutW, apart: s.StepW}
	p.OutW, p.StepW = ceil(s.OutW, 2), 2*s.StepW
	p.plan()
	return &PairCols{p}
}

// RunHalf computes dw from x and dy.
func (p *PairCols) RunHalf(workers *pool.Pool, x, dy []uint16, dw, scratch []float32) {
	p.pairs.x, p.pairs.dy = x, dy
	p.Cols.Run(workers, nil, nil, dw, scratch, false)
	p.pairs.x, p.pairs.dy = nil, nil
}

// gatherPairs is gatherRow for pairs: column 0 of the source's row lies w pixels
// before at.
func (j *colsJob) gatherPairs(d []float32, at, w, first, last int) {
	l, p := &j.layout, j.pairs
	// Both pixels of pairs [from, to) lie in the source.
	from := min(l.width, ceil(max(0, -w), l.stride))
	to := max(from, min(l.width, ceil(max(0, j.InW-p.apart-w), l.stride)))
	if whole := min(last, j.Channels/j.rows); whole > first && to > from {
		p.deal(&d[from*j.rows], &p.x[at+from*l.stride*j.InPixel+first*j.rows], to-from, l.stride*j.InPixel, whole-first, j.panelFloats, p.apart*j.InPixel)
	}
	for panel := first; panel < last; panel++ {
		row := bitsOf(d[(panel-first)*j.panelFloats:][:j.row])
		n := min(j.rows, j.Channels-panel*j.rows)
		for i := range l.width {
			if n < j.rows || i < from || i >= to {
				j.pair(row[i*j.rows:][:n], at+panel*j.rows, i*l.stride, w)
			}
		}
	}
}

// pair makes pairs of some channels of the source pixels i and, apart from it, its
// neighbour: zero where they lie outside.
func (j *colsJob) pair(dst []uint32, at, i, w int) {
	for k := range dst {
		dst[k] = 0
		if c := i + w; c >= 0 && c < j.InW {
			dst[k] = uint32(j.pairs.x[at+i*j.InPixel+k])
		}
		if c := i + j.pairs.apart + w; c >= 0 && c < j.InW {
			dst[k] |= uint32(j.pairs.x[at+(i+j.pairs.apart)*j.InPixel+k]) << 16
		}
	}
}

// pairPanel lays a panel of dy out in pairs. Where the last panel has fewer columns,
// its others get what follows in dy, which goes nowhere.
func (j *colsJob) pairPanel(side []float32, b band, group, panel int) {
	p := j.pairs
	rows, columns := b.images*b.rows, min(j.nr, j.Columns-panel*j.nr)
	at := (b.image*j.OutH+b.row)*p.outW*j.Pixel + group*j.Columns + panel*j.nr
	full := p.outW / 2
	if p.outW%2 == 0 { // the rows follow each other without a gap
		full *= rows
		rows = 1
	}
	perRow := ceil(p.outW, 2)
	for r := range rows {
		to := side[r*perRow*j.nr:]
		from := at + r*p.outW*j.Pixel
		// The second pixel of a whole pair has a panel's width of memory behind it.
		whole := max(0, min(full, (len(p.dy)-from-j.Pixel-j.nr)/(2*j.Pixel)+1))
		if len(p.dy)-from-j.Pixel < j.nr {
			whole = 0
		}
		if whole > 0 {
			p.gather(&to[0], &p.dy[from], whole, 2*j.Pixel, j.Pixel)
		}
		n := full
		if p.outW%2 != 0 {
			n++
		}
		for i := whole; i < n; i++ {
			first := from + 2*i*j.Pixel
			words := bitsOf(to[i*j.nr:][:j.nr])
			clear(words)
			for k := range columns {
				words[k] = uint32(p.dy[first+k])
				if i < full {
					words[k] |= uint32(p.dy[first+j.Pixel+k]) << 16
				}
			}
		}
	}
}
