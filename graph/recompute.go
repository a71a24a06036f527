package graph

import (
	"cmp"
	"math"
	"slices"

	"github.com/seed52467199/trainer/graph/op"
)

// recomputation trades time for memory (Chen et al., arXiv 1604.06174): a value
// that the forward pass makes and the backward pass reads need not lie in memory
// in between if the backward pass makes it again. It chooses forward steps that
// are dropped: what they made is forgotten when the forward pass has read it, and
// each is repeated at most once where the backward pass needs it. Dropping all
// between blocks whose size grows with the root of the network's length is one such
// choice, the classical one; a search finds cheaper ones.
type recomputation struct {
	*rehearsal
	program *Program
	again   []*step // the repetition of each forward step, nil where there is none
	outside []*value
	keep    map[*value]bool
	choices []int // the forward steps worth dropping
}

func newRecomputation(p *Program, outside []*value, keep map[*value]bool) (*recomputation, error) {
	r := &recomputation{program: p, outside: outside, keep: keep}
	mutated := mutatedParams(p.steps)
	for _, s := range p.steps {
		if slices.Contains(s.in, p.values[p.seed]) { // the backward pass begins
			break
		}
		again := s.repetition(mutated)
		if slices.ContainsFunc(s.out, func(v *value) bool { return v.home != inArena || keep[v] }) {
			again = nil
		}
		r.again = append(r.again, again)
	}
	if err := p.makeKernels(r.again); err != nil {
		return nil, err
	}
	r.number()
	return r, nil
}

// number makes the rehearsal.
func (r *recomputation) number() {
	p := r.program
	r.rehearsal = rehearse(p.steps, r.again, p.dtype, r.outside, r.keep)
	r.choices = r.worthwhile()
}

// splitScratch gives steps that want much scratch memory their own.
func (r *recomputation) splitScratch() {
	p := r.program
	p.scratch = 0
	for _, s := range slices.Concat(p.steps, r.again) {
		if s == nil {
			continue
		}
		if n := s.kernel.ScratchBytes(); n > sharedScratch {
			s.ownsScratch = true
		} else {
			p.scratch = max(p.scratch, n)
		}
	}
	r.number()
}

// mutatedParams are the parameters that a step of the program updates.
func mutatedParams(steps []*step) map[*Param]bool {
	mutated := map[*Param]bool{}
	for _, s := range steps {
		if m, ok := s.op.(op.Mutator); ok {
			for _, i := range m.Mutates() {
				if v := s.in[i].root(); v.home == inParam {
					mutated[v.param] = true
				}
			}
		}
	}
	return mutated
}

// repetition is a step that makes the results of s once more; nil where there is
// none, because s has effects or reads what changes.
func (s *step) repetition(mutated map[*Param]bool) *step {
	again := &step{op: s.op, in: s.in, out: s.out, kernel: s.kernel}
	var repeat op.Op
	var in, out []int
	if o, ok := s.op.(op.Repeater); ok {
		repeat, in, out = o.Repeat()
	}
	if repeat != nil {
		again = &step{op: repeat, out: s.out[:1]}
		for _, i := range in {
			again.in = append(again.in, s.in[i])
		}
		for _, i := range out {
			again.in = append(again.in, s.out[i])
		}
	} else if _, ok := s.op.(op.Mutator); ok {
		return nil
	}
	for _, v := range again.in {
		if r := v.root(); r.home == inParam && mutated[r.param] {
			return nil
		}
	}
	return again
}

// worthwhile lists the forward steps that can be repeated, without those that
// make less than a thousandth of all activations: they would only make the
// search longer.
func (r *recomputation) worthwhile() (choices []int) {
	total := 0
	for i := range r.turn {
		total += r.makes(i)
	}
	for i := range r.turn {
		if n := r.makes(i); n > 0 && n >= total/1000 {
			choices = append(choices, i)
		}
	}
	return choices
}

// makes is the number of bytes that the repetition of step i makes.
func (r *recomputation) makes(i int) (bytes int) {
	if r.repeats[i] != nil {
		for _, k := range r.repeats[i].out {
			bytes += r.bytes[k]
		}
	}
	return bytes
}

// choice is a set of dropped steps and what it comes to.
type choice struct {
	dropped []bool // by step
	outcome
}

// better tells whether a is nearer to the limit than b, or takes less time.
func (a choice) better(b choice) bool {
	return cmp.Or(cmp.Compare(a.excess, b.excess), cmp.Compare(a.extra, b.extra)) < 0
}

// settled is how many of several beginnings that do not keep the limit the search
// goes on from.
const settled = 3

