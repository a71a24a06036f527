package train

import (
	"fmt"
	"maps"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
)

// Network is a classifier on a device: a module, its parameters, and the programs
// that run it, one for each batch size and use.
type Network struct {
	// Module gives logits (N, Classes) for images (N, Height, Width, Channels).
	Module graph.Module
	// Params are the module's parameters, placed on a device.
	Params *graph.Params
	// Height, Width and Channels are the size of an image.
	Height, Width, Channels int
	// Classes is the number of logits.
	Classes int
	// Objective is the loss.
	Objective Objective
	// Pretext, where set, is what is trained, and measured, in place of the Objective on
	// labels.
	Pretext Pretext
	// Precision is what activations and their gradients are kept in: op.Float32, or
	// op.BFloat16. It must not change once a program has run.
	Precision op.DType
	// Memory is how many bytes the working memory of training may have, 0 for any:
	// see graph.Target.
	Memory int

	distill  *Distillation // nil without a teacher
	ws       *graph.Workspace
	programs map[programKey]*batchProgram
}

type programKey struct {
	batch      int
	train      bool
	accumulate bool
	forward    bool // in training, without a loss
}

// mode is that of the graph.
func (k programKey) mode() graph.Mode {
	if k.train {
		return graph.Train
	}
	return graph.Eval
}

// batchProgram is a program for batches of one size, with its nodes.
type batchProgram struct {
	*graph.Program
	graph                          *graph.Graph
	images, target, taught, logits *graph.Node
	// fill and lesson are the target, and what a teacher says, on their way to the
	// device.
	fill, lesson []float32
	exercise     *exercise // in place of these, where there is a pretext
}

// NewNetwork checks a Network and readies it for programs; seed is that of its
// random masks.
func NewNetwork(n Network, seed uint64) (*Network, error) {
	if n.Pretext == nil {
		if err := n.Objective.Validate(n.Classes); err != nil {
			return nil, err
		}
	}
	dev := n.Params.Device()
	if dev == nil {
		return nil, fmt.Errorf("making a network: its parameters have no memory yet; place them on a device first")
	}
	n.ws = graph.NewWorkspace(dev, seed)
	n.programs = map[programKey]*batchProgram{}
	return &n, nil
}

// At is the network for images of another size, with the same parameters and working
// memory, for evaluation. A size that the module cannot take is an error of its
// programs.
func (n *Network) At(height, width int) *Network {
	if height == n.Height && width == n.Width {
		return n
	}
	o := *n
	o.Height, o.Width, o.distill, o.programs = height, width, nil, map[programKey]*batchProgram{}
	return &o
}

// Takes tells why evaluation cannot take so many samples in the batches of a loader, of
// which the last may be smaller; nil where it can.
func (n *Network) Takes(l *data.Loader, samples int) error {
	size := min(l.Options().BatchSize, samples)
	if err := n.takes(size); err != nil {
		return fmt.Errorf("evaluating batches of %d images of %dx%d: %w", size, n.Height, n.Width, err)
	}
	last := samples % size
	if last == 0 {
		return nil
	}
	if err := n.takes(last); err != nil {
		return fmt.Errorf("evaluating %d samples in batches of %d (eval.batch_size), of which the last has %d: %w", samples, size, last, err)
	}
	return nil
}

// takes tells why evaluation cannot take so many images at a time.
func (n *Network) takes(images int) error {
	g := graph.New(graph.Eval)
	_, err := g.Trace(n.Module.Forward(g, g.Input("images", images, n.Height, n.Width, n.Channels)))
	return err
}

// Workspace is the memory of the network's programs.
func (n *Network) Workspace() *graph.Workspace { return n.ws }

// forgetTraining lets go of the training programs, which were compiled for the
// parameters that were trained then.
func (n *Network) forgetTraining() {
	maps.DeleteFunc(n.programs, func(k programKey, _ *batchProgram) bool { return k.train })
}

