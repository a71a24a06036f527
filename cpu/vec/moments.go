package vec

import (
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// Strided sums take this many columns at a time. Where rows of few channels follow
// each other without a gap, several are read as one, up to foldedColumns.
const (
	momentColumns = 256
	foldedColumns = 128
)

// columns are the sums of some columns, and what is repeated for them.
type columns [momentColumns]float32

// foldOf is the number of rows of c channels, stride apart, that are read as one.
func foldOf(c, stride int) int {
	fold := 1
	for c == stride && c*fold*2 <= foldedColumns {
		fold *= 2
	}
	return fold
}

// checkStrided panics unless a slice of n elements holds rows of c, stride apart.
func checkStrided(n, rows, c, stride int) {
	if rows > 0 && (c > stride || n < (rows-1)*stride+c) {
		panic("vec: rows outside the slice")
	}
}

// StridedMoments is ChannelMoments of rows of len(sum) channels that lie stride
// elements apart in x: some channels of a map with more.
func StridedMoments[E Element](sum, squares []float64, x []E, rows, stride int) {
	agree(len(sum), len(squares))
	checkStrided(len(x), rows, len(sum), stride)
	switch {
	case active == isa.Generic && isHalf[E]():
		portable.StridedMomentsHalf(sum, squares, halves(x), rows, stride)
		return
	case active == isa.Generic:
		portable.StridedMoments(sum, squares, singles(x), rows, stride)
		return
	}
	var s, q, pivot columns
	fold := foldOf(len(sum), stride)
	for row := 0; row < rows; row += blockFolds * fold {
		k := min(blockFolds*fold, rows-row)
		for c := 0; c < len(sum); c += momentColumns {
			n := min(momentColumns, len(sum)-c)
			cols := n * fold
			block := x[row*stride+c:]
			first := widened(pivot[:n], block[:n])
			if fold > 1 {
				tile(pivot[:cols], first)
				first = pivot[:cols]
			}
			clear(s[:cols])
			clear(q[:cols])
			momentsOf(s[:], q[:], block, first, k/fold, cols, stride*fold)
			rest := k % fold
			if rest > 0 {
				momentsOf(s[:], q[:], block[(k-rest)*stride:], first, 1, rest*n, rest*n)
			}
			addMoments(sum[c:c+n], squares[c:c+n], 0, s[:cols], q[:cols], first, k/fold, rest*n)
		}
	}
}

// Mask is the clip behind a batch norm, as the norm's gradient sees it: a value
// passes where the clip's result y (rows, C) lies inside Lo..Hi or, without y, where
// Normalize with Scale and Shift (C) gives such a value again. Without either all pass.
type Mask = portable.Mask[float32]

// MaskMoments makes dy 0 where the mask does not let it pass, and then is
// GradMoments of it, for rows of len(sum) channels that lie stride elements apart in
// dy, in x and in y, the clip's result or nil.
func MaskMoments[E Element](sum, product []float64, dy, x, y []E, mean []float32, m Mask, rows, stride int) {
	agree(len(mean), len(sum), len(product))
	if y == nil && m.Scale != nil {
		agree(len(mean), len(m.Scale), len(m.Shift))
	}
	checkStrided(min(len(dy), len(x)), rows, len(sum), stride)
	if y != nil {
		checkStrided(len(y), rows, len(sum), stride)
	}
	if active == isa.Generic {
		portable.MaskMoments(sum, product, singles(dy), singles(x), singles(y), mean, m, rows, stride)
		return
	}
	var s, t, mu, scale, shift columns
	fold := foldOf(len(sum), stride)
	for c := 0; c < len(sum); c += momentColumns {
		n := min(momentColumns, len(sum)-c)
		cols := n * fold
		tile(mu[:cols], mean[c:c+n])
		if m.Scale != nil {
			tile(scale[:cols], m.Scale[c:c+n])
			tile(shift[:cols], m.Shift[c:c+n])
		}
		for row := 0; row < rows; row += blockFolds * fold {
			k := min(blockFolds*fold, rows-row)
			clear(s[:cols])
			clear(t[:cols])
			at := row*stride + c
			maskRows(&m, &s, &t, dy, x, y, &mu, &scale, &shift, at, k/fold, cols, stride*fold)
			if rest := k % fold; rest > 0 {
				maskRows(&m, &s, &t, dy, x, y, &mu, &scale, &shift, at+(k-rest)*stride, 1, rest*n, rest*n)
			}
			addColumns(sum[c:c+n], 0, s[:cols])
			addColumns(product[c:c+n], 0, t[:cols])
		}
	}
}

// maskRows masks rows of dy from an element on, and adds up them and their products.
func maskRows[E Element](m *Mask, s, t *columns, dy, x, y []E, mu, scale, shift *columns, at, rows, cols, stride int) {
	switch {
	case y != nil:
		maskMomentsOf(s[:], t[:], dy[at:], x[at:], y[at:], mu[:], rows, cols, stride, m.Lo, m.Hi)
	case m.Scale != nil:
		maskMomentsClipOf(s[:], t[:], dy[at:], x[at:], mu[:], scale[:], shift[:], rows, cols, stride, m.Lo, m.Hi)
	default:
		gradMomentsOf(s[:], t[:], dy[at:], x[at:], mu[:], rows, cols, stride)
	}
}
