package op

import "fmt"

// PReLU is x (..., C), times weight (C) where it is not above 0 (He et al., arXiv
// 1502.01852).
type PReLU struct{}

// Kind implements Op.
func (PReLU) Kind() string { return "prelu" }

// Infer implements Op.
func (PReLU) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 2 || len(in[0]) < 1 {
		return nil, fmt.Errorf("prelu: inputs %v, want x (..., C) and a weight (C)", in)
	}
	return in[:1:1], checkChannels("prelu", in[0], in[1:])
}

// Work implements Op.
func (PReLU) Work(in, out []Shape) Work { return perElement(1, in, out) }

// InPlace implements InPlacer.
func (PReLU) InPlace() []int { return []int{0} }

// Diff implements Differentiable.
func (PReLU) Diff(in []*Node, _, dy *Node) ([]*Node, error) {
	return applyAll(PReLUGrad{}, 2, in[0], in[1], dy)
}

// PReLUGrad is the gradient of a PReLU. Inputs: x (..., C), weight (C), dy (..., C).
// Results: dx and the weight's gradient (C), the sum of dy*x where x is below 0.
type PReLUGrad struct{}

// Kind implements Op.
func (PReLUGrad) Kind() string { return "prelu_grad" }

// Infer implements Op.
func (PReLUGrad) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 3 || !in[0].Eq(in[2]) {
		return nil, fmt.Errorf("prelu_grad: inputs %v, want x, the weight and dy", in)
	}
	return []Shape{in[0], in[1]}, nil
}

// Work implements Op.
func (PReLUGrad) Work(in, out []Shape) Work { return perElement(3, in, out) }

// InPlace implements InPlacer.
func (PReLUGrad) InPlace() []int { return []int{2, 0} }
