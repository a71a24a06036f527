package transform

import (
	"fmt"

	"github.com/seed52467199/trainer/internal/rng"
)

// sometimes does an op with a probability.
type sometimes struct {
	probability float64
	op          Op
}

// Apply implements Op.
func (o sometimes) Apply(w *Workspace, s *rng.Stream) {
	if s.Bernoulli(o.probability) {
		o.op.Apply(w, s)
	}
}

// jitter is torchvision's ColorJitter: brightness, contrast, saturation and hue in
// random order, each changed by a random factor, or turned. What has no effect by
// its range is left out. A gray picture has neither saturation nor hue.
type jitter struct {
	// ranges of the three factors and of the turn; equal bounds leave one out.
	ranges [4][2]float64
}

// colorJitter makes it of 1, 3 or 4 numbers.
func colorJitter(by []float64) (Op, error) {
	if len(by) == 1 {
		by = []float64{by[0], by[0], by[0]}
	}
	if len(by) != 3 && len(by) != 4 {
		return nil, fmt.Errorf("%d numbers of colour jitter; give 1, or 3 for brightness, contrast and saturation, or a fourth for hue", len(by))
	}
	var j jitter
	for i, v := range by {
		if !(v >= 0) {
			return nil, fmt.Errorf("colour jitter %v; its numbers must be at least 0", by)
		}
		j.ranges[i] = [2]float64{max(0, 1-v), 1 + v}
	}
	if len(by) == 4 {
		if j.ranges[3] = [2]float64{-by[3], by[3]}; by[3] > 0.5 {
			return nil, fmt.Errorf("colour jitter %v; the fourth number, of hue, must be at most 0.5", by)
		}
	}
	return j, nil
}

// Apply implements Op.
func (j jitter) Apply(w *Workspace, s *rng.Stream) {
	order := [4]int{0, 1, 2, 3}
	for i := len(order) - 1; i > 0; i-- {
		k := s.IntN(i + 1)
		order[i], order[k] = order[k], order[i]
	}
	for _, i := range order {
		low, high := j.ranges[i][0], j.ranges[i][1]
		if low == high {
			continue
		}
		v := s.Uniform(low, high)
		switch i {
		case 0:
			brightness(w, v, nil, s)
		case 1:
			contrast(w, v, nil, s)
		case 2:
			color(w, v, nil, s)
		case 3:
			hue(w, v)
		}
	}
}

func (jitter) String() string { return "colour jitter" }

// withoutColor is torchvision's RandomGrayscale, done.
type withoutColor struct{}

// Apply implements Op.
func (withoutColor) Apply(w *Workspace, s *rng.Stream) { color(w, 0, nil, s) }

func (withoutColor) String() string { return "gray" }

// randomBlur is torchvision's GaussianBlur as timm uses it: 23 x 23, of a standard
// deviation from .1 to 2.
type randomBlur struct{}

// Apply implements Op.
func (randomBlur) Apply(w *Workspace, s *rng.Stream) {
	w.adjuster.Gaussian(w.Target(), w.Current(), s.Uniform(0.1, 2))
	w.Commit()
}

func (randomBlur) String() string { return "blur" }
