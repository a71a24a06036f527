package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/graph/op"
	gonum "gonum.org/v1/gonum/graph"
	"gorgonia.org/gorgonia"
)

// children are n's inputs in the order of its operation.
func (g *Graph) children(n *Node) []*Node {
	var list []*Node
	for _, c := range gonum.NodesOf(g.expr.From(n.ID())) {
		list = append(list, c.(*Node))
	}
	return list
}

// isSum tells whether Gorgonia itself added n, to sum the gradients of a value
// that is used more than once.
func isSum(n *Node) bool {
	return n.Op() != nil && op.Of(n) == nil && strings.HasPrefix(n.Op().String(), "+ ")
}

// visit walks what the targets need, inputs before their users, each node once.
func (g *Graph) visit(targets []*Node, do func(n *Node, children []*Node) error) error {
	seen := map[*Node]bool{}
	var walk func(n *Node) error
	walk = func(n *Node) error {
		if seen[n] {
			return nil
		}
		seen[n] = true
		if g.expr.Node(n.ID()) != gonum.Node(n) {
			return fmt.Errorf("node %s is no longer part of its graph", n.Name())
		}
		children := g.children(n)
		for _, c := range children {
			if err := walk(c); err != nil {
				return err
			}
		}
		return do(n, children)
	}
	for _, t := range targets {
		if err := walk(t); err != nil {
			return err
		}
	}
	return nil
}

// gradients differentiates the loss with respect to the trained parameters that
// it reaches and that are not frozen. seed is the gradient of the loss itself.
func (g *Graph) gradients(loss, seed *Node) (map[*Param]*Node, error) {
	var wrt gorgonia.Nodes
	moves, err := g.moves(loss)
	if err != nil {
		return nil, err
	}
	err = g.visit([]*Node{loss}, func(n *Node, _ []*Node) error {
		if p := g.owner[n]; p != nil && p.Role.Trained() && !p.Frozen && moves[n] {
			wrt = append(wrt, n)
		}
		return nil
	})
	if err != nil || len(wrt) == 0 {
		return nil, err
	}
	nodes, err := gorgonia.Backpropagate(gorgonia.Nodes{loss}, gorgonia.Nodes{seed}, wrt)
	if err != nil {
		return nil, fmt.Errorf("differentiating the loss: %w", err)
	}
	grads := map[*Param]*Node{}
	for i, n := range wrt {
		if !nodes[i].Shape().Eq(n.Shape()) {
			return nil, fmt.Errorf("%s: its gradient has shape %v, want %v", g.owner[n].Name, nodes[i].Shape(), n.Shape())
		}
		grads[g.owner[n]] = nodes[i]
	}
	return grads, g.checkSums(loss)
}

// moves finds the values to which some gradient of the loss passes.
func (g *Graph) moves(loss *Node) (map[*Node]bool, error) {
	type use struct {
		n        *Node
		children []*Node
	}
	var order []use // inputs before their users
	err := g.visit([]*Node{loss}, func(n *Node, children []*Node) error {
		order = append(order, use{n, children})
		return nil
	})
	moves := map[*Node]bool{loss: true}
	for _, u := range slices.Backward(order) {
		o, differentiable := u.n.Op().(gorgonia.SDOp)
		if !moves[u.n] || !differentiable {
			continue
		}
		for i, passes := range o.DiffWRT(len(u.children)) {
			if passes {
				moves[u.children[i]] = true
			}
		}
	}
	return moves, err
}

// checkSums makes sure that Gorgonia summed what it should: it looks for a sum it
// has already by a 32-bit hash that can collide. For each value that is used more
// than once the sum must hold just the terms that its users' gradients gave.
func (g *Graph) checkSums(loss *Node) error {
	terms := map[*Node][]*Node{}
	err := g.visit([]*Node{loss}, func(n *Node, children []*Node) error {
		for i, t := range op.Gradients(n) {
			if t != nil {
				terms[children[i]] = append(terms[children[i]], t)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for n, want := range terms {
		sum := n.Deriv()
		if sum == nil {
			continue
		}
		var got []*Node
		for range len(want) - 1 {
			c := g.children(sum)
			if !isSum(sum) || len(c) != 2 {
				return fmt.Errorf("the gradient of %s is not the sum of its %d terms", n.Name(), len(want))
			}
			sum, got = c[0], append(got, c[1])
		}
		if !sameNodes(append(got, sum), want) {
			return fmt.Errorf("the graph merged the gradient of %s with another", n.Name())
		}
	}
	return nil
}

// sameNodes tells whether two lists hold the same nodes in any order.
func sameNodes(a, b []*Node) bool {
	count := map[*Node]int{}
	for _, n := range a {
		count[n]++
	}
	for _, n := range b {
		count[n]--
	}
	for _, k := range count {
		if k != 0 {
			return false
		}
	}
	return len(a) == len(b)
}
