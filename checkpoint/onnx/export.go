package onnx

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/atomicfile"
)

// Options say what is exported.
type Options struct {
	// Name is the network's.
	Name string
	// Height, Width and Channels are those of its images.
	Height, Width, Channels int
	// KeepNorms writes batch norms as they are; else those behind a convolution become
	// part of its weights.
	KeepNorms bool
	// Opset is the version of the operations, from LeastOpset to MostOpset; 0 is the
	// least that has what the network needs: LeastOpset, or DeformOpset for deformable
	// convolutions.
	Opset int
	// Producer and Version name the program that writes.
	Producer, Version string
	// Metadata goes to the file's properties.
	Metadata map[string]string
}

// Model is a network as ONNX has it: its input is `input` (N, C, H, W), normalised, its
// result `logits` (N, classes).
type Model struct {
	encoded []byte
	// Nodes and Constants count its operations and tensors.
	Nodes, Constants int
}

// Write puts the model into a file, whole or not at all.
func (m *Model) Write(path string) error {
	return atomicfile.Write(path, atomicfile.Content(m.encoded))
}

// The opsets that are written, and the first that has deformable convolutions.
const (
	LeastOpset  = 17
	DeformOpset = 19
	MostOpset   = 22
)

// opset is what the options ask for, or the least that the trace needs.
func (o Options) opset(trace []graph.Traced) (int, error) {
	least, why := LeastOpset, ""
	for _, step := range trace {
		if _, deforms := step.Op.(op.DeformSample); deforms {
			least, why = DeformOpset, " for deformable convolutions"
		}
	}
	switch {
	case o.Opset == 0:
		return least, nil
	case o.Opset < least || o.Opset > MostOpset:
		return 0, fmt.Errorf("opset %d: it should be from %d to %d%s", o.Opset, least, MostOpset, why)
	}
	return o.Opset, nil
}

// traceBatch is the batch of the trace: a number that no other axis has, so that none is
// taken for the batch, and that every usual number of frames divides. Nothing is computed
// for so many images.
const traceBatch = 1013 * 5040

// Export translates a module whose parameters are placed. dev computes what depends on
// parameters alone. An operation that has no translation is an error that names it.
func Export(m graph.Module, ps *graph.Params, dev graph.Device, o Options) (*Model, error) {
	g := graph.New(graph.Eval)
	x := g.Input("input", traceBatch, o.Height, o.Width, o.Channels)
	y := m.Forward(g, x)
	if err := g.Err(); err != nil {
		return nil, fmt.Errorf("ONNX: %w", err)
	}
	trace, err := g.Trace(y)
	if err != nil {
		return nil, fmt.Errorf("ONNX: %w", err)
	}
	opset, err := o.opset(trace)
	if err != nil {
		return nil, fmt.Errorf("ONNX: %w", err)
	}
	t := newTranslation(trace, o)
	t.file.opset = opset
	if err := t.bake(g, ps, dev); err != nil {
		return nil, fmt.Errorf("ONNX: computing what depends on parameters alone: %w", err)
	}
	t.input(x.Shape())
	for i, step := range trace {
		if t.constant[step.Out[0].ID] || t.skip[i] {
			continue
		}
		if err := t.translate(i, step); err != nil {
			return nil, fmt.Errorf("ONNX: %w", err)
		}
	}
	if err := t.output(trace[len(trace)-1].Out[0]); err != nil {
		return nil, fmt.Errorf("ONNX: %w", err)
	}
	return &Model{encoded: t.file.encode(), Nodes: len(t.file.nodes), Constants: len(t.file.constants)}, nil
}

// bake finds the values that depend on parameters alone and are read by others, and
// computes them.
func (t *translation) bake(g *graph.Graph, ps *graph.Params, dev graph.Device) error {
	var nodes []*graph.Node
	var wanted []graph.Operand
	for _, step := range t.trace {
		// What is stretched to the batch depends on that.
		stretch, _ := step.Op.(op.BroadcastTo)
		fixed := len(stretch.Shape) == 0 || stretch.Shape[0] != traceBatch
		for _, v := range step.In {
			fixed = fixed && (v.Param != nil || t.constant[v.ID])
		}
		if fixed {
			for _, v := range step.Out {
				t.constant[v.ID] = true
			}
			continue
		}
		for _, v := range step.In {
			if v.Param != nil {
				if _, ok := t.values[v.ID]; !ok {
					data, err := v.Param.Values()
					if err != nil {
						return err
					}
					t.values[v.ID] = data
				}
			} else if t.constant[v.ID] && v.Node != nil && t.values[v.ID] == nil {
				t.values[v.ID] = []float32{}
				nodes, wanted = append(nodes, v.Node), append(wanted, v)
			}
		}
	}
	if len(nodes) == 0 {
		return nil
	}
	p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Outputs: nodes})
	if err != nil {
		return err
	}
	if err := p.Run(); err != nil {
		return err
	}
	for i, v := range wanted {
		data := make([]float32, op.Size(v.Shape))
		if err := p.Read(nodes[i], data); err != nil {
			return err
		}
		t.values[v.ID] = data
	}
	return nil
}
