package op

import "fmt"

// broadcast is the shape of an elementwise operation on two values: axes are
// aligned at the end, and an axis of 1, or a missing one, stretches.
func broadcast(kind string, in []Shape) (Shape, error) {
	if len(in) != 2 {
		return nil, fmt.Errorf("%s: %d inputs, want 2", kind, len(in))
	}
	a, b := in[0], in[1]
	if len(a) < len(b) {
		a, b = b, a
	}
	out := a.Clone()
	for i := range b {
		k := len(a) - len(b) + i
		switch {
		case a[k] == b[i] || b[i] == 1:
		case a[k] == 1:
			out[k] = b[i]
		default:
			return nil, fmt.Errorf("%s: %v and %v do not fit", kind, in[0], in[1])
		}
	}
	return out, nil
}

// sumTo adds the sum over the axes along which a value of this shape was stretched.
func sumTo(dy *Node, shape Shape) (*Node, error) {
	if dy.Shape().Eq(shape) {
		return dy, nil
	}
	return Apply(SumTo{Shape: shape}, dy)
}

// Add is a + b with broadcasting. With Clip, a form that the compiler makes, the
// sum is clipped in the same pass.
type Add struct{ Clip Clip }

// Kind implements Op.
func (Add) Kind() string { return "add" }

// Infer implements Op.
func (Add) Infer(in []Shape) ([]Shape, error) {
	s, err := broadcast("add", in)
	return []Shape{s}, err
}

// Work implements Op.
func (Add) Work(in, out []Shape) Work { return perElement(1, in, out) }

// InPlace implements InPlacer.
func (Add) InPlace() []int { return []int{0, 1} }

// Diff implements Differentiable.
func (o Add) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	if o.Clip.On() {
		return nil, fused(o.Kind())
	}
	da, err := sumTo(dy, in[0].Shape())
	if err != nil {
		return nil, err
	}
	db, err := sumTo(dy, in[1].Shape())
	return []*Node{da, db}, err
}

// Mul is a * b, element by element, with broadcasting.
type Mul struct{}

// Kind implements Op.
func (Mul) Kind() string { return "mul" }

// Infer implements Op.
func (Mul) Infer(in []Shape) ([]Shape, error) {
	s, err := broadcast("mul", in)
	return []Shape{s}, err
}

// Work implements Op.
func (Mul) Work(in, out []Shape) Work { return perElement(1, in, out) }

// InPlace implements InPlacer.
func (Mul) InPlace() []int { return []int{0, 1} }

// Diff implements Differentiable.
func (Mul) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	grads := make([]*Node, 2)
	for i := range grads {
		var err error
		// A factor that was stretched has the sum of products for its gradient, and
		// the products need not be kept; of two stretched ones they are made whole.
		switch x, other := in[i].Shape(), in[1-i].Shape(); {
		case x.Eq(dy.Shape()):
			grads[i], err = Apply(Mul{}, dy, in[1-i])
		case other.Eq(dy.Shape()):
			grads[i], err = Apply(DotTo{Shape: x}, dy, in[1-i])
		default:
			var full *Node
			if full, err = Apply(Mul{}, dy, in[1-i]); err == nil {
				grads[i], err = sumTo(full, x)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return grads, nil
}

// Power is (x + Shift)^Exponent, element by element: a square, a root or, with a
// negative exponent, the inverse of one.
type Power struct{ Exponent, Shift float64 }

// Kind implements Op.
func (Power) Kind() string { return "power" }

// Infer implements Op.
func (Power) Infer(in []Shape) ([]Shape, error) { return in[:1:1], nil }

// Work implements Op.
func (Power) Work(in, out []Shape) Work { return perElement(4, in, out) }

// InPlace implements InPlacer.
func (Power) InPlace() []int { return []int{0} }

// Diff implements Differentiable.
func (o Power) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	slope, err := Apply(Power{Exponent: o.Exponent - 1, Shift: o.Shift}, in[0])
	if err != nil {
		return nil, err
	}
	if dy, err = Apply(Scale{Factor: o.Exponent}, dy); err != nil {
		return nil, err
	}
	dx, err := Apply(Mul{}, dy, slope)
	return []*Node{dx}, err
}

// Exp is e^x, element by element.
type Exp struct{}

// Kind implements Op.
func (Exp) Kind() string { return "exp" }

// Infer implements Op.
func (Exp) Infer(in []Shape) ([]Shape, error) { return in[:1:1], nil }

// Work implements Op.
func (Exp) Work(in, out []Shape) Work { return perElement(1, in, out) }

// InPlace implements InPlacer.
func (Exp) InPlace() []int { return []int{0} }

// Diff implements Differentiable.
func (Exp) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(Mul{}, dy, out)
	return []*Node{dx}, err
}

// Scale is Factor * x.
type Scale struct{ Factor float64 }

// Kind implements Op.
func (Scale) Kind() string { return "scale" }

// Infer implements Op.
func (Scale) Infer(in []Shape) ([]Shape, error) { return in[:1:1], nil }

// Work implements Op.
func (Scale) Work(in, out []Shape) Work { return perElement(1, in, out) }

// InPlace implements InPlacer.
func (Scale) InPlace() []int { return []int{0} }

// Diff implements Differentiable.
func (o Scale) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(o, dy)
	return []*Node{dx}, err
}
