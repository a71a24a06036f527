package implicit

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// rowsJob is what a Run works on.
type rowsJob struct {
	*Rows
	x, w, y    []float32
	start      []float32 // bias, padded for every group, or zeros
	packed     []float32
	worker     []float32 // workers' memory
	accumulate bool
	packing    bool
	then       *Then
	run        simd.RowsFunc // the kernel's Run or Past
	near       []near        // by worker
}

// Run computes y from x and w. bias has one value for every output channel,
// or is nil. Where accumulate is set, the sum is added to y, and bias must be
// nil.
func (p *Rows) Run(workers *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool) {
	p.RunThen(workers, x, w, bias, y, scratch, accumulate, nil)
}

// Then is told what has been written and is still in cache.
type Then struct {
	// Told gets n neighbouring channels of each of some neighbouring pixels, the first at
	// element at of y. Calls for one part and one channel follow each other; others may
	// run at the same time.
	Told func(part, at, pixels, n int)
	// Beside are maps like y, of elements of its size, that Told reads at the same places:
	// a plan may fetch them while it sums.
	Beside [][]byte
}

// Parts is the number of parts that RunThen tells of: the bands. It is 0 where the
// pixels of y do not lie side by side.
func (p *Rows) Parts() int {
	dense := p.Out.Pixel == p.Groups*p.Out.Channels && p.Out.Row == p.OutW*p.Out.Pixel && p.Out.Image == p.OutH*p.Out.Row
	if p.Fold > 1 || !dense {
		return 0
	}
	return p.bands.number
}

// RunThen is Run that calls then, unless it is nil, for all of y.
func (p *Rows) RunThen(workers *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool, then *Then) {
	scratch = align(scratch)
	j := &p.job
	j.x, j.w, j.y, j.accumulate, j.then = x, w, y, accumulate, then
	j.packed, j.start = scratch[:p.packedFloats], scratch[round(p.packedFloats, 16):p.fixedFloats]
	j.worker = scratch[p.fixedFloats:]
	p.begin(j.start, bias)
	j.run = p.kernel.Run
	if p.past && !accumulate && then == nil && aligned(y) {
		j.run = p.kernel.Past
	}
	j.near = nearFor(j.near, workers.Threads(), then, bytesOf(y, accumulate))
	j.packing = true
	workers.Run(p.Groups*p.panels, j)
	j.packing = false
	workers.Run(p.pieces, j)
	j.x, j.w, j.y, j.start, j.packed, j.worker, j.then = nil, nil, nil, nil, nil, nil, nil
}

// begin makes the start values of bias, which may be nil.
func (p *Rows) begin(start, bias []float32) {
	clear(start)
	if bias != nil {
		for g := range p.Groups {
			copy(start[g*p.panels*p.kernel.NR:], bias[g*p.Out.Channels:][:p.Out.Channels])
		}
	}
}

// pieceOf is the band, the group and the panels [first, last) of a piece.
func (p *Rows) pieceOf(i int) (number, group, first, last int) {
	chunks := ceil(p.panels, p.chunk)
	first = i % chunks * p.chunk
	i /= chunks
	return i / p.Groups, i % p.Groups, first, min(first+p.chunk, p.panels)
}

// source is where a band of x is read: in place, or gathered at the start of a
// worker's memory.
func (p *Rows) source(memory, x []float32, b band, group int) []float32 {
	if p.view.cols > 0 {
		p.gather(memory[:p.bandFloats], &p.view, x, b, group)
		return memory
	}
	return x[p.Geometry.start(&p.view, b, group):]
}

// tableOf is the table of a band.
func (p *Rows) tableOf(b band) *table {
	if b.images*b.rows*p.OutW != p.full.rows {
		return &p.last
	}
	return &p.full
}

// weightsOf is where a pass finds the packed weights of a panel.
func (p *Rows) weightsOf(packed []float32, pass *pass, group, panel int) []float32 {
	return packed[((group*p.terms()+pass.first)*p.panels+panel*pass.terms())*p.kernel.NR:]
}