// program returns the compiled program for a batch size and use.
func (n *Network) program(k programKey) (*batchProgram, error) {
	if p := n.programs[k]; p != nil {
		return p, nil
	}
	if n.Pretext != nil {
		return n.pretextProgram(k)
	}
	g := graph.New(k.mode())
	b := &batchProgram{graph: g, images: g.Input("images", k.batch, n.Height, n.Width, n.Channels)}
	var own, taught *graph.Node
	b.logits, own, taught = n.heads(g, b.images, k)
	if err := g.Err(); err != nil {
		return nil, fmt.Errorf("building the network for images of %dx%d with %d channels: %w", n.Height, n.Width, n.Channels, err)
	}
	if s := b.logits.Shape(); len(s) != 2 || s[1] != n.Classes {
		return nil, fmt.Errorf("building the network: it gives %v, want (%d, %d)", s, k.batch, n.Classes)
	}
	t := graph.Target{Outputs: []*graph.Node{b.logits}, Accumulate: k.accumulate, Precision: n.Precision}
	if k.train && !k.forward {
		t.Memory = n.Memory
		b.target = n.Objective.target(g, k.batch, n.Classes)
		b.fill = make([]float32, b.target.Shape().TotalSize())
		t.Loss = n.Objective.loss(g, own, b.target)
		if n.distill != nil {
			b.taught = n.distill.target(g, k.batch, n.Classes)
			b.lesson = make([]float32, b.taught.Shape().TotalSize())
			t.Loss = n.distill.loss(g, t.Loss, taught, b.taught)
		}
	}
	var err error
	if b.Program, err = graph.Compile(g, n.Params, n.ws, t); err != nil {
		return nil, err
	}
	n.programs[k] = b
	return b, nil
}

// heads adds the network to a graph. Beside its logits are those that learn from the
// data's targets and those that learn from a teacher, where the network has a classifier
// for either; else all are the same.
func (n *Network) heads(g *graph.Graph, images *graph.Node, k programKey) (logits, own, taught *graph.Node) {
	if m, ok := n.Module.(*models.Model); ok && k.train && n.distill != nil {
		if d, ok := m.Network().(*models.DistilledTransformer); ok {
			own, taught = d.Heads(g, images)
			return d.Mean(g, own, taught), own, taught
		}
	}
	logits = n.Module.Forward(g, images)
	return logits, logits, logits
}

// Backward runs a training pass on a batch. It leaves the gradients of the mean loss
// in Params.Grads, added to what is there with accumulate, and returns the loss.
func (n *Network) Backward(b *data.Batch, accumulate bool) (loss float64, err error) {
	p, err := n.program(programKey{batch: b.N, train: true, accumulate: accumulate})
	if err != nil {
		return 0, err
	}
	if p.exercise != nil {
		return p.exercise.run(p, b)
	}
	excess := 0.0
	if n.distill != nil { // first: it works in the same memory
		if excess, err = n.distill.teach(p.lesson, b, n.Classes); err != nil {
			return 0, err
		}
		if err := p.Set(p.taught, p.lesson); err != nil {
			return 0, err
		}
	}
	n.Objective.fill(p.fill, b, n.Classes)
	if err := p.Set(p.images, b.Images); err != nil {
		return 0, err
	}
	if err := p.Set(p.target, p.fill); err != nil {
		return 0, err
	}
	if err := p.Run(); err != nil {
		return 0, err
	}
	loss, err = p.Loss()
	return loss - excess, err
}

// Logits runs the network on n images (N, H, W, C) as in evaluation and writes
// the logits (N, Classes) to dst.
func (n *Network) Logits(dst, images []float32, count int) error {
	p, err := n.program(programKey{batch: count})
	if err != nil {
		return err
	}
	if err := p.Set(p.images, images); err != nil {
		return err
	}
	if err := p.Run(); err != nil {
		return err
	}
	return p.Read(p.logits, dst)
}

// Program is the compiled program for this batch size in training or evaluation,
// for profiles.
func (n *Network) Program(batch int, train bool) (*graph.Program, error) {
	p, err := n.program(programKey{batch: batch, train: train})
	if err != nil {
		return nil, err
	}
	return p.Program, nil
}
