package curve

import (
	"fmt"
	"math"
	"sort"

	"github.com/seed52467199/trainer/configs"
)

// Reading is what a range test says.
type Reading struct {
	// Suggestions are the learning rates that different rules would choose.
	Suggestions Suggestions `json:"suggestions"`
	// Verdict says in words what to make of the curve and, where it has no
	// answer, what to change.
	Verdict string `json:"verdict"`
	// Clear reports whether the curve has an answer: it falls, and then rises.
	Clear bool `json:"clear"`
	// Smoothed holds the points up to the divergence with their smoothed loss. Losses far
	// above the first ones count as a little above them.
	Smoothed []Point `json:"-"`
	// Missed is the rate from which on a loss that did not seem to fall rises, or 0: the
	// fall may have been too short for the steps of the sweep. See Finer.
	Missed float64 `json:"-"`
}

// aroundBelow and aroundAbove are how far a finer sweep goes from the rate that the first
// one missed, as factors. Far below it training needs more steps than a sweep has.
const aroundBelow, aroundAbove = 100, 10

// Finer is c around the rate that its sweep missed, and whether that is any finer.
func (r Reading) Finer(c configs.LRFind) (configs.LRFind, bool) {
	fine := c
	fine.MinLR, fine.MaxLR = max(c.MinLR, r.Missed/aroundBelow), min(c.MaxLR, r.Missed*aroundAbove)
	coarse := math.Log(c.MaxLR / c.MinLR)
	return fine, r.Missed > 0 && c.Mode != "linear" && coarse > 1.5*math.Log(fine.MaxLR/fine.MinLR)
}

// Suggestions are learning rates within the range of the test, and 0 where a
// rule has nothing to say.
type Suggestions struct {
	// Steepest is where the loss falls fastest per logarithm of the rate,
	// before its minimum.
	Steepest float64 `json:"steepest,omitempty"`
	// Valley is half-way, in the logarithm of the rate, along the longest
	// decreasing subsequence of the losses (fastai's rule). Unlike there, the
	// subsequence's flat ends, each a twentieth of its fall, are left out.
	Valley float64 `json:"valley,omitempty"`
	// Slide is where an interval that slides down from the end of the curve comes to
	// level ground (fastai's rule, with its interval and its threshold: see slide), on
	// a curve that rises.
	Slide float64 `json:"slide,omitempty"`
	// Min10 is a tenth of the rate with the least loss.
	Min10 float64 `json:"min10,omitempty"`
	// Turn10 is a tenth of the rate from which on the loss rises for good.
	Turn10 float64 `json:"turn10,omitempty"`
	// Turn4 is a quarter of that rate.
	Turn4 float64 `json:"turn4,omitempty"`
	// Half is half of it: of the largest at which training is stable.
	Half float64 `json:"half,omitempty"`
}

const (
	// fewest is the number of points below which nothing is read.
	fewest = 8
	// flat is the share of a fall that does not count as falling or rising.
	flat = 1. / 20
	// early is the share of the sweep in which divergence is at once.
	early = 0.15
	// apart is the factor between two suggestions that contradict each other.
	apart = 20
)

// Read reads the points of the sweep c, in the order in which they were made.
// It may be given what lies beyond the divergence: the curve ends where a
// [Watch] would have stopped.
func Read(points []Point, c configs.LRFind) Reading { return Band{Points: points}.Read(c) }

// read reads a curve that ends where it diverged, of so many points.
func read(x, y []float64, diverged bool, c configs.LRFind, points int) Reading {
	if len(y) < fewest {
		return Reading{Verdict: tooFew(len(y), diverged), Smoothed: smoothed(x, y, c)}
	}
	s := newShape(x, y, diverged, newKernel(c.Smoothing, len(y)))
	r := Reading{Smoothed: smoothed(x, s.lowered(y), c)}
	steps := max(c.Steps, points)
	if s.fell {
		r.Suggestions = s.suggest()
		if at := slide(r.Smoothed, steps); at >= 0 && s.rose {
			r.Suggestions.Slide = r.Smoothed[at].LR
		}
	}
	r.Verdict, r.Clear = s.verdict(r.Suggestions, steps)
	if s.missed(steps) {
		r.Missed = math.Exp(s.x[s.turn])
	}
	return r
}

