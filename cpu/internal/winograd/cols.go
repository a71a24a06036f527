package winograd

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Cols is a plan for the weight gradient of a convolution, whose Spec is that
// of the forward direction. It holds no data and may be used by one Run at a
// time.
//
// Where the products of a block of tiles, for all positions, fit in the
// second-level cache beside both factors, a fixed number of shares of the
// tiles are summed apart and their sums added in order. Otherwise the workers
// transform one large block of tiles after the other together, and then share
// out the positions.
type Cols struct {
	Spec
	tile   *Tile
	k      *Kernels
	kernel simd.Cols
	sum    simd.SumFunc

	source, result window
	tiles          int // in all images
	panels         int // of kernel.NR columns
	rows           int // of a product, padded to kernel.MR

	shares  int
	block   int // tiles in a full block
	blocks  int // of a share where there are several, else of all tiles
	pieces  int // of a block that are transformed apart, where there is one share
	grain   int // tiles in such a piece
	reduced int // pieces of the last step
	part    int // rows of such a piece

	pitch, stride   int // floats from tile to tile and from position to position in V
	pitchD, strideD int // in D, the transformed gradient
	panel, product  int // floats from panel to panel and from position to position in the products
	shareFloats     int // all products
	blockFloats     int // V and D of a block
	segment         int // the offset of the only segment
	job             colsJob
}

// NewCols plans s with tiles of t, which belongs to k.
func NewCols(s Spec, t *Tile, k *Kernels, set *simd.Set) *Cols {
	p := &Cols{Spec: s, tile: t, k: k, kernel: colsFor(s.Columns, k, set), sum: set.Sum}
	rows, cols := ceil(s.OutH, t.Out), ceil(s.OutW, t.Out)
	p.source = newWindow(t.In, t.Out, s.PadTop, s.PadLeft, s.InH, s.InW, s.Channels, rows, cols)
	p.result = newWindow(t.Out, t.Out, 0, 0, s.OutH, s.OutW, s.Columns, rows, cols)
	p.tiles = s.Images * rows * cols
	p.panels = ceil(s.Columns, p.kernel.NR)
	p.rows = round(s.Channels, p.kernel.MR)
	p.pitch = pitchOf(max(p.rows, round(s.Channels, lanes)))
	p.pitchD = pitchOf(p.panels * p.kernel.NR)
	p.panel = p.rows * p.kernel.NR
	p.product = p.panels*p.panel + skew
	p.shareFloats = round(t.Positions()*p.product, lanes)
	p.choose()
	p.lay()
	p.job.Cols = p
	return p
}

// colsFor is the micro-kernel of set for n columns whose panels are whole
// vectors.
func colsFor(n int, k *Kernels, set *simd.Set) simd.Cols {
	var whole simd.Set
	for _, c := range set.Cols {
		if c.NR%k.Width == 0 {
			whole.Cols = append(whole.Cols, c)
		}
	}
	return whole.ColsFor(n)
}

// pitchOf is a distance between rows of n floats that does not alias.
func pitchOf(n int) int {
	n = round(n, lanes)
	if n%aliasing == 0 {
		n += lanes
	}
	return n
}

func (p *Cols) choose() {
	each := p.tile.Positions() * (p.pitch + p.pitchD)
	if p.shareFloats <= 200<<10 {
		p.block = max(24, min(192, (secondLevel-p.shareFloats)/each))
		p.shares = max(1, min(32, p.tiles/p.block/2, (2<<20)/p.shareFloats))
		if p.shares > 1 {
			return
		}
	}
	p.shares = 1
	p.block = max(64, min(p.tiles, (2<<20)/each))
}

func (p *Cols) lay() {
	tiles := ceil(p.tiles, p.shares)
	p.block = ceil(tiles, ceil(tiles, p.block))
	p.blocks = ceil(tiles, p.block)
	p.grain = 4
	p.pieces = ceil(p.block, p.grain)
	p.stride = p.block*p.pitch + skew
	p.strideD = p.block*p.pitchD + skew
	p.blockFloats = p.tile.Positions() * (p.stride + p.strideD)
	p.part = p.kernel.MR * max(1, 32/p.kernel.MR)
	p.reduced = p.panels * ceil(p.rows, p.part)
}

// zeros is the length of a line of zeros that stands for pixels off a map.
func (p *Cols) zeros() int { return round(max(p.Channels, p.Columns), lanes) }

// ScratchFloats is the scratch memory that Run needs on a pool of the given
// number of threads.
func (p *Cols) ScratchFloats(threads int) int {
	blocks := 1
	if p.shares > 1 {
		blocks = threads
	}
	return p.zeros() + p.shares*p.shareFloats + blocks*p.blockFloats + lanes
}

// String tells how the gradient is computed.
func (p *Cols) String() string {
	return fmt.Sprintf("winograd f%dx%d", p.tile.Out, p.tile.Out)
}

// colsJob is what a Run works on.
type colsJob struct {
	*Cols
	x, dy           pixels
	dw              []float32
	zero            []float32
	sums            []float32 // by share
	factors         []float32 // V and D, by worker where there are several shares
	accumulate      bool
	step            step
	blockAt, blockN int // first tile and number of tiles of the common block
	benches         []*bench
}

// step is what the workers do.
type step int

const (
	summing      step = iota // whole shares
	transforming             // a piece of the common block
	multiplying              // one position of the common block
	reducing                 // sums to weights
)

// Run computes dw from x and dy, or adds to it where accumulate is set.
func (p *Cols) Run(workers *pool.Pool, x, dy, dw, scratch []float32, accumulate bool) {
	p.run(workers, pixels{single: x}, pixels{single: dy}, dw, scratch, accumulate)
}

