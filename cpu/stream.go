package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// stream is an operand that kernels for float32 work on some elements at a time:
// float32 in place, or bfloat16 by way of a window of float32 that each worker has.
type stream struct {
	wide    []float32
	half    []uint16
	windows []float32
	size    int // of a worker's window
}

// take is elements [from, to) as float32.
func (s *stream) take(worker, from, to int) []float32 {
	if s.half == nil {
		return s.wide[from:to]
	}
	w := s.room(worker, from, to)
	vec.Widen(w, s.half[from:to])
	return w
}

// room is where elements [from, to) are made, before put.
func (s *stream) room(worker, from, to int) []float32 {
	if s.half == nil {
		return s.wide[from:to]
	}
	return s.windows[worker*s.size:][:to-from]
}

// put stores what room holds.
func (s *stream) put(worker, from, to int) {
	if s.half != nil {
		vec.Narrow(s.half[from:to], s.windows[worker*s.size:][:to-from])
	}
}

// Elements and rows that a window holds at least: few, so that windows stay in the
// first cache, but for sums over rows many enough to be worth adding up.
const (
	windowGrain = 16 << 10
	sumGrain    = 16 << 10
	sumRows     = 32
)

// streams is the use of windows by one call on rows of ch elements.
type streams struct {
	call    op.Call
	ch      int
	size    int // of a window; 0 where no operand is narrow
	workers int
}

// streaming plans windows for a call whose values have rows of ch elements.
func streaming(c op.Call, ch, workers int) streams {
	s := streams{call: c, ch: ch, workers: workers}
	if !c.Narrow.Empty() {
		s.size = round(max(sumGrain, sumRows*ch), alignment)
	}
	return s
}

// scratch is the memory in bytes for this many operands.
func (s streams) scratch(operands int) int { return 4 * s.size * s.workers * operands }

// input is the stream of input i; it takes the memory of its windows from scratch.
func (s streams) input(m *operands, i int) *stream {
	return s.of(m, m.in[i], s.call.Narrow.Input(i))
}

// result is the stream of result i.
func (s streams) result(m *operands, i int) *stream {
	return s.of(m, m.out[i], s.call.Narrow.Result(i))
}

func (s streams) of(m *operands, b []byte, narrow bool) *stream {
	if !narrow {
		return &stream{wide: floats(b)}
	}
	return &stream{half: as[uint16](b), windows: cut[float32](&m.scratch, s.size*s.workers), size: s.size}
}

// over does the rows [lo, hi) of each piece of a split, as elements, in parts that
// fit the windows.
func (s streams) over(rows split, do func(worker, from, to int)) stage {
	return s.inParts(rows, max(1, windowGrain/s.ch), func(worker, _, from, to int) { do(worker, from, to) })
}

// mapped is the plan of an elementwise operation of one or two values of the result's
// shape: f makes y of a and b, which is nil where there is one.
func mapped(c op.Call, workers int, f func(y, a, b []float32)) plan {
	windows := streaming(c, 1, workers)
	return plan{scratch: windows.scratch(len(c.In) + 1), bind: func(m operands) []stage {
		a, y := windows.input(&m, 0), windows.result(&m, 0)
		if len(c.In) == 1 {
			return []stage{windows.over(elements(op.Size(c.Out[0])), func(w, lo, hi int) {
				f(y.room(w, lo, hi), a.take(w, lo, hi), nil)
				y.put(w, lo, hi)
			})}
		}
		b := windows.input(&m, 1)
		return []stage{windows.over(elements(op.Size(c.Out[0])), func(w, lo, hi int) {
			f(y.room(w, lo, hi), a.take(w, lo, hi), b.take(w, lo, hi))
			y.put(w, lo, hi)
		})}
	}}
}

// sum adds up rows of each piece, like columnSums.stage.
func (s streams) sum(sums columnSums, parts []float64, add func(sums []float64, worker, from, to int)) stage {
	per := max(sumRows, sumGrain/s.ch)
	if s.size == 0 {
		per = sums.per
	}
	stage := s.inParts(sums.split, per, func(worker, piece, from, to int) {
		add(parts[piece*sums.width:][:sums.width], worker, from, to)
	})
	inner := stage.do
	stage.do = func(worker, piece int) {
		clear(parts[piece*sums.width:][:sums.width])
		inner(worker, piece)
	}
	return stage
}

func (s streams) inParts(rows split, per int, do func(worker, piece, from, to int)) stage {
	if s.size == 0 {
		per = max(1, rows.per)
	}
	return stage{pieces: rows.pieces(), do: func(worker, piece int) {
		lo, hi := rows.bounds(piece)
		for ; lo < hi; lo += per {
			do(worker, piece, lo*s.ch, min(lo+per, hi)*s.ch)
		}
	}}
}