// Do packs one panel of weights, or computes one piece.
func (j *rowsJob) Do(worker, i int) {
	if j.packing {
		j.pack(i/j.panels, i%j.panels)
		return
	}
	number, group, first, last := j.pieceOf(i)
	j.piece(number, group, first, last, j.worker[worker*(j.bandFloats+j.tileFloats):][:j.bandFloats+j.tileFloats], &j.near[worker])
}

// piece computes panels [first, last) of a group for one band.
func (j *rowsJob) piece(number, group, first, last int, memory []float32, near *near) {
	b := j.band(&j.bands, number)
	source := j.source(memory, j.x, b, group)
	t := j.tableOf(b)
	origin := b.image*j.Out.Image + b.row*j.Out.Row + j.Out.Origin + group*j.Out.Channels/j.Fold
	out := j.y[origin:]
	buffer := memory[j.bandFloats:]
	if j.panelFirst {
		for panel := first; panel < last; panel++ {
			for pass := range j.passes {
				j.sum(pass, panel, group, source, origin, buffer, t, near)
			}
		}
	} else {
		for pass := range j.passes {
			for panel := first; panel < last; panel++ {
				j.sum(pass, panel, group, source, origin, buffer, t, near)
			}
		}
	}
	switch {
	case j.Fold > 1:
		j.fold(out, buffer, t)
	case !j.whole(last - 1):
		j.scatter(out, buffer, t, last-1)
	}
	if j.then != nil {
		channel := first * j.kernel.NR
		j.then.Told(number, origin+channel, t.rows, min(last*j.kernel.NR, j.Out.Channels)-channel)
	}
}

// sum adds one pass of the sum for one panel, the start or the end of it
// included where the pass is the first or the last. The band of y begins at origin.
func (j *rowsJob) sum(n, panel, group int, source []float32, origin int, buffer []float32, t *table, near *near) {
	nr := j.kernel.NR
	pass := &j.passes[n]
	a, c, rowC := &source[0], &j.tile(buffer, panel)[0], j.linear
	start := &j.start[(group*j.panels+panel)*nr]
	again := n > 0
	if j.Lanes {
		a = &source[panel*nr]
	}
	if j.whole(panel) {
		c, rowC = &j.y[origin+panel*nr], t.c
		again = again || j.accumulate
	}
	if again {
		start = nil
	}
	var clip simd.Clip
	if n == len(j.passes)-1 {
		clip = j.Clip
	}
	floor, ceiling := clip.Bounds()
	weights := j.weightsOf(j.packed, pass, group, panel)
	if n == 0 && j.whole(panel) && j.kernel.Beside != nil {
		if beside, maps := near.of(4 * (origin + panel*nr)); maps > 0 {
			j.kernel.Beside(a, &t.a[0], &rowC[0], t.tiles, &pass.taps[0], len(pass.taps), pass.depth, &weights[0], c, start, floor, ceiling, (**float32)(beside), maps)
			return
		}
	}
	j.run(a, &t.a[0], &rowC[0], t.tiles, &pass.taps[0], len(pass.taps), pass.depth, &weights[0], c, start, floor, ceiling)
}

// whole tells whether all columns of a panel go to y as they are.
func (p *Rows) whole(panel int) bool {
	return p.Fold == 1 && (panel+1)*p.kernel.NR <= p.Out.Channels
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
	add := 0
	if j.accumulate {
		add = 1
	}
	j.set.Scatter(&out[first], &t.c[0], &buffer[0], t.rows, nr, j.Out.Channels-first, add)
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

// aligned tells whether s begins with a cache line.
func aligned(s []float32) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(s)))%(4*alignment) == 0
}

// align drops the floats before the first whole cache line.
func align(s []float32) []float32 {
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(s)))/4) % alignment
	return s[(alignment-past)%alignment:]
}
