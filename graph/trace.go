package graph

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
)

// Operand is a value of a trace: what an operation reads or makes.
type Operand struct {
	// ID tells values apart; a value under another shape has another.
	ID int
	// Shape is its extent.
	Shape Shape
	// Param is set for a parameter, Input for an input of the graph.
	Param *Param
	Input bool
	// Node is what computes it, nil for results beyond an operation's first.
	Node *Node
}

// Traced is one operation of a trace. A change of shape alone is an op.Reshape.
type Traced struct {
	Op      op.Op
	In, Out []Operand
}

// Trace lists the operations that compute the outputs with what they read and make, in an
// order in which they could run, as they were built: before any fusion. It serves to write
// a network down for other runtimes.
func (g *Graph) Trace(outputs ...*Node) ([]Traced, error) {
	if g.err != nil {
		return nil, g.err
	}
	made := map[*Node][]Operand{}
	var list []Traced
	id := 0
	operand := func(n *Node, shape Shape) Operand {
		id++
		return Operand{ID: id, Shape: shape, Node: n}
	}
	err := g.visit(outputs, func(n *Node, children []*Node) error {
		if n.Op() == nil {
			v := operand(n, n.Shape())
			v.Param = g.owner[n]
			v.Input = v.Param == nil
			made[n] = []Operand{v}
			return nil
		}
		o := op.Of(n)
		switch o := o.(type) {
		case nil:
			return fmt.Errorf("node %s holds Gorgonia's own operation %v", n.Name(), n.Op())
		case op.AuxResult:
			v := made[children[0]][o.K]
			v.Node = n
			made[n] = []Operand{v}
			return nil
		}
		t := Traced{Op: o}
		for _, c := range children {
			t.In = append(t.In, made[c][0])
		}
		for i, shape := range op.ResultShapes(n) {
			v := operand(nil, shape)
			if i == 0 {
				v.Node = n
			}
			t.Out = append(t.Out, v)
		}
		made[n] = t.Out
		list = append(list, t)
		return nil
	})
	return list, err
}
