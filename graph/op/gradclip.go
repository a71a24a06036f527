package op

// ClampGrads is g = scale*g, between -limit and limit. Inputs: g (P), and scale and
// limit in a vector of two float64.
type ClampGrads struct{}

// Kind implements Op.
func (ClampGrads) Kind() string { return "clamp_grads" }

// Infer implements Op.
func (ClampGrads) Infer([]Shape) ([]Shape, error) { return nil, nil }

// Work implements Op.
func (ClampGrads) Work(in, _ []Shape) Work { return traffic(3*int64(Size(in[0])), in, in[:1]) }

// Mutates implements Mutator.
func (ClampGrads) Mutates() []int { return []int{0} }

// AdaptiveClip is adaptive gradient clipping (arXiv 2102.06171), for each output of each
// parameter by itself: g = scale*g; where |g| is not below most = factor*max(|w|, 1e-3),
// g *= most / max(|g|, 1e-6). Inputs: g, w (P each), and scale and factor in a vector of
// two float64.
type AdaptiveClip struct{ Units []Units }

// Units is where the outputs of a parameter lie: Count of them, Stride elements from one
// to the next, each of Len elements with Step between two.
type Units struct {
	Offset, Count, Stride, Len, Step int
}

// Kind implements Op.
func (AdaptiveClip) Kind() string { return "adaptive_clip" }

// Infer implements Op.
func (AdaptiveClip) Infer(in []Shape) ([]Shape, error) {
	return nil, checkUpdate("adaptive_clip", in, 3)
}

// Work implements Op.
func (AdaptiveClip) Work(in, _ []Shape) Work { return traffic(6*int64(Size(in[0])), in, in[:1]) }

// Mutates implements Mutator.
func (AdaptiveClip) Mutates() []int { return []int{0} }
