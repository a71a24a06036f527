package train

import (
	"context"
	"fmt"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train/metric"
)

// Pretext is what a network is trained for without labels: the images themselves, or
// what the layers below make of them, are the target.
type Pretext interface {
	// Build adds a pass on images (N, H, W, C) to a graph, in training or, to be
	// measured on images that are not trained on, in evaluation.
	Build(g *graph.Graph, images *graph.Node) Exercise
}

// Exercise is what a Pretext adds to a graph.
type Exercise struct {
	// Inputs are what it needs beside the images.
	Inputs []Input
	// Loss is the scalar that is differentiated.
	Loss *graph.Node
	// Report, where set, is the scalar that is told in place of the loss.
	Report *graph.Node
}

// Input is an input of a graph with what fills it.
type Input struct {
	Node *graph.Node
	// Fill writes the values for a batch, in the order of Node's shape.
	Fill func(dst []float32, b *data.Batch)
}

// exercise is an Exercise in a compiled program.
type exercise struct {
	Exercise
	values [][]float32 // each input's, on their way to the device
	output *graph.Node // what is told where it is not the loss of a training pass
	told   [1]float32
}

// pretextProgram compiles a pass of the pretext.
func (n *Network) pretextProgram(k programKey) (*batchProgram, error) {
	g := graph.New(k.mode())
	b := &batchProgram{images: g.Input("images", k.batch, n.Height, n.Width, n.Channels)}
	e := &exercise{Exercise: n.Pretext.Build(g, b.images)}
	if err := g.Err(); err != nil {
		return nil, fmt.Errorf("building the pre-training for images of %dx%d with %d channels: %w", n.Height, n.Width, n.Channels, err)
	}
	t := graph.Target{Precision: n.Precision}
	if k.train {
		t.Loss, t.Accumulate, t.Memory = e.Loss, k.accumulate, n.Memory
	}
	if e.output = e.Report; e.output == nil && !k.train {
		e.output = e.Loss
	}
	if e.output != nil {
		t.Outputs = append(t.Outputs, e.output)
	}
	for _, in := range e.Inputs {
		e.values = append(e.values, make([]float32, in.Node.Shape().TotalSize()))
	}
	b.exercise = e
	var err error
	if b.Program, err = graph.Compile(g, n.Params, n.ws, t); err != nil {
		return nil, err
	}
	n.programs[k] = b
	return b, nil
}

// run makes a pass on a batch and returns what is told of it.
func (e *exercise) run(p *batchProgram, b *data.Batch) (float64, error) {
	if err := p.Set(p.images, b.Images); err != nil {
		return 0, err
	}
	for i, in := range e.Inputs {
		in.Fill(e.values[i], b)
		if err := p.Set(in.Node, e.values[i]); err != nil {
			return 0, err
		}
	}
	if err := p.Run(); err != nil {
		return 0, err
	}
	if e.output == nil {
		return p.Loss()
	}
	err := p.Read(e.output, e.told[:])
	return float64(e.told[0]), err
}

// exercise measures the network's pretext on every sample of the loader. The Loss of the
// result is the mean of what training tells, by the network as in evaluation.
func (e *Evaluator) exercise(ctx context.Context) (*metric.Result, error) {
	sum := 0.0
	images, err := e.each(ctx, func(b *data.Batch) error {
		p, err := e.Network.program(programKey{batch: b.N})
		if err != nil {
			return err
		}
		told, err := p.exercise.run(p, b)
		sum += told * float64(b.N)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &metric.Result{Task: e.task(), Loss: sum / float64(images), Images: images}, nil
}
