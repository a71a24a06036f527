package vec

import (
	"math"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// Sum adds up x in float64.
func Sum(x []float32) float64 {
	var acc [lanes]float64
	if !sum(acc[:], x) {
		return portable.Sum(x)
	}
	return portable.Sum(acc[:])
}

// SumSquares adds up x² in float64: the square of the norm, for clipping.
func SumSquares(x []float32) float64 {
	var acc [lanes]float64
	if !sumSquares(acc[:], x) {
		return portable.SumSquares(x)
	}
	return portable.Sum(acc[:])
}

// Dot adds up a*b in float64.
func Dot(a, b []float32) float64 {
	agree(len(a), len(b))
	var acc [lanes]float64
	if !dot(acc[:], a, b) {
		return portable.Dot(a, b)
	}
	return portable.Sum(acc[:])
}

// Max is the largest element: NaN if there is one, -Inf of nothing.
func Max(x []float32) float32 {
	var acc [lanes]float32
	for i := range acc {
		acc[i] = float32(math.Inf(-1))
	}
	if !maximum(acc[:], x) {
		return portable.Max(x)
	}
	return portable.Max(acc[:])
}

// AllFinite tells whether no element is infinite or NaN.
func AllFinite(x []float32) bool {
	var acc [lanes]float32
	if !finite(acc[:], x) {
		return portable.AllFinite(x)
	}
	return portable.AllFinite(acc[:])
}
