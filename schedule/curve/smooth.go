package curve

import (
	"math"
	"slices"
)

// kernel weighs the neighbours of a point in both directions: beta for the
// next one, beta squared for the one after it, and so on.
type kernel struct {
	weights []float64 // by distance, from 0
}

// negligible is the weight at which a kernel ends.
const negligible = 1e-4

// newKernel is for curves of n points.
func newKernel(beta float64, n int) kernel {
	k := kernel{weights: []float64{1}}
	for w := beta; w > negligible && len(k.weights) < n; w *= beta {
		k.weights = append(k.weights, w)
	}
	return k
}

// smooth is the debiased exponential average of both directions: the weights
// are divided by their sum, also at the ends.
func (k kernel) smooth(y []float64) []float64 {
	out := make([]float64, len(y))
	for i := range y {
		sum, total := 0.0, 0.0
		k.around(i, len(y), func(j int, w float64) {
			sum += w * y[j]
			total += w
		})
		out[i] = sum / total
	}
	return out
}

// slopes is that of the straight line through each point's neighbourhood, by
// weighted least squares: dy/dx.
func (k kernel) slopes(x, y []float64) []float64 {
	out := make([]float64, len(y))
	for i := range y {
		var total, meanX, meanY float64
		k.around(i, len(y), func(j int, w float64) {
			total += w
			meanX += w * x[j]
			meanY += w * y[j]
		})
		meanX, meanY = meanX/total, meanY/total
		var xx, xy float64
		k.around(i, len(y), func(j int, w float64) {
			xx += w * (x[j] - meanX) * (x[j] - meanX)
			xy += w * (x[j] - meanX) * (y[j] - meanY)
		})
		if xx > 0 {
			out[i] = xy / xx
		}
	}
	return out
}

// around calls do for every neighbour of i among n points, and for i.
func (k kernel) around(i, n int, do func(j int, weight float64)) {
	reach := len(k.weights) - 1
	for j := max(0, i-reach); j <= min(n-1, i+reach); j++ {
		do(j, k.weights[max(i-j, j-i)])
	}
}

// settled replaces every value by the median of its neighbourhood, which takes
// noise out but leaves a sudden rise where it is.
func settled(y []float64) []float64 {
	const reach = 3
	out := make([]float64, len(y))
	for i := range y {
		out[i] = median(y[max(0, i-reach):min(len(y), i+reach+1)])
	}
	return out
}

// gain is the standard deviation that smoothing leaves of white noise with
// standard deviation 1, away from the ends.
func (k kernel) gain() float64 {
	sum, squares := -1.0, -1.0 // distance 0 stands once, all others twice
	for _, w := range k.weights {
		sum += 2 * w
		squares += 2 * w * w
	}
	return math.Sqrt(squares) / sum
}

// noise estimates the standard deviation of what is not curve in y, from its
// second differences, in which a straight line leaves nothing, and from their
// median, which a few large jumps do not move.
func noise(y []float64) float64 {
	if len(y) < 3 {
		return 0
	}
	seconds := make([]float64, len(y)-2)
	for i := range seconds {
		seconds[i] = math.Abs(y[i] - 2*y[i+1] + y[i+2])
	}
	const (
		quartile = 0.6745 // the median of |x| for normally distributed x
		second   = 2.4495 // the root of 1+4+1
	)
	return median(seconds) / (quartile * second)
}

func median(y []float64) float64 {
	sorted := slices.Sorted(slices.Values(y))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return sorted[(n-1)/2]/2 + sorted[n/2]/2 // halved first: the sum could overflow
}
