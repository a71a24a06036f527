package vec

import (
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// momentColumns is the number of channels that StridedMoments takes at a time: the
// widest tile of a convolution.
const momentColumns = 32

// StridedMoments is ChannelMoments of rows of len(sum) channels that lie stride
// elements apart in x: some channels of a map with more.
func StridedMoments(sum, squares []float64, x []float32, rows, stride int) {
	agree(len(sum), len(squares))
	if rows > 0 && (len(sum) > stride || len(x) < (rows-1)*stride+len(sum)) {
		panic("vec: rows outside the slice")
	}
	switch {
	case len(sum) == stride:
		ChannelMoments(sum, squares, x[:rows*stride])
		return
	case active == isa.Generic:
		portable.StridedMoments(sum, squares, x, rows, stride)
		return
	}
	var s, q [momentColumns]float32
	for row := 0; row < rows; row += blockFolds {
		n := min(blockFolds, rows-row)
		for c := 0; c < len(sum); c += momentColumns {
			cols := min(momentColumns, len(sum)-c)
			clear(s[:])
			clear(q[:])
			block := x[row*stride+c:]
			first := block[:cols]
			moments(s[:], q[:], block, first, n, cols, stride)
			addMoments(sum[c:], squares[c:], s[:], q[:], first, float64(n))
		}
	}
}

// addMoments adds the sums of n values and of their squares, given those of their
// distances from the pivots.
func addMoments(sum, squares []float64, s, q, pivots []float32, n float64) {
	for j, p := range pivots {
		pivot, distance := float64(p), float64(s[j])
		sum[j] += distance + n*pivot
		squares[j] += float64(q[j]) + 2*pivot*distance + n*pivot*pivot
	}
}
