package cpu

// grain is the number of elements that one piece of simple work covers: little
// enough to stay in the L2 cache, and enough to be worth handing out.
const grain = 16 << 10

// channelBlock is the number of channels that one piece of a sum over channels
// covers: a cache line of float32.
const channelBlock = 16

// split cuts n rows into pieces of at most per rows.
type split struct{ n, per int }

// rows cuts n rows of this many elements into pieces of about a grain.
func rows(n, width int) split { return split{n, max(1, grain/max(1, width))} }

// elements cuts n elements into pieces of a grain.
func elements(n int) split { return split{n, grain} }

// channels cuts c channels into blocks.
func channels(c int) split { return split{c, channelBlock} }

// each cuts n rows into pieces of one.
func each(n int) split { return split{n, 1} }

// pieces is their number.
func (s split) pieces() int { return (s.n + s.per - 1) / s.per }

// bounds are the rows [lo, hi) of a piece.
func (s split) bounds(piece int) (lo, hi int) {
	return piece * s.per, min(s.n, (piece+1)*s.per)
}

// stage does the rows [lo, hi) of each piece.
func (s split) stage(do func(lo, hi int)) stage {
	return stage{s.pieces(), func(_, i int) { do(s.bounds(i)) }}
}

// elementwise is the plan of an operation on n elements: over returns what does
// those in [lo, hi).
func elementwise(n int, over func(m operands) func(lo, hi int)) plan {
	return overRows(elements(n), over)
}

// overRows is the plan of an operation that does the rows of a split
// independently of each other.
func overRows(s split, over func(m operands) func(lo, hi int)) plan {
	return plan{bind: func(m operands) []stage { return []stage{s.stage(over(m))} }}
}

// sum is the plan of a sum over the rows of a split: over returns the sum of
// the rows in [lo, hi) and what to do with the total, which is made in the order
// of the pieces.
func sum(s split, over func(m operands) (part func(lo, hi int) float64, total func(float64))) plan {
	n := s.pieces()
	return plan{scratch: 8 * n, bind: func(m operands) []stage {
		part, total := over(m)
		parts := as[float64](m.scratch)[:n]
		return []stage{
			{n, func(_, i int) { parts[i] = part(s.bounds(i)) }},
			{1, func(_, _ int) {
				var t float64
				for _, v := range parts {
					t += v
				}
				total(t)
			}},
		}
	}}
}
