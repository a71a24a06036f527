package graph

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/seed52467199/trainer/graph/op"
)

// arenaAlign is the alignment in bytes of each value in the arena.
const arenaAlign = 64

// block is a piece of the arena: its size and the steps during which it is needed.
type block struct {
	bytes       int
	first, last int
	offset      int
}

// pack gives each block an offset such that blocks needed at the same time do not
// overlap, and returns the total size. It places one block after the other in the
// smallest gap that holds it, in several orders, the largest first (greedy by
// size: Pisarchyk and Lee, arXiv 2001.03288), the longest needed first, or both
// weighed together. Where the best of these leaves gaps at the fullest step, the
// blocks that stick out go first, a number of times.
func pack(blocks []*block) int {
	for _, b := range blocks {
		b.bytes = roundUp(b.bytes)
	}
	least := fullest(blocks)
	order := slices.Clone(blocks)
	length := func(b *block) int { return b.last - b.first + 1 }
	var best []*block
	total := 0
	try := func(order []*block) {
		if n := place(order); best == nil || n < total {
			best, total = slices.Clone(order), n
		}
	}
	for _, weight := range []func(b *block) int{
		func(b *block) int { return b.bytes }, func(b *block) int { return b.bytes * length(b) }, length,
	} {
		if best != nil && total <= least {
			break
		}
		slices.SortStableFunc(order, func(a, b *block) int {
			return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(b.bytes, a.bytes))
		})
		try(order)
	}
	order = slices.Clone(best)
	for round := 0; round < repairs && total > least; round++ {
		top := place(order)
		slices.SortStableFunc(order, func(a, b *block) int {
			return cmp.Compare(sticksOut(b, top), sticksOut(a, top))
		})
		try(order)
	}
	return place(best)
}

// repairs is how often pack tries to do better.
const repairs = 40

// sticksOut is 1 for a block that ends where the arena ends, else 0.
func sticksOut(b *block, total int) int {
	if b.offset+b.bytes == total {
		return 1
	}
	return 0
}

// fullest is the most bytes that are needed at one step.
func fullest(blocks []*block) (most int) {
	change := map[int]int{}
	for _, b := range blocks {
		change[b.first] += b.bytes
		change[b.last+1] -= b.bytes
	}
	now := 0
	for _, at := range slices.Sorted(maps.Keys(change)) {
		now += change[at]
		most = max(most, now)
	}
	return most
}

// place puts the blocks into the arena in this order and returns its size.
func place(order []*block) int {
	total := 0
	var placed []*block // by offset
	for _, b := range order {
		best, bestGap, end := -1, 0, 0
		for _, p := range placed {
			if p.last < b.first || b.last < p.first {
				continue
			}
			if gap := p.offset - end; gap >= b.bytes && (best < 0 || gap < bestGap) {
				best, bestGap = end, gap
			}
			end = max(end, p.offset+p.bytes)
		}
		if best < 0 {
			best = end
		}
		b.offset = best
		total = max(total, best+b.bytes)
		at, _ := slices.BinarySearchFunc(placed, b.offset, func(p *block, off int) int { return cmp.Compare(p.offset, off) })
		placed = slices.Insert(placed, at, b)
	}
	return total
}

// MemoryPlan says what working memory a program takes, and what it costs to take
// no more.
type MemoryPlan struct {
	// Bytes is the working memory, Whole what it would be if nothing were
	// computed again.
	Bytes, Whole int
	// Repeated is the number of forward steps that run again in the backward pass.
	Repeated int
	// ExtraTime estimates their time as a part of the time without them.
	ExtraTime float64
}

// MemoryError says that a program cannot run in the memory allowed.
type MemoryError struct {
	// Limit is the working memory allowed in bytes, Least what would do.
	Limit, Least int
}

// Error is a sentence with both figures.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("planning memory: %.1f MiB of working memory are allowed, and this program needs at least %.1f MiB even with everything computed again that can be",
		float64(e.Limit)/(1<<20), float64(e.Least)/(1<<20))
}

// MemoryPlan tells what memory the program takes.
func (p *Program) MemoryPlan() MemoryPlan { return p.memory }

