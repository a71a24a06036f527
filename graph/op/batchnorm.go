package op

import "fmt"

// Inputs of BatchNorm, in order.
const (
	bnX = iota
	bnGamma
	bnBeta
	bnMean
	bnVar
	bnCount
	bnResidual
)

// BatchNorm normalises each channel by the statistics of the batch, as in
// training (Ioffe and Szegedy, arXiv 1502.03167). Inputs: x (..., C), gamma (C),
// beta (C), running mean (C), running variance (C), number of batches seen (a
// scalar), and with Residual a value of x's shape added before ReLU. Results: y,
// then the batch mean (C) and 1/sqrt(variance+Eps) (C) for the backward pass.
//
// As PyTorch does, the biased variance normalises and the unbiased one is
// stored: running += Momentum*(batch - running). With a single element a
// channel the variance stored is the biased one, which is 0, not infinite.
//
// Residual and ReLU are forms that the compiler makes.
type BatchNorm struct {
	Eps      float64
	Momentum float64
	Residual bool
	ReLU     bool
}

// Kind implements Op.
func (BatchNorm) Kind() string { return "batch_norm" }

// Infer implements Op.
func (o BatchNorm) Infer(in []Shape) ([]Shape, error) {
	c, err := checkBN("batch_norm", in, bnCount+1, o.Residual)
	if err != nil {
		return nil, err
	}
	return []Shape{in[bnX], {c}, {c}}, nil
}

func checkBN(kind string, in []Shape, base int, residual bool) (int, error) {
	if want := base + b2i(residual); len(in) != want {
		return 0, fmt.Errorf("%s: %d inputs, want %d", kind, len(in), want)
	}
	x := in[bnX]
	if len(x) < 2 {
		return 0, fmt.Errorf("%s: its input is %v, want (..., C)", kind, x)
	}
	c := x[len(x)-1]
	for i, name := range []string{bnGamma: "gamma", bnBeta: "beta", bnMean: "running mean", bnVar: "running variance"} {
		if i > 0 && (len(in[i]) != 1 || in[i][0] != c) {
			return 0, fmt.Errorf("%s: its %s is %v, want (%d) for an input %v", kind, name, in[i], c, x)
		}
	}
	if residual && !in[base].Eq(x) {
		return 0, fmt.Errorf("%s: its residual is %v, want %v", kind, in[base], x)
	}
	return c, nil
}

// Work implements Op.
func (o BatchNorm) Work(in, out []Shape) Work { return perElement(5, in, out) }

// Mutates implements Mutator.
func (BatchNorm) Mutates() []int { return []int{bnMean, bnVar, bnCount} }

// Constants implements Differentiable's refinement.
func (BatchNorm) Constants() []int { return []int{bnMean, bnVar, bnCount} }

// Diff implements Differentiable.
func (o BatchNorm) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	if o.ReLU || o.Residual {
		return nil, fmt.Errorf("batch_norm: the fused form has no gradient")
	}
	mean, err := Aux(out, 1)
	if err != nil {
		return nil, err
	}
	invStd, err := Aux(out, 2)
	if err != nil {
		return nil, err
	}
	return bnGrads(BatchNormGrad{}, 6, in[bnX], in[bnGamma], mean, invStd, dy)
}

// bnGrads applies a gradient operation with results dx, dgamma and dbeta and
// spreads them over n inputs.
func bnGrads(o Op, n int, in ...*Node) ([]*Node, error) {
	dx, err := Apply(o, in...)
	if err != nil {
		return nil, err
	}
	dgamma, err := Aux(dx, 1)
	if err != nil {
		return nil, err
	}
	dbeta, err := Aux(dx, 2)
	if err != nil {
		return nil, err
	}
	grads := make([]*Node, n)
	grads[bnX], grads[bnGamma], grads[bnBeta] = dx, dgamma, dbeta
	return grads, nil
}

// BatchNormGrad is the gradient of BatchNorm. Inputs: x, gamma, the batch mean,
// 1/std, dy, and with ReLU the fused forward's result y. Results: dx, dgamma (C),
// dbeta (C), and with Residual the gradient of the residual, which is dy where
// y > 0.
type BatchNormGrad struct {
	ReLU     bool
	Residual bool
}

// Kind implements Op.
func (BatchNormGrad) Kind() string { return "batch_norm_grad" }

// Infer implements Op.
func (o BatchNormGrad) Infer(in []Shape) ([]Shape, error) {
	out := []Shape{in[0], in[1], in[1]}
	if o.Residual {
		out = append(out, in[0])
	}
	return out, nil
}

// Work implements Op.
func (o BatchNormGrad) Work(in, out []Shape) Work { return perElement(9, in, out) }

// InPlace implements InPlacer: dx may take dy's memory.
func (o BatchNormGrad) InPlace() []int { return []int{4} }

// BatchNormInference normalises by the running statistics, as in evaluation and
// in frozen layers. Inputs: x, gamma, beta, running mean, running variance, and
// with Residual a value added before ReLU. Result: y.
type BatchNormInference struct {
	Eps      float64
	Residual bool
	ReLU     bool
}

// Kind implements Op.
func (BatchNormInference) Kind() string { return "batch_norm_inference" }

// Infer implements Op.
func (o BatchNormInference) Infer(in []Shape) ([]Shape, error) {
	if _, err := checkBN("batch_norm_inference", in, bnVar+1, o.Residual); err != nil {
		return nil, err
	}
	return in[:1:1], nil
}

// Work implements Op.
func (o BatchNormInference) Work(in, out []Shape) Work { return perElement(2, in, out) }

// InPlace implements InPlacer.
func (o BatchNormInference) InPlace() []int { return []int{bnX} }

// Constants implements Differentiable's refinement.
func (BatchNormInference) Constants() []int { return []int{bnMean, bnVar} }

// Diff implements Differentiable: the statistics are constants.
func (o BatchNormInference) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	if o.ReLU || o.Residual {
		return nil, fmt.Errorf("batch_norm_inference: the fused form has no gradient")
	}
	return bnGrads(BatchNormInferenceGrad{Eps: o.Eps}, 5, in[bnX], in[bnGamma], in[bnMean], in[bnVar], dy)
}

// BatchNormInferenceGrad is the gradient of BatchNormInference. Inputs: x, gamma,
// running mean, running variance, dy. Results: dx, dgamma (C), dbeta (C).
type BatchNormInferenceGrad struct{ Eps float64 }

// Kind implements Op.
func (BatchNormInferenceGrad) Kind() string { return "batch_norm_inference_grad" }

// Infer implements Op.
func (o BatchNormInferenceGrad) Infer(in []Shape) ([]Shape, error) {
	return []Shape{in[0], in[1], in[1]}, nil
}

// Work implements Op.
func (o BatchNormInferenceGrad) Work(in, out []Shape) Work { return perElement(5, in, out) }

// InPlace implements InPlacer.
func (o BatchNormInferenceGrad) InPlace() []int { return []int{4} }
