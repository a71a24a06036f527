package op

import "fmt"

// Reshape gives its input's elements, in order, another shape. It moves no data.
type Reshape struct{ To Shape }

// Kind implements Op.
func (Reshape) Kind() string { return "reshape" }

// View implements Viewer.
func (Reshape) View() {}

// Infer implements Op.
func (o Reshape) Infer(in []Shape) ([]Shape, error) {
	if Size(in[0]) != Size(o.To) {
		return nil, fmt.Errorf("reshape: %v has %d elements, %v has %d", in[0], Size(in[0]), o.To, Size(o.To))
	}
	return []Shape{o.To}, nil
}

// Work implements Op.
func (Reshape) Work(_, _ []Shape) Work { return Work{} }

// Diff implements Differentiable.
func (o Reshape) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(Reshape{To: in[0].Shape()}, dy)
	return []*Node{dx}, err
}

// Detach is its input as a constant: no gradient passes it. It moves no data.
type Detach struct{}

// Kind implements Op.
func (Detach) Kind() string { return "detach" }

// View implements Viewer.
func (Detach) View() {}

// Infer implements Op.
func (Detach) Infer(in []Shape) ([]Shape, error) { return in[:1:1], nil }

// Work implements Op.
func (Detach) Work(_, _ []Shape) Work { return Work{} }

// Permute puts the axes of its input in another order: axis i of the result is axis
// Axes[i] of the input.
type Permute struct{ Axes []int }

// Kind implements Op.
func (Permute) Kind() string { return "permute" }

// Infer implements Op.
func (o Permute) Infer(in []Shape) ([]Shape, error) {
	x := in[0]
	out, seen := make(Shape, len(o.Axes)), make([]bool, len(x))
	for i, a := range o.Axes {
		if len(o.Axes) != len(x) || a < 0 || a >= len(x) || seen[a] {
			return nil, fmt.Errorf("permute: %v is no order of the axes of %v", o.Axes, x)
		}
		out[i], seen[a] = x[a], true
	}
	return []Shape{out}, nil
}

// Work implements Op.
func (Permute) Work(in, out []Shape) Work { return traffic(0, in, out) }

// Diff implements Differentiable.
func (o Permute) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	back := make([]int, len(o.Axes))
	for i, a := range o.Axes {
		back[a] = i
	}
	dx, err := Apply(Permute{Axes: back}, dy)
	return []*Node{dx}, err
}

// Concat joins its inputs along Axis; their other axes are equal.
type Concat struct{ Axis int }

// Kind implements Op.
func (Concat) Kind() string { return "concat" }

// Infer implements Op.
func (o Concat) Infer(in []Shape) ([]Shape, error) {
	out := in[0].Clone()
	if o.Axis < 0 || o.Axis >= len(out) {
		return nil, fmt.Errorf("concat: axis %d of a value %v", o.Axis, in[0])
	}
	for _, s := range in[1:] {
		if len(s) != len(out) {
			return nil, fmt.Errorf("concat: %v and %v differ in rank", in[0], s)
		}
		for i := range s {
			if i != o.Axis && s[i] != out[i] {
				return nil, fmt.Errorf("concat: %v and %v differ outside axis %d", in[0], s, o.Axis)
			}
		}
		out[o.Axis] += s[o.Axis]
	}
	return []Shape{out}, nil
}

// Work implements Op.
func (Concat) Work(in, out []Shape) Work { return traffic(0, in, out) }

// Diff implements Differentiable.
func (o Concat) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	grads := make([]*Node, len(in))
	at := 0
	for i, x := range in {
		n := x.Shape()[o.Axis]
		g, err := Apply(Slice{Axis: o.Axis, Start: at, End: at + n}, dy)
		if err != nil {
			return nil, err
		}
		grads[i] = g
		at += n
	}
	return grads, nil
}

// Slice is the part [Start, End) of Axis, or each Stride-th element of it.
type Slice struct{ Axis, Start, End, Stride int }

// step is the stride, 1 where it is left out.
func (o Slice) step() int { return max(o.Stride, 1) }

// Kind implements Op.
func (Slice) Kind() string { return "slice" }

// Infer implements Op.
func (o Slice) Infer(in []Shape) ([]Shape, error) {
	x := in[0]
	if o.Axis < 0 || o.Axis >= len(x) {
		return nil, fmt.Errorf("slice: axis %d of a value %v", o.Axis, x)
	}
	if o.Start < 0 || o.End > x[o.Axis] || o.Start >= o.End {
		return nil, fmt.Errorf("slice: [%d, %d) of axis %d of a value %v", o.Start, o.End, o.Axis, x)
	}
	out := x.Clone()
	out[o.Axis] = (o.End - o.Start + o.step() - 1) / o.step()
	return []Shape{out}, nil
}

// Work implements Op.
func (Slice) Work(in, out []Shape) Work { return traffic(0, out, out) }

// Diff implements Differentiable.
func (o Slice) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(SliceGrad{Slice: o, Size: in[0].Shape()[o.Axis]}, dy)
	return []*Node{dx}, err
}

// SliceGrad puts its input where a Slice took it from, in zeros; Size is the
// extent of the axis.
type SliceGrad struct {
	Slice
	Size int
}

// Kind implements Op.
func (SliceGrad) Kind() string { return "slice_grad" }

// Infer implements Op.
func (o SliceGrad) Infer(in []Shape) ([]Shape, error) {
	out := in[0].Clone()
	out[o.Axis] = o.Size
	return []Shape{out}, nil
}

// Work implements Op.
func (SliceGrad) Work(in, out []Shape) Work { return traffic(0, in, out) }

// Diff implements Differentiable.
func (o SliceGrad) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	dx, err := Apply(o.Slice, dy)
	return []*Node{dx}, err
}
