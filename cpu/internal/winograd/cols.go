package winograd

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Cols is a plan for the weight gradient of a convolution, whose Spec is that
// of the forward direction. It holds no data and may be used by one Run at a
// time.
//
// The products of all positions are large: 36 matrices of source channels by
// columns. So a fixed number of shares of the tiles, and parts of the channels
// and columns, are summed apart, each by one worker, in blocks of tiles whose
// factors and sums stay in the worker's own caches; then the shares are added in
// order. A part transforms what it needs of a tile by itself, so that a few
// large parts are less work and many small ones feed more workers: how many
// there are changes no bit. Where there are few tiles, the workers transform
// one large block of tiles after the other together, and then share out the
// positions.
type Cols struct {
	Spec
	tile   *Tile
	k      *Kernels
	kernel simd.Cols
	set    *simd.Set
	pairs  bool // two tiles are one of pairs of bfloat16

	source, result window
	filter         filter
	tiles          int // in all images

	apart  bool // whether shares and parts are summed apart
	most   int  // channels and columns of a part, at most; 0 for all
	shares int
	block  int // tiles in a full block

	segment int // the offset of the only segment
	job     colsJob
}

// layout is how the work is cut for a number of threads, and lies in memory.
type layout struct {
	partC, partK     int // channels and columns of a part
	acrossC, acrossK int // parts along each
	panels           int // of kernel.NR columns, in a part
	rows             int // of a part's products, padded to kernel.MR

	pitch, stride   int // floats from tile to tile and from position to position in V
	pitchD, strideD int // in D, the transformed gradient
	panel, product  int // floats from panel to panel and from position to position in the products
	shareFloats     int // all products of a part's share
	blockFloats     int // V and D of a block
	reduced         int // pieces of the last step
	cut             int // rows of such a piece
}

// NewCols plans s with tiles of t, which belongs to k.
func NewCols(s Spec, t *Tile, k *Kernels, set *simd.Set) *Cols {
	return planCols(s, t, k, set, colsFor(t.part(s.Columns), k, set), false)
}

// NewPairCols is NewCols for Half maps whose transforms are rounded to bfloat16 before
// they are multiplied. The numbers of channels and of columns are multiples of
// PairChannels.
func NewPairCols(s Spec, t *Tile, k *Kernels, set *simd.Set, pairs *simd.PairSet) *Cols {
	return planCols(s, t, k, set, pairs.ColsFor(s.Columns), true)
}

func planCols(s Spec, t *Tile, k *Kernels, set *simd.Set, kernel simd.Cols, pairs bool) *Cols {
	p := &Cols{Spec: s, tile: t, k: k, kernel: kernel, set: set, pairs: pairs}
	p.Pixel = s.Columns
	p.filter = s.filter(t)
	p.source, p.result, p.tiles = p.windows(t)
	if t.form == quartering {
		// The left factors are those of the source's transpose.
		parts := p.source.parts
		p.source.parts = []int{parts[0], parts[2], parts[1], parts[3]}
	}
	p.Channels, p.Columns = t.part(s.Channels), t.part(s.Columns)
	p.choose()
	p.job.Cols = p
	return p
}

// together is the number of tiles that share a place.
func (p *Cols) together() int {
	if p.pairs {
		return 2
	}
	return 1
}

// terms is the number of rows that n tiles of a block take.
func (p *Cols) terms(n int) int { return ceil(n, p.together()) }

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

// Extents of parts, which other caches than those of today's processors might want
// different.
const (
	largePart = 128
	smallPart = 32
	partBlock = 64 // tiles, or pairs of them

	// Of tiles for stride 2, which have more positions.
	stridedPart  = 64
	stridedBlock = 16
)

