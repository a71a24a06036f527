package winograd

import (
	"math"
	"unsafe"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/internal/pool"
)

// Rows is a plan for one convolution, or input gradient. It holds no data and
// may be used by one Run at a time.
//
// Where there are many tiles, the weights are transformed first, and each worker computes
// one block of tiles after the other from source to result. Where the transformed weights
// are the larger side, the source is transformed first, and each worker computes one panel
// of columns after the other, of which it transforms the weights itself. Either gives the
// same bits.
type Rows struct {
	Spec
	simd.Clip // what the result is brought into, after the bias
	tile      *Tile
	k         *Kernels
	kernel    simd.Rows
	pairs     simd.PairRowsFunc // in place of the kernel's, where products are of bfloat16
	set       *simd.Set

	source, result window
	filter         filter
	halves         []int // the first column of each half, or of all
	tiles          int   // in all images
	panels         int   // of kernel.NR columns
	panelwise      bool
	block          int // tiles in a full block; all of them where it is panelwise
	blocks         int
	chunk          int // source channels whose weights are transformed together
	chunks         int

	pitch                     int // floats from tile to tile in V
	stride                    int // from position to position in V
	product                   int // in M
	weights                   int // in U
	full, last                rowTable
	fixedFloats, workerFloats int
	firstFloats               int    // of what is transformed first
	terms                     [2]int // offsets of what follows each other in V

	job rowsJob
}

// rowTable is where the rows of a block's matrices lie in V and in M, and
// those that fill up the last tile of the micro-kernel.
type rowTable struct {
	a, c  []int
	count int // tiles of the micro-kernel
}

// NewRows plans s with tiles of t, which belongs to k.
func NewRows(s Spec, c simd.Clip, t *Tile, k *Kernels, set *simd.Set) *Rows {
	return planRows(s, c, t, k, set, rowsFor(t.part(s.Columns), k, set), nil)
}

// NewPairRows is NewRows for Half maps whose transforms, and those of the weights, are
// rounded to bfloat16 before they are multiplied. The number of channels is a multiple of
// PairChannels.
func NewPairRows(s Spec, c simd.Clip, t *Tile, k *Kernels, set *simd.Set, pairs *simd.PairSet) *Rows {
	kernel := pairs.RowsFor(s.Columns)
	return planRows(s, c, t, k, set, simd.Rows{MR: kernel.MR, NR: kernel.NR}, kernel.Run)
}

// PairChannels is the number of channels that NewPairRows transforms together.
const PairChannels = lanes

func planRows(s Spec, c simd.Clip, t *Tile, k *Kernels, set *simd.Set, kernel simd.Rows, pairs simd.PairRowsFunc) *Rows {
	if s.Pixel == 0 {
		s.Pixel = s.Columns
	}
	p := &Rows{Spec: s, Clip: c, tile: t, k: k, kernel: kernel, pairs: pairs, set: set}
	p.filter = s.filter(t)
	p.source, p.result, p.tiles = s.windows(t)
	p.Channels, p.Columns = t.part(s.Channels), t.part(s.Columns)
	for half := 0; half < s.Columns; half += p.Columns {
		p.halves = append(p.halves, half)
	}
	p.panels = ceil(p.Columns, p.kernel.NR)
	p.pitch = pitchOf(p.depth())
	p.blockOf(p.pickBlock())
	if p.fewTiles() {
		p.byPanels()
	}
	p.lay()
	p.job.Rows = p
	return p
}

// fewTiles tells whether to go by panels moves less memory: the transformed source once,
// and again for each panel, in place of the weights, which are written, and read again
// for each block.
func (p *Rows) fewTiles() bool {
	source, weights := p.tiles*p.pitch, p.panels*p.kernel.NR*p.depth()
	return p.tile.weights*weights > secondLevel && (p.panels+1)*source < (p.blocks+2)*weights
}

// byPanels goes by panels.
func (p *Rows) byPanels() { p.panelwise, p.block, p.blocks = true, p.tiles, 1 }

