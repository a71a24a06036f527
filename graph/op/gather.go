package op

import "fmt"

// Gather takes rows of x (..., R, C) by constant indices: row i of the result
// (..., len(Index), C) is row Index[i] of x, or zeros where that is negative. A
// permutation of pixels, such as into windows, is one, as is a look-up in a table.
type Gather struct{ Index []int }

// Kind implements Op.
func (Gather) Kind() string { return "gather" }

// Infer implements Op.
func (o Gather) Infer(in []Shape) ([]Shape, error) {
	x := in[0]
	if len(x) < 2 {
		return nil, fmt.Errorf("gather: its input is %v, want (..., R, C)", x)
	}
	for i, r := range o.Index {
		if r >= x[len(x)-2] {
			return nil, fmt.Errorf("gather: index %d is row %d of an input %v", i, r, x)
		}
	}
	out := x.Clone()
	out[len(x)-2] = len(o.Index)
	return []Shape{out}, nil
}

// Work implements Op.
func (Gather) Work(in, out []Shape) Work { return traffic(0, out, out) }

// Diff implements Differentiable.
func (o Gather) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	x := in[0].Shape()
	dx, err := Apply(GatherGrad{Index: o.Index, Rows: x[len(x)-2]}, dy)
	return []*Node{dx}, err
}

// GatherGrad adds the rows of its input up where a Gather took them from, of so many
// Rows.
type GatherGrad struct {
	Index []int
	Rows  int
}

// Kind implements Op.
func (GatherGrad) Kind() string { return "gather_grad" }

// Infer implements Op.
func (o GatherGrad) Infer(in []Shape) ([]Shape, error) {
	dy := in[0]
	if len(dy) < 2 || dy[len(dy)-2] != len(o.Index) {
		return nil, fmt.Errorf("gather_grad: its input is %v, want (..., %d, C)", dy, len(o.Index))
	}
	out := dy.Clone()
	out[len(dy)-2] = o.Rows
	return []Shape{out}, nil
}

// Work implements Op.
func (GatherGrad) Work(in, out []Shape) Work { return traffic(int64(Size(in[0])), in, out) }
