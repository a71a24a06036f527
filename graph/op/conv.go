package op

import "fmt"

// Conv2D is the cross-correlation of x (N, H, W, C) with w (KH, KW, C/Groups, K),
// giving (N, OH, OW, K). With Bias a third input (K) is added. With Clip the
// result is clipped in the same pass; with Moments the mean (K) and the biased
// variance (K) of each channel are two more results, for a BatchNorm. With Part the
// result is a part of a concatenation's. Trained tells that its gradients are made in
// the same run, so that a device may round bfloat16 as coarsely as theirs. These are
// forms that the compiler makes, without a gradient of their own.
type Conv2D struct {
	Window
	Groups  int
	Bias    bool
	Clip    Clip
	Moments bool
	Part    Part
	Trained bool
}

// Part says, where Wide is not 0, that a result becomes channels from Start on of a
// value with Wide channels. The other channels are those of the last input, a value
// of the same shape, or without Into left open.
type Part struct {
	Wide, Start int
	Into        bool
}

// Kind implements Op.
func (Conv2D) Kind() string { return "conv2d" }

// Infer implements Op.
func (o Conv2D) Infer(in []Shape) ([]Shape, error) {
	if want := 2 + b2i(o.Bias) + b2i(o.Part.Into); len(in) != want {
		return nil, fmt.Errorf("conv2d: %d inputs, want %d", len(in), want)
	}
	n, h, wd, c, err := nhwc("conv2d", in[0])
	if err != nil {
		return nil, err
	}
	w := in[1]
	if len(w) != 4 || w[0] != o.KH || w[1] != o.KW {
		return nil, fmt.Errorf("conv2d: its weight is %v, want (%d, %d, C/groups, K)", w, o.KH, o.KW)
	}
	if o.Groups < 1 || c%o.Groups != 0 || w[3]%o.Groups != 0 {
		return nil, fmt.Errorf("conv2d: %d groups do not divide %d input and %d output channels", o.Groups, c, w[3])
	}
	if w[2]*o.Groups != c {
		return nil, fmt.Errorf("conv2d: the input has %d channels, the weight %v with %d groups wants %d", c, w, o.Groups, w[2]*o.Groups)
	}
	if o.Bias && (len(in[2]) != 1 || in[2][0] != w[3]) {
		return nil, fmt.Errorf("conv2d: its bias is %v, want (%d)", in[2], w[3])
	}
	oh, ow, err := o.Out(h, wd, false)
	if err != nil {
		return nil, fmt.Errorf("conv2d: %w", err)
	}
	out := []Shape{{n, oh, ow, w[3]}}
	if p := o.Part; p.Wide > 0 {
		out[0][3] = p.Wide
		if o.Moments || p.Start < 0 || p.Start+w[3] > p.Wide || p.Into && !in[len(in)-1].Eq(out[0]) {
			return nil, fmt.Errorf("conv2d: %d channels without moments are not the part %+v of %v", w[3], p, out[0])
		}
	}
	if o.Moments {
		out = append(out, Shape{w[3]}, Shape{w[3]})
	}
	return out, nil
}

// Work implements Op.
func (o Conv2D) Work(in, out []Shape) Work {
	y := out[0]
	if o.Part.Wide > 0 {
		y = y.Clone()
		y[3] = in[1][3]
		in, out = in[:2+b2i(o.Bias)], []Shape{y}
	}
	return traffic(convFLOPs(in[1], y), in, out)
}

func convFLOPs(w, y Shape) int64 { return 2 * int64(Size(y)) * int64(w[0]*w[1]*w[2]) }

// InPlace implements InPlacer: a part is written into the whole.
func (o Conv2D) InPlace() []int {
	if o.Part.Into {
		return []int{2 + b2i(o.Bias)}
	}
	return nil
}