// depth is the number of terms of a product, of channels or of pairs of them.
func (p *Rows) depth() int {
	if p.pairs != nil {
		return p.Channels / 2
	}
	return p.Channels
}

// rowsFor is the micro-kernel of set for n columns whose panels are whole
// vectors.
func rowsFor(n int, k *Kernels, set *simd.Set) simd.Rows {
	var whole simd.Set
	for _, r := range set.Rows {
		if r.NR%k.Width == 0 {
			whole.Rows = append(whole.Rows, r)
		}
	}
	return whole.RowsFor(n)
}

// aliasing is a distance between rows, in floats, from which on many of them
// fall on the same lines of the first-level cache.
const aliasing = 256

// skew sets positions a little apart from a multiple of a page, so that one
// tile's do not all fall on the same lines of the first-level cache.
const skew = 16

// Cache sizes in floats.
const secondLevel = 170 << 10

// pickBlock is the number of tiles whose V and products of a panel stay in the
// second-level cache, or fewer where that shares them out better.
func (p *Rows) pickBlock() int {
	mr := p.kernel.MR
	each := p.tile.sources*p.pitch + p.tile.products*p.kernel.NR
	most := max(secondLevel/each/mr*mr, 4*mr)
	best, least := most, math.Inf(1)
	for block := most; block >= max(2*mr, leastBlock); block -= mr {
		cost := 0.0
		for _, workers := range []int{2, 4} {
			cost += float64(workers * p.makespan(block, workers))
		}
		if cost < least {
			best, least = block, cost
		}
	}
	return best
}

// leastBlock is the number of tiles down to which blocks are evened out: smaller ones read
// the weights more often, and were not measured.
const leastBlock = 24

// weightTiles is how many tiles could be computed in the time that a block takes to read
// the weights.
const weightTiles = 6

// makespan is how long so many workers take for blocks of the given size, in the time of a
// tile.
func (p *Rows) makespan(block, workers int) int {
	full := ceil(p.tiles, block) - 1
	rounds := ceil(full, workers) * (block + weightTiles)
	if full%workers == 0 {
		rounds += p.tiles - full*block + weightTiles
	}
	return rounds
}

// blockOf makes blocks of n tiles.
func (p *Rows) blockOf(n int) {
	p.panelwise = false
	p.block = min(n, round(p.tiles, p.kernel.MR))
	p.blocks = ceil(p.tiles, p.block)
}

func (p *Rows) lay() {
	nr, sources, weights, products := p.kernel.NR, p.tile.sources, p.tile.weights, p.tile.products
	p.stride = p.block*p.pitch + skew
	p.product = p.block*nr + skew
	p.weights = p.depth()*nr + skew
	if p.tile.form == striding {
		p.weights = p.depth() * nr // those of one product are one piece
	}
	p.terms = [2]int{0, p.stride}
	p.chunk = min(p.Channels, 32)
	p.chunks = ceil(p.Channels, p.chunk)
	p.full = p.newTable(p.block)
	p.last = p.newTable(p.tiles - (p.blocks-1)*p.block)
	if p.panelwise {
		p.firstFloats = round(sources*p.stride, lanes)
		p.workerFloats = weights*p.weights + products*p.product + max(round(nr, lanes), p.packingFloats())
	} else {
		p.firstFloats = round(p.panels*weights*p.weights, lanes)
		p.workerFloats = max(sources*p.stride+products*p.product+round(nr, lanes), p.packingFloats())
	}
	p.fixedFloats = p.firstFloats + len(p.halves)*p.biasStep() + p.zeros()
}

// biasStep is the number of floats that the bias of a half of the columns takes.
func (p *Rows) biasStep() int { return p.panels * p.kernel.NR }

// packingFloats is what a worker takes while it transforms weights: room for the filter
// turned, and for the transform before it is rounded.
func (p *Rows) packingFloats() int {
	n := p.tile.taps * p.chunk * p.kernel.NR
	if p.pairs != nil {
		n += p.tile.weights * p.chunk * p.kernel.NR
	}
	return n
}

// zeros is the length of a line of zeros that stands for pixels off the map,
// and for the sums' start.
func (p *Rows) zeros() int { return round(max(p.Channels, p.kernel.NR), lanes) }

