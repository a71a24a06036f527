package graph

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Mode is what a graph is for: modules such as batch norm and dropout differ.
type Mode uint8

const (
	// Eval computes results only.
	Eval Mode = iota
	// Train computes gradients and updates running statistics.
	Train
)

// String is "eval" or "train".
func (m Mode) String() string {
	if m == Train {
		return "train"
	}
	return "eval"
}

// Graph is a computation on batches of one shape. Building a graph is not safe
// for several goroutines, not even for different graphs: Gorgonia counts nodes
// globally.
type Graph struct {
	expr   *gorgonia.ExprGraph
	mode   Mode
	dtype  op.DType
	inputs []*Node
	params map[*Param]*Node
	owner  map[*Node]*Param
	stream uint64
	err    error
}

// New returns an empty float32 graph.
func New(mode Mode) *Graph { return NewOf(op.Float32, mode) }

// NewOf is New for an element type; Float64 is for checking gradients.
func NewOf(dt op.DType, mode Mode) *Graph {
	return &Graph{expr: gorgonia.NewGraph(), mode: mode, dtype: dt,
		params: map[*Param]*Node{}, owner: map[*Node]*Param{}}
}

// Training tells whether the graph's mode is Train.
func (g *Graph) Training() bool { return g.mode == Train }

// Err is the first error that building the graph met.
func (g *Graph) Err() error { return g.err }

// Fail makes err the graph's error unless it has one, and returns no node.
// Modules use it to refuse an input.
func (g *Graph) Fail(err error) *Node {
	if g.err == nil {
		g.err = err
	}
	return nil
}

// leaf adds a node without children under a unique name: Gorgonia takes two
// leaves of one name and shape for one.
func (g *Graph) leaf(kind, name string, shape Shape) *Node {
	unique := fmt.Sprintf("%s%d %s", kind, len(g.expr.AllNodes()), name)
	dt := tensor.Float32
	if g.dtype == op.Float64 {
		dt = tensor.Float64
	}
	return gorgonia.NewTensor(g.expr, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(unique))
}

// Input declares a value that is set before each run.
func (g *Graph) Input(name string, shape ...int) *Node {
	for _, d := range shape {
		if d < 1 {
			return g.Fail(fmt.Errorf("input %s: shape %v has an axis without elements", name, shape))
		}
	}
	n := g.leaf("input", name, shape)
	g.inputs = append(g.inputs, n)
	return n
}

// Param is the value of a parameter.
func (g *Graph) Param(p *Param) *Node {
	if n := g.params[p]; n != nil {
		return n
	}
	n := g.leaf("param", p.Name, p.Shape)
	g.params[p], g.owner[n] = n, p
	return n
}

// Apply adds an operation and returns its primary result. It returns nil after
// an error and for a nil input, so that a module can be written without looking
// at errors; Err has them.
func (g *Graph) Apply(o op.Op, in ...*Node) *Node {
	if g.err != nil {
		return nil
	}
	n, err := op.Apply(o, in...)
	if err != nil {
		return g.Fail(err)
	}
	return n
}

// Aux is result k >= 1 of the operation that made n.
func (g *Graph) Aux(n *Node, k int) *Node {
	if g.err != nil {
		return nil
	}
	a, err := op.Aux(n, k)
	if err != nil {
		return g.Fail(err)
	}
	return a
}

// nextStream numbers the random operations in the order of their building, which
// is the same in every graph of a model.
func (g *Graph) nextStream() uint64 {
	g.stream++
	return g.stream
}
