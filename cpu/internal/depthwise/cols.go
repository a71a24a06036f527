package depthwise

import (
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Cols is a plan for a weight gradient. Its Spec is that of the forward direction.
// It holds no data and may be used by one Run at a time.
//
// Rows of the images are cut into a fixed number of shares. Every share has sums
// of its own; then they are added up in order.
type Cols struct {
	Spec
	sum    simd.SumFunc
	spans  []span
	blocks []block // of an image
	cols   []run

	shares, size int // size is the floats of a share's sums

	job colsJob
}

// block is some rows of dy that meet x through the same taps, and the tables of
// these taps for each run of columns, as many at a time as a kernel takes.
// Then for how much of x to ask ahead, as a multiple of dy, and from which row on.
type block struct {
	run
	tables      [][][]int
	next, times int
}

// positions is the number of values of a row for which a kernel's sums may come
// from memory and go back.
const positions = 64

// least is the number of values of a channel that outweigh one more share,
// shareLimit the number of floats that all shares' sums may have.
const (
	least      = 64
	shareLimit = 1 << 20
)

// NewCols plans s with the kernels k; sum adds the shares up.
func NewCols(s Spec, k *Kernels, sum simd.SumFunc) *Cols {
	p := &Cols{Spec: s, sum: sum, spans: s.spans(k), cols: s.W.runs()}
	rows := max(1, positions/s.outW())
	for _, r := range s.H.runs() {
		tables := make([][][]int, len(p.cols))
		for i, c := range p.cols {
			whole := s.table(r.taps, c.taps)
			for at := 0; at < len(whole); at += 2 * Most {
				tables[i] = append(tables[i], whole[at:min(at+2*Most, len(whole))])
			}
		}
		for i := 0; i < r.n; i += rows {
			b := block{run: r, tables: tables}
			b.first, b.from, b.n = r.first+i*r.step, r.from+i*r.advance, min(rows, r.n-i)
			p.blocks = append(p.blocks, b)
		}
	}
	for i := range p.blocks {
		p.ahead(i)
	}
	p.size = (s.weights() + granule - 1) / granule * granule
	p.shares = max(1, min(wanted, s.Images*len(p.blocks), s.Images*s.outH()*s.outW()/least, shareLimit/p.size))
	p.job.Cols = p
	return p
}

// ahead finds what block i+1, which may be the next image's first, reads of x beside
// what block i has read.
func (p *Cols) ahead(i int) {
	b, that := &p.blocks[i], &p.blocks[(i+1)%len(p.blocks)]
	end := func(b *block) int {
		if len(b.taps) == 0 {
			return b.from
		}
		return b.from + (b.n-1)*b.advance + b.taps[len(b.taps)-1].at + 1
	}
	last := end(that)
	if that.first < b.first {
		last += p.H.source
	}
	b.next = end(b) - b.from
	b.times = (max(last-end(b), 0)*p.xRow() + b.n*p.yRow()/2) / (b.n * p.yRow())
}

// weights is the number of weights.
func (s *Spec) weights() int { return s.KH * s.KW * s.Channels }

// granule is what a SumFunc takes a multiple of, reduced how much a piece of the
// reduction adds up.
const (
	granule = 16
	reduced = 2 << 10
)

// ScratchFloats is the scratch memory that Run needs: the shares' sums.
func (p *Cols) ScratchFloats(int) int { return p.shares * p.size }

// String tells how the plan computes.
func (p *Cols) String() string { return "depthwise" }

type colsJob struct {
	*Cols
	x, dy, dw, sums []float32
	accumulate      bool
	reducing        bool
}

// Run computes dw from x and dy, or adds to it where accumulate is set.
func (p *Cols) Run(workers *pool.Pool, x, dy, dw, scratch []float32, accumulate bool) {
	j := &p.job
	j.x, j.dy, j.dw, j.sums, j.accumulate = x, dy, dw, scratch[:p.shares*p.size], accumulate
	j.reducing = false
	workers.Run(p.shares, j)
	j.reducing = true
	workers.Run((p.size+reduced-1)/reduced, j)
	j.x, j.dy, j.dw, j.sums = nil, nil, nil, nil
}

// Do sums one share, or adds some weights' shares up.
func (j *colsJob) Do(_, i int) {
	if j.reducing {
		j.reduce(i*reduced, min((i+1)*reduced, j.size))
		return
	}
	sums := j.sums[i*j.size:][:j.size]
	clear(sums)
	first, last := part(j.Images*len(j.blocks), i, j.shares)
	for n := first; n < last; n++ {
		j.block(n/len(j.blocks), &j.blocks[n%len(j.blocks)], sums)
	}
}

// block adds what a block of an image contributes.
func (j *colsJob) block(image int, b *block, sums []float32) {
	x := j.x[(image*j.H.source+b.from)*j.xRow():]
	dy := j.dy[(image*j.outH()+b.first)*j.yRow():]
	nextX, nextY := b.next*j.xRow(), b.n*j.yRow()
	for i := range j.cols {
		c := &j.cols[i]
		xAt, yAt, xStep, yStep := c.from*j.Channels, c.first*j.Channels, c.advance*j.Channels, c.step*j.Channels
		for _, taps := range b.tables[i] {
			for _, s := range j.spans {
				s.Grads[len(taps)/2-1](&x[xAt+s.first], xStep, b.advance*j.xRow()-c.n*xStep,
					&dy[yAt+s.first], yStep, b.step*j.yRow()-c.n*yStep,
					&taps[0], c.n, b.n, &sums[s.first], s.panels,
					&x[min(nextX, len(x)-1)], b.times, &dy[min(nextY, len(dy)-1)])
			}
		}
		nextX += b.times * b.n * c.n * j.Channels
		nextY += b.n * c.n * j.Channels
	}
}

// reduce adds the shares of the weights [first, last) up.
func (j *colsJob) reduce(first, last int) {
	if j.shares > 1 {
		j.sum(&j.sums[first], last-first, j.shares-1, j.size)
	}
	last = min(last, j.weights())
	dw, sums := j.dw[first:last], j.sums[first:last]
	if !j.accumulate {
		copy(dw, sums)
		return
	}
	for i, v := range sums {
		dw[i] += v
	}
}
