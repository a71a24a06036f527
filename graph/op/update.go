package op

import "fmt"

// The updates below work in place on flat parameter memory (P), outside the
// graph: inputs are the weights, the gradients, the optimizer's own state and a
// vector of Hyper values, which are float64 whatever the element type.

// Segment is where a parameter lies in the memory of all.
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

// Rule is how an Update moves the weights w by the gradients g. In the formulas of the
// rules d is scale*g, t the number of the update, lr and wd the group's learning rate
// and weight decay; a learning rate of 0 is allowed with each.
type Rule interface {
	// RuleName is the rule's.
	RuleName() string
	// States is the number of vectors of state that it keeps (P each, where the rule
	// does not say otherwise), zeros before update 1.
	States() int
	// FLOPs is about how many operations it takes for each element.
	FLOPs() int64
}

// Update moves the parameters of the segments by a rule. Inputs: w, g (P each), the
// rule's state, hyper. With Average it does EMAUpdate's work in the same pass: two more
// inputs are the average (P) and its decay.
type Update struct {
	Rule     Rule
	Segments []Segment
	Average  bool
}

// Hyper is the place of the hyperparameters among the inputs.
func (o Update) Hyper() int { return 2 + o.Rule.States() }

// Kind implements Op.
func (o Update) Kind() string { return o.Rule.RuleName() + "_update" }

// Infer implements Op.
func (o Update) Infer(in []Shape) ([]Shape, error) {
	return nil, checkUpdate(o.Kind(), in, o.Hyper()+1+2*b2i(o.Average))
}

func checkUpdate(kind string, in []Shape, n int) error {
	if len(in) != n || !in[0].Eq(in[1]) {
		return fmt.Errorf("%s: inputs %v, want %d, the weights and gradients of one shape", kind, in, n)
	}
	return nil
}

// Work implements Op.
func (o Update) Work(in, _ []Shape) Work {
	return traffic((o.Rule.FLOPs()+3*int64(b2i(o.Average)))*int64(Size(in[0])), in, written(in, o))
}

// Mutates implements Mutator.
func (o Update) Mutates() []int {
	list := []int{0}
	for i := range o.Rule.States() {
		list = append(list, 2+i)
	}
	if o.Average {
		list = append(list, o.Hyper()+1)
	}
	return list
}

// written are the shapes of the inputs that an update writes.
func written(in []Shape, o Mutator) (shapes []Shape) {
	for _, i := range o.Mutates() {
		shapes = append(shapes, in[i])
	}
	return shapes
}

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

// SquaredNorm is the sum of squares of a flat value (P), or of the product of two, as
// one float64.
type SquaredNorm struct{}

// Kind implements Op.
func (SquaredNorm) Kind() string { return "squared_norm" }

// Infer implements Op.
func (SquaredNorm) Infer(in []Shape) ([]Shape, error) {
	if len(in) == 2 {
		return []Shape{{}}, checkUpdate("squared_norm", in, 2)
	}
	return []Shape{{}}, nil
}

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
