package rng_test

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/internal/rng"
)

// The share of draws below each of many places is that of the distribution, also in the
// layers' corners and in the tails.
func TestNormalsAreDistributedAsTheySay(t *testing.T) {
	const n, deviation = 4_000_000, 2
	x := make([]float64, n)
	rng.New(1, "normals").Normals(x, deviation)
	places := []float64{-4.5, -4, -3.6, -3.442619855899, -3.3, -3, -2.5, -2, -1.5, -1, -0.7, -0.3, -0.1, 0, 0.05, 0.2, 0.5, 0.9, 1.2, 1.8, 2.2, 2.8, 3.2, 3.5, 3.8, 4.2}
	below := make([]int, len(places))
	var moments [5]float64
	for _, v := range x {
		v /= deviation
		for i, place := range places {
			if v < place {
				below[i]++
			}
		}
		p := 1.0
		for i := range moments {
			moments[i] += p / n
			p *= v
		}
	}
	for i, place := range places {
		want := math.Erfc(-place/math.Sqrt2) / 2
		got := float64(below[i]) / n
		if limit := 4.5 * math.Sqrt(want*(1-want)/n); math.Abs(got-want) > limit {
			t.Errorf("below %g lie %.6f, want %.6f to within %.6f", place, got, want, limit)
		}
	}
	for i, want := range []float64{1, 0, 1, 0, 3} {
		if limit := []float64{1e-9, 0.0022, 0.0032, 0.0087, 0.022}[i]; math.Abs(moments[i]-want) > limit {
			t.Errorf("moment %d is %.5f, want %g", i, moments[i], want)
		}
	}
}

func BenchmarkNormals(b *testing.B) {
	s := rng.New(1, "normals")
	x := make([]float64, 1<<10)
	for b.Loop() {
		s.Normals(x, 1)
	}
}
