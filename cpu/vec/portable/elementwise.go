package portable

import "math"

// Add is y = a + b.
func Add[T Float](y, a, b []T) {
	for i := range y {
		y[i] = a[i] + b[i]
	}
}

// Sub is y = a - b.
func Sub[T Float](y, a, b []T) {
	for i := range y {
		y[i] = a[i] - b[i]
	}
}

// Mul is y = a * b.
func Mul[T Float](y, a, b []T) {
	for i := range y {
		y[i] = a[i] * b[i]
	}
}

// MulAdd is y += a * b.
func MulAdd[T Float](y, a, b []T) {
	for i := range y {
		y[i] += a[i] * b[i]
	}
}

// AddClip is y = a+b, limited to lo..hi.
func AddClip[T Float](y, a, b []T, lo, hi T) {
	for i := range y {
		y[i] = bounded(a[i]+b[i], lo, hi)
	}
}

// ReLU is y = max(x, 0).
func ReLU[T Float](y, x []T) {
	for i := range y {
		y[i] = positive(x[i])
	}
}

// positive is max(x, 0); a NaN stays.
func positive[T Float](x T) T {
	if x < 0 {
		return 0
	}
	return x
}

// bounded is x limited to lo..hi; a NaN stays.
func bounded[T Float](x, lo, hi T) T { return min(max(x, lo), hi) }

// ReLUGrad is dx = dy where the output y > 0, else 0.
func ReLUGrad[T Float](dx, dy, y []T) {
	for i := range dx {
		dx[i] = where(y[i] > 0, dy[i])
	}
}

// where is x if the condition holds, else 0.
func where[T Float](condition bool, x T) T {
	if condition {
		return x
	}
	return 0
}

// Scale is y = s * x.
func Scale[T Float](y, x []T, s T) {
	for i := range y {
		y[i] = s * x[i]
	}
}

// Affine is y = s*x + t.
func Affine[T Float](y, x []T, s, t T) {
	for i := range y {
		y[i] = s*x[i] + t
	}
}

// Axpy is y += s * x.
func Axpy[T Float](y, x []T, s T) {
	for i := range y {
		y[i] += s * x[i]
	}
}

// Lerp is y += s * (x-y).
func Lerp[T Float](y, x []T, s T) {
	for i := range y {
		y[i] += s * (x[i] - y[i])
	}
}

// Fill is y = s.
func Fill[T Float](y []T, s T) {
	for i := range y {
		y[i] = s
	}
}

// Exp is y = e^x.
func Exp[T Float](y, x []T) { apply(y, x, math.Exp) }

// Log is y = log(x).
func Log[T Float](y, x []T) { apply(y, x, math.Log) }

func apply[T Float](y, x []T, f func(float64) float64) {
	for i := range y {
		y[i] = T(f(float64(x[i])))
	}
}
