package op

import (
	"fmt"
	"hash"
	"hash/fnv"
	"sync/atomic"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Node is a value of the graph.
type Node = gorgonia.Node

// Shape is the extent of each axis, slowest first. A scalar has none.
type Shape = tensor.Shape

// Op is one operation: its attributes and the rules about them.
type Op interface {
	// Kind is the operation's name in messages and profiles, such as "conv2d".
	Kind() string
	// Infer returns the shapes of the results for inputs of these shapes, the
	// primary one first, or a sentence saying why the inputs do not fit.
	Infer(in []Shape) ([]Shape, error)
	// Work counts what one run costs.
	Work(in, out []Shape) Work
}

// Differentiable is an Op with a gradient.
type Differentiable interface {
	Op
	// Diff returns for each input the node of its gradient, given the primary
	// result and that result's gradient. It returns nil for an input that has none.
	Diff(in []*Node, out, dy *Node) ([]*Node, error)
}

// InPlacer is an Op whose primary result may take over an input's memory.
type InPlacer interface {
	// InPlace lists the inputs whose memory the primary result may overwrite,
	// the preferred one first.
	InPlace() []int
}

// Viewer is an Op whose result is its first input's memory under another shape.
type Viewer interface{ View() }

// Mutator is an Op that updates some of its inputs, such as running statistics.
type Mutator interface {
	// Mutates lists the inputs that are written.
	Mutates() []int
}

// Work is the cost of an operation: floating point operations, and bytes moved
// when each operand is touched once (of 4-byte elements).
type Work struct {
	FLOPs int64
	Bytes int64
}

// traffic is the Work of flops arithmetic operations over these operands.
func traffic(flops int64, shapes ...[]Shape) Work {
	w := Work{FLOPs: flops}
	for _, list := range shapes {
		for _, s := range list {
			w.Bytes += 4 * int64(Size(s))
		}
	}
	return w
}

// perElement is the Work of n operations for each element of the primary result.
func perElement(n int, in, out []Shape) Work {
	return traffic(int64(n)*int64(Size(out[0])), in, out)
}

// Size is the number of elements of a shape; 1 for a scalar.
func Size(s Shape) int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// last is the extent of the last axis, which is that of channels.
func last(s Shape) int { return s[len(s)-1] }

// checkChannels refuses parameters that are not one value for each channel of x.
func checkChannels(kind string, x Shape, params []Shape) error {
	for _, p := range params {
		if len(p) != 1 || p[0] != last(x) {
			return fmt.Errorf("%s: parameters %v for an input %v, want (%d)", kind, params, x, last(x))
		}
	}
	return nil
}

// instances numbers the nodes made, so that no two hash alike.
var instances atomic.Uint64

// node is an Op as Gorgonia sees it: one instance, with its shapes and types.
type node struct {
	op    Op
	id    uint64
	dtype tensor.Dtype
	dims  []int   // rank of each input
	outs  []Shape // all results
	diff  []bool  // which inputs take part in differentiation
	grads []*Node // what the gradient rule gave, for Gradients
}

var _ gorgonia.SDOp = (*node)(nil)

// Apply adds the operation to the inputs' graph and returns its primary result.
// All inputs must belong to one graph and have one element type.
func Apply(o Op, in ...*Node) (*Node, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("%s: needs at least one input", o.Kind())
	}
	shapes := make([]Shape, len(in))
	n := &node{op: o, id: instances.Add(1), dtype: in[0].Dtype()}
	for i, x := range in {
		if x == nil {
			return nil, fmt.Errorf("%s: input %d is missing", o.Kind(), i)
		}
		if x.Dtype() != n.dtype {
			return nil, fmt.Errorf("%s: input %d (%s) holds %v, input 0 holds %v", o.Kind(), i, x.Name(), x.Dtype(), n.dtype)
		}
		shapes[i] = x.Shape()
		n.dims = append(n.dims, len(shapes[i]))
	}
	outs, err := o.Infer(shapes)
	if err != nil {
		return nil, err
	}
	n.outs = outs
	return n.apply(in)
}

func (n *node) apply(in []*Node) (*Node, error) {
	g := in[0].Graph()
	before := len(g.AllNodes())
	out, err := gorgonia.ApplyOp(n, in...)
	if err != nil {
		return nil, fmt.Errorf("%s: adding it to the graph: %w", n.op.Kind(), err)
	}
	if out.Op() != gorgonia.Op(n) || len(g.AllNodes()) != before+1 {
		return nil, fmt.Errorf("%s: the graph merged it with another node", n.op.Kind())
	}
	return out, nil
}

