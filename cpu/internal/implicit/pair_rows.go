package implicit

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/internal/pool"
)

// PairRows is Rows on bfloat16: sums are float32, x and y are bfloat16, w is rounded
// to it. To the plan, a pair of neighbouring source channels is one channel.
type PairRows struct {
	*Rows
	pairs simd.PairRows
	job   pairRowsJob
}

// NewPairRows plans s, which counts the source's channels and its weights one by one,
// and must have an even number of channels in a group, no Lanes and no Fold.
func NewPairRows(s RowsSpec, pairs *simd.PairSet, set *simd.Set) *PairRows {
	s.Channels /= 2
	s.InPixel /= 2
	kernel := pairs.RowsFor(s.Out.Channels)
	p := &PairRows{Rows: planRows(s, simd.Rows{MR: kernel.MR, NR: kernel.NR}, set), pairs: kernel}
	p.job.PairRows = p
	return p
}

// ScratchFloats is the scratch memory that Run needs on a pool of the given number
// of threads.
func (p *PairRows) ScratchFloats(threads int) int {
	return p.Rows.ScratchFloats(threads) + threads*p.unpacked()
}

// unpacked is room for a panel's columns of weights of one pass while they are rounded.
func (p *PairRows) unpacked() int { return round(p.kernel.NR*min(p.Channels, passDepth), alignment) }

// pairRowsJob is what a Run works on.
type pairRowsJob struct {
	*PairRows
	x, w    []float32
	y       []uint16
	start   []float32 // bias, padded for every group, or zeros
	packed  []float32
	worker  []float32
	columns []float32 // of rounded weights, by worker
	add     int       // not zero where sums are added to y
	packing bool
	then    *Then
	near    []near // by worker
}

// RunHalf computes y from x and w. bias has one value for every output channel, or is
// nil. Where accumulate is set, the sum is added to y before it is rounded, and bias must
// be nil. then, unless it is nil, is told of all of y.
func (p *PairRows) RunHalf(workers *pool.Pool, x []uint16, w, bias []float32, y []uint16, scratch []float32, accumulate bool, then *Then) {
	scratch = align(scratch)
	j := &p.job
	j.x, j.w, j.y, j.then = pairsOf(x), w, y, then
	j.add = 0
	if accumulate {
		j.add = 1
	}
	j.packed, j.start = scratch[:p.packedFloats], scratch[round(p.packedFloats, 16):p.fixedFloats]
	rest := scratch[p.fixedFloats:]
	own := workers.Threads() * (p.bandFloats + p.tileFloats)
	j.worker, j.columns = rest[:own], rest[own:]
	p.begin(j.start, bias)
	j.near = nearFor(j.near, workers.Threads(), then, bytesOf(y, accumulate))
	j.packing = true
	workers.Run(p.Groups*p.panels, j)
	j.packing = false
	workers.Run(p.pieces, j)
	j.x, j.w, j.y, j.start, j.packed, j.worker, j.columns, j.then = nil, nil, nil, nil, nil, nil, nil, nil
}

// pairsOf is x two by two.
func pairsOf(x []uint16) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/2)
}

// Do packs one panel of weights, or computes one piece.
func (j *pairRowsJob) Do(worker, i int) {
	if j.packing {
		j.pack(i/j.panels, i%j.panels, j.columns[worker*j.unpacked():][:j.unpacked()])
		return
	}
	number, group, first, last := j.pieceOf(i)
	j.piece(number, group, first, last, j.worker[worker*(j.bandFloats+j.tileFloats):][:j.bandFloats+j.tileFloats], &j.near[worker])
}

// piece computes panels [first, last) of a group for one band. Passes but the last
// leave their sums in the tile buffer, so a panel takes all passes before the next.
func (j *pairRowsJob) piece(number, group, first, last int, memory []float32, near *near) {
	b := j.band(&j.bands, number)
	source := j.source(memory, j.x, b, group)
	t := j.tableOf(b)
	origin := b.image*j.Out.Image + b.row*j.Out.Row + j.Out.Origin + group*j.Out.Channels
	out := j.y[origin:]
	buffer := memory[j.bandFloats:]
	nr := j.kernel.NR
	for panel := first; panel < last; panel++ {
		for n := range j.passes {
			pass := &j.passes[n]
			start := &j.start[(group*j.panels+panel)*nr]
			if n > 0 {
				start = nil
			}
			var clip simd.Clip
			var y *uint16
			if n == len(j.passes)-1 {
				clip = j.Clip
				if j.whole(panel) {
					y = &out[panel*nr]
				}
			}
			var beside unsafe.Pointer
			maps := 0
			if n == 0 && j.whole(panel) {
				beside, maps = near.of(2 * (origin + panel*nr))
			}
			floor, ceiling := clip.Bounds()
			j.pairs.Run(&source[0], &t.a[0], &j.linear[0], t.tiles, &pass.taps[0], len(pass.taps), pass.depth,
				&j.weightsOf(j.packed, pass, group, panel)[0], &buffer[0], start, floor, ceiling, y, &t.c[0], j.add, (**uint16)(beside), maps)
		}
		if !j.whole(panel) {
			j.narrow(out, buffer, t, panel)
		}
	}
	if j.then != nil {
		channel := first * nr
		j.then.Told(number, origin+channel, t.rows, min(last*nr, j.Out.Channels)-channel)
	}
}

// narrow moves the columns of the last, partial panel to y.
func (j *pairRowsJob) narrow(out []uint16, buffer []float32, t *table, panel int) {
	nr := j.kernel.NR
	n := j.Out.Channels - panel*nr
	for r, c := range t.c[:t.rows] {
		row, sums := out[c+panel*nr:][:n], buffer[r*nr:][:n]
		if j.add != 0 {
			for i, v := range row {
				sums[i] += vec.Wide(v)
			}
		}
		vec.Narrow(row, sums)
	}
}

// pack is Rows' with pairs of weights.
func (j *pairRowsJob) pack(group, panel int, column []float32) {
	j.eachRun(j.packed, j.w, group, panel, 2, func(dst, w []float32, n, columns int) {
		j.packPairs(dst, w, n, columns, column)
	})
}

// packPairs writes n pairs of terms of NR columns each, of which columns exist. There is
// room for n pairs of all of these.
func (p *PairRows) packPairs(dst, w []float32, n, columns int, room []float32) {
	nr := p.kernel.NR
	if columns < nr {
		clear(dst)
	}
	if p.N == 1 {
		for k := range n {
			vec.Pairs(bitsOf(dst[k*nr:][:columns]), w[2*k*p.K:][:columns], w[(2*k+1)*p.K:][:columns])
		}
		return
	}
	for c := range columns {
		vec.Narrow(halvesOf(room[c*n:][:n]), w[c*p.N:][:2*n])
	}
	p.set.Transpose(dst, nr, room, n, columns, n)
}

func halvesOf(x []float32) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(x))), 2*len(x))
}

func bitsOf(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}
