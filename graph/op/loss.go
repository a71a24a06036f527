package op

import "fmt"

// Softmax is exp(x)/sum(exp(x)) over the last axis.
type Softmax struct{}

// Kind implements Op.
func (Softmax) Kind() string { return "softmax" }

// Infer implements Op.
func (Softmax) Infer(in []Shape) ([]Shape, error) {
	if len(in[0]) < 1 {
		return nil, fmt.Errorf("softmax: its input is a scalar, want (..., K)")
	}
	return in[:1:1], nil
}

// Work implements Op.
func (Softmax) Work(in, out []Shape) Work { return perElement(5, in, out) }

// InPlace implements InPlacer.
func (Softmax) InPlace() []int { return []int{0} }

// Diff implements Differentiable.
func (Softmax) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(SoftmaxGrad{}, out, dy)
	return []*Node{dx}, err
}

// SoftmaxGrad is y*(dy - sum(y*dy)) over the last axis, for y the softmax.
type SoftmaxGrad struct{}

// Kind implements Op.
func (SoftmaxGrad) Kind() string { return "softmax_grad" }

// Infer implements Op.
func (SoftmaxGrad) Infer(in []Shape) ([]Shape, error) { return in[:1:1], nil }

// Work implements Op.
func (SoftmaxGrad) Work(in, out []Shape) Work { return perElement(4, in, out) }

// InPlace implements InPlacer.
func (SoftmaxGrad) InPlace() []int { return []int{1} }

// The losses below give the mean loss, a scalar, and as second result the
// gradient of that mean for the first input, made in the same pass.

// lossDiff scales the loss's second result by dy, for the first of n inputs.
func lossDiff(out, dy *Node, n int) ([]*Node, error) {
	g, err := Aux(out, 1)
	if err != nil {
		return nil, err
	}
	dx, err := Apply(Mul{}, g, dy)
	if err != nil {
		return nil, err
	}
	grads := make([]*Node, n)
	grads[0] = dx
	return grads, nil
}

// CrossEntropy is the mean over the batch of -sum(t*log softmax(x)) for logits x
// (N, K). The target is a class index a row (N), stored as a number of the
// graph's element type, or with Soft a distribution a row (N, K). Smoothing
// eps mixes the target with the uniform distribution: t*(1-eps) + eps/K.
type CrossEntropy struct {
	Soft      bool
	Smoothing float64
}

// Kind implements Op.
func (CrossEntropy) Kind() string { return "cross_entropy" }

// Infer implements Op.
func (o CrossEntropy) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 2 || len(in[0]) != 2 {
		return nil, fmt.Errorf("cross_entropy: inputs %v, want logits (N, K) and a target", in)
	}
	if want := in[0][:2-b2i(!o.Soft)]; !in[1].Eq(want) {
		return nil, fmt.Errorf("cross_entropy: its target is %v, want %v for logits %v", in[1], want, in[0])
	}
	return []Shape{{}, in[0]}, nil
}

// Work implements Op.
func (CrossEntropy) Work(in, out []Shape) Work { return traffic(8*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (CrossEntropy) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (CrossEntropy) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 2) }

// BCEWithLogits is the binary cross-entropy of s(x) with the target, both (N, K),
// computed from the logits without overflow: the mean over all elements, or
// with SumClasses the sum over classes and the mean over the batch. The target
// is used as it is: smoothing and thresholds belong to whoever makes it.
//
// Weight (K) multiplies the loss of each class, PosWeight (K) its share for what is
// there: w*(p*t*log(1+e^-x) + (1-t)*log(1+e^x)). Neither changes what the sum is
// divided by. nil is ones.
type BCEWithLogits struct {
	SumClasses        bool
	Weight, PosWeight []float64
}

// Kind implements Op.
func (BCEWithLogits) Kind() string { return "bce_with_logits" }

// Infer implements Op.
func (o BCEWithLogits) Infer(in []Shape) ([]Shape, error) {
	return classLoss("bce_with_logits", in, o.Weight, o.PosWeight)
}

// classLoss is elementLoss for (N, K) with weights of the K classes.
func classLoss(kind string, in []Shape, weights ...[]float64) ([]Shape, error) {
	out, err := elementLoss(kind, in)
	if err != nil {
		return nil, err
	}
	for _, w := range weights {
		if w != nil && len(w) != last(in[0]) {
			return nil, fmt.Errorf("%s: %d weights of classes for logits %v", kind, len(w), in[0])
		}
	}
	return out, nil
}

func elementLoss(kind string, in []Shape) ([]Shape, error) {
	if len(in) != 2 || !in[0].Eq(in[1]) || len(in[0]) < 1 {
		return nil, fmt.Errorf("%s: inputs %v, want a prediction and a target of one shape", kind, in)
	}
	return []Shape{{}, in[0]}, nil
}

// Work implements Op.
func (BCEWithLogits) Work(in, out []Shape) Work { return traffic(8*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (BCEWithLogits) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (BCEWithLogits) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 2) }
