package op

import "fmt"

// Linear is x (..., I) times w (I, O), plus a bias (O) with Bias, giving (..., O). With
// Clip, a form that the compiler makes, the result is clipped in the same pass.
type Linear struct {
	Bias bool
	Clip Clip
}

// Kind implements Op.
func (Linear) Kind() string { return "linear" }

// Infer implements Op.
func (o Linear) Infer(in []Shape) ([]Shape, error) {
	if want := 2 + b2i(o.Bias); len(in) != want {
		return nil, fmt.Errorf("linear: %d inputs, want %d", len(in), want)
	}
	x, w := in[0], in[1]
	if len(x) < 2 || len(w) != 2 || last(x) != w[0] {
		return nil, fmt.Errorf("linear: input %v does not fit weight %v, want (..., I) and (I, O)", x, w)
	}
	if o.Bias && (len(in[2]) != 1 || in[2][0] != w[1]) {
		return nil, fmt.Errorf("linear: its bias is %v, want (%d)", in[2], w[1])
	}
	return []Shape{withLast(x, w[1])}, nil
}

// Work implements Op.
func (o Linear) Work(in, out []Shape) Work {
	return traffic(2*int64(Size(out[0]))*int64(in[1][0]), in, out)
}

// withLast is a shape with another extent of its last axis.
func withLast(s Shape, n int) Shape {
	s = s.Clone()
	s[len(s)-1] = n
	return s
}

// Diff implements Differentiable.
func (o Linear) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	if o.Clip.On() {
		return nil, fused(o.Kind())
	}
	dx, err := Apply(LinearInputGrad{}, dy, in[1])
	if err != nil {
		return nil, err
	}
	dw, err := Apply(LinearWeightGrad{}, in[0], dy)
	if err != nil {
		return nil, err
	}
	if !o.Bias {
		return []*Node{dx, dw}, nil
	}
	db, err := Apply(ColumnSum{}, dy)
	return []*Node{dx, dw, db}, err
}

// LinearInputGrad is dy (..., O) times the transpose of w (I, O), giving (..., I).
type LinearInputGrad struct{}

// Kind implements Op.
func (LinearInputGrad) Kind() string { return "linear_input_grad" }

// Infer implements Op.
func (LinearInputGrad) Infer(in []Shape) ([]Shape, error) {
	return []Shape{withLast(in[0], in[1][0])}, nil
}

// Work implements Op.
func (LinearInputGrad) Work(in, out []Shape) Work {
	return traffic(2*int64(Size(in[0]))*int64(in[1][0]), in, out)
}

// LinearWeightGrad is the transpose of x (..., I) times dy (..., O), giving (I, O).
type LinearWeightGrad struct{}

// Kind implements Op.
func (LinearWeightGrad) Kind() string { return "linear_weight_grad" }

// Infer implements Op.
func (LinearWeightGrad) Infer(in []Shape) ([]Shape, error) {
	return []Shape{{last(in[0]), last(in[1])}}, nil
}

// Work implements Op.
func (LinearWeightGrad) Work(in, out []Shape) Work {
	return traffic(2*int64(Size(in[1]))*int64(last(in[0])), in, out)
}
