package transform

import (
	"math"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/adjust"
	"github.com/seed52467199/trainer/internal/rng"
)

// step is an operation as a policy uses it: with a probability, at a magnitude
// from 0 to 10 that may be noisy.
type step struct {
	operation
	probability float64
	magnitude   float64
}

// strength is how the magnitudes of one policy are drawn.
type strength struct {
	// deviation is that of the normal distribution about a step's magnitude; with
	// infinity it is uniform from 0 to the step's.
	deviation float64
	// most bounds what is drawn.
	most float64
}

// do takes the step, or not.
func (st *step) do(w *Workspace, g strength, l *look, s *rng.Stream) {
	if st.probability < 1 && !s.Bernoulli(st.probability) {
		return
	}
	m := st.magnitude
	if math.IsInf(g.deviation, 1) {
		m = s.Uniform(0, m)
	} else if g.deviation > 0 {
		m += g.deviation * s.Norm()
	}
	m = min(max(m, 0), g.most)
	argument := 0.0
	if st.argument != nil {
		argument = st.argument(m, l, s)
	}
	st.apply(w, argument, l, s)
}

// steps makes a step of each operation.
func steps(names []string, probability, magnitude float64) []step {
	list := make([]step, len(names))
	for i, name := range names {
		list[i] = step{operations[name], probability, magnitude}
	}
	return list
}

// randAugment takes a number of steps, drawn at random: RandAugment (Cubuk et al.
// 2019, arXiv 1909.13719).
type randAugment struct {
	steps []step
	// weights of the steps, which are then drawn without replacement. nil: all are
	// alike, and each may come again.
	weights  []float64
	layers   int
	strength strength
	look     look
}

// Apply implements Op.
func (r *randAugment) Apply(w *Workspace, s *rng.Stream) {
	var taken uint64
	for range r.layers {
		i := 0
		if r.weights == nil {
			i = s.IntN(len(r.steps))
		} else {
			i = r.weighted(taken, s)
			taken |= 1 << i
		}
		r.steps[i].do(w, r.strength, &r.look, s)
	}
}

// weighted draws one of the steps that are not taken, by their weights.
func (r *randAugment) weighted(taken uint64, s *rng.Stream) int {
	sum := 0.0
	for i, weight := range r.weights {
		if taken>>i&1 == 0 {
			sum += weight
		}
	}
	at, last := s.Uniform(0, sum), 0
	for i, weight := range r.weights {
		if taken>>i&1 == 1 {
			continue
		}
		if last = i; at < weight {
			break
		}
		at -= weight
	}
	return last
}

// autoAugment takes the steps of one of its policies: AutoAugment (Cubuk et al.
// 2018, arXiv 1805.09501).
type autoAugment struct {
	policies [][]step
	strength strength
	look     look
}

// Apply implements Op.
func (a *autoAugment) Apply(w *Workspace, s *rng.Stream) {
	policy := a.policies[s.IntN(len(a.policies))]
	for i := range policy {
		policy[i].do(w, a.strength, &a.look, s)
	}
}

// augMix mixes the picture with chains of steps on it: AugMix (Hendrycks et al.
// 2019, arXiv 1912.02781), without its loss, which wants several views at once.
type augMix struct {
	steps []step
	// alpha is that of the Dirichlet distribution of the chains' weights, and of the
	// beta distribution of their sum's.
	alpha float64
	// width is the number of chains.
	width int
	// depth is the number of steps in each; below 1, it is drawn from 1 to 3.
	depth int
	// blended mixes each chain in as it is made, rounding each time.
	blended  bool
	strength strength
	look     look
}

// mixing is AugMix's part of a Workspace.
type mixing struct {
	base, mixed imaging.Image
	sums        []float32 // of the chains, a value each of the picture
	weights     []float64 // of the chains
}

// Apply implements Op.
func (a *augMix) Apply(w *Workspace, s *rng.Stream) {
	w.weights = dirichlet(w.weights[:0], a.alpha, a.width, s)
	m := float32(s.Beta(a.alpha, a.alpha))
	w.base.CopyFrom(w.Current())
	if a.blended {
		a.blend(w, m, s)
	} else {
		a.mix(w, m, s)
	}
	w.View(w.mixed)
}