func (p *Rows) newTable(rows int) rowTable {
	t := rowTable{count: ceil(rows, p.kernel.MR)}
	for i := range t.count * p.kernel.MR {
		i = min(i, rows-1)
		t.a = append(t.a, i*p.pitch)
		t.c = append(t.c, i*p.kernel.NR)
	}
	return t
}

// ScratchFloats is the scratch memory that Run needs on a pool of the given
// number of threads.
func (p *Rows) ScratchFloats(threads int) int {
	return p.fixedFloats + threads*p.workerFloats + lanes
}

// String tells how the convolution is computed.
func (p *Rows) String() string {
	return p.tile.named(p.pairs != nil)
}

// rowsJob is what a Run works on.
type rowsJob struct {
	*Rows
	x, y       pixels
	w          []float32
	bias       []float32 // padded, or zeros
	zero       []float32
	first      []float32 // what is transformed first: all weights, or the source
	worker     []float32
	accumulate bool
	then       *implicit.Then
	preparing  bool
	benches    []*bench // by worker
}

// Run computes y from x and w. bias has one value for every column, or is
// nil. Where accumulate is set, the result is added to y without a clip.
func (p *Rows) Run(workers *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool) {
	p.RunThen(workers, x, w, bias, y, scratch, accumulate, nil)
}

// Parts is the number of parts that RunThen and RunHalf tell of: the blocks.
// It is 0 where the pixels of y have other channels, too, or do not all change.
func (p *Rows) Parts() int {
	if p.Pixel != len(p.halves)*p.Columns || p.Turned && p.strides() {
		return 0
	}
	return p.blocks
}

// RunThen is Run that calls then, unless it is nil, for all of y.
func (p *Rows) RunThen(workers *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool, then *implicit.Then) {
	p.run(workers, pixels{single: x}, w, bias, pixels{single: y}, scratch, accumulate, then)
}

// RunHalf is RunThen for Half maps.
func (p *Rows) RunHalf(workers *pool.Pool, x []uint16, w, bias []float32, y []uint16, scratch []float32, accumulate bool, then *implicit.Then) {
	p.run(workers, pixels{half: x}, w, bias, pixels{half: y}, scratch, accumulate, then)
}

func (p *Rows) run(workers *pool.Pool, x pixels, w, bias []float32, y pixels, scratch []float32, accumulate bool, then *implicit.Then) {
	scratch = align(scratch)
	j := &p.job
	j.x, j.w, j.y, j.accumulate, j.then = x, w, y, accumulate, then
	j.first, scratch = cut(scratch, p.firstFloats)
	j.bias, scratch = cut(scratch, len(p.halves)*p.biasStep())
	j.zero, j.worker = cut(scratch, p.zeros())
	clear(j.zero)
	clear(j.bias)
	if bias != nil {
		for i, half := range p.halves {
			copy(j.bias[i*p.biasStep():], bias[half:][:p.Columns])
		}
	}
	j.benches = benchesFor(workers.Threads(), j.benches)
	before, after := p.panels*p.chunks, p.blocks
	if p.panelwise {
		before, after = ceil(p.tiles, piece), p.panels
	}
	j.preparing = true
	workers.Run(before, j)
	j.preparing = false
	workers.Run(after, j)
	j.x, j.w, j.y, j.first, j.bias, j.zero, j.worker, j.then = pixels{}, nil, pixels{}, nil, nil, nil, nil, nil
}

// Do prepares a piece of what is transformed first, or computes one block or panel.
func (j *rowsJob) Do(worker, i int) {
	memory, b := j.worker[worker*j.workerFloats:][:j.workerFloats], j.benches[worker]
	switch {
	case j.preparing && j.panelwise:
		first := i * piece
		j.transformSource(j.first[first*j.pitch:], first, min(first+piece, j.tiles), b)
	case j.preparing:
		panel, first := i/j.chunks, i%j.chunks*j.chunk
		j.packWeights(j.first[panel*j.tile.weights*j.weights:], panel, first, memory, b)
	case j.panelwise:
		j.computePanel(i, memory, b)
	default:
		first := i * j.block
		j.compute(first, min(first+j.block, j.tiles), memory, b)
	}
}

