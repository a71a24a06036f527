package curve

import "math"

// What slide takes for its interval and for level ground is fastai's, whose sweeps have a
// hundred steps.
const (
	slideSteps     = 100
	slideInterval  = 15
	slideThreshold = 0.005
)

// slide is fastai's interval slide rule for the smoothed points of a sweep that was
// planned with so many steps (fastai/callback/schedule.py, slide, with its defaults and
// the ends that lr_find leaves out). An interval is moved down from the end of the curve
// as long as the slopes at its ends differ, which they do where the curve turns; the
// last rate at its lower end is the answer, as its index. It is -1 where the curve
// is shorter than the interval.
//
// The interval and the threshold are meant for sweeps of a hundred steps. In longer
// and shorter ones the interval is the same part of the sweep, and the slopes are per
// hundredth of it, so that the answer does not hang on the number of steps. The
// threshold is in units of the loss.
func slide(curve []Point, steps int) int {
	first := steps / 10
	last := len(curve) - 1 - 5
	part := float64(steps) / slideSteps
	interval := max(1, int(math.Round(slideInterval*part)))
	if last-interval < first {
		return -1
	}
	slope := func(i int) float64 {
		a, b := max(first, i-1), min(last, i+1)
		return (curve[b].Loss - curve[a].Loss) / float64(b-a) * part
	}
	at := last - interval
	for low := at; low >= first && math.Abs(slope(low+interval)-slope(low)) > slideThreshold; low-- {
		at = low
	}
	return at
}