// Aux returns result k >= 1 of the operation that made n. It can be read but
// not differentiated.
func Aux(n *Node, k int) (*Node, error) {
	src, ok := n.Op().(*node)
	if !ok || k < 1 || k >= len(src.outs) {
		return nil, fmt.Errorf("%s: has no result %d", n.Name(), k)
	}
	a := &node{op: AuxResult{K: k}, id: instances.Add(1), dtype: src.dtype, dims: []int{n.Dims()}, outs: src.outs[k : k+1]}
	return a.apply([]*Node{n})
}

// auxes are results 1 to k of the operation that made n.
func auxes(n *Node, k int) ([]*Node, error) {
	all := make([]*Node, k)
	for i := range all {
		var err error
		if all[i], err = Aux(n, i+1); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// applyAll applies an operation and returns its first k results.
func applyAll(o Op, k int, in ...*Node) ([]*Node, error) {
	first, err := Apply(o, in...)
	if err != nil {
		return nil, err
	}
	rest, err := auxes(first, k-1)
	return append([]*Node{first}, rest...), err
}

// Of returns the operation that made n, or nil for an input and for what
// Gorgonia itself added.
func Of(n *Node) Op {
	if o, ok := n.Op().(*node); ok {
		return o.op
	}
	return nil
}

// ResultShapes are the shapes of all results of the operation that made n.
func ResultShapes(n *Node) []Shape {
	if o, ok := n.Op().(*node); ok {
		return o.outs
	}
	return []Shape{n.Shape()}
}

// Gradients are the nodes that n's gradient rule gave for its inputs, nil before
// differentiation.
func Gradients(n *Node) []*Node {
	if o, ok := n.Op().(*node); ok {
		return o.grads
	}
	return nil
}

// AuxResult stands for result K of its only input. It moves no data.
type AuxResult struct{ K int }

// Kind implements Op.
func (AuxResult) Kind() string { return "aux" }

// Infer implements Op; Aux knows the shape, so it is not asked.
func (AuxResult) Infer(in []Shape) ([]Shape, error) { return in[:1], nil }

// Work implements Op.
func (AuxResult) Work(_, _ []Shape) Work { return Work{} }

// The rest is gorgonia.SDOp.

func (n *node) Arity() int { return len(n.dims) }

func (n *node) Type() hm.Type {
	ts := make([]hm.Type, 0, len(n.dims)+1)
	for _, d := range n.dims {
		ts = append(ts, hmType(n.dtype, d))
	}
	return hm.NewFnType(append(ts, hmType(n.dtype, len(n.outs[0])))...)
}

func hmType(dt tensor.Dtype, dims int) hm.Type {
	if dims == 0 {
		return dt
	}
	return gorgonia.TensorType{Dims: dims, Of: dt}
}

func (n *node) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return n.outs[0].Clone(), nil }

func (n *node) Do(...gorgonia.Value) (gorgonia.Value, error) {
	return nil, fmt.Errorf("%s: runs in a compiled program, not in a Gorgonia machine", n.op.Kind())
}

func (n *node) ReturnsPtr() bool      { return false }
func (n *node) CallsExtern() bool     { return false }
func (n *node) OverwritesInput() int  { return -1 }
func (n *node) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s#%d", n.op.Kind(), n.id) }
func (n *node) String() string        { return n.op.Kind() }

func (n *node) Hashcode() uint32 {
	h := fnv.New32a()
	n.WriteHash(h)
	return h.Sum32()
}

func (n *node) DiffWRT(inputs int) []bool {
	if n.diff == nil {
		n.diff = make([]bool, inputs)
		if d, ok := n.op.(Differentiable); ok {
			skip := map[int]bool{}
			if c, ok := d.(Constants); ok {
				for _, i := range c.Constants() {
					skip[i] = true
				}
			}
			for i := range n.diff {
				n.diff[i] = !skip[i]
			}
		}
	}
	return n.diff
}

// Constants is a Differentiable with inputs that have no gradient, such as labels.
type Constants interface {
	// Constants lists those inputs.
	Constants() []int
}

func (n *node) SymDiff(in gorgonia.Nodes, out, dy *Node) (gorgonia.Nodes, error) {
	d, ok := n.op.(Differentiable)
	if !ok {
		return nil, fmt.Errorf("%s: has no gradient", n.op.Kind())
	}
	grads, err := d.Diff(in, out, dy)
	if err != nil {
		return nil, err
	}
	for i, active := range n.DiffWRT(len(in)) {
		if active && grads[i] == nil {
			return nil, fmt.Errorf("%s: its gradient rule gives none for input %d", n.op.Kind(), i)
		}
	}
	n.grads = grads
	return grads, nil
}
