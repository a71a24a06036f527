package schedule

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/configs"
)

// oneCycle is PyTorch's OneCycleLR in its two-phase form (Smith and Topin 2018,
// arXiv 1708.07120, as in fastai): up to the base rate, then down to far
// below where it began. PyTorch counts in steps, of which the last is
// reached; a step is an update, or per epoch an epoch.
type oneCycle struct {
	top, end         float64 // steps at which the rate is highest and lowest
	steps            float64 // steps per epoch
	first, last      float64 // rate at the beginning and end, over the base rate
	slowest, fastest float64 // momentum at the top, and at the two ends
	anneal           func(from, to, share float64) float64
}

func newOneCycle(c configs.Schedule, span Span) (*oneCycle, error) {
	if !(c.DivFactor > 0) || !(c.FinalDivFactor > 0) {
		return nil, fmt.Errorf("schedule.div_factor is %g and schedule.final_div_factor %g; both should be above 0", c.DivFactor, c.FinalDivFactor)
	}
	o := &oneCycle{
		steps:   1,
		first:   1 / c.DivFactor,
		last:    1 / c.DivFactor / c.FinalDivFactor,
		slowest: c.BaseMomentum,
		fastest: c.MaxMomentum,
	}
	switch c.Anneal {
	case "cos":
		o.anneal = annealCos
	case "linear":
		o.anneal = annealLinear
	default:
		return nil, fmt.Errorf("schedule.anneal is %q, and should be cos or linear", c.Anneal)
	}
	if c.Per == "update" {
		o.steps = float64(span.UpdatesPerEpoch)
	}
	total := float64(span.Epochs) * o.steps
	o.top = c.PctStart*total - 1
	o.end = total - 1
	return o, nil
}

func (o *oneCycle) rate(base, time float64) float64 {
	return base * o.at(time, o.first, 1, o.last)
}

func (o *oneCycle) momentum(time float64) float64 {
	return o.at(time, o.fastest, o.slowest, o.fastest)
}

// at is the value at a time of what goes from first over top to last.
func (o *oneCycle) at(time, first, top, last float64) float64 {
	now := math.Min(math.Round(time*o.steps), o.end)
	switch {
	case now < o.top:
		return o.anneal(first, top, now/o.top)
	case o.end > o.top:
		return o.anneal(top, last, (now-o.top)/(o.end-o.top))
	}
	return top // pct_start 1: there is no way down
}

func annealCos(from, to, share float64) float64 {
	return to + (from-to)/2*(1+math.Cos(math.Pi*share))
}

func annealLinear(from, to, share float64) float64 { return from + (to-from)*share }
