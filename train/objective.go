package train

import (
	"fmt"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
)

// Objective is the loss that training minimises.
type Objective struct {
	// Name is cross_entropy, bce or mse.
	Name string
	// Smoothing eps mixes the target with the uniform distribution:
	// eps/C for each class and 1-eps more for the right one.
	Smoothing float64
	// Threshold, where positive, makes smoothed targets of bce above it 1 and
	// others 0, as timm does.
	Threshold float64
}

// Validate refuses an unknown name.
func (o Objective) Validate() error {
	switch o.Name {
	case "cross_entropy", "bce", "mse":
		return nil
	}
	return fmt.Errorf("loss %q is unknown; known are cross_entropy, bce and mse", o.Name)
}

// dense tells whether the target is a value for each class instead of an index.
func (o Objective) dense() bool { return o.Name != "cross_entropy" }

// target declares the input for the labels of a batch.
func (o Objective) target(g *graph.Graph, batch, classes int) *graph.Node {
	if o.dense() {
		return g.Input("target", batch, classes)
	}
	return g.Input("target", batch)
}

// loss adds the loss to a graph.
func (o Objective) loss(g *graph.Graph, logits, target *graph.Node) *graph.Node {
	switch o.Name {
	case "bce":
		return g.BCEWithLogits(logits, target, false)
	case "mse":
		return g.MSE(logits, target)
	}
	return g.CrossEntropy(logits, target, o.Smoothing)
}

// fill writes the target of a batch: dst has the size of target's input.
func (o Objective) fill(dst []float32, b *data.Batch, classes int) {
	if len(b.Targets) > 0 {
		copy(dst, b.Targets)
		return
	}
	if !o.dense() {
		for i, l := range b.Labels {
			dst[i] = float32(l)
		}
		return
	}
	off := o.Smoothing / float64(classes)
	on := 1 - o.Smoothing + off
	if o.Threshold > 0 {
		off, on = above(off, o.Threshold), above(on, o.Threshold)
	}
	for i := range dst {
		dst[i] = float32(off)
	}
	for i, l := range b.Labels {
		dst[i*classes+int(l)] = float32(on)
	}
}

func above(x, threshold float64) float64 {
	if x > threshold {
		return 1
	}
	return 0
}
