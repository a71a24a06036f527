package portable

import "math"

// Sum adds up x.
func Sum[T Float](x []T) float64 {
	var s float64
	for _, v := range x {
		s += float64(v)
	}
	return s
}

// SumSquares adds up x².
func SumSquares[T Float](x []T) float64 { return Dot(x, x) }

// Dot adds up a*b.
func Dot[T Float](a, b []T) float64 {
	var s float64
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

// Max is the largest element, NaN if there is one, -Inf of nothing.
func Max[T Float](x []T) T {
	best := T(math.Inf(-1))
	for _, v := range x {
		best = max(best, v)
	}
	return best
}

// AllFinite tells whether no element is infinite or NaN.
func AllFinite[T Float](x []T) bool {
	for _, v := range x {
		if v-v != 0 {
			return false
		}
	}
	return true
}
