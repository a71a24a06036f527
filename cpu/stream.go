package cpu

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// stream is an operand that kernels for one type of element work on some elements at a
// time: of that type in place or, for float32, bfloat16 by way of a window of float32
// that each worker has.
type stream[E vec.Element] struct {
	own     []E
	half    []uint16
	windows []float32
	rooms   []E // the windows as what they are, elements of this type
	size    int // of a worker's window
}

// take is elements [from, to).
func (s *stream[E]) take(worker, from, to int) []E {
	if s.half == nil {
		return s.own[from:to]
	}
	vec.Widen(s.window(worker, from, to), s.half[from:to])
	return s.room(worker, from, to)
}

// window is a worker's for elements [from, to).
func (s *stream[E]) window(worker, from, to int) []float32 {
	return s.windows[worker*s.size:][:to-from]
}

// room is where elements [from, to) are made, before put.
func (s *stream[E]) room(worker, from, to int) []E {
	if s.half == nil {
		return s.own[from:to]
	}
	return s.rooms[worker*s.size:][:to-from]
}

// put stores what room holds.
func (s *stream[E]) put(worker, from, to int) {
	if s.half != nil {
		vec.Narrow(s.half[from:to], s.window(worker, from, to))
	}
}

func isHalf[E vec.Element]() bool { return unsafe.Sizeof(E(0)) == 2 }

// rounded is v as an element.
func rounded[E vec.Element](v float32) E {
	if isHalf[E]() {
		return E(vec.Round(v))
	}
	return E(v)
}

// byElement makes a plan for bfloat16 in place where every stream is that, and else one
// for float32, with windows.
func byElement[O any](c op.Call, o O, workers int, half, single func(op.Call, O, int) plan) plan {
	if allHalf(c) {
		return half(c, o, workers)
	}
	return single(c, o, workers)
}

// allHalf tells whether the operands that have the shape of the first input, and only
// these, are bfloat16, and there are kernels that take them so.
func allHalf(c op.Call) bool {
	for i, s := range c.In {
		if c.Narrow.Input(i) != s.Eq(c.In[0]) {
			return false
		}
	}
	for i, s := range c.Out {
		if c.Narrow.Result(i) != s.Eq(c.In[0]) {
			return false
		}
	}
	return vec.Halves()
}

// Elements and rows that a window holds at least: few, so that windows stay in the
// first cache, but for sums over rows many enough to be worth adding up.
const (
	windowGrain = 16 << 10
	sumGrain    = 16 << 10
	sumRows     = 32
)

// streams is the use of windows by one call on rows of ch elements.
type streams[E vec.Element] struct {
	call    op.Call
	ch      int
	size    int // of a window; 0 where there is none
	workers int
}

// streaming plans windows for a call whose values have rows of ch elements.
func streaming[E vec.Element](c op.Call, ch, workers int) streams[E] {
	s := streams[E]{call: c, ch: ch, workers: workers}
	if !c.Narrow.Empty() && !isHalf[E]() {
		s.size = round(max(sumGrain, sumRows*ch), alignment)
	}
	return s
}

// scratch is the memory in bytes for this many operands.
func (s streams[E]) scratch(operands int) int { return 4 * s.size * s.workers * operands }

// input is the stream of input i; it takes the memory of its windows from scratch.
func (s streams[E]) input(m *operands, i int) *stream[E] {
	return s.of(m, m.in[i], s.call.Narrow.Input(i))
}

// result is the stream of result i.
func (s streams[E]) result(m *operands, i int) *stream[E] {
	return s.of(m, m.out[i], s.call.Narrow.Result(i))
}

func (s streams[E]) of(m *operands, b []byte, narrow bool) *stream[E] {
	if narrow == isHalf[E]() {
		return &stream[E]{own: as[E](b)}
	}
	memory := cut[byte](&m.scratch, 4*s.size*s.workers)
	return &stream[E]{half: as[uint16](b), windows: as[float32](memory), rooms: as[E](memory), size: s.size}
}

// over does the rows [lo, hi) of each piece of a split, as elements, in parts that
// fit the windows.
func (s streams[E]) over(rows split, do func(worker, from, to int)) stage {
	return s.inParts(rows, max(1, windowGrain/s.ch), func(worker, _, from, to int) { do(worker, from, to) })
}

// mapped is the plan of an elementwise operation of one or two values of the result's
// shape: f makes y of a and b, which is nil where there is one.
func mapped[E vec.Element](c op.Call, workers int, f func(y, a, b []E)) plan {
	windows := streaming[E](c, 1, workers)
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
func (s streams[E]) sum(sums columnSums, parts []float64, add func(sums []float64, worker, from, to int)) stage {
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

func (s streams[E]) inParts(rows split, per int, do func(worker, piece, from, to int)) stage {
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