// Diff implements Differentiable.
func (o Conv2D) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	if o.Clip.On() || o.Moments || o.Part.Wide > 0 {
		return nil, fused(o.Kind())
	}
	x := in[0].Shape()
	dx, err := Apply(Conv2DInputGrad{Window: o.Window, Groups: o.Groups, H: x[1], W: x[2]}, dy, in[1])
	if err != nil {
		return nil, err
	}
	dw, err := Apply(Conv2DWeightGrad{Window: o.Window, Groups: o.Groups}, in[0], dy)
	if err != nil {
		return nil, err
	}
	if !o.Bias {
		return []*Node{dx, dw}, nil
	}
	db, err := Apply(ColumnSum{}, dy)
	return []*Node{dx, dw, db}, err
}

// Conv2DInputGrad is the gradient of a Conv2D for its input: from dy
// (N, OH, OW, K) and w it gives (N, H, W, C). With Add it is
// added to a third input of the result's shape. With Norm, the convolution's input
// is the result of the BatchNorm that Norm tells of, and so are the inputs that
// follow; the first result is g of BatchNormGrad, and that operation's dgamma (C)
// and dbeta (C) are two more. These are forms that the compiler makes.
type Conv2DInputGrad struct {
	Window
	Groups int
	H, W   int // extent of the input, which the strides leave open
	Add    bool
	Norm   NormMask
}

// Kind implements Op.
func (Conv2DInputGrad) Kind() string { return "conv2d_input_grad" }

// Infer implements Op.
func (o Conv2DInputGrad) Infer(in []Shape) ([]Shape, error) {
	base := 2 + b2i(o.Add)
	if want := base + o.Norm.inputs(); len(in) != want {
		return nil, fmt.Errorf("conv2d_input_grad: %d inputs, want %d", len(in), want)
	}
	x := Shape{in[0][0], o.H, o.W, in[1][2] * o.Groups}
	if o.Add && !in[2].Eq(x) {
		return nil, fmt.Errorf("conv2d_input_grad: what it is added to is %v, want %v", in[2], x)
	}
	if !o.Norm.On {
		return []Shape{x}, nil
	}
	if err := o.Norm.check("conv2d_input_grad", x, in[base:]); err != nil {
		return nil, err
	}
	return []Shape{x, x[3:], x[3:]}, nil
}

// InPlace implements InPlacer: the sum may take the memory of what is added to.
func (o Conv2DInputGrad) InPlace() []int {
	if o.Add {
		return []int{2}
	}
	return nil
}

// Work implements Op.
func (o Conv2DInputGrad) Work(in, out []Shape) Work {
	w := traffic(convFLOPs(in[1], in[0]), in, out)
	if o.Norm.On {
		w.FLOPs += 5 * int64(Size(out[0]))
	}
	return w
}

// Diff implements Differentiable, for which it is a convolution's adjoint: a transposed
// convolution of what is called dy here.
func (o Conv2DInputGrad) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	if o.Add || o.Norm.On {
		return nil, fused(o.Kind())
	}
	dx, err := Apply(Conv2D{Window: o.Window, Groups: o.Groups}, dy, in[1])
	if err != nil {
		return nil, err
	}
	dw, err := Apply(Conv2DWeightGrad{Window: o.Window, Groups: o.Groups}, dy, in[0])
	return []*Node{dx, dw}, err
}

// Conv2DWeightGrad is the gradient of a Conv2D for its weight: from x
// (N, H, W, C) and dy (N, OH, OW, K) it gives (KH, KW, C/Groups, K).
type Conv2DWeightGrad struct {
	Window
	Groups int
}

// Kind implements Op.
func (Conv2DWeightGrad) Kind() string { return "conv2d_weight_grad" }

// Infer implements Op.
func (o Conv2DWeightGrad) Infer(in []Shape) ([]Shape, error) {
	return []Shape{{o.KH, o.KW, in[0][3] / o.Groups, in[1][3]}}, nil
}

// Work implements Op.
func (o Conv2DWeightGrad) Work(in, out []Shape) Work {
	return traffic(convFLOPs(out[0], in[1]), in, out)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