// choose cuts what the number of threads must not change, for it decides the order of
// the sums.
func (p *Cols) choose() {
	p.shares = 1
	l := p.layout(p.Channels, p.Columns)
	each := (p.tile.sources*l.pitch + p.tile.spreads*l.pitchD) / p.together()
	switch {
	case l.shareFloats <= 200<<10:
		p.block = max(24, min(192, (secondLevel-l.shareFloats)/each))
		p.shares = max(1, min(32, p.tiles/p.block/2, (2<<20)/l.shareFloats))
		p.apart = p.shares > 1
	case p.terms(p.tiles) > 3*partBlock/2:
		p.apart, p.most, p.block = true, largePart, partBlock*p.together()
		if p.tile.form == striding {
			p.most, p.block = stridedPart, stridedBlock
		}
		parts := ceil(p.Channels, p.most) * ceil(p.Columns, p.most)
		p.shares = max(1, min(ceil(4, parts), p.tiles/p.block))
	}
	if !p.apart {
		p.block = max(64, min(p.tiles, (2<<20)/each))
	}
	tiles := ceil(p.tiles, p.shares)
	p.block = ceil(tiles, ceil(tiles, p.block))
}

// cutFor makes parts for a number of threads.
func (p *Cols) cutFor(threads int) layout {
	if p.most == 0 {
		return p.layout(p.Channels, p.Columns)
	}
	c, k := evenly(p.Channels, p.most), evenly(p.Columns, p.most)
	for p.shares*ceil(p.Channels, c)*ceil(p.Columns, k) < 2*threads && max(c, k) > smallPart {
		if c > k {
			c = evenly(p.Channels, c/2)
		} else {
			k = evenly(p.Columns, k/2)
		}
	}
	return p.layout(c, k)
}

// evenly is the extent, in whole vectors, of equal parts of n of at most the given one.
func evenly(n, most int) int {
	most = max(most-most%lanes, lanes)
	return min(round(ceil(n, ceil(n, most)), lanes), most)
}

// layout makes parts of c channels by k columns.
func (p *Cols) layout(c, k int) layout {
	l := layout{partC: c, partK: k, acrossC: ceil(p.Channels, c), acrossK: ceil(p.Columns, k)}
	mr, nr := p.kernel.MR, p.kernel.NR
	l.panels = ceil(k, nr)
	l.rows = round(c, mr)
	l.pitch, l.pitchD = pitchOf(max(l.rows, round(c, lanes))), pitchOf(l.panels*nr)
	l.stride, l.strideD = p.terms(p.block)*l.pitch+skew, p.terms(p.block)*l.pitchD+skew
	l.panel = l.rows * nr
	l.product = l.panels*l.panel + skew
	l.shareFloats = round(p.tile.sources*l.product, lanes)
	l.blockFloats = p.tile.sources*l.stride + p.tile.spreads*l.strideD
	l.cut = mr * max(1, 32/mr)
	l.reduced = l.parts() * l.panels * ceil(l.rows, l.cut)
	return l
}

// parts is the number of parts.
func (l *layout) parts() int { return l.acrossC * l.acrossK }

// piece is the number of tiles that are transformed at a time where all workers share a
// block.
const piece = 4

// zeros is the length of a line of zeros that stands for pixels off a map.
func (p *Cols) zeros() int { return round(max(p.Channels, p.Columns), lanes) }

// ScratchFloats is the scratch memory that Run needs on a pool of the given
// number of threads.
func (p *Cols) ScratchFloats(threads int) int {
	blocks := 1
	if p.apart {
		blocks = threads
	}
	l := p.cutFor(threads)
	return p.zeros() + p.shares*l.parts()*l.shareFloats + blocks*l.blockFloats + lanes
}

// String tells how the gradient is computed.
func (p *Cols) String() string {
	return p.tile.named(p.pairs)
}

// colsJob is what a Run works on.
type colsJob struct {
	*Cols
	layout
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
	summing      step = iota // a share of the tiles for a part
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
	j.layout = p.cutFor(workers.Threads())
	j.x, j.dy, j.dw, j.accumulate = x, dy, dw, accumulate
	j.zero, scratch = cut(scratch, p.zeros())
	j.sums, j.factors = cut(scratch, p.shares*j.parts()*j.shareFloats)
	j.benches = benchesFor(workers.Threads(), j.benches)
	clear(j.zero)
	if p.apart {
		j.step = summing
		workers.Run(p.shares*j.parts(), j)
	} else {
		for j.blockAt = 0; j.blockAt < p.tiles; j.blockAt += p.block {
			j.blockN = min(p.block, p.tiles-j.blockAt)
			j.step = transforming
			workers.Run(2*ceil(j.blockN, piece), j)
			j.step = multiplying
			workers.Run(p.tile.sources, j)
		}
	}
	j.step = reducing
	workers.Run(j.reduced, j)
	j.x, j.dy, j.dw, j.zero, j.sums, j.factors = pixels{}, pixels{}, nil, nil, nil, nil
}

