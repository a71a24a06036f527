package depthwise

import (
	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Spec is a depthwise convolution of images of NHWC layout, or the input gradient
// of one. Weights are (KH, KW, Channels).
type Spec struct {
	Images, Channels int
	H, W             Axis
	KH, KW           int
}

func (s *Spec) outH() int { return len(s.H.places) }
func (s *Spec) outW() int { return len(s.W.places) }

// xRow and yRow are the floats of a row of the source and of the result.
func (s *Spec) xRow() int { return s.W.source * s.Channels }
func (s *Spec) yRow() int { return s.outW() * s.Channels }

// span is neighbouring channels that go through one width of kernel.
type span struct {
	Width
	first, panels int
}

// spans cuts the channels: as many as possible go through the widest kernels.
func (s *Spec) spans(k *Kernels) (spans []span) {
	for c, i := 0, 0; c < s.Channels; i++ {
		w := k.Widths[i]
		if n := (s.Channels - c) / w.Channels; n > 0 {
			spans = append(spans, span{w, c, n})
			c += n * w.Channels
		}
	}
	return spans
}

// table is the taps of a run of columns in rows that meet the source alike, as
// offsets in the source and in the weights.
func (s *Spec) table(rows, cols []tap) []int {
	var t []int
	for _, a := range rows {
		for _, b := range cols {
			t = append(t, a.at*s.xRow()+b.at*s.Channels, (a.tap*s.KW+b.tap)*s.Channels)
		}
	}
	return t
}

// wanted is the number of pieces of work that keeps the workers of a large
// machine busy.
const wanted = 32

// chunk is the number of floats of the result that are told of at once: they are
// still in the first-level cache, or nearly.
const chunk = 8 << 10

// Rows is a plan that computes a result, row by row. It holds no data and may be
// used by one Run at a time.
type Rows struct {
	Spec
	clip  simd.Clip
	spans []span
	rows  []row
	cols  []run
	bands int // of an image

	job rowsJob
}

// row is a row of the result: the source row of its first tap, and the tables of
// its runs. Then the first source row that the next one meets and this one does not,
// and for how much of the source to ask ahead, as a multiple of the result.
type row struct {
	from        int
	tables      [][]int
	next, times int
}

// NewRows plans s with the kernels k.
func NewRows(s Spec, clip simd.Clip, k *Kernels) *Rows {
	p := &Rows{Spec: s, clip: clip, spans: s.spans(k), cols: s.W.runs(), rows: make([]row, s.outH())}
	for _, r := range s.H.runs() {
		var tables [][]int
		for _, c := range p.cols {
			tables = append(tables, s.table(r.taps, c.taps))
		}
		for i := range r.n {
			p.rows[r.first+i*r.step] = row{from: r.from + i*r.advance, tables: tables}
		}
	}
	for i := range s.outH() - 1 {
		p.rows[i].next, p.rows[i].times = s.ahead(i)
	}
	p.bands = min(s.outH(), (wanted+s.Images-1)/s.Images)
	p.job.Rows = p
	return p
}

// ahead is the first source row, counted from that of the first tap, that row i+1 of
// the result meets and row i does not, and how much of the source that begins, as
// a multiple of a row of the result.
func (s *Spec) ahead(i int) (next, times int) {
	this, that := s.H.places[i], s.H.places[i+1]
	if len(this) == 0 || len(that) == 0 {
		return 0, 0
	}
	rows := that[len(that)-1].at - this[len(this)-1].at
	return this[len(this)-1].at + 1 - this[0].at, (max(rows, 0)*s.xRow() + s.yRow()/2) / s.yRow()
}

// ScratchFloats is the scratch memory that Run needs: the sums' start.
func (p *Rows) ScratchFloats(int) int { return p.Channels }

// String tells how the plan computes.
func (p *Rows) String() string { return "depthwise" }

type rowsJob struct {
	*Rows
	x, w, y, start []float32
	then           *implicit.Then
}

// Run computes y from x and w. bias has one value for every channel, or is nil.
// Where accumulate is set, the sum is added to y, and bias must be nil.
func (p *Rows) Run(workers *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool) {
	p.RunThen(workers, x, w, bias, y, scratch, accumulate, nil)
}

// Parts is the number of parts that RunThen tells of: the bands.
func (p *Rows) Parts() int { return p.Images * p.bands }

// RunThen is Run that calls then, unless it is nil, for all of y.
func (p *Rows) RunThen(workers *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool, then *implicit.Then) {
	j := &p.job
	j.x, j.w, j.y, j.then = x, w, y, then
	switch {
	case bias != nil:
		j.start = bias
	case !accumulate:
		j.start = scratch[:p.Channels]
		clear(j.start)
	}
	workers.Run(p.Parts(), j)
	j.x, j.w, j.y, j.start, j.then = nil, nil, nil, nil, nil
}

// Do computes one band of an image.
func (j *rowsJob) Do(_, i int) {
	image, band := i/j.bands, i%j.bands
	first, last := part(j.outH(), band, j.bands)
	told := first
	for r := first; r < last; r++ {
		j.row(image, r)
		if rows := r + 1 - told; j.then != nil && (rows*j.yRow() >= chunk || r+1 == last) {
			j.then.Told(i, (image*j.outH()+told)*j.yRow(), rows*j.outW(), j.Channels)
			told = r + 1
		}
	}
}

// row computes a row of the result.
func (j *rowsJob) row(image, r int) {
	row := &j.rows[r]
	floor, ceiling := j.clip.Bounds()
	x := j.x[(image*j.H.source+row.from)*j.xRow():]
	y := j.y[(image*j.outH()+r)*j.yRow():]
	nextX, nextY := row.next*j.xRow(), j.yRow()
	for i := range j.cols {
		run, taps := &j.cols[i], row.tables[i]
		xAt, yAt := run.from*j.Channels, run.first*j.Channels
		var table *int
		if len(taps) > 0 {
			table = &taps[0]
		}
		for _, s := range j.spans {
			var start *float32
			if j.start != nil {
				start = &j.start[s.first]
			}
			s.Run(&x[xAt+s.first], run.advance*j.Channels, &j.w[s.first], table, len(taps)/2, start,
				&y[yAt+s.first], run.step*j.Channels, run.n, s.panels, floor, ceiling,
				&x[min(nextX, len(x)-1)], row.times, &y[min(nextY, len(y)-1)])
			written := run.n * s.panels * s.Channels
			nextX += row.times * written
			nextY += written
		}
	}
}

// part is the range of part i of n things in parts.
func part(n, i, parts int) (first, last int) { return n * i / parts, n * (i + 1) / parts }
