package op

import "fmt"

// EstimateMoments moves running statistics towards those of a batch and gives them, for
// batches too small to be normalised by their own (Qiao et al., arXiv 1903.10520): with
// mean the running one before, mean += Speed*(batch mean - mean) and var =
// (1-Speed)*var + Speed*E[(x-mean)^2]. Inputs: x (..., C), mean and var (C), which are
// updated. Results: both (C). No gradient passes.
type EstimateMoments struct{ Speed float64 }

// Kind implements Op.
func (EstimateMoments) Kind() string { return "estimate_moments" }

// Infer implements Op.
func (o EstimateMoments) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 3 || len(in[0]) < 1 {
		return nil, fmt.Errorf("estimate_moments: inputs %v, want x (..., C), mean and variance", in)
	}
	return []Shape{in[1], in[2]}, checkChannels("estimate_moments", in[0], in[1:])
}

// Work implements Op.
func (EstimateMoments) Work(in, out []Shape) Work { return traffic(3*int64(Size(in[0])), in, out) }

// Mutates implements Mutator.
func (EstimateMoments) Mutates() []int { return []int{1, 2} }
