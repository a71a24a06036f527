package curve

import (
	"math"
	"testing"
)

// The mean of sweeps ends where the first of them diverged, and that is no clear fall
// without a rise.
func TestJoin(t *testing.T) {
	a := Sweep{Points: []Point{{1, 2}, {2, 3}, {3, 5}}}
	b := Sweep{Points: []Point{{1, 4}, {2, 1}}, Diverged: true}
	got := Join([]Sweep{a, b})
	if !got.Diverged || len(got.Points) != 2 || got.Points[0] != (Point{1, 3}) || got.Points[1] != (Point{2, 2}) ||
		got.Low[0] != 2 || got.High[0] != 4 || got.Low[1] != 1 || got.High[1] != 3 {
		t.Errorf("got %+v", got)
	}
	if a.Points[0].Loss != 2 || b.Points[0].Loss != 4 {
		t.Error("the sweeps were changed")
	}
	if alone := Join([]Sweep{a}); alone.Diverged || alone.Points[2] != a.Points[2] {
		t.Errorf("one sweep gives %+v", alone)
	}
	if late := Join([]Sweep{a, {Points: append(a.Points, Point{4, 9}), Diverged: true}}); late.Diverged {
		t.Error("a sweep that diverged beyond the others' end counts")
	}
	if broken := Join([]Sweep{a, {Points: []Point{{1, math.NaN()}}, Diverged: true}}); !math.IsNaN(broken.Points[0].Loss) || !broken.Diverged {
		t.Errorf("a sweep that is not finite gives %+v", broken)
	}
}

// Noisy sweeps whose mean is read give a suggestion that varies less than each one's.
func TestBandSteadiesTheReading(t *testing.T) {
	c := sweep()
	loss := func(x float64) float64 { return logistic(x, -2, 0.3) + explode(x, 0) }
	spread := func(sweeps int) float64 {
		var sum, squares float64
		const tries = 20
		for i := range tries {
			var all []Sweep
			for k := range sweeps {
				all = append(all, Sweep{Points: draw(c, loss, 0.3, uint64(100*i+k))})
			}
			x := math.Log10(Join(all).Read(c).Suggestions.Steepest)
			sum, squares = sum+x, squares+x*x
		}
		return math.Sqrt(squares/tries - sum*sum/tries/tries)
	}
	one, five := spread(1), spread(5)
	t.Logf("standard deviation of the logarithm: %.3f for one sweep, %.3f for the mean of five", one, five)
	if !(five < 0.8*one) {
		t.Errorf("the mean of five sweeps varies by %g, one by %g", five, one)
	}
}

// A loss that goes below 0 diverges too.
func TestWatchNegativeLosses(t *testing.T) {
	c := sweep()
	c.Smoothing, c.Diverge = 0, 4
	for _, test := range []struct {
		losses []float64
		stop   int // the index at which it stops, or -1
	}{
		{[]float64{-0.1, -0.5, -0.9, -0.8, 0, 1.7, 1.9}, 6},
		{[]float64{1, 0.1, 0.001, -0.001, 0.5, 2.9, 3}, 6},
		{[]float64{0, -1e-9, 1, 2}, 2},
		{[]float64{0, 0, 0}, -1},
		{[]float64{2, 1, 3.9, 4.1}, 3},
	} {
		w, at := NewWatch(c), -1
		for i, l := range test.losses {
			if _, stop := w.Add(l); stop {
				at = i
				break
			}
		}
		if at != test.stop {
			t.Errorf("%v: stops at %d, want %d", test.losses, at, test.stop)
		}
	}
}
