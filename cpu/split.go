package cpu

import "unsafe"

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
	return stage{pieces: s.pieces(), do: func(_, i int) { do(s.bounds(i)) }}
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
			{pieces: n, do: func(_, i int) { parts[i] = part(s.bounds(i)) }},
			{pieces: 1, do: func(_, _ int) {
				var t float64
				for _, v := range parts {
					t += v
				}
				total(t)
			}},
		}
	}}
}

// columnGrain is the least number of elements, and columnRows that of rows, that
// one piece of a sum over rows covers: enough for its sums to be few beside what
// they sum.
const (
	columnGrain = 64 << 10
	columnRows  = 64
)

// columnSums are sums over the rows of a value, width of them, made in pieces
// that each have their own.
type columnSums struct {
	split
	width int
}

// sumColumns cuts n rows of ch elements for width sums.
func sumColumns(n, ch, width int) columnSums {
	return columnSums{split{n, max(columnRows, columnGrain/ch)}, width}
}

// size is the number of float64s that the pieces' sums take.
func (s columnSums) size() int { return s.pieces() * s.width }

// stage lets add add the rows [lo, hi) to the sums of each piece, in parts.
func (s columnSums) stage(parts []float64, add func(sums []float64, lo, hi int)) stage {
	return stage{pieces: s.pieces(), do: func(_, i int) {
		sums := parts[i*s.width:][:s.width]
		clear(sums)
		lo, hi := s.bounds(i)
		add(sums, lo, hi)
	}}
}

// cleared is a stage that makes all sums 0.
func (s columnSums) cleared(parts []float64) stage {
	return elements(s.size()).stage(func(lo, hi int) { clear(parts[lo:hi]) })
}

// total is the k-th sum of all pieces, in their order.
func (s columnSums) total(parts []float64, k int) (sum float64) {
	for ; k < s.size(); k += s.width {
		sum += parts[k]
	}
	return sum
}

// moments are the mean and the biased variance of channel k of ch, with n values,
// from the sums of the channels and, after them, of their squares.
func (s columnSums) moments(parts []float64, k, ch, n int) (mean, variance float64) {
	mean = s.total(parts, k) / float64(n)
	return mean, max(0, s.total(parts, ch+k)/float64(n)-mean*mean)
}

// momentsStage makes mean and variance (ch) from the sums of n values.
func (s columnSums) momentsStage(parts []float64, mean, variance []float32, ch, n int) stage {
	return channels(ch).stage(func(lo, hi int) {
		for k := lo; k < hi; k++ {
			mu, v := s.moments(parts, k, ch, n)
			mean[k], variance[k] = float32(mu), float32(v)
		}
	})
}

// cut takes n numbers from the front of scratch memory.
func cut[T element](scratch *[]byte, n int) []T {
	bytes := n * int(unsafe.Sizeof(T(0)))
	front := as[T]((*scratch)[:bytes])
	*scratch = (*scratch)[bytes:]
	return front
}
