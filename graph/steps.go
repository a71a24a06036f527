package graph

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
)

// home is where a value lives.
type home uint8

const (
	inArena  home = iota // between two steps
	inParam              // a parameter's own memory
	inGrad               // a parameter's gradient memory
	inResult             // a result of the program, alive until the next run
)

// value is what a step reads or writes.
type value struct {
	name  string
	shape Shape
	home  home
	param *Param // of inParam and inGrad
	view  *value // the value whose memory this one is, under another shape
	uses  int    // how many step operands read it
	half  bool   // whether it is kept in bfloat16; a view is like what it views

	block *block // of inArena and inResult, shared by values in one memory
}

// root is the value that owns v's memory.
func (v *value) root() *value {
	for v.view != nil {
		v = v.view
	}
	return v
}

// dtype is the element type in memory, in a program of type dt.
func (v *value) dtype(dt op.DType) op.DType {
	if v.root().half {
		return op.BFloat16
	}
	return dt
}

// bytes is the size in memory.
func (v *value) bytes(dt op.DType) int { return op.Size(v.shape) * v.dtype(dt).Bytes() }

// step is one operation of a program.
type step struct {
	op      op.Op
	in, out []*value
	kernel  op.Kernel
	run     func()

	isAgain     bool   // it repeats an earlier step
	ownsScratch bool   // its scratch memory is its own block, not the program's
	scratch     *block // then
}

func (s *step) call(dt op.DType) op.Call {
	c := op.Call{Op: s.op, DType: dt}
	for i, v := range s.in {
		c.In = append(c.In, v.shape)
		if v.root().half {
			c.Narrow.In |= 1 << i
		}
	}
	for i, v := range s.out {
		c.Out = append(c.Out, v.shape)
		if v.root().half {
			c.Narrow.Out |= 1 << i
		}
	}
	return c
}

// lowering turns nodes into steps.
type lowering struct {
	g      *Graph
	values map[*Node]*value
	made   map[*Node]*step
	steps  []*step
}

// lower lists the steps that compute the targets, in an order in which each step
// comes after what it reads.
func lower(g *Graph, targets []*Node) (*lowering, error) {
	l := &lowering{g: g, values: map[*Node]*value{}, made: map[*Node]*step{}}
	return l, g.visit(targets, l.add)
}

func (l *lowering) add(n *Node, children []*Node) error {
	if n.Op() == nil {
		v := &value{name: n.Name(), shape: n.Shape()}
		if p := l.g.owner[n]; p != nil {
			v.home, v.param = inParam, p
		}
		l.values[n] = v
		return nil
	}
	o := op.Of(n)
	if isSum(n) {
		o = op.Add{}
	}
	switch o := o.(type) {
	case nil:
		return fmt.Errorf("node %s holds Gorgonia's own operation %v, which has no kernel", n.Name(), n.Op())
	case op.AuxResult:
		l.values[n] = l.made[children[0]].out[o.K]
		return nil
	case op.Viewer:
		l.values[n] = &value{name: n.Name(), shape: n.Shape(), view: l.values[children[0]]}
		l.made[n] = nil
		return nil
	}
	s := &step{op: o}
	for _, c := range children {
		s.in = append(s.in, l.values[c])
	}
	for _, shape := range op.ResultShapes(n) {
		s.out = append(s.out, &value{name: o.Kind(), shape: shape})
	}
	l.values[n], l.made[n] = s.out[0], s
	l.steps = append(l.steps, s)
	return nil
}

// countUses sets how many operands read each value's memory, counting those that
// must stay after the run as one more.
func countUses(steps []*step, kept map[*value]bool) {
	for _, s := range steps {
		for _, v := range s.out {
			v.uses = 0
		}
	}
	for _, s := range steps {
		for _, v := range s.in {
			v.root().uses++
		}
	}
	for v := range kept {
		v.root().uses++
	}
}

// overwrites lists the operands whose memory the first result may take over, the
// preferred one first.
func (s *step) overwrites() (operands []*value) {
	if o, ok := s.op.(op.InPlacer); ok {
		for _, i := range o.InPlace() {
			if v := s.in[i]; v.shape.Eq(s.out[0].shape) && v.root().half == s.out[0].half {
				operands = append(operands, v)
			}
		}
	}
	return operands
}