// usable gives the logarithm of the rate, and the loss, of the points up to
// the divergence. Points that no sweep makes, with rates that are not above
// the one before, are left out.
func usable(points []Point, c configs.LRFind) (x, y []float64, diverged bool) {
	w := NewWatch(c)
	last := 0.0
	for _, p := range points {
		if !(p.LR > last) || math.IsInf(p.LR, 0) {
			continue
		}
		last = p.LR
		_, stop := w.Add(p.Loss)
		if finite(p.Loss) {
			x, y = append(x, math.Log(p.LR)), append(y, p.Loss)
		}
		if stop {
			return x, y, true
		}
	}
	return x, y, false
}

// smoothed is the curve to show.
func smoothed(x, y []float64, c configs.LRFind) []Point {
	list := make([]Point, len(x))
	for i, loss := range newKernel(c.Smoothing, len(y)).smooth(y) {
		list[i] = Point{math.Exp(x[i]), loss}
	}
	return list
}

// shape is a curve with what matters of it. x is the logarithm of the rate.
type shape struct {
	x, y   []float64 // without the tail in which the loss has exploded
	level  []float64 // y smoothed
	kernel kernel
	sigma  float64 // of the noise of level
	start  float64 // level before anything happens
	top    float64 // above it a loss says only that it is too high
	low    int     // where level is least
	fall   float64 // from start to there
	turn   int     // from here on it rises for good
	fell   bool    // by more than chance would
	rose   bool    // after turn
}

func newShape(x, y []float64, diverged bool, k kernel) shape {
	s := shape{kernel: k}
	spread := noise(y)
	s.sigma = spread * k.gain()
	opening := max(3, len(y)/10)
	s.start = median(y[:opening])

	// Left in, the size of a tail above the start would be smoothed into the valley
	// before it.
	s.top = s.start + 3*spread + flat*math.Abs(s.start)
	end := len(y)
	for end > opening && y[end-1] > s.top {
		end--
	}
	s.x, s.y = x[:end], y[:end]
	s.level = k.smooth(s.y)
	for i, l := range s.level {
		if l < s.level[s.low] {
			s.low = i
		}
	}

	// The median of the opening has the standard error 1.25 spread/sqrt(n).
	chance := 5 * math.Hypot(s.sigma, 1.25*spread/math.Sqrt(float64(opening)))
	matters := max(chance, 0.01*math.Abs(s.start))
	s.fall = s.start - s.level[s.low]
	s.fell = s.fall > matters

	bottom := s.level[s.low] + max(flat*s.fall, spread)
	for i, l := range settled(s.y) {
		if l <= bottom {
			s.turn = i
		}
	}
	rise := s.level[end-1] - s.level[s.low]
	s.rose = diverged || end < len(y) || rise > max(s.fall/4, matters)
	return s
}

// lowered is losses without their height above the top.
func (s shape) lowered(y []float64) []float64 {
	out := make([]float64, len(y))
	for i, loss := range y {
		out[i] = min(loss, s.top)
	}
	return out
}

// suggest applies the rules to a curve that falls.
func (s shape) suggest() Suggestions {
	out := Suggestions{Steepest: s.steepest(), Valley: s.valley()}
	if s.rose {
		out.Min10 = s.part(s.low, 10)
		out.Turn10 = s.part(s.turn, 10)
		out.Turn4 = s.part(s.turn, 4)
		out.Half = s.part(s.turn, 2)
	}
	return out
}