// RunHalf is Run for Half maps.
func (p *Cols) RunHalf(workers *pool.Pool, x, dy []uint16, dw, scratch []float32) {
	p.run(workers, pixels{half: x}, pixels{half: dy}, dw, scratch, false)
}

func (p *Cols) run(workers *pool.Pool, x, dy pixels, dw, scratch []float32, accumulate bool) {
	scratch = align(scratch)
	j := &p.job
	j.x, j.dy, j.dw, j.accumulate = x, dy, dw, accumulate
	j.zero, scratch = cut(scratch, p.zeros())
	j.sums, j.factors = cut(scratch, p.shares*p.shareFloats)
	j.benches = benchesFor(workers.Threads(), j.benches)
	clear(j.zero)
	if p.shares > 1 {
		j.step = summing
		workers.Run(p.shares, j)
	} else {
		for j.blockAt = 0; j.blockAt < p.tiles; j.blockAt += p.block {
			j.blockN = min(p.block, p.tiles-j.blockAt)
			j.step = transforming
			workers.Run(2*ceil(j.blockN, p.grain), j)
			j.step = multiplying
			workers.Run(p.tile.Positions(), j)
		}
	}
	j.step = reducing
	workers.Run(p.reduced, j)
	j.x, j.dy, j.dw, j.zero, j.sums, j.factors = pixels{}, pixels{}, nil, nil, nil, nil
}

// Do does one piece of the step.
func (j *colsJob) Do(worker, i int) {
	b := j.benches[worker]
	switch j.step {
	case summing:
		j.share(i, j.factors[worker*j.blockFloats:][:j.blockFloats], b)
	case transforming:
		at := i / 2 * j.grain
		n := min(j.grain, j.blockN-at)
		if i%2 == 0 {
			j.transformSource(j.factors, at, j.blockAt+at, n, b)
		} else {
			j.transformGradient(j.factors, at, j.blockAt+at, n, b)
		}
	case multiplying:
		j.multiply(j.sums, j.factors, i, j.blockN, j.blockAt == 0)
	case reducing:
		parts := ceil(j.rows, j.part)
		first := i % parts * j.part
		j.reduce(i/parts, first, min(j.part, j.rows-first), b)
	}
}

// share sums one share of the tiles.
func (j *colsJob) share(i int, factors []float32, b *bench) {
	first, last := i*j.tiles/j.shares, (i+1)*j.tiles/j.shares
	sums := j.sums[i*j.shareFloats:]
	for at := first; at < last; at += j.block {
		n := min(j.block, last-at)
		j.transformSource(factors, 0, at, n, b)
		j.transformGradient(factors, 0, at, n, b)
		for p := range j.tile.Positions() {
			j.multiply(sums, factors, p, n, at == first)
		}
	}
}

// transformSource computes V for n tiles from first on; the first is tile at
// of its block.
func (j *colsJob) transformSource(factors []float32, at, first, n int, b *bench) {
	b.size = sizeOf(j.Half)
	for i := 0; i < n; {
		run := j.source.run(&b.pixels, j.x, &j.zero[0], first+i, first+n)
		b.gather(j.tile.input(j.Half), j.k.Width, j.tile.Positions(), factors[(at+i)*j.pitch:], j.stride, j.pitch, j.source.step*j.Channels, run, j.Channels)
		i += run
	}
}

// transformGradient computes D likewise.
func (j *colsJob) transformGradient(factors []float32, at, first, n int, b *bench) {
	d := factors[j.tile.Positions()*j.stride:]
	b.size = sizeOf(j.Half)
	for i := 0; i < n; {
		run := j.result.run(&b.pixels, j.dy, &j.zero[0], first+i, first+n)
		b.gather(j.tile.spread(j.Half), j.k.Width, j.tile.Out*j.tile.Out, d[(at+i)*j.pitchD:], j.strideD, j.pitchD, j.result.step*j.Columns, run, j.Columns)
		i += run
	}
}

// multiply adds the product of n tiles to the sums of a position, or begins
// them.
func (j *colsJob) multiply(sums, factors []float32, position, n int, first bool) {
	mr, nr := j.kernel.MR, j.kernel.NR
	v := factors[position*j.stride:]
	d := factors[j.tile.Positions()*j.stride+position*j.strideD:]
	fresh := 0
	if first {
		fresh = 1
	}
	for panel := range j.panels {
		c := sums[position*j.product+panel*j.panel:]
		for row := 0; row < j.rows; row += mr {
			j.kernel.Run(&v[row], j.pitch, &j.segment, 1, n, &d[panel*nr], j.pitchD, &c[row*nr], fresh)
		}
	}
}

// reduce turns the sums of some rows of a panel into weights.
func (j *colsJob) reduce(panel, first, rows int, b *bench) {
	nr := j.kernel.NR
	at := panel*j.panel + first*nr
	if j.shares > 1 {
		for p := range j.tile.Positions() {
			j.sum(&j.sums[p*j.product+at], rows*nr, j.shares-1, j.shareFloats)
		}
	}
	rows = min(rows, j.Channels-first)
	columns := min(nr, j.Columns-panel*nr)
	if rows <= 0 {
		return
	}
	for tap := range 9 {
		b.pixels[tap] = &j.dw[(tap*j.Channels+first)*j.Columns+panel*nr]
	}
	b.size = sizeOf(false)
	f := j.tile.Gradient
	if j.accumulate {
		f = j.tile.GradientAdd
	}
	b.scatter(f, j.k.Width, 9, j.Columns, j.sums[at:], j.product, nr, rows, columns)
}
