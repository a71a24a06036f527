package op

import (
	"fmt"
	"slices"
)

// Act is an activation function, named as in PyTorch and timm.
type Act string

// The activation functions. With s the logistic function and sp the softplus:
const (
	ReLU        Act = "relu"         // max(x, 0)
	ReLU6       Act = "relu6"        // min(max(x, 0), 6)
	LeakyReLU   Act = "leaky_relu"   // x, or Alpha*x below 0 (PyTorch's default .01)
	ELU         Act = "elu"          // x, or Alpha*(exp(x)-1) below 0 (default 1)
	CELU        Act = "celu"         // x, or Alpha*(exp(x/Alpha)-1) below 0 (default 1)
	SELU        Act = "selu"         // 1.0507*(x, or 1.6733*(exp(x)-1) below 0), arXiv 1706.02515
	GELU        Act = "gelu"         // x*Phi(x) with the exact normal distribution, arXiv 1606.08415
	GELUTanh    Act = "gelu_tanh"    // its approximation by tanh
	QuickGELU   Act = "quick_gelu"   // x*s(1.702x)
	SiLU        Act = "silu"         // x*s(x), arXiv 1702.03118
	Swish       Act = "swish"        // x*s(Alpha*x), arXiv 1710.05941 (default 1, which is SiLU)
	Mish        Act = "mish"         // x*tanh(sp(x)), arXiv 1908.08681
	Sigmoid     Act = "sigmoid"      // s(x)
	Tanh        Act = "tanh"         // tanh(x)
	Softplus    Act = "softplus"     // sp(x) = log(1+exp(x))
	HardSigmoid Act = "hard_sigmoid" // min(max(x/6+1/2, 0), 1)
	HardSwish   Act = "hard_swish"   // x*hard_sigmoid(x), arXiv 1905.02244
	HardMish    Act = "hard_mish"    // x*min(max(x+2, 0), 2)/2
	HardTanh    Act = "hard_tanh"    // min(max(x, -1), 1)
)

// Acts lists the activation functions.
var Acts = []Act{ReLU, ReLU6, LeakyReLU, ELU, CELU, SELU, GELU, GELUTanh, QuickGELU, SiLU, Swish, Mish,
	Sigmoid, Tanh, Softplus, HardSigmoid, HardSwish, HardMish, HardTanh}

// Activation applies a function to each element of a value of any shape.
type Activation struct {
	Func Act
	// Alpha is the parameter of leaky_relu, elu, celu and swish.
	Alpha float64
}

// Kind implements Op.
func (o Activation) Kind() string { return string(o.Func) }

// Infer implements Op.
func (o Activation) Infer(in []Shape) ([]Shape, error) {
	if !slices.Contains(Acts, o.Func) {
		return nil, fmt.Errorf("activation %q is unknown; known are %v", o.Func, Acts)
	}
	return in[:1:1], nil
}

// Work implements Op.
func (o Activation) Work(in, out []Shape) Work { return perElement(1, in, out) }

// InPlace implements InPlacer.
func (o Activation) InPlace() []int { return []int{0} }

// FromOutput tells whether the gradient is computed from the result, so that
// the input need not be kept: where the result tells as much as the input does. The
// others keep their input, which the backward pass can make again where it comes
// from a norm.
func (o Activation) FromOutput() bool {
	switch o.Func {
	case Sigmoid, Tanh, Softplus:
		return true
	case LeakyReLU:
		return o.Alpha >= 0
	}
	return o.Func.Clip().On()
}

// Diff implements Differentiable.
func (o Activation) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	saved := in[0]
	if o.FromOutput() {
		saved = out
	}
	dx, err := Apply(ActivationGrad(o), saved, dy)
	return []*Node{dx}, err
}

// ActivationGrad is the gradient of an Activation: dy times the derivative,
// which is computed from the first input, the activation's result for those
// with FromOutput and its input for the others.
type ActivationGrad struct {
	Func  Act
	Alpha float64
}

// Kind implements Op.
func (o ActivationGrad) Kind() string { return string(o.Func) + "_grad" }

// Infer implements Op.
func (o ActivationGrad) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 2 || !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("%s: inputs %v, want two of one shape", o.Kind(), in)
	}
	return in[:1:1], nil
}

// Work implements Op.
func (o ActivationGrad) Work(in, out []Shape) Work { return perElement(2, in, out) }

// InPlace implements InPlacer.
func (o ActivationGrad) InPlace() []int { return []int{1, 0} }
