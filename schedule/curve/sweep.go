package curve

import (
	"math"

	"github.com/seed52467199/trainer/configs"
)

// Point is one step of the test: the learning rate it was made with and the
// loss found in it, before the update.
type Point struct{ LR, Loss float64 }

// Rates lists the learning rates of the sweep c, step by step, from c.MinLR to
// c.MaxLR.
func Rates(c configs.LRFind) []float64 {
	rates := make([]float64, c.Steps)
	for i := range rates {
		share := float64(i) / float64(max(c.Steps-1, 1))
		if c.Mode == "linear" {
			rates[i] = c.MinLR + (c.MaxLR-c.MinLR)*share
		} else {
			rates[i] = c.MinLR * math.Pow(c.MaxLR/c.MinLR, share)
		}
	}
	if c.Steps > 1 {
		rates[c.Steps-1] = c.MaxLR // whatever was lost in rounding
	}
	return rates
}

// Watch follows a loss and says when it has diverged.
type Watch struct {
	smoothing, diverge float64
	sum, weight        float64 // of the losses so far, the past weighing less
	first, best        float64
}

// NewWatch makes a Watch with c.Smoothing and c.Diverge.
func NewWatch(c configs.LRFind) *Watch {
	return &Watch{smoothing: c.Smoothing, diverge: c.Diverge, best: math.Inf(1)}
}

// Add takes the next loss. It gives the smoothed loss, an exponential average
// debiased as in Adam, and whether the test should stop: at the first loss
// that is not finite, or when the smoothed loss exceeds diverge times its
// best. Where the best is not above 0, as negative losses have it, a rise from there
// by as many times the first or the best loss less one, whichever is larger, counts.
func (w *Watch) Add(loss float64) (smoothed float64, stop bool) {
	if !finite(loss) {
		return loss, true
	}
	w.sum = w.smoothing*w.sum + (1-w.smoothing)*loss
	w.weight = w.smoothing*w.weight + (1 - w.smoothing)
	smoothed = w.sum / w.weight
	if math.IsInf(w.best, 1) {
		w.first = smoothed
	}
	w.best = min(w.best, smoothed)
	if w.best > 0 {
		return smoothed, smoothed > w.diverge*w.best
	}
	scale := max(math.Abs(w.first), -w.best)
	return smoothed, scale > 0 && smoothed-w.best > (w.diverge-1)*scale
}

// hopeless is a loss that has diverged in all but name; sums and squares of
// smaller ones cannot overflow.
const hopeless = 1e30

// finite is false for NaN too.
func finite(loss float64) bool { return math.Abs(loss) < hopeless }
