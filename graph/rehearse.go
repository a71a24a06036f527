package graph

import (
	"slices"

	"github.com/seed52467199/trainer/graph/op"
)

// flopsPerByte is the machine model: how many operations the processor does while
// it moves a byte. Only this balance matters for what is chosen.
const flopsPerByte = 10

// duration of work, in bytes that could be moved meanwhile.
func duration(w op.Work) float64 { return max(float64(w.Bytes), float64(w.FLOPs)/flopsPerByte) }

// work is what the step costs with its values as they are in memory.
func (s *step) work(dt op.DType) op.Work {
	c := s.call(dt)
	w := s.op.Work(c.In, c.Out)
	wide, now := 0, 0
	for _, v := range slices.Concat(s.in, s.out) {
		wide += 4 * op.Size(v.shape)
		now += v.bytes(dt)
	}
	w.Bytes = int64(float64(w.Bytes) * float64(now) / float64(max(wide, 1)))
	return w
}

// computes tells whether the arithmetic is what work waits for.
func computes(w op.Work) bool { return w.FLOPs > flopsPerByte*w.Bytes }

// rehearsal goes through a program's steps in numbers, to tell what time and
// memory it takes to drop what some forward steps made and to repeat them in the
// backward pass. Each repetition comes just before the first step that reads what
// it makes, after those that it reads from itself.
//
// Values of the arena are numbered, others left out; n more than a value's number
// stands for the value made again.
type rehearsal struct {
	steps   []workStep
	repeats []*workStep // of the forward steps; nil for one that cannot be repeated
	turn    int         // the first step of the backward pass
	time    float64     // of all steps
	n       int
	bytes   []int // of each value, twice over
	maker   []int // the forward step whose repetition makes the value again, or -1
	outside []int // values that are there before the first step
	kept    []int // values that stay after the last
	written []int // when each value is made, and last read in the forward pass
	read    []int

	// What one run leaves.
	order []int // the steps as they run, ^i for the repetition of step i
	first []int // of each value, made again or not
	last  []int

	done  []bool
	delta []int
}

// workStep is what one step reads, makes and costs.
type workStep struct {
	in, out []int
	takes   []int // operands whose memory the first result may take over
	scratch int   // bytes of its own
	time    float64

	computes bool // its arithmetic takes longer than its traffic
}

// outcome is what it comes to.
type outcome struct {
	peak   int     // the most bytes that live at one step
	excess float64 // the bytes above a limit, summed over the steps
	extra  float64 // the time that the repetitions take
	count  int     // their number
}

// rehearse numbers what the steps read and write. again are the repetitions of
// the forward steps, nil for what cannot be repeated; keep are values that stay.
func rehearse(steps, again []*step, dt op.DType, outside []*value, keep map[*value]bool) *rehearsal {
	r := &rehearsal{turn: len(again)}
	numbers := map[*value]int{}
	list := func(values []*value) (ks []int) {
		for _, v := range values {
			v = v.root()
			if v.home != inArena && v.home != inResult {
				continue
			}
			k, known := numbers[v]
			if !known {
				k = len(numbers)
				numbers[v] = k
				r.bytes = append(r.bytes, roundUp(v.bytes(dt)))
				if keep[v] {
					r.kept = append(r.kept, k)
				}
			}
			if !slices.Contains(ks, k) {
				ks = append(ks, k)
			}
		}
		return ks
	}
	work := func(s *step) workStep {
		cost := s.work(dt)
		w := workStep{in: list(s.in), out: list(s.out), scratch: roundUp(s.ownScratch()), computes: computes(cost), time: duration(cost)}
		for _, v := range s.overwrites() {
			if v.root().home == inArena {
				w.takes = append(w.takes, list([]*value{v})...)
			}
		}
		return w
	}
	r.outside = list(outside)
	for _, s := range steps {
		r.steps = append(r.steps, work(s))
		r.time += r.steps[len(r.steps)-1].time
	}
	for _, s := range again {
		var w *workStep
		if s != nil {
			made := work(s)
			w = &made
		}
		r.repeats = append(r.repeats, w)
	}
	r.n = len(numbers)
	r.bytes = append(r.bytes, r.bytes...)
	r.maker = slices.Repeat([]int{-1}, r.n)
	r.written, r.read = slices.Clone(r.maker), slices.Clone(r.maker)
	for _, k := range r.outside {
		r.written[k] = 0
	}
	for i := range r.turn {
		r.order = append(r.order, i)
		for _, k := range r.steps[i].in {
			r.read[k] = i
		}
		for _, k := range r.steps[i].out {
			r.written[k], r.read[k] = i, i
		}
		if w := r.repeats[i]; w != nil {
			for _, k := range w.out {
				r.maker[k] = i
			}
		}
	}
	r.done = make([]bool, len(steps))
	r.first, r.last = make([]int, 2*r.n), make([]int, 2*r.n)
	return r
}

// run finds what it comes to if these steps are dropped.
func (r *rehearsal) run(dropped []bool, limit int) outcome {
	r.order = r.order[:r.turn]
	clear(r.done)
	for i := r.turn; i < len(r.steps); i++ {
		r.require(r.steps[i].in, dropped)
		r.order = append(r.order, i)
	}
	o := r.lifetimes(dropped)
	end := len(r.order)
	r.delta = append(r.delta[:0], make([]int, end+2)...)
	for k, first := range r.first {
		if last := r.last[k]; first >= 0 && last >= first {
			r.delta[first] += r.bytes[k]
			r.delta[last+1] -= r.bytes[k]
		}
	}
	live := 0
	for at, d := range r.delta[:end] {
		live += d
		now := live + r.work(r.order[at]).scratch
		o.peak = max(o.peak, now)
		o.excess += float64(max(0, now-limit))
	}
	return o
}

// require puts the repetitions that make these values into the order.
func (r *rehearsal) require(values []int, dropped []bool) {
	for _, k := range values {
		if m := r.maker[k]; m >= 0 && dropped[m] && !r.done[m] {
			r.done[m] = true
			r.require(r.repeats[m].in, dropped)
			r.order = append(r.order, ^m)
		}
	}
}

// lifetimes finds from when to when each value is needed, and counts repetitions.
func (r *rehearsal) lifetimes(dropped []bool) (o outcome) {
	copy(r.first, r.written)
	copy(r.last, r.read)
	for k := r.n; k < 2*r.n; k++ {
		r.first[k], r.last[k] = -1, -1
	}
	for at := r.turn; at < len(r.order); at++ {
		i := r.order[at]
		w, again := r.work(i), 0
		if i < 0 {
			again = r.n
			o.extra += w.time
			o.count++
		}
		for _, k := range w.in {
			r.last[r.instance(k, dropped)] = at
		}
		for _, k := range w.out {
			r.first[k+again], r.last[k+again] = at, at
		}
	}
	for _, k := range r.kept {
		r.last[k] = len(r.order)
	}
	for at, i := range r.order {
		for _, k := range r.work(i).takes {
			if at >= r.turn {
				k = r.instance(k, dropped)
			}
			if r.last[k] == at {
				r.last[k]--
				break
			}
		}
	}
	return o
}

// work is an entry of the order.
func (r *rehearsal) work(i int) *workStep {
	if i < 0 {
		return r.repeats[^i]
	}
	return &r.steps[i]
}

// instance is the number of what the backward pass reads as k.
func (r *rehearsal) instance(k int, dropped []bool) int {
	if m := r.maker[k]; m >= 0 && dropped[m] {
		return k + r.n
	}
	return k
}