// choose finds a choice with which at most limit bytes live at a time and that
// takes little time. Where it finds none, the one that it returns has an excess.
//
// It begins with nothing dropped and changes one step after the other. Where that does not get
// there, it begins with segments of several lengths of which only the ends are kept.
func (r *recomputation) choose(limit int) choice {
	best := r.settle(r.nothing(limit), limit)
	if best.excess == 0 {
		// What drops more than it has to and takes back may find other steps.
		lower := limit * 7 / 8
		if c := r.settle(r.nothing(lower), lower); c.excess == 0 {
			if c = r.keepMore(c, limit); c.better(best) {
				best = c
			}
		}
		return best
	}
	var segments []choice
	for _, dropped := range r.segments() {
		segments = append(segments, choice{dropped, r.run(dropped, limit)})
	}
	slices.SortStableFunc(segments, func(a, b choice) int {
		return cmp.Or(cmp.Compare(a.excess, b.excess), cmp.Compare(a.extra, b.extra))
	})
	for _, c := range segments[:min(len(segments), settled)] {
		if c = r.settle(c, limit); c.better(best) {
			best = c
		}
	}
	return best
}

// nothing is the choice that drops no step.
func (r *recomputation) nothing(limit int) choice {
	dropped := make([]bool, len(r.steps))
	return choice{dropped, r.run(dropped, limit)}
}

// settle changes a choice until it keeps the limit, or nothing helps any more. Each
// round takes the changes that bring the most bytes below the limit for their time.
func (r *recomputation) settle(c choice, limit int) choice {
	type change struct {
		step  int
		score float64
	}
	changes := make([]change, 0, len(r.choices))
	for stuck := 0; c.excess > 0; {
		changes = changes[:0]
		before := c.excess
		for _, m := range r.choices {
			if score, _ := r.try(c, m, limit); score > 0 {
				changes = append(changes, change{m, score})
			}
		}
		if len(changes) == 0 {
			if stuck++; stuck > patience {
				return c
			}
			if c = r.dropTogether(c, limit); c.excess == before {
				return c
			}
			continue
		}
		slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(b.score, a.score) })
		for _, d := range changes {
			score, next := r.try(c, d.step, limit)
			if score < changes[0].score/2 || c.excess == 0 {
				break
			}
			c.dropped[d.step] = !c.dropped[d.step]
			c.outcome = next
		}
	}
	return r.keepMore(c, limit)
}

// dropTogether drops several steps that follow each other, or keeps the last of
// several that were dropped, where a single change does not help.
func (r *recomputation) dropTogether(c choice, limit int) choice {
	best, bestScore := c, 0.0
	for from := range r.choices {
		next := choice{dropped: slices.Clone(c.dropped)}
		for _, m := range r.choices[from:min(from+longest, len(r.choices))] {
			for _, keep := range []bool{true, false} {
				next.dropped[m] = !keep
				next.outcome = r.run(next.dropped, limit)
				gain, cost := c.excess-next.excess, next.extra-c.extra
				if score := gain / max(cost, 1); gain > 0 && score > bestScore {
					best, bestScore = choice{slices.Clone(next.dropped), next.outcome}, score
				}
			}
		}
	}
	return best
}

// patience is how often the search may be stuck on single changes.
const patience = 8

// longest is how many steps are dropped together at most.
const longest = 8

// try finds what it comes to if step m is dropped or, where it is, kept, and how
// many bytes above the limit that saves for its time; 0 if none.
func (r *recomputation) try(c choice, m, limit int) (score float64, o outcome) {
	c.dropped[m] = !c.dropped[m]
	o = r.run(c.dropped, limit)
	c.dropped[m] = !c.dropped[m]
	gain, cost := c.excess-o.excess, o.extra-c.extra
	switch {
	case gain <= 0:
		return 0, o
	case cost <= 0:
		return math.Inf(1), o
	}
	return gain / cost, o
}

// keepMore takes back what need not be dropped, the dearest first.
func (r *recomputation) keepMore(c choice, limit int) choice {
	order := slices.Clone(r.choices)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.repeats[b].time, r.repeats[a].time) })
	for changed := true; changed; {
		changed = false
		for _, m := range order {
			if !c.dropped[m] {
				continue
			}
			c.dropped[m] = false
			o := r.run(c.dropped, limit)
			if o.excess > 0 || o.extra > c.extra {
				c.dropped[m] = true
				continue
			}
			changed = changed || o.extra < c.extra
			c.outcome = o
		}
	}
	return c
}

