package graph

import (
	"cmp"
	"slices"
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
// overlap, and returns the total size. It places the largest blocks first, each
// in the smallest gap that holds it (greedy by size: Pisarchyk and Lee, arXiv
// 2001.03288).
func pack(blocks []*block) int {
	order := slices.Clone(blocks)
	slices.SortStableFunc(order, func(a, b *block) int { return cmp.Compare(b.bytes, a.bytes) })
	total := 0
	var placed []*block // by offset
	for _, b := range order {
		b.bytes = (b.bytes + arenaAlign - 1) / arenaAlign * arenaAlign
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
