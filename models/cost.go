package models

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Cost is the size of a model and what it does for one image.
type Cost struct {
	// Params is the number of trained values.
	Params int64 `json:"params"`
	// MACs is the number of multiplications, each with an addition, in convolutions
	// and linear layers.
	MACs int64 `json:"macs"`
	// Activations is the number of values that convolutions and linear layers
	// give, which tells the memory and time of training better than MACs do
	// (Radosavovic et al., arXiv 2003.13678).
	Activations int64 `json:"activations"`
}

// Measure counts the cost of the model of this name without running it. A
// graph.Graph is built on the way, so calls must not run at the same time as
// other code that builds graphs.
func Measure(name string, o Options) (Cost, error) {
	ps := graph.NewParams(0)
	m, err := New(name, ps.Root(), o)
	if err != nil {
		return Cost{}, err
	}
	c, err := m.work()
	c.Params = int64(ps.Count())
	return c, err
}

// work counts what one image takes.
func (m *Model) work() (Cost, error) {
	g := graph.New(graph.Eval)
	logits := m.Forward(g, g.Input("images", 1, m.Options.ImageSize, m.Options.ImageSize, m.Options.InChans))
	calls, err := g.Calls(logits)
	if err != nil {
		return Cost{}, err
	}
	var c Cost
	for _, call := range calls {
		switch call.Op.(type) {
		case op.Conv2D, op.Linear:
			c.MACs += call.Op.Work(call.In, call.Out).FLOPs / 2
			c.Activations += int64(op.Size(call.Out[0]))
		}
	}
	return c, nil
}
