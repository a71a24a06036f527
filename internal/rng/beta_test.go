package rng_test

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/internal/rng"
)

// The mean and the variance of draws are those of the distribution, and so is the
// share below a quarter.
func TestBetaIsDistributedAsItSays(t *testing.T) {
	const n = 200_000
	for _, c := range []struct{ a, b, below float64 }{
		{1, 1, 0.25}, {0.5, 0.5, 1. / 3}, // uniform, and arcsine: 2/pi*asin(sqrt(x))
		{2, 3, 1 - math.Pow(0.75, 4) - math.Pow(0.75, 3)}, // I_x(2,3) = 1-(1-x)^4-4x(1-x)^3
		{0.1, 0.1, math.NaN()}, {1e-3, 1e-3, math.NaN()}, {5, 0.2, math.NaN()},
	} {
		s := rng.New(1, "beta")
		var sum, squares, below float64
		for range n {
			x := s.Beta(c.a, c.b)
			if !(x >= 0 && x <= 1) {
				t.Fatalf("Beta(%v, %v) is %v", c.a, c.b, x)
			}
			sum += x
			squares += x * x
			if x < 0.25 {
				below++
			}
		}
		mean, total := c.a/(c.a+c.b), c.a+c.b
		variance := c.a * c.b / (total * total * (total + 1))
		gotMean := sum / n
		gotVariance := squares/n - gotMean*gotMean
		if math.Abs(gotMean-mean) > 5e-3 || math.Abs(gotVariance-variance) > 3e-3 || math.Abs(below/n-c.below) > 5e-3 {
			t.Errorf("Beta(%v, %v): mean %.4f, variance %.4f, below 1/4 %.4f; want %.4f, %.4f, %.4f",
				c.a, c.b, gotMean, gotVariance, below/n, mean, variance, c.below)
		}
	}
}
