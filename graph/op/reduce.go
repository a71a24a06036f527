package op

import "fmt"

// SumTo sums over the axes along which a value of Shape would have to stretch to
// become the input: the adjoint of broadcasting.
type SumTo struct{ Shape Shape }

// Kind implements Op.
func (SumTo) Kind() string { return "sum_to" }

// Infer implements Op.
func (o SumTo) Infer(in []Shape) ([]Shape, error) {
	return reduced("sum_to", in[0], o.Shape)
}

// reduced is the result of a reduction of x to a shape.
func reduced(kind string, x, to Shape) ([]Shape, error) {
	s, err := broadcast(kind, []Shape{x, to})
	if err != nil || !s.Eq(x) {
		return nil, fmt.Errorf("%s: %v cannot be reduced to %v", kind, x, to)
	}
	return []Shape{to}, nil
}

// Work implements Op.
func (SumTo) Work(in, out []Shape) Work { return traffic(int64(Size(in[0])), in, out) }

// Diff implements Differentiable.
func (o SumTo) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(BroadcastTo{Shape: in[0].Shape()}, dy)
	return []*Node{dx}, err
}

// DotTo is SumTo of the products of two values of one shape, which are not kept:
// the gradient of a gate.
type DotTo struct{ Shape Shape }

// Kind implements Op.
func (DotTo) Kind() string { return "dot_to" }

// Infer implements Op.
func (o DotTo) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 2 || !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("dot_to: inputs %v, want two of one shape", in)
	}
	return reduced("dot_to", in[0], o.Shape)
}

// Work implements Op.
func (DotTo) Work(in, out []Shape) Work { return traffic(2*int64(Size(in[0])), in, out) }

// Diff implements Differentiable.
func (o DotTo) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	grads := make([]*Node, 2)
	for i := range grads {
		var err error
		if grads[i], err = Apply(Mul{}, in[1-i], dy); err != nil {
			return nil, err
		}
	}
	return grads, nil
}

// MaxTo is the maximum over the axes along which a value of Shape would have to
// stretch to become the input.
type MaxTo struct{ Shape Shape }

// Kind implements Op.
func (MaxTo) Kind() string { return "max_to" }

// Infer implements Op.
func (o MaxTo) Infer(in []Shape) ([]Shape, error) {
	return reduced("max_to", in[0], o.Shape)
}

// Work implements Op.
func (MaxTo) Work(in, out []Shape) Work { return traffic(int64(Size(in[0])), in, out) }

// Diff implements Differentiable.
func (o MaxTo) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(MaxToGrad{}, in[0], out, dy)
	return []*Node{dx}, err
}

// MaxToGrad is the gradient of a MaxTo from its input, its result and that
// result's gradient. Equal maxima share it equally, as in PyTorch's amax.
type MaxToGrad struct{}

// Kind implements Op.
func (MaxToGrad) Kind() string { return "max_to_grad" }

// Infer implements Op.
func (MaxToGrad) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 3 || !in[1].Eq(in[2]) {
		return nil, fmt.Errorf("max_to_grad: inputs %v, want the input, its maxima and their gradient", in)
	}
	return in[:1:1], nil
}

// Work implements Op.
func (MaxToGrad) Work(in, out []Shape) Work { return traffic(2*int64(Size(in[0])), in, out) }

// BroadcastTo stretches its input to Shape.
type BroadcastTo struct{ Shape Shape }

// Kind implements Op.
func (BroadcastTo) Kind() string { return "broadcast_to" }

// Infer implements Op.
func (o BroadcastTo) Infer(in []Shape) ([]Shape, error) {
	s, err := broadcast("broadcast_to", []Shape{in[0], o.Shape})
	if err != nil || !s.Eq(o.Shape) {
		return nil, fmt.Errorf("broadcast_to: %v does not stretch to %v", in[0], o.Shape)
	}
	return []Shape{o.Shape}, nil
}

// Work implements Op.
func (BroadcastTo) Work(in, out []Shape) Work { return perElement(0, in, out) }

// Diff implements Differentiable.
func (o BroadcastTo) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := sumTo(dy, in[0].Shape())
	return []*Node{dx}, err
}

// ColumnSum sums over all axes but the last: (..., C) to (C). It is the
// gradient of a bias.
type ColumnSum struct{}

// Kind implements Op.
func (ColumnSum) Kind() string { return "column_sum" }

// Infer implements Op.
func (ColumnSum) Infer(in []Shape) ([]Shape, error) {
	if len(in[0]) < 1 {
		return nil, fmt.Errorf("column_sum: its input is a scalar, want (..., C)")
	}
	return []Shape{in[0][len(in[0])-1:]}, nil
}

// Work implements Op.
func (ColumnSum) Work(in, out []Shape) Work { return traffic(int64(Size(in[0])), in, out) }

// Mean is the mean of all elements, a scalar.
type Mean struct{}

// Kind implements Op.
func (Mean) Kind() string { return "mean" }

// Infer implements Op.
func (Mean) Infer([]Shape) ([]Shape, error) { return []Shape{{}}, nil }

// Work implements Op.
func (Mean) Work(in, out []Shape) Work { return traffic(int64(Size(in[0])), in, out) }

// Diff implements Differentiable.
func (Mean) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	x := in[0].Shape()
	s, err := Apply(Scale{Factor: 1 / float64(Size(x))}, dy)
	if err != nil {
		return nil, err
	}
	dx, err := Apply(BroadcastTo{Shape: x}, s)
	return []*Node{dx}, err
}
