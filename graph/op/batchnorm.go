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
// scalar), and with Residual a value of x's shape added before Clip. Results: y,
// then the batch mean (C) and 1/sqrt(variance+Eps) (C) for the backward pass.
//
// As PyTorch does, the biased variance normalises and the unbiased one is
// stored: running += Momentum*(batch - running). With a single element a
// channel the variance stored is the biased one, which is 0, not infinite.
//
// Residual, Clip and Given are forms that the compiler makes. With Given the last
// two inputs are the mean (C) and the biased variance (C) of x, which need not be
// taken then.
type BatchNorm struct {
	Eps      float64
	Momentum float64
	Residual bool
	Clip     Clip
	Given    bool
}

// Kind implements Op.
func (BatchNorm) Kind() string { return "batch_norm" }

// Infer implements Op.
func (o BatchNorm) Infer(in []Shape) ([]Shape, error) {
	base, given := in, []Shape(nil)
	if n := len(in) - 2; o.Given && n > 0 {
		base, given = in[:n], in[n:]
	}
	c, err := checkBN("batch_norm", base, bnCount+1, o.Residual)
	if err != nil {
		return nil, err
	}
	for _, s := range given {
		if len(s) != 1 || s[0] != c {
			return nil, fmt.Errorf("batch_norm: the moments given are %v, want (%d) each", given, c)
		}
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
func (o BatchNorm) Work(in, out []Shape) Work { return perElement(5-3*b2i(o.Given), in, out) }

// Mutates implements Mutator.
func (BatchNorm) Mutates() []int { return []int{bnMean, bnVar, bnCount} }

// Constants implements Differentiable's refinement.
func (BatchNorm) Constants() []int { return []int{bnMean, bnVar, bnCount} }

// Diff implements Differentiable.
func (o BatchNorm) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	if o.Clip.On() || o.Residual || o.Given {
		return nil, fused(o.Kind())
	}
	moments, err := auxes(out, 2)
	if err != nil {
		return nil, err
	}
	return bnGrads(BatchNormGrad{}, 6, in[bnX], in[bnGamma], moments[0], moments[1], dy)
}

// bnGrads applies a gradient operation with results dx, dgamma and dbeta and
// spreads them over n inputs.
func bnGrads(o Op, n int, in ...*Node) ([]*Node, error) {
	all, err := applyAll(o, 3, in...)
	if err != nil {
		return nil, err
	}
	grads := make([]*Node, n)
	grads[bnX], grads[bnGamma], grads[bnBeta] = all[0], all[1], all[2]
	return grads, nil
}

// BatchNormGrad is the gradient of BatchNorm. Inputs: x, gamma, the batch mean,
// 1/std and dy. Results: dx, dgamma (C), dbeta (C).
//
// With Clip it is that of the fused form, and g, which is dy where the clip let
// the value pass, stands for dy. One more input tells where that was: beta, from
// which the value is made again, or with Residual the result y. With Share, g is a
// fourth result, the gradient of the residual.
//
// With Given, dgamma and dbeta are known: they are inputs, after g in the place of
// dy, and dx is the only result.
type BatchNormGrad struct {
	Clip     Clip
	Residual bool
	Share    bool
	Given    bool
}

// Inputs of BatchNormGrad, in order.
const (
	bnGradX = iota
	bnGradGamma
	bnGradMean
	bnGradInvStd
	bnGradDY
	bnGradMask
)

// Kind implements Op.
func (BatchNormGrad) Kind() string { return "batch_norm_grad" }

// Infer implements Op.
func (o BatchNormGrad) Infer(in []Shape) ([]Shape, error) {
	if want := bnGradMask + b2i(o.Clip.On()) + 2*b2i(o.Given); len(in) != want {
		return nil, fmt.Errorf("batch_norm_grad: %d inputs, want %d", len(in), want)
	}
	if o.Share && !o.Residual || o.Residual && !o.Clip.On() || o.Clip.On() && o.Given {
		return nil, fmt.Errorf("batch_norm_grad: Share goes with Residual and Residual with Clip; without, the residual's gradient is dy itself. Clip does not go with Given")
	}
	x, c := in[bnGradX], in[bnGradGamma]
	for i, s := range in {
		want := c
		if i == bnGradX || i == bnGradDY || i == bnGradMask && o.Residual {
			want = x
		}
		if !s.Eq(want) {
			return nil, fmt.Errorf("batch_norm_grad: input %d is %v, want %v", i, s, want)
		}
	}
	if o.Given {
		return []Shape{x}, nil
	}
	out := []Shape{x, c, c}
	if o.Share {
		out = append(out, x)
	}
	return out, nil
}

// Work implements Op.
func (o BatchNormGrad) Work(in, out []Shape) Work { return perElement(9-5*b2i(o.Given), in, out) }

// InPlace implements InPlacer: dx may take the memory of dy or of x. What is read
// last costs least to write to.
func (o BatchNormGrad) InPlace() []int {
	if o.Share {
		return []int{bnGradX, bnGradDY}
	}
	return []int{bnGradDY, bnGradX}
}

// NormMask tells, where it is On, of a BatchNorm whose result's gradient is made,
// as the gradient's maker sees it. Its inputs are the norm's x, the batch mean and
// 1/std, and what a BatchNormGrad with the same Clip and Residual needs to see where
// the clip let the value pass: gamma and beta, or with Residual the result y.
type NormMask struct {
	On       bool
	Clip     Clip
	Residual bool
}

// inputs is the number of inputs that a NormMask takes.
func (m NormMask) inputs() int {
	switch {
	case !m.On:
		return 0
	case !m.Clip.On():
		return 3
	case m.Residual:
		return 4
	}
	return 5
}

// check explains what is wrong with these inputs for a map like x.
func (m NormMask) check(kind string, x Shape, in []Shape) error {
	for i, s := range in {
		want := x[len(x)-1:]
		if i == 0 || i == 3 && m.Residual {
			want = x
		}
		if !s.Eq(want) {
			return fmt.Errorf("%s: input %d of the norm is %v, want %v", kind, i, s, want)
		}
	}
	return nil
}

// BatchNormInference normalises by the running statistics, as in evaluation and
// in frozen layers. Inputs: x, gamma, beta, running mean, running variance, and
// with Residual a value added before Clip. Result: y.
type BatchNormInference struct {
	Eps      float64
	Residual bool
	Clip     Clip
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
	if o.Clip.On() || o.Residual {
		return nil, fused(o.Kind())
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