// Do does one piece of the step.
func (j *colsJob) Do(worker, i int) {
	b := j.benches[worker]
	switch j.step {
	case summing:
		j.share(i, j.factors[worker*j.blockFloats:][:j.blockFloats], b)
	case transforming:
		at := i / 2 * piece
		n := min(piece, j.blockN-at)
		if i%2 == 0 {
			j.transformSource(j.whole(), j.factors, at, j.blockAt+at, n, b)
		} else {
			j.transformGradient(j.whole(), j.factors, at, j.blockAt+at, n, b)
		}
	case multiplying:
		j.multiply(j.whole(), j.sums, j.factors, i, j.blockN, j.blockAt == 0)
	case reducing:
		cuts := ceil(j.rows, j.cut)
		first := i % cuts * j.cut
		j.reduce(i/cuts/j.panels, i/cuts%j.panels, first, b)
	}
}

// part is some of the channels and of the columns.
type part struct{ c, channels, k, columns int }

func (p *Cols) whole() part { return part{channels: p.Channels, columns: p.Columns} }

// partAt is part number i; those of the same channels follow each other.
func (j *colsJob) partAt(i int) part {
	c, k := i/j.acrossK*j.partC, i%j.acrossK*j.partK
	return part{c, min(j.partC, j.Channels-c), k, min(j.partK, j.Columns-k)}
}

// share sums one share of the tiles for one part; those of the same tiles follow each
// other.
func (j *colsJob) share(i int, factors []float32, b *bench) {
	sums, of := j.sums[i*j.shareFloats:], j.partAt(i%j.parts())
	i /= j.parts()
	first, last := i*j.tiles/j.shares, (i+1)*j.tiles/j.shares
	for at := first; at < last; at += j.block {
		n := min(j.block, last-at)
		j.transformSource(of, factors, 0, at, n, b)
		j.transformGradient(of, factors, 0, at, n, b)
		next := min(j.block, last-at-n)
		positions := j.tile.sources
		for p := range positions {
			from, to := at+n+next*p/positions, at+n+next*(p+1)/positions
			j.fetch(&j.source, j.x.from(of.c), from, to, of.channels, b)
			j.fetch(&j.result, j.dy.from(of.k), from, to, of.columns, b)
			j.multiply(of, sums, factors, p, n, at == first)
		}
	}
}

// fetch asks for some channels of the pixels of tiles [first, last) that no tile before
// them reads.
func (j *colsJob) fetch(w *window, m pixels, first, last, channels int, b *bench) {
	size := sizeOf(j.Half)
	lines := ceil(size*channels, 4*lanes)
	for i := first; i < last; {
		run := w.run(&b.pixels, m, &j.zero[0], i, last)
		for t := range run {
			k := 0
			for r := range w.size {
				for c := range w.size {
					for range w.parts {
						if r >= w.size-w.step && c >= w.size-w.step && b.pixels[k] != &j.zero[0] {
							j.set.Fetch((*float32)(unsafe.Add(unsafe.Pointer(b.pixels[k]), size*t*w.step*w.pixel)), lines)
						}
						k++
					}
				}
			}
		}
		i += run
	}
}