// packWeights transforms a chunk of the weights of a panel, source channels from first
// on.
func (j *rowsJob) packWeights(dst []float32, panel, first int, memory []float32, b *bench) {
	n := min(j.chunk, j.Channels-first)
	if j.pairs != nil {
		j.pairWeights(dst[first/2*j.kernel.NR:], panel, first, n, memory, b)
		return
	}
	j.transformWeights(dst[first*j.kernel.NR:], j.weights, panel, first, n, memory, b)
}

// transformWeights computes U for n source channels from first on and one
// panel of columns: positions stride floats apart, NR columns for every
// channel.
func (j *rowsJob) transformWeights(dst []float32, stride, panel, first, n int, memory []float32, b *bench) {
	nr := j.kernel.NR
	at := panel * nr
	columns := min(nr, j.Columns-at)
	if columns < nr {
		for p := range j.tile.weights {
			clear(dst[p*stride:][:n*nr])
		}
	}
	step := j.filter.channel
	if j.filter.column > 1 {
		step = nr
	}
	for tap, part := range j.filter.parts {
		w := j.w[part+at*j.filter.column+first*j.filter.channel:]
		if j.filter.column > 1 {
			to := memory[tap*n*nr:][:n*nr]
			j.set.Transpose(to, nr, w, j.filter.column, columns, n)
			w = to
		}
		b.pixels[tap] = &w[0]
	}
	b.size = sizeOf(false)
	b.gather(j.tile.Weight, j.k.Width, j.tile.taps, dst, stride, nr, step, n, columns)
}

// pairWeights is transformWeights to pairs of channels.
func (j *rowsJob) pairWeights(dst []float32, panel, first, n int, memory []float32, b *bench) {
	nr := j.kernel.NR
	memory, wide := cut(memory, j.tile.taps*j.chunk*nr)
	j.transformWeights(wide, n*nr, panel, first, n, memory, b)
	for p := range j.tile.weights {
		to := unsafe.Slice((*uint32)(unsafe.Pointer(&dst[p*j.weights])), n/2*nr)
		for k := range n / 2 {
			from := wide[(p*n+2*k)*nr:]
			vec.Pairs(to[k*nr:][:nr], from[:nr], from[nr:2*nr])
		}
	}
}

// compute computes tiles [first, last).
func (j *rowsJob) compute(first, last int, memory []float32, b *bench) {
	v, memory := cut(memory, j.tile.sources*j.stride)
	products, memory := cut(memory, j.tile.products*j.product)
	outside := &memory[0]

	j.transformSource(v, first, last, b)
	rows := &j.full
	if last-first != j.block {
		rows = &j.last
	}
	for panel := range j.panels {
		n := last - first
		j.fetchBeside(first+n*panel/j.panels, first+n*(panel+1)/j.panels)
		j.multiply(v, j.first[panel*j.tile.weights*j.weights:], products, rows)
		j.transformResult(products, panel, first, last, outside, b)
	}
	if j.then != nil {
		j.tell(first/j.block, first, last, 0, j.result.pixel)
	}
}

// computePanel computes a panel of columns.
func (j *rowsJob) computePanel(panel int, memory []float32, b *bench) {
	u, memory := cut(memory, j.tile.weights*j.weights)
	products, memory := cut(memory, j.tile.products*j.product)
	for first := 0; first < j.Channels; first += j.chunk {
		j.packWeights(u, panel, first, memory, b)
	}
	j.multiply(j.first, u, products, &j.full)
	j.transformResult(products, panel, 0, j.tiles, &memory[0], b)
	if j.then != nil {
		at := panel * j.kernel.NR
		for _, half := range j.halves {
			j.tell(0, 0, j.tiles, half+at, min(j.kernel.NR, j.Columns-at))
		}
	}
}