// steepest leaves out the first tenth: a line through what lies on one side
// only is at the mercy of the noise.
func (s shape) steepest() float64 {
	lines := s.kernel
	if len(lines.weights) < 2 {
		lines = newKernel(0.5, len(s.y)) // a slope needs neighbours, smoothed or not
	}
	slopes := lines.slopes(s.x, s.y)
	best, at := 0.0, -1
	for i := len(slopes) / 10; i <= s.low; i++ {
		if slopes[i] < best {
			best, at = slopes[i], i
		}
	}
	if at < 0 {
		return 0
	}
	return math.Exp(s.x[at])
}

// part is the rate at i divided by this, if the test has gone so low.
func (s shape) part(i int, by float64) float64 {
	lr := s.x[i] - math.Log(by)
	if lr < s.x[0] {
		return 0
	}
	return math.Exp(lr)
}

func (s shape) valley() float64 {
	run := longestFall(s.level)
	first, last := 0, len(run)-1
	// On a level stretch before the fall, noise too makes a run, from above start.
	top, bottom := min(s.start, s.level[run[first]]), s.level[run[last]]
	margin := max(flat*(top-bottom), 2*s.sigma)
	for first < last && s.level[run[first+1]] > top-margin {
		first++
	}
	for last > first && s.level[run[last-1]] < bottom+margin {
		last--
	}
	return math.Exp((s.x[run[first]] + s.x[run[last]]) / 2)
}

// longestFall gives the indices of a longest strictly decreasing subsequence
// of y, by patience sorting.
func longestFall(y []float64) []int {
	before := make([]int, len(y)) // each one's predecessor in the run that ends there
	var ends []int                // ends[k] ends the run of k+1 that can best go on: the highest
	for i := range y {
		k := sort.Search(len(ends), func(k int) bool { return y[ends[k]] <= y[i] })
		if k == len(ends) {
			ends = append(ends, i)
		}
		ends[k] = i
		before[i] = -1
		if k > 0 {
			before[i] = ends[k-1]
		}
	}
	run := make([]int, len(ends))
	for k, i := len(run)-1, ends[len(ends)-1]; k >= 0; k, i = k-1, before[i] {
		run[k] = i
	}
	return run
}

func tooFew(n int, diverged bool) string {
	if diverged {
		return fmt.Sprintf("diverged at once, after %d steps: lower lr_find.min_lr", n)
	}
	return fmt.Sprintf("too few points: %d, and at least %d are needed; raise lr_find.steps", n, fewest)
}

// missed reports whether the loss rises only after a stretch in which a fall may hide.
func (s shape) missed(steps int) bool {
	return !s.fell && s.rose && float64(s.turn) >= early*float64(steps)
}

// verdict puts the curve into words. steps is the length of the whole sweep.
func (s shape) verdict(found Suggestions, steps int) (text string, clear bool) {
	start, low := s.start, s.level[s.low]
	switch {
	case s.fell && s.rose && disagree(found.Steepest, found.Valley):
		return fmt.Sprintf("no clear valley: the loss falls in more than one place, and the suggestions are more than a factor of %d apart; look at the plot", apart), false
	case s.fell && s.rose:
		return fmt.Sprintf("clear valley: the loss falls from %.3g to %.3g and rises for good beyond LR %.2g", start, low, math.Exp(s.x[s.turn])), true
	case s.fell:
		return fmt.Sprintf("never diverged: the loss falls from %.3g to %.3g and does not rise again; raise lr_find.max_lr", start, low), false
	case s.missed(steps):
		return "no clear valley: the loss rises without having fallen; check the data and the loss, or take more steps (lr_find.steps)", false
	case s.rose:
		return "diverged at once: the loss rises from the beginning; lower lr_find.min_lr", false
	}
	return fmt.Sprintf("no clear valley: the loss stays near %.3g, and does not move by more than its noise; raise lr_find.max_lr or lr_find.steps", start), false
}

func disagree(a, b float64) bool {
	return a > 0 && b > 0 && (a > apart*b || b > apart*a)
}
