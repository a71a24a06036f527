package implicit

import (
	"math"
	"unsafe"

	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Weights tells where the weight of a term lies: tap (a, b), source channel
// k of the group and output channel n of the group are at
//
//	group·Group + TapH[a] + TapW[b] + k·K + n·N
type Weights struct {
	TapH, TapW []int // as long as the geometry's TapsH and TapsW
	Group      int
	K, N       int // one of them is 1
}

// Output tells where the value of position (i, j) of an image lies: image ·
// Image + i·Row + j·Pixel + Origin, plus group·Channels and the channel.
type Output struct {
	Image, Row, Pixel, Origin int
	Channels                  int // of a group
}

// RowsSpec is what a Rows plan computes.
type RowsSpec struct {
	Geometry
	Weights
	Out  Output
	ReLU bool
	// Lanes is depthwise: there is one group, output channel n reads only
	// source channel n (after Repeat), and Weights.K is not used.
	Lanes bool
	// Fold sums every Fold neighbouring output channels into one; Out.Channels
	// counts them before. 1 but for Lanes.
	Fold int
}

// Cache sizes that bands are cut for, in floats: what may be streamed often
// must fit in the second-level cache beside other things, and the panel of
// weights that a pass keeps reading should fit in the first level.
const (
	secondLevel = 80 << 10
	passDepth   = 320
)

// Rows is a plan for one lattice. It holds no data and may be used by one
// Run at a time.
type Rows struct {
	RowsSpec
	kernel     simd.Rows
	view       view
	bands      bands
	passes     []pass
	full       table // rows of a full band
	last       table // rows of the last band of an image, or of the last images
	panels     int   // of NR columns in a group
	panelFirst bool  // a panel takes all passes before the next panel does
	chunk      int   // panels that one piece of work does
	pieces     int

	linear []int // offsets of a tile buffer's rows

	// Sizes in floats: all packed weights, these with the start values, and
	// a worker's gathered band and tile buffer.
	packedFloats, fixedFloats int
	bandFloats, tileFloats    int

	job rowsJob
}

// pass is a part of the sum that keeps its panel of weights in the first
// level of cache.
type pass struct {
	taps  []int // offsets from a position
	depth int   // terms of each tap
	first int   // number of terms in the passes before
}

func (p *pass) terms() int { return len(p.taps) * p.depth }

// table names the rows of a band for the micro-kernel, the last row repeated
// to fill up the last tile.
type table struct {
	a, c  []int
	rows  int
	tiles int
}

// rowsJob is what a Run works on.
type rowsJob struct {
	*Rows
	x, w, y    []float32
	start      []float32 // bias, padded for every group, or zeros
	packed     []float32
	worker     []float32 // workers' memory
	accumulate bool
	packing    bool
}

// NewRows plans s with the micro-kernels of set.
func NewRows(s RowsSpec, set *simd.Set) *Rows {
	p := &Rows{RowsSpec: s, kernel: set.RowsFor(s.Out.Channels)}
	if s.Lanes {
		p.kernel = set.LaneRows
	}
	p.panels = ceil(s.Out.Channels, p.kernel.NR)
	merged := p.chooseView()
	p.chooseBands()
	p.layPasses(merged)
	p.layTables()
	p.choosePieces()
	p.job.Rows = p
	return p
}

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
	// A band too large for the cache is read by slices, and y goes in and
	// out once for every pass.
	if source > secondLevel {
		cost += 0.04
		if slice := min(source, n*min(p.terms(), passDepth)); slice > secondLevel {
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
		a: p.positions(nil, b.images, b.rows, p.view.image, p.StepH*p.view.row, p.StepW*p.view.pixel),
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

// ScratchFloats is the scratch memory that Run needs on a pool of the given
// number of threads.
func (p *Rows) ScratchFloats(threads int) int {
	return p.fixedFloats + threads*(p.bandFloats+p.tileFloats) + alignment
}

// Run computes y from x and w. bias has one value for every output channel,
// or is nil. Where accumulate is set, the sum is added to y, and bias must be
// nil.
func (p *Rows) Run(workers *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool) {
	scratch = align(scratch)
	j := &p.job
	j.x, j.w, j.y, j.accumulate = x, w, y, accumulate
	j.packed, j.start = scratch[:p.packedFloats], scratch[round(p.packedFloats, 16):p.fixedFloats]
	j.worker = scratch[p.fixedFloats:]
	clear(j.start)
	if bias != nil {
		for g := range p.Groups {
			copy(j.start[g*p.panels*p.kernel.NR:], bias[g*p.Out.Channels:][:p.Out.Channels])
		}
	}
	j.packing = true
	workers.Run(p.Groups*p.panels, j)
	j.packing = false
	workers.Run(p.pieces, j)
	j.x, j.w, j.y, j.start, j.packed, j.worker = nil, nil, nil, nil, nil, nil
}

// Do packs one panel of weights, or computes one piece.
func (j *rowsJob) Do(worker, i int) {
	if j.packing {
		j.pack(i/j.panels, i%j.panels)
		return
	}
	chunks := ceil(j.panels, j.chunk)
	chunk := i % chunks
	i /= chunks
	first := chunk * j.chunk
	memory := j.worker[worker*(j.bandFloats+j.tileFloats):][:j.bandFloats+j.tileFloats]
	j.piece(j.band(&j.bands, i/j.Groups), i%j.Groups, first, min(first+j.chunk, j.panels), memory)
}

var lowest = float32(math.Inf(-1))

// piece computes panels [first, last) of a group for one band.
func (j *rowsJob) piece(b band, group, first, last int, memory []float32) {
	var source []float32
	if j.view.cols > 0 {
		source = memory[:j.bandFloats]
		j.gather(source, &j.view, j.x, b, group)
	} else {
		source = j.x[j.Geometry.start(&j.view, b, group):]
	}
	t := &j.full
	if b.images*b.rows*j.OutW != t.rows {
		t = &j.last
	}
	out := j.y[b.image*j.Out.Image+b.row*j.Out.Row+j.Out.Origin+group*j.Out.Channels/j.Fold:]
	buffer := memory[j.bandFloats:]
	if j.panelFirst {
		for panel := first; panel < last; panel++ {
			for pass := range j.passes {
				j.sum(pass, panel, group, source, out, buffer, t)
			}
		}
	} else {
		for pass := range j.passes {
			for panel := first; panel < last; panel++ {
				j.sum(pass, panel, group, source, out, buffer, t)
			}
		}
	}
	switch {
	case j.Fold > 1:
		j.fold(out, buffer, t)
	case !j.whole(last - 1):
		j.scatter(out, buffer, t, last-1)
	}
}

// sum adds one pass of the sum for one panel, the start or the end of it
// included where the pass is the first or the last.
func (j *rowsJob) sum(n, panel, group int, source, out, buffer []float32, t *table) {
	nr := j.kernel.NR
	pass := &j.passes[n]
	a, c, rowC := &source[0], &j.tile(buffer, panel)[0], j.linear
	start := &j.start[(group*j.panels+panel)*nr]
	again := n > 0
	if j.Lanes {
		a = &source[panel*nr]
	}
	if j.whole(panel) {
		c, rowC = &out[panel*nr], t.c
		again = again || j.accumulate
	}
	if again {
		start = nil
	}
	floor := lowest
	if j.ReLU && n == len(j.passes)-1 {
		floor = 0
	}
	weights := j.packed[((group*j.terms()+pass.first)*j.panels+panel*pass.terms())*nr:]
	j.kernel.Run(a, &t.a[0], &rowC[0], t.tiles, &pass.taps[0], len(pass.taps), pass.depth, &weights[0], c, start, floor)
}

// whole tells whether all columns of a panel go to y as they are.
func (j *rowsJob) whole(panel int) bool {
	return j.Fold == 1 && (panel+1)*j.kernel.NR <= j.Out.Channels
}

// tile is the part of the tile buffer that holds a panel's columns for the
// whole band.
func (j *rowsJob) tile(buffer []float32, panel int) []float32 {
	if j.Fold == 1 {
		return buffer
	}
	return buffer[panel*len(j.linear)*j.kernel.NR:]
}

// scatter moves the columns of the last, partial panel to y.
func (j *rowsJob) scatter(out, buffer []float32, t *table, panel int) {
	nr := j.kernel.NR
	first := panel * nr
	n := j.Out.Channels - first
	for r, c := range t.c[:t.rows] {
		row, values := out[c+first:][:n], buffer[r*nr:][:n]
		if !j.accumulate {
			copy(row, values)
			continue
		}
		for i, v := range values {
			row[i] += v
		}
	}
}

// fold sums every Fold columns of the tile buffer into one of y.
func (j *rowsJob) fold(out, buffer []float32, t *table) {
	nr := j.kernel.NR
	for r, c := range t.c[:t.rows] {
		row := out[c:][:j.Out.Channels/j.Fold]
		for i := range row {
			var sum float32
			for k := i * j.Fold; k < (i+1)*j.Fold; k++ {
				sum += buffer[(k/nr*len(j.linear)+r)*nr+k%nr]
			}
			if j.accumulate {
				sum += row[i]
			}
			row[i] = sum
		}
	}
}

// alignment is a cache line, in floats.
const alignment = 16

// align drops the floats before the first whole cache line.
func align(s []float32) []float32 {
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(s)))/4) % alignment
	return s[(alignment-past)%alignment:]
}