// multiply makes the products of V and one panel of U, of all positions.
func (j *rowsJob) multiply(v, u, products []float32, rows *rowTable) {
	lowest, highest := simd.Clip{}.Bounds()
	for _, p := range j.tile.multiplied {
		a, b, c := &v[p.source*j.stride], &u[p.weight*j.weights], &products[p.of*j.product]
		start := &j.zero[0]
		if p.more {
			start = nil
		}
		if j.pairs != nil {
			j.pairs(a, &rows.a[0], &rows.c[0], rows.count, &j.terms[0], p.terms, j.depth(), b, c, start, lowest, highest, nil, nil, 0, nil, 0)
		} else {
			j.kernel.Run(a, &rows.a[0], &rows.c[0], rows.count, &j.terms[0], p.terms, j.Channels, b, c, start, lowest, highest)
		}
	}
}

// transformSource computes V for tiles [first, last).
func (j *rowsJob) transformSource(v []float32, first, last int, b *bench) {
	b.size = sizeOf(j.Half)
	for i := first; i < last; {
		n := j.source.run(&b.pixels, j.x, &j.zero[0], i, last)
		to, step := v[(i-first)*j.pitch:], j.source.step*j.source.pixel
		if j.pairs != nil {
			j.tile.PairInput(&to[0], 2*j.stride, 2*j.pitch, &b.pixels[0], step, n, j.Channels)
		} else {
			b.gather(j.tile.input(j.Half), j.k.Width, j.tile.inputs, to, j.stride, j.pitch, step, n, j.Channels)
		}
		i += n
	}
}

// transformResult writes one panel of columns of tiles [first, last) to y.
func (j *rowsJob) transformResult(products []float32, panel, first, last int, outside *float32, b *bench) {
	nr := j.kernel.NR
	at := panel * nr
	columns := min(nr, j.Columns-at)
	pixels, step := j.tile.outputs, j.result.step*j.result.pixel
	b.size = sizeOf(j.Half)
	y := j.y.from(j.Origin + at)
	for i := first; i < last; {
		n := j.result.run(&b.pixels, y, outside, i, last)
		src := products[(i-first)*nr:]
		if j.accumulate {
			b.scatter(j.tile.outputAdd(j.Half), j.k.Width, pixels, step, src, j.product, nr, n, columns)
		} else {
			b.output(j.tile.output(j.Half), j.k.Width, pixels, step, src, j.product, nr, n, columns, j.bias[at:], j.biasStep(), j.Clip)
		}
		i += n
	}
}

// fetchBeside asks for what Then reads beside the result of tiles [first, last).
func (j *rowsJob) fetchBeside(first, last int) {
	if j.then == nil {
		return
	}
	size := sizeOf(j.Half)
	row := j.result.w * j.result.pixel
	for _, m := range j.then.Beside {
		for _, plane := range j.result.planes {
			for i := first; i < last; {
				v := j.result.strip(i, last)
				for h := range v.rows {
					j.set.Fetch((*float32)(unsafe.Pointer(&m[size*(plane+v.first+h*row)])), ceil(size*v.cols*j.result.pixel, 4*lanes))
				}
				i += v.tiles
			}
		}
	}
}

// tell lets those who want to know of n columns from one on of tiles [first, last), which
// are block number part: of rows that follow each other without a gap at once.
func (j *rowsJob) tell(part, first, last, column, n int) {
	for _, plane := range j.result.planes {
		at, pixels := 0, 0
		for i := first; i < last; {
			v := j.result.strip(i, last)
			for h := range v.rows {
				from := plane + v.first + h*j.result.w*j.result.pixel
				if from != at+pixels*j.result.pixel {
					if pixels > 0 {
						j.then.Told(part, at+column, pixels, n)
					}
					at, pixels = from, 0
				}
				pixels += v.cols
			}
			i += v.tiles
		}
		j.then.Told(part, at+column, pixels, n)
	}
}

// cut takes n floats off s.
func cut(s []float32, n int) (head, rest []float32) { return s[:n:n], s[n:] }

// align drops the floats before the first whole cache line.
func align(s []float32) []float32 {
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(s)))/4) % lanes
	return s[(lanes-past)%lanes:]
}
