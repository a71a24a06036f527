package op

import "fmt"

// Dropout zeroes each element with probability P and divides the others by 1-P
// (Srivastava et al. 2014). The mask comes from the random stream (the run's
// seed, Stream, the number of the forward pass, the element's index), so that
// the backward pass draws it again instead of keeping it.
type Dropout struct {
	P      float64
	Stream uint64
}

// Kind implements Op.
func (Dropout) Kind() string { return "dropout" }

// Infer implements Op.
func (o Dropout) Infer(in []Shape) ([]Shape, error) { return keepShape("dropout", o.P, in) }

func keepShape(kind string, p float64, in []Shape) ([]Shape, error) {
	if !(p >= 0 && p < 1) {
		return nil, fmt.Errorf("%s: probability %v, want 0 <= p < 1", kind, p)
	}
	return in[:1:1], nil
}

// Work implements Op.
func (Dropout) Work(in, out []Shape) Work { return perElement(4, in, out) }

// InPlace implements InPlacer.
func (Dropout) InPlace() []int { return []int{0} }

// Diff implements Differentiable: the gradient passes the same mask.
func (o Dropout) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(o, dy)
	return []*Node{dx}, err
}

// DropPath zeroes whole samples of x (N, ...) with probability P and divides the
// others by 1-P: stochastic depth (arXiv 1603.09382). Its mask is drawn like Dropout's,
// one draw a sample.
type DropPath struct {
	P      float64
	Stream uint64
}

// Kind implements Op.
func (DropPath) Kind() string { return "drop_path" }

// Infer implements Op.
func (o DropPath) Infer(in []Shape) ([]Shape, error) { return keepShape("drop_path", o.P, in) }

// Work implements Op.
func (DropPath) Work(in, out []Shape) Work { return perElement(1, in, out) }

// InPlace implements InPlacer.
func (DropPath) InPlace() []int { return []int{0} }

// Diff implements Differentiable: the gradient passes the same mask.
func (o DropPath) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(o, dy)
	return []*Node{dx}, err
}

// Bernoulli is 1 with the probability that each element of its input tells, else 0. Its
// draws are made like Dropout's. It has no gradient.
type Bernoulli struct{ Stream uint64 }

// Kind implements Op.
func (Bernoulli) Kind() string { return "bernoulli" }

// Infer implements Op.
func (Bernoulli) Infer(in []Shape) ([]Shape, error) { return in[:1:1], nil }

// Work implements Op.
func (Bernoulli) Work(in, out []Shape) Work { return perElement(4, in, out) }

// InPlace implements InPlacer.
func (Bernoulli) InPlace() []int { return []int{0} }
