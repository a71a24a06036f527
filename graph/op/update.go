package op

import "fmt"

// The updates below work in place on flat parameter memory (P), outside the
// graph: inputs are the weights, the gradients, the optimizer's own state and a
// vector of Hyper values, which are float64 whatever the element type.

// Segment is a run of parameters that share their hyperparameters.
type Segment struct {
	Offset, Len int // in elements
	Group       int // which pair of Hyper values rules it
}

// Layout of the Hyper vector: HyperShared values, then HyperPerGroup for each group. One
// more value at the end is the momentum (SGD) or beta1 (Adam) of this update, in the
// place of the operation's own.
const (
	HyperGradScale = iota // multiplies the gradient first: accumulation and clipping
	HyperStep             // the number of this update, from 1
	HyperShared

	HyperLR          = 0 // learning rate of the group
	HyperWeightDecay = 1 // weight decay of the group
	HyperPerGroup    = 2
)

// HyperLen is the length of the Hyper vector for this many groups.
func HyperLen(groups int) int { return HyperShared + groups*HyperPerGroup }

// SGDUpdate is PyTorch's SGD. Inputs: w, g, momentum buffer (P each; the buffer
// may be empty without momentum), hyper. With d = scale*g + wd*w it does
// m = Momentum*m + (1-Dampening)*d (m = d at step 1), d = m or, with Nesterov,
// d + Momentum*m, and w -= lr*d. With Average it does EMAUpdate's work in the same
// pass: two more inputs are the average (P) and its decay.
type SGDUpdate struct {
	Segments  []Segment
	Momentum  float64
	Dampening float64
	Nesterov  bool
	Average   bool
}

// Kind implements Op.
func (SGDUpdate) Kind() string { return "sgd_update" }

// Infer implements Op.
func (o SGDUpdate) Infer(in []Shape) ([]Shape, error) {
	return nil, checkUpdate("sgd_update", in, 4+2*b2i(o.Average))
}

func checkUpdate(kind string, in []Shape, n int) error {
	if len(in) != n || !in[0].Eq(in[1]) {
		return fmt.Errorf("%s: inputs %v, want %d, the weights and gradients of one shape", kind, in, n)
	}
	return nil
}

// Work implements Op.
func (o SGDUpdate) Work(in, _ []Shape) Work {
	return traffic(int64(6+3*b2i(o.Average))*int64(Size(in[0])), in, written(in, o))
}

// Mutates implements Mutator.
func (o SGDUpdate) Mutates() []int { return append([]int{0, 2}, averages(4, o.Average)...) }

// averages is the place of an average among the inputs, if there is one.
func averages(at int, has bool) []int {
	if has {
		return []int{at}
	}
	return nil
}

// written are the shapes of the inputs that an update writes.
func written(in []Shape, o Mutator) (shapes []Shape) {
	for _, i := range o.Mutates() {
		shapes = append(shapes, in[i])
	}
	return shapes
}

// AdamUpdate is Adam (arXiv 1412.6980) and, with Decoupled, AdamW (arXiv
// 1711.05101), in PyTorch's order of operations. Inputs: w, g, first moment m,
// second moment v (P each), hyper. With d = scale*g (+ wd*w unless Decoupled):
// m += (1-Beta1)*(d-m); v = Beta2*v + (1-Beta2)*d*d; AdamW first does w *= 1-lr*wd;
// w -= lr/(1-Beta1^t) * m / (sqrt(v)/sqrt(1-Beta2^t) + Eps). With Average it does
// EMAUpdate's work in the same pass: two more inputs are the average (P) and its
// decay.
type AdamUpdate struct {
	Segments     []Segment
	Beta1, Beta2 float64
	Eps          float64
	Decoupled    bool
	Average      bool
}

// Kind implements Op.
func (AdamUpdate) Kind() string { return "adam_update" }

// Infer implements Op.
func (o AdamUpdate) Infer(in []Shape) ([]Shape, error) {
	return nil, checkUpdate("adam_update", in, 5+2*b2i(o.Average))
}

// Work implements Op.
func (o AdamUpdate) Work(in, _ []Shape) Work {
	return traffic(int64(12+3*b2i(o.Average))*int64(Size(in[0])), in, written(in, o))
}

// Mutates implements Mutator.
func (o AdamUpdate) Mutates() []int { return append([]int{0, 2, 3}, averages(5, o.Average)...) }

// EMAUpdate is average += (1-decay)*(w - average). Inputs: the average, w (P
// each), and decay in a vector of one float64.
type EMAUpdate struct{}

// Kind implements Op.
func (EMAUpdate) Kind() string { return "ema_update" }

// Infer implements Op.
func (EMAUpdate) Infer(in []Shape) ([]Shape, error) { return nil, checkUpdate("ema_update", in, 3) }

// Work implements Op.
func (EMAUpdate) Work(in, _ []Shape) Work { return traffic(3*int64(Size(in[0])), in, in[:1]) }

// Mutates implements Mutator.
func (EMAUpdate) Mutates() []int { return []int{0} }

// SquaredNorm is the sum of squares of a flat value (P), as one float64.
type SquaredNorm struct{}

// Kind implements Op.
func (SquaredNorm) Kind() string { return "squared_norm" }

// Infer implements Op.
func (SquaredNorm) Infer([]Shape) ([]Shape, error) { return []Shape{{}}, nil }

// Work implements Op.
func (SquaredNorm) Work(in, _ []Shape) Work { return traffic(2*int64(Size(in[0])), in) }

// Copy copies its input.
type Copy struct{}

// Kind implements Op.
func (Copy) Kind() string { return "copy" }

// Infer implements Op.
func (Copy) Infer(in []Shape) ([]Shape, error) { return in[:1:1], nil }

// Work implements Op.
func (Copy) Work(in, out []Shape) Work { return traffic(0, in, out) }

// Accumulate adds its second input to its first, in place.
type Accumulate struct{}

// Kind implements Op.
func (Accumulate) Kind() string { return "accumulate" }

// Infer implements Op.
func (Accumulate) Infer(in []Shape) ([]Shape, error) { return nil, checkUpdate("accumulate", in, 2) }

// Work implements Op.
func (Accumulate) Work(in, _ []Shape) Work { return perElement(1, in, in[:1]) }

// Mutates implements Mutator.
func (Accumulate) Mutates() []int { return []int{0} }