// planMemory gives each value that lives between steps its place in the arena. What
// takes next to no time is made again in the backward pass instead of kept, and
// more where the arena would be above the limit without; 0 is none.
func (p *Program) planMemory(keep map[*value]bool, limit int) error {
	outside := p.outside()
	if p.seed != nil && p.values[p.seed] != nil {
		keep = maps.Clone(keep)
		keep[p.values[p.seed]] = true // set once, not before each run
	}
	p.arena = pack(lifetimes(p.steps, p.dtype, outside, keep))
	whole := p.ArenaBytes()
	p.memory = MemoryPlan{Bytes: whole, Whole: whole}
	fits := limit == 0 || whole <= limit
	switch {
	case fits && (p.seed == nil || whole < worthPlanning):
		return nil
	case p.seed == nil: // without a backward pass nothing is kept for it
		return &MemoryError{Limit: limit, Least: whole}
	}
	r, err := newRecomputation(p, outside, keep)
	if err != nil {
		return err
	}
	steps, c, ok := r.cheapPlan(p.arena)
	if ok && (limit == 0 || r.pack(steps)+p.scratch <= limit) {
		p.adopt(r, steps, c)
		return nil
	}
	if fits {
		p.adopt(r, p.steps, r.nothing(0))
		return nil
	}
	r.splitScratch()
	if steps, c, ok = r.plan(limit - p.scratch); !ok {
		return &MemoryError{Limit: limit, Least: min(r.least(limit-p.scratch)+p.scratch, whole)}
	}
	p.adopt(r, steps, c)
	return nil
}

// adopt takes the steps of a choice.
func (p *Program) adopt(r *recomputation, steps []*step, c choice) {
	p.steps, p.arena, p.scratch = steps, r.pack(steps), 0
	for _, s := range steps {
		if !s.ownsScratch {
			p.scratch = max(p.scratch, s.kernel.ScratchBytes())
		}
	}
	p.memory.Bytes, p.memory.Repeated, p.memory.ExtraTime = p.ArenaBytes(), c.count, c.extra/r.time
}

// outside lists the values that are there before the first step.
func (p *Program) outside() (values []*value) {
	for _, n := range append(p.inputs[:len(p.inputs):len(p.inputs)], p.seed) {
		if v := p.values[n]; n != nil && v != nil {
			values = append(values, v)
		}
	}
	return values
}

// lifetimes gives each value of the arena a block, and scratch memory that is not
// shared; the first result of a step takes over an operand's where it may.
func lifetimes(steps []*step, dt op.DType, outside []*value, keep map[*value]bool) (blocks []*block) {
	last := map[*value]int{}
	for i, s := range steps {
		for _, v := range slices.Concat(s.in, s.out) {
			last[v.root()] = i
		}
	}
	for v := range keep {
		last[v.root()] = len(steps)
	}
	add := func(v *value, first int) {
		v.block = &block{bytes: v.bytes(dt), first: first, last: max(last[v], first)}
		blocks = append(blocks, v.block)
	}
	for _, v := range outside {
		add(v, -1)
	}
	for i, s := range steps {
		for k, v := range s.out {
			if v.home != inArena && v.home != inResult {
				continue
			}
			if from := s.overwritten(i, last); k == 0 && from != nil {
				v.block = from.block
				v.block.last = max(v.block.last, last[v])
				continue
			}
			add(v, i)
		}
		if n := s.ownScratch(); n > 0 {
			s.scratch = &block{bytes: n, first: i, last: i}
			blocks = append(blocks, s.scratch)
		}
	}
	return blocks
}

// overwritten is the operand whose memory the first result of step i takes over.
func (s *step) overwritten(i int, last map[*value]int) *value {
	for _, v := range s.overwrites() {
		if r := v.root(); r.home == inArena && r.block != nil && last[r] == i {
			return r
		}
	}
	return nil
}

// sharedScratch is the most scratch memory that steps share where memory is short.
// What one step after the other uses stays in the cache, if it fits; more than that
// comes out of what is free at the time.
const sharedScratch = 1 << 20

// ownScratch is the scratch memory that the step does not share, in bytes.
func (s *step) ownScratch() int {
	if !s.ownsScratch {
		return 0
	}
	return s.kernel.ScratchBytes()
}

// roundUp is the least multiple of the arena's alignment that holds n bytes.
func roundUp(n int) int { return (n + arenaAlign - 1) / arenaAlign * arenaAlign }