// mix leaves m of the chains' weighted mean, and the picture for the rest, in
// w.mixed.
func (a *augMix) mix(w *Workspace, m float32, s *rng.Stream) {
	w.sums = grow(w.sums, len(w.base.Pix))
	clear(w.sums)
	for _, weight := range w.weights {
		chain := a.chain(w, s)
		at := 0
		for y := range chain.Height {
			row := chain.Row(y)
			sums := w.sums[at : at+len(row)]
			for i, v := range row {
				sums[i] += float32(float32(weight) * float32(v))
			}
			at += len(row)
		}
	}
	w.mixed.Reset(w.base.Width, w.base.Height, w.base.Channels)
	for i, v := range w.sums {
		w.mixed.Pix[i] = uint8(min(int32(v), 255))
	}
	adjust.Blend(&w.mixed, &w.base, &w.mixed, m)
}

// blend comes near to mix, and keeps no sums.
func (a *augMix) blend(w *Workspace, m float32, s *rng.Stream) {
	// What is mixed in later covers part of what came before.
	rest := 1.0
	for i := len(w.weights) - 1; i >= 0; i-- {
		alpha := w.weights[i] * float64(m) / rest
		rest *= 1 - alpha
		w.weights[i] = alpha
	}
	w.mixed.CopyFrom(&w.base)
	for _, alpha := range w.weights {
		adjust.Blend(&w.mixed, &w.mixed, a.chain(w, s), float32(alpha))
	}
}

// chain takes the steps of one chain on the picture.
func (a *augMix) chain(w *Workspace, s *rng.Stream) *imaging.Image {
	depth := a.depth
	if depth < 1 {
		depth = 1 + s.IntN(3)
	}
	w.View(w.base)
	for range depth {
		a.steps[s.IntN(len(a.steps))].do(w, a.strength, &a.look, s)
	}
	return w.Current()
}

// dirichlet appends n weights that sum to 1, drawn from the symmetric Dirichlet
// distribution of alpha: each is a beta-distributed part of what is left.
func dirichlet(weights []float64, alpha float64, n int, s *rng.Stream) []float64 {
	rest := 1.0
	for i := n - 1; i > 0; i-- {
		v := rest * s.Beta(alpha, alpha*float64(i))
		weights = append(weights, v)
		rest -= v
	}
	return append(weights, rest)
}

// trivialAugment takes one step at a strength that is drawn too: TrivialAugment in
// its wide space (Müller and Hutter 2021, arXiv 2103.10158), as torchvision has it.
type trivialAugment struct{ look look }

// wide is TrivialAugment's space: what an operation takes at a strength of 0..1.
var wide = []struct {
	operation
	// signed arguments lie on either side of middle.
	signed bool
	middle float64
	// reach is how far from it; nil: the operation takes nothing.
	reach func(strength float64) float64
}{
	{operation: operation{name: "Identity", apply: func(*Workspace, float64, *look, *rng.Stream) {}}},
	{operations["ShearX"], true, 0, times(0.99)},
	{operations["ShearY"], true, 0, times(0.99)},
	{operations["TranslateX"], true, 0, func(v float64) float64 { return math.Trunc(32 * v) }},
	{operations["TranslateY"], true, 0, func(v float64) float64 { return math.Trunc(32 * v) }},
	{operations["Rotate"], true, 0, times(135)},
	{operations["Brightness"], true, 1, times(0.99)},
	{operations["Color"], true, 1, times(0.99)},
	{operations["Contrast"], true, 1, times(0.99)},
	{operations["Sharpness"], true, 1, times(0.99)},
	{operations["Posterize"], false, 8, func(v float64) float64 { return -math.RoundToEven(6 * v) }},
	{operations["Solarize"], false, 255, times(-255)},
	{operation: operations["AutoContrast"]},
	{operation: operations["Equalize"]},
}

func times(most float64) func(float64) float64 {
	return func(v float64) float64 { return most * v }
}

// bins is the number of strengths.
const bins = 31

// Apply implements Op.
func (t *trivialAugment) Apply(w *Workspace, s *rng.Stream) {
	o := &wide[s.IntN(len(wide))]
	v := 0.0
	if o.reach != nil {
		v = o.reach(float64(s.IntN(bins)) / (bins - 1))
	}
	if o.signed {
		v = negated(v, s)
	}
	o.apply(w, o.middle+v, &t.look, s)
}

// grow returns s with length n, in its own memory where that is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