// segments are choices that drop everything between places of the forward pass
// across which little lives. The distance of such places, in bytes made between
// them, differs.
func (r *recomputation) segments() (all [][]bool) {
	live := make([]int, r.turn+1) // across the end of each step
	for k, at := range r.written {
		for i := at; at >= 0 && i < r.read[k]; i++ {
			live[i] += r.bytes[k]
		}
	}
	total := 0
	for _, m := range r.choices {
		total += r.makes(m)
	}
	for distance := total; distance > total/64; distance = distance * 3 / 4 {
		dropped := make([]bool, len(r.steps))
		for _, m := range r.choices {
			dropped[m] = true
		}
		made := 0
		for i := range r.turn {
			made += r.makes(i)
			if made < distance || i > 0 && live[i-1] < live[i] || live[i+1] <= live[i] {
				continue
			}
			made = 0
			for k, at := range r.written {
				if at >= 0 && at <= i && i < r.read[k] {
					dropped[at] = false
				}
			}
		}
		if !slices.ContainsFunc(all, func(d []bool) bool { return slices.Equal(d, dropped) }) {
			all = append(all, dropped)
		}
	}
	return all
}

// worthPlanning is the working memory from which on it is looked for what is made
// again in next to no time, in bytes.
const worthPlanning = 64 << 20

// freely is how much of a step's time may always go into saving memory: what cannot
// be told from none.
const freely = 0.005

// cheapPlan drops what one more pass over memory makes again, and in all next to no
// time; ok is false if that does not make the arena much smaller.
func (r *recomputation) cheapPlan(arena int) (steps []*step, best choice, ok bool) {
	all := r.choices
	defer func() { r.choices = all }()
	r.choices = slices.DeleteFunc(slices.Clone(all), func(m int) bool { return r.repeats[m].computes })
	peak := float64(r.nothing(0).peak)
	for share, step := 0.9, 0.05; step > 0.01; step /= 2 {
		limit := int(share * peak)
		c := r.settle(r.nothing(limit), limit)
		if c.excess > 0 || c.extra > freely*r.time {
			share += step
			continue
		}
		best, ok = c, true
		share -= step
	}
	if !ok {
		return nil, best, false
	}
	steps = r.rewrite(best.dropped)
	return steps, best, r.pack(steps) < arena*19/20
}

// plan chooses what to drop so that the arena has at most this size, and lists the
// steps; ok is false if it finds nothing. Values that fit at every step may yet
// leave gaps when they are packed: then it aims lower.
func (r *recomputation) plan(arena int) (steps []*step, c choice, ok bool) {
	aim := arena
	for {
		if c = r.choose(aim); c.excess > 0 {
			return nil, c, false
		}
		steps := r.rewrite(c.dropped)
		packed := r.pack(steps)
		if packed <= arena {
			return steps, c, true
		}
		aim -= max(packed-arena, arena/100)
	}
}

func (r *recomputation) pack(steps []*step) int {
	return pack(lifetimes(steps, r.program.dtype, r.outside, r.keep))
}

// least is about the smallest arena for which there is a plan; there is none for
// one of size below.
func (r *recomputation) least(below int) int {
	enough := r.pack(r.program.steps)
	for i := range r.steps { // no choice can do with less than what one step touches
		w, touched := &r.steps[i], r.steps[i].scratch
		for _, k := range slices.Concat(w.in, w.out) {
			if !slices.Contains(w.takes, k) {
				touched += r.bytes[k]
			}
		}
		below = max(below, touched-1)
	}
	for enough-below > max(64<<10, enough/50) {
		middle := below + (enough-below)/2
		if _, _, ok := r.plan(middle); ok {
			enough = middle
		} else {
			below = middle
		}
	}
	return enough
}

// rewrite lists the steps of a choice.
func (r *recomputation) rewrite(dropped []bool) []*step {
	r.run(dropped, 0)
	made := map[*value]*value{}
	var current func(v *value) *value
	current = func(v *value) *value {
		if again := made[v]; again != nil {
			return again
		}
		if v.view == nil {
			return v
		}
		root := current(v.view)
		if root == v.view {
			return v
		}
		view := *v
		view.view = root
		return &view
	}
	reading := func(s *step) *step {
		c := *s
		c.in = make([]*value, len(s.in))
		for i, v := range s.in {
			c.in[i] = current(v)
		}
		return &c
	}
	steps := slices.Clone(r.program.steps[:r.turn])
	for _, i := range r.order[r.turn:] {
		if i >= 0 {
			steps = append(steps, reading(r.program.steps[i]))
			continue
		}
		s := reading(r.again[^i])
		s.out, s.isAgain = nil, true
		for _, v := range r.again[^i].out {
			again := *v
			made[v] = &again
			s.out = append(s.out, &again)
		}
		steps = append(steps, s)
	}
	return steps
}
