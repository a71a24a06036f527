package train

import (
	"fmt"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
)

// Pretext is what a network is trained for without labels: the images themselves, or
// what the layers below make of them, are the target.
type Pretext interface {
	// Build adds a training pass on images (N, H, W, C) to a graph.
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
	told   [1]float32
}

// pretextProgram compiles the training pass of the pretext.
func (n *Network) pretextProgram(k programKey) (*batchProgram, error) {
	g := graph.New(graph.Train)
	b := &batchProgram{images: g.Input("images", k.batch, n.Height, n.Width, n.Channels)}
	e := &exercise{Exercise: n.Pretext.Build(g, b.images)}
	if err := g.Err(); err != nil {
		return nil, fmt.Errorf("building the pre-training for images of %dx%d with %d channels: %w", n.Height, n.Width, n.Channels, err)
	}
	t := graph.Target{Loss: e.Loss, Accumulate: k.accumulate, Precision: n.Precision, Memory: n.Memory}
	if e.Report != nil {
		t.Outputs = append(t.Outputs, e.Report)
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

// run trains on a batch and returns what is told of it.
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
	if e.Report == nil {
		return p.Loss()
	}
	err := p.Read(e.Report, e.told[:])
	return float64(e.told[0]), err
}