// transformSource computes a part's V for n tiles from first on; the first is tile at
// of its block.
func (j *colsJob) transformSource(of part, factors []float32, at, first, n int, b *bench) {
	b.size = sizeOf(j.Half)
	x := j.x.from(of.c)
	if j.pairs {
		j.transformPairs(&j.source, [2]GatherFunc{j.tile.LowInput, j.tile.HighInput}, x, factors, j.stride, j.pitch, at, first, n, of.channels, b)
		return
	}
	for i := 0; i < n; {
		run := j.source.run(&b.pixels, x, &j.zero[0], first+i, first+n)
		b.gather(j.tile.input(j.Half), j.k.Width, j.tile.inputs, factors[(at+i)*j.pitch:], j.stride, j.pitch, j.source.step*j.source.pixel, run, of.channels)
		i += run
	}
}

// transformGradient computes D likewise.
func (j *colsJob) transformGradient(of part, factors []float32, at, first, n int, b *bench) {
	d := factors[j.tile.sources*j.stride:]
	b.size = sizeOf(j.Half)
	dy := j.dy.from(of.k)
	if j.pairs {
		j.transformPairs(&j.result, [2]GatherFunc{j.tile.LowSpread, j.tile.HighSpread}, dy, d, j.strideD, j.pitchD, at, first, n, of.columns, b)
		return
	}
	for i := 0; i < n; {
		run := j.result.run(&b.pixels, dy, &j.zero[0], first+i, first+n)
		b.gather(j.tile.spread(j.Half), j.k.Width, j.tile.outputs, d[(at+i)*j.pitchD:], j.strideD, j.pitchD, j.result.step*j.result.pixel, run, of.columns)
		i += run
	}
}

// transformPairs does either where tiles share places by twos. The lower halves are
// written before the upper ones, which leave them.
func (j *colsJob) transformPairs(w *window, halves [2]GatherFunc, m pixels, dst []float32, stride, pitch, at, first, n, channels int, b *bench) {
	for i := 0; i < n; {
		run := w.run(&b.pixels, m, &j.zero[0], first+i, first+n)
		for half, transform := range halves {
			skip := (at + i + half) % 2 // tiles before the first that has this half
			if skip < run {
				w.run(&b.pixels, m, &j.zero[0], first+i+skip, first+n)
				transform(&dst[(at+i+skip)/2*pitch], stride, pitch, &b.pixels[0], 2*w.step*w.pixel, ceil(run-skip, 2), channels)
			}
		}
		i += run
	}
}

// multiply adds the product of n tiles to the sums of a position, or begins
// them.
func (j *colsJob) multiply(of part, sums, factors []float32, position, n int, first bool) {
	mr, nr := j.kernel.MR, j.kernel.NR
	v := factors[position*j.stride:]
	d := factors[j.tile.sources*j.stride+j.tile.spreadOf(position)*j.strideD:]
	fresh := 0
	if first {
		fresh = 1
	}
	for panel := range ceil(of.columns, nr) {
		c := sums[position*j.product+panel*j.panel:]
		for row := 0; row < of.channels; row += mr {
			j.kernel.Run(&v[row], j.pitch, &j.segment, 1, j.terms(n), &d[panel*nr], j.pitchD, &c[row*nr], fresh)
		}
	}
}

// reduce turns the sums of some rows, from first on, of a part's panel into weights.
func (j *colsJob) reduce(number, panel, first int, b *bench) {
	nr, of := j.kernel.NR, j.partAt(number)
	rows, columns := min(j.cut, of.channels-first), min(nr, of.columns-panel*nr)
	if rows <= 0 || columns <= 0 {
		return
	}
	at := number*j.shareFloats + panel*j.panel + first*nr
	if j.shares > 1 {
		for p := range j.tile.sources {
			j.set.Sum(&j.sums[p*j.product+at], min(j.cut, j.rows-first)*nr, j.shares-1, j.parts()*j.shareFloats)
		}
	}
	for tap, part := range j.filter.parts {
		b.pixels[tap] = &j.dw[part+(of.c+first)*j.filter.channel+of.k+panel*nr]
	}
	b.size = sizeOf(false)
	f := j.tile.Gradient
	if j.accumulate {
		f = j.tile.GradientAdd
	}
	b.scatter(f, j.k.Width, j.tile.taps, j.filter.channel, j.sums[at:], j.product, nr, rows, columns)
}
