package op

import "fmt"

// MaxPool is the maximum over each window of x (N, H, W, C). Padding never wins.
// Among equal values the first one, in row-major order, takes the gradient, as
// in PyTorch; a NaN wins. The second result holds the winners' positions inside
// their windows for the backward pass.
type MaxPool struct {
	Window
	// Ceil counts a last window that is cut off.
	Ceil bool
}

// Kind implements Op.
func (MaxPool) Kind() string { return "max_pool" }

// Infer implements Op.
func (o MaxPool) Infer(in []Shape) ([]Shape, error) {
	y, err := pooled("max_pool", o.Window, o.Ceil, in[0])
	if err != nil {
		return nil, err
	}
	return []Shape{y, y}, nil
}

func pooled(kind string, w Window, ceil bool, x Shape) (Shape, error) {
	n, h, wd, c, err := nhwc(kind, x)
	if err != nil {
		return nil, err
	}
	if 2*max(w.PadTop, w.PadBottom) > w.DilationH*(w.KH-1)+1 || 2*max(w.PadLeft, w.PadRight) > w.DilationW*(w.KW-1)+1 {
		return nil, fmt.Errorf("%s: padding (top %d, bottom %d, left %d, right %d) is more than half of the %dx%d window", kind, w.PadTop, w.PadBottom, w.PadLeft, w.PadRight, w.KH, w.KW)
	}
	oh, ow, err := w.Out(h, wd, ceil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return Shape{n, oh, ow, c}, nil
}

// Work implements Op.
func (o MaxPool) Work(in, out []Shape) Work { return perElement(o.KH*o.KW, in, out) }

// Diff implements Differentiable.
func (o MaxPool) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	winners, err := Aux(out, 1)
	if err != nil {
		return nil, err
	}
	x := in[0].Shape()
	dx, err := Apply(MaxPoolGrad{Window: o.Window, H: x[1], W: x[2]}, winners, dy)
	return []*Node{dx}, err
}

// MaxPoolGrad hands dy to the winners of a MaxPool. Inputs: the winners and dy,
// both (N, OH, OW, C); result (N, H, W, C).
type MaxPoolGrad struct {
	Window
	H, W int
}

// Kind implements Op.
func (MaxPoolGrad) Kind() string { return "max_pool_grad" }

// Infer implements Op.
func (o MaxPoolGrad) Infer(in []Shape) ([]Shape, error) {
	return []Shape{{in[0][0], o.H, o.W, in[0][3]}}, nil
}

// Work implements Op.
func (o MaxPoolGrad) Work(in, out []Shape) Work { return perElement(1, in, out) }

// AvgPool is the mean over each window of x (N, H, W, C).
type AvgPool struct {
	Window
	Ceil bool
	// CountPad divides by the whole window even where it covers padding
	// (PyTorch's count_include_pad); what ceil mode adds beyond the padding
	// never counts.
	CountPad bool
}

// Kind implements Op.
func (AvgPool) Kind() string { return "avg_pool" }

// Infer implements Op.
func (o AvgPool) Infer(in []Shape) ([]Shape, error) {
	y, err := pooled("avg_pool", o.Window, o.Ceil, in[0])
	return []Shape{y}, err
}

// Work implements Op.
func (o AvgPool) Work(in, out []Shape) Work { return perElement(o.KH*o.KW, in, out) }

// Diff implements Differentiable.
func (o AvgPool) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	x := in[0].Shape()
	dx, err := Apply(AvgPoolGrad{Window: o.Window, CountPad: o.CountPad, H: x[1], W: x[2]}, dy)
	return []*Node{dx}, err
}

// AvgPoolGrad spreads dy (N, OH, OW, C) over the windows of an AvgPool, giving
// (N, H, W, C).
type AvgPoolGrad struct {
	Window
	CountPad bool
	H, W     int
}

// Kind implements Op.
func (AvgPoolGrad) Kind() string { return "avg_pool_grad" }

// Infer implements Op.
func (o AvgPoolGrad) Infer(in []Shape) ([]Shape, error) {
	return []Shape{{in[0][0], o.H, o.W, in[0][3]}}, nil
}

// Work implements Op.
func (o AvgPoolGrad) Work(in, out []Shape) Work { return perElement(o.KH*o.KW, in, out) }

// GlobalAvgPool is the mean over height and width: (N, H, W, C) to (N, C).
type GlobalAvgPool struct{}

// Kind implements Op.
func (GlobalAvgPool) Kind() string { return "global_avg_pool" }

// Infer implements Op.
func (GlobalAvgPool) Infer(in []Shape) ([]Shape, error) {
	n, _, _, c, err := nhwc("global_avg_pool", in[0])
	return []Shape{{n, c}}, err
}

// Work implements Op.
func (GlobalAvgPool) Work(in, out []Shape) Work { return traffic(int64(Size(in[0])), in, out) }

// Diff implements Differentiable.
func (GlobalAvgPool) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	x := in[0].Shape()
	dx, err := Apply(GlobalAvgPoolGrad{H: x[1], W: x[2]}, dy)
	return []*Node{dx}, err
}

// GlobalAvgPoolGrad spreads dy (N, C) evenly over (N, H, W, C).
type GlobalAvgPoolGrad struct{ H, W int }

// Kind implements Op.
func (GlobalAvgPoolGrad) Kind() string { return "global_avg_pool_grad" }

// Infer implements Op.
func (o GlobalAvgPoolGrad) Infer(in []Shape) ([]Shape, error) {
	return []Shape{{in[0][0], o.H, o.W, in[0][1]}}, nil
}

// Work implements Op.
func (GlobalAvgPoolGrad) Work(in, out []Shape) Work { return perElement(1, in, out) }
