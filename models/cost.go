package models

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Cost is the size of a model and what it does for one image.
type Cost struct {
	// Params is the number of trained values.
	Params int64 `json:"params"`
	// MACs is the number of multiplications, each with an addition, in convolutions,
	// linear layers and products of matrices, those of attentions among them. It is
	// what fvcore counts, less its small shares for norms and resizing.
	MACs int64 `json:"macs"`
	// Activations is the number of values that these give, an attention's logits
	// among them, which tells the memory and time of training better than MACs do
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
	_, c, err := m.Layers(ps)
	return c, err
}

// Layer is one operation of a model and what it costs for one image.
type Layer struct {
	// Name is that of the layer with the parameters, "" where there are none.
	Name string `json:"name"`
	// Op is the operation, Output the shape of its result without the batch: (H, W, C)
	// or (C).
	Op     string `json:"op"`
	Output []int  `json:"output"`
	Cost
}

// Layers lists the operations of the model, which has these parameters, in the order of
// computation, without those that only change a shape, and gives what all cost together.
func (m *Model) Layers(ps *graph.Params) (list []Layer, all Cost, err error) {
	g := graph.New(graph.Eval)
	trace, err := g.Trace(m.Forward(g, g.Input("images", 1, m.Options.ImageSize, m.Options.ImageSize, m.Options.InChans)))
	all.Params = int64(ps.Count())
	counted := map[*graph.Param]bool{}
	for _, s := range trace {
		if _, view := s.Op.(op.Viewer); view {
			continue
		}
		l := Layer{Op: s.Op.Kind(), Output: s.Out[0].Shape[min(1, len(s.Out[0].Shape)):]}
		for _, v := range s.In {
			if v.Param == nil {
				continue
			}
			if l.Name == "" {
				l.Name = v.Param.Layer()
			}
			if v.Param.Role.Trained() && !counted[v.Param] {
				counted[v.Param] = true
				l.Params += int64(v.Param.Len())
			}
		}
		l.MACs, l.Activations = workOf(s)
		all.MACs += l.MACs
		all.Activations += l.Activations
		list = append(list, l)
	}
	return list, all, err
}

// workOf counts one operation on one image.
func workOf(s graph.Traced) (macs, activations int64) {
	var in, out []op.Shape
	for _, v := range s.In {
		in = append(in, v.Shape)
	}
	for _, v := range s.Out {
		out = append(out, v.Shape)
	}
	switch s.Op.(type) {
	case op.Conv2D, op.Linear, op.MatMul:
		return s.Op.Work(in, out).FLOPs / 2, int64(op.Size(out[0]))
	case op.Attention:
		// Its second result has one value for each row of logits.
		logits := op.Size(out[1]) * out[0][1]
		return s.Op.Work(in, out).FLOPs / 2, int64(logits + op.Size(out[0]))
	}
	return 0, 0
}
