package op

import "fmt"

// LayerNorm normalises each row of x (..., C) by its own mean and biased variance
// (Ba et al., arXiv 1607.06450): y = gamma*(x-mean)/sqrt(var+Eps) + beta, with gamma and
// beta (C). With Root it is y = gamma*x/sqrt(mean of x^2 + Eps) (Zhang and Sennrich, arXiv
// 1910.07467), without beta. Results: y; each row's mean, 0 with Root, and its factor
// 1/sqrt(...), which have the shape of x without its last axis.
type LayerNorm struct {
	Eps  float64
	Root bool
}

// Kind implements Op.
func (LayerNorm) Kind() string { return "layer_norm" }

// Infer implements Op.
func (o LayerNorm) Infer(in []Shape) ([]Shape, error) {
	if want := 3 - b2i(o.Root); len(in) != want {
		return nil, fmt.Errorf("layer_norm: %d inputs, want %d", len(in), want)
	}
	x := in[0]
	if len(x) < 2 {
		return nil, fmt.Errorf("layer_norm: its input is %v, want (..., C)", x)
	}
	rows := x[:len(x)-1]
	return []Shape{x, rows, rows}, checkChannels("layer_norm", x, in[1:])
}

// Work implements Op.
func (LayerNorm) Work(in, out []Shape) Work { return perElement(7, in, out) }

// InPlace implements InPlacer.
func (LayerNorm) InPlace() []int { return []int{0} }

// Diff implements Differentiable.
func (o LayerNorm) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	return normDiff(LayerNormGrad(o), o.Root, in, out, dy)
}

// normDiff is the gradients of a norm that keeps the means and factors: grad has x,
// gamma, the means, the factors and dy as inputs, and dx, dgamma and dbeta as results.
func normDiff(grad Op, root bool, in []*Node, out, dy *Node) ([]*Node, error) {
	kept, err := auxes(out, 2)
	if err != nil {
		return nil, err
	}
	return applyAll(grad, 3-b2i(root), in[0], in[1], kept[0], kept[1], dy)
}

// LayerNormGrad is the gradient of a LayerNorm. Inputs: x (..., C), gamma (C), the
// means and factors, dy (..., C). Results: dx, dgamma (C) and dbeta (C).
type LayerNormGrad struct {
	Eps  float64
	Root bool
}

// Kind implements Op.
func (LayerNormGrad) Kind() string { return "layer_norm_grad" }

// Infer implements Op.
func (LayerNormGrad) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 5 || !in[0].Eq(in[4]) {
		return nil, fmt.Errorf("layer_norm_grad: inputs %v, want x, gamma, the means, the factors and dy", in)
	}
	return []Shape{in[0], in[1], in[1]}, nil
}

// Work implements Op.
func (LayerNormGrad) Work(in, out []Shape) Work { return perElement(12, in, out) }

// InPlace implements InPlacer.
func (LayerNormGrad) InPlace() []int { return []int{4} }
