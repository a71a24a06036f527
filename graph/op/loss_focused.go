package op

import "fmt"

// The losses below weigh down what the network already does well.

// SigmoidFocal is the focal loss of one question a class (Lin et al. 2017, arXiv
// 1708.02002) for logits and targets (N, K): the binary cross-entropy times
// (1-p)^Gamma, for p the probability of what is right, and times Alpha for what is
// there and 1-Alpha for what is not, unless Alpha is negative. It is the mean over all
// elements, or with SumClasses the sum over classes and the mean over the batch.
// Weight (K) multiplies each class's; nil is ones.
type SigmoidFocal struct {
	Alpha, Gamma float64
	SumClasses   bool
	Weight       []float64
}

// Kind implements Op.
func (SigmoidFocal) Kind() string { return "sigmoid_focal" }

// Infer implements Op.
func (o SigmoidFocal) Infer(in []Shape) ([]Shape, error) {
	return classLoss("sigmoid_focal", in, o.Weight)
}

// Work implements Op.
func (SigmoidFocal) Work(in, out []Shape) Work { return traffic(20*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (SigmoidFocal) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (SigmoidFocal) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 2) }

// SoftmaxFocal is the focal loss of one class a row: the mean over the batch of
// -sum(t*(1-p)^Gamma*log p) for p the softmax of logits (N, K) and the target t
// (N, K), which is used as it is.
type SoftmaxFocal struct{ Gamma float64 }

// Kind implements Op.
func (SoftmaxFocal) Kind() string { return "softmax_focal" }

// Infer implements Op.
func (SoftmaxFocal) Infer(in []Shape) ([]Shape, error) { return rowLoss("softmax_focal", in) }

// rowLoss is the shapes of a loss over the rows of (N, K).
func rowLoss(kind string, in []Shape) ([]Shape, error) {
	if len(in) != 2 || len(in[0]) != 2 || !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("%s: inputs %v, want logits (N, K) and a target of their shape", kind, in)
	}
	return []Shape{{}, in[0]}, nil
}

// Work implements Op.
func (SoftmaxFocal) Work(in, out []Shape) Work { return traffic(20*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (SoftmaxFocal) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (SoftmaxFocal) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 2) }

// Asymmetric is the asymmetric loss for many labels (Ridnik et al. 2021, arXiv
// 2009.14119) of logits and targets (N, K), with p = s(x) and q = min(1-p+Clip, 1):
// the sum over classes and the mean over the batch of
// -(1-r)^g * (t*log p + (1-t)*log q), for r = p*t + q*(1-t) and
// g = GammaPos*t + GammaNeg*(1-t). Probabilities below 1e-8 count as that. Weight (K)
// multiplies the loss of each class, PosWeight (K) its first term; nil is ones.
type Asymmetric struct {
	GammaPos, GammaNeg, Clip float64
	Weight, PosWeight        []float64
}

// Kind implements Op.
func (Asymmetric) Kind() string { return "asymmetric" }

// Infer implements Op.
func (o Asymmetric) Infer(in []Shape) ([]Shape, error) {
	return classLoss("asymmetric", in, o.Weight, o.PosWeight)
}

// Work implements Op.
func (Asymmetric) Work(in, out []Shape) Work { return traffic(30*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (Asymmetric) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (Asymmetric) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 2) }

// SoftmaxAsymmetric is the asymmetric loss for one label a row: the mean over the
// batch of -sum(s*(1-r)^g*log p) for p the softmax of logits (N, K), the target t
// (N, K), s = t*(1-Smoothing) + Smoothing/K, r = p*t + (1-p)*(1-t) and
// g = GammaPos*t + GammaNeg*(1-t). timm has it for targets of ones and zeros; here t
// may be shares.
type SoftmaxAsymmetric struct{ GammaPos, GammaNeg, Smoothing float64 }

// Kind implements Op.
func (SoftmaxAsymmetric) Kind() string { return "softmax_asymmetric" }

// Infer implements Op.
func (SoftmaxAsymmetric) Infer(in []Shape) ([]Shape, error) { return rowLoss("softmax_asymmetric", in) }

// Work implements Op.
func (SoftmaxAsymmetric) Work(in, out []Shape) Work { return traffic(30*int64(Size(in[0])), in, out) }

// Constants implements Differentiable's refinement.
func (SoftmaxAsymmetric) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (SoftmaxAsymmetric) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	return lossDiff(out, dy, 2)
}
