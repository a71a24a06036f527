package portable

import "math"

// Wide is the value of a bfloat16.
func Wide(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

// Round is the bfloat16 nearest to x, of two equally near ones the even one. What is
// not a number stays so.
func Round(x float32) uint16 {
	bits := math.Float32bits(x)
	if x != x {
		return uint16(bits>>16 | 0x40)
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// Widen is y = x.
func Widen(y []float32, x []uint16) {
	for i, v := range x {
		y[i] = Wide(v)
	}
}

// Narrow is y = x, rounded.
func Narrow(y []uint16, x []float32) {
	for i, v := range x {
		y[i] = Round(v)
	}
}

// Pairs is y = lo in the lower half and hi in the upper half, rounded.
func Pairs(y []uint32, lo, hi []float32) {
	for i := range y {
		y[i] = uint32(Round(lo[i])) | uint32(Round(hi[i]))<<16
	}
}

// StridedMomentsHalf is StridedMoments of bfloat16.
func StridedMomentsHalf(sum, squares []float64, x []uint16, rows, stride int) {
	for row := range rows {
		for c, h := range x[row*stride:][:len(sum)] {
			v := float64(Wide(h))
			sum[c] += v
			squares[c] += v * v
		}
	}
}
