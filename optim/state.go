package optim

import (
	"fmt"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// slowSlot names the slow weights of lookahead, as timm does.
const slowSlot = "lookahead_slow_buff"

// state is what an optimizer keeps: slots that lie like the parameters' memory, and
// values of its own for each parameter, in one piece of memory.
type state struct {
	slots []string
	own   *graph.Params // nil without any
	tied  []tied        // the own values of each parameter, in the order of the groups
}

// tied are the values that Adafactor and Muon keep of a parameter, nil for none.
type tied struct {
	of                       *graph.Param
	row, col, square, moment *graph.Param
	factored                 [2]int // axes of the file: of the rows and of the columns
	matrix                   bool   // that Muon orthogonalises
}

// newState declares the state of a configuration that is filled in.
func newState(c Config, f family, dt op.DType, params []*graph.Param) state {
	r := f.rule(c)
	s := state{slots: f.slots[:min(len(f.slots), r.States())]}
	if c.LookaheadK > 0 {
		s.slots = append(slices.Clone(s.slots), slowSlot)
	}
	switch r := r.(type) {
	case op.Adafactor:
		s.own = graph.NewParamsOf(dt, 0)
		for _, p := range params {
			s.tied = append(s.tied, s.factors(p, r.Beta1 > 0))
		}
	case op.Muon:
		s.own = graph.NewParamsOf(dt, 0)
		for _, p := range params {
			s.tied = append(s.tied, s.muon(p, c.Muon))
		}
	}
	return s
}

// like declares a value of a parameter's own shape.
func (s *state) like(p *graph.Param, slot string) *graph.Param {
	return s.declare(p, slot, p.Shape, p.Layout)
}

func (s *state) declare(p *graph.Param, slot string, shape graph.Shape, l graph.Layout) *graph.Param {
	return s.own.Root().Param(slot+"."+p.Name, shape, l, graph.Statistic, graph.Zeros)
}

// leastFactored is the extent above which axes are factored.
const leastFactored = 16

// factors declares what Adafactor keeps of a parameter. As in timm the factored axes are
// the outputs and inputs of a convolution, where there are enough, or else the last two.
func (s *state) factors(p *graph.Param, moment bool) tied {
	t := tied{of: p}
	if moment {
		t.moment = s.like(p, "exp_avg")
	}
	file := p.FileShape()
	n := len(file)
	switch {
	case n > 2 && file[0] > leastFactored && file[1] > leastFactored:
		t.factored = [2]int{0, 1}
	case n >= 2 && file[n-2] > leastFactored && file[n-1] > leastFactored:
		t.factored = [2]int{n - 2, n - 1}
	default:
		t.square = s.like(p, "exp_avg_sq")
		return t
	}
	shape, layout := p.Without(t.factored[1])
	t.row = s.declare(p, "exp_avg_sq_row", shape, layout)
	shape, layout = p.Without(t.factored[0])
	t.col = s.declare(p, "exp_avg_sq_col", shape, layout)
	return t
}

// factors is how Adafactor finds the values once they have memory.
func (t tied) factors() op.Factors {
	extents, owner := t.of.Axes()
	f := op.Factors{Axes: extents}
	if t.moment != nil {
		f.MomentAt = t.moment.Offset()
	}
	if t.square != nil {
		f.SquareAt = t.square.Offset()
		return f
	}
	f.RowAt, f.ColAt = t.row.Offset(), t.col.Offset()
	f.Row, f.Col = strides(extents, owner, t.factored[1]), strides(extents, owner, t.factored[0])
	f.Mean = strides(extents, owner, t.factored[0], t.factored[1])
	return f
}

// strides are the steps of axes in memory from which those of some axes of the file are
// left out.
func strides(extents, owner []int, out ...int) []int {
	steps := make([]int, len(extents))
	n := 1
	for i := len(extents) - 1; i >= 0; i-- {
		if !slices.Contains(out, owner[i]) {
			steps[i] = n
			n *= extents[i]
		}
	}
	return steps
}

// bytes is what the state takes.
func (s state) bytes(trained op.Buffer) int {
	n := len(s.slots) * trained.Len()
	if s.own != nil {
		n += s.own.Bytes()
	}
	return n
}

// bindRule completes a configuration's rule by where the values lie.
func (s state) bindRule(r op.Rule, c Config) op.Rule {
	switch r := r.(type) {
	case op.Adafactor:
		for _, t := range s.tied {
			r.Factors = append(r.Factors, t.factors())
		}
		return r
	case op.Muon:
		for _, t := range s.tied {
			r.Matrices = append(r.Matrices, t.asMatrix(c.Muon))
		}
		return r
	}
	return r
}

// StateBytes is the memory that the optimizer's state of all parameters takes that are
// trained.
func (c Config) StateBytes(ps *graph.Params) (int, error) {
	c, f, err := c.fill()
	if err != nil {
		return 0, err
	}
	var trained []*graph.Param
	for _, p := range ps.All() {
		if p.Role.Trained() && !p.Frozen {
			trained = append(trained, p)
		}
	}
	return newState(c, f, ps.DType(), trained).bytes(ps.Trained()), nil
}

// EachState visits the state of every parameter, under names such as
// exp_avg.layer1.0.conv1.weight, which PyTorch gives its parts. memory is laid out for p,
// whose shape and layout are the value's.
func (o *Optimizer) EachState(visit func(name string, p *graph.Param, memory op.Buffer) error) error {
	for i, slot := range o.state.slots {
		for _, g := range o.groups {
			for _, p := range g.Params {
				if err := visit(slot+"."+p.Name, p, o.slots[i]); err != nil {
					return err
				}
			}
		}
	}
	if o.state.own == nil {
		return nil
	}
	for _, p := range o.state.own.All() {
		if err := visit(p.Name, p, o.state.own.Statistics()); err != nil {
			return err
		}
	}
	return nil
}

// Buffers are the memory of the whole state.
func (o *Optimizer) Buffers() []op.Buffer {
	list := slices.Clone(o.slots)
	if o.state.own != nil {
		list = append(list, o.state.own.Statistics())
	}
	return list
}

// allocate gives the state memory, zeros.
func (o *Optimizer) allocate(name string) error {
	dev := o.ps.Device()
	for range o.state.slots {
		b, err := dev.Alloc(o.ps.Trained().Len())
		if err != nil {
			return fmt.Errorf("allocating the state of optimizer %s: %w", name, err)
		}
		o.slots = append(o.slots, b)
	}
	if o.state.own == nil {
		return nil
	}
	if err := o.state.own.Place(dev); err != nil {
		return fmt.Errorf("allocating the state of optimizer %s: %w", name, err)
	}
	return nil
}
