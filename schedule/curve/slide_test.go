package curve

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// In sweeps of a hundred steps slide is fastai's rule.
func TestSlideIsFastais(t *testing.T) {
	var golden struct {
		Rates  []float64
		Curves []struct {
			Name   string
			Losses []float64
			LR     float64
		}
	}
	text, err := os.ReadFile("testdata/slide.json")
	if err == nil {
		err = json.Unmarshal(text, &golden)
	}
	if err != nil {
		t.Fatal(err)
	}
	answers := map[float64]bool{}
	for _, c := range golden.Curves {
		points := make([]Point, len(c.Losses))
		for i, loss := range c.Losses {
			points[i] = Point{golden.Rates[i], loss}
		}
		i := slide(points, len(golden.Rates))
		if i < 0 || math.Abs(golden.Rates[i]/c.LR-1) > 1e-6 {
			t.Errorf("%s: the step %d, and fastai takes the rate %g", c.Name, i, c.LR)
		}
		answers[c.LR] = true
	}
	if len(golden.Curves) < 15 || len(answers) < 8 {
		t.Errorf("%d curves have %d answers", len(golden.Curves), len(answers))
	}
}

// The same curve in more or fewer steps has nearly the same answer; one shorter than the
// interval has none.
func TestSlideKnowsItsSteps(t *testing.T) {
	var first float64
	for _, steps := range []int{100, 50, 200, 400, 1000} {
		c := sweep()
		c.Steps = steps
		points := draw(c, func(x float64) float64 { return between(x, -3.5, -1, 2.3, 1.5) + 0.1*max(0, x+1)*max(0, x+1) }, 0, 1)
		at := math.Log10(points[slide(points, steps)].LR)
		if first == 0 {
			first = at
		}
		if math.Abs(at-first) > 0.4 {
			t.Errorf("in %d steps the answer is 10^%.2f, in 100 10^%.2f", steps, at, first)
		}
	}
	for steps, n := range map[int]int{100: 30, 200: 54, 8: 6} {
		if got := slide(make([]Point, n), steps); got != -1 {
			t.Errorf("%d of %d steps: the answer is %d", n, steps, got)
		}
	}
}

// A curve that rises again has the suggestion, below the rise; one that does not has none.
func TestReadSlides(t *testing.T) {
	c := sweep()
	rises := Read(draw(c, func(x float64) float64 { return logistic(x, -3, 0.25) + between(x, -0.5, 0.2, 0, 2) }, 0.02, 7), c)
	if s := rises.Suggestions.Slide; !(s > 1e-4 && s < 0.5) {
		t.Errorf("slide is %g: %+v", s, rises.Suggestions)
	}
	falls := Read(draw(c, func(x float64) float64 { return between(x, -3, 2, 2.3, 1) }, 0.02, 7), c)
	if falls.Suggestions.Slide != 0 || falls.Suggestions.Valley == 0 {
		t.Errorf("a curve that only falls has %+v", falls.Suggestions)
	}
}
