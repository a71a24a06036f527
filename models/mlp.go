package models

import (
	"cmp"
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// Perceptron is a perceptron over the pixels of an image.
type Perceptron struct {
	// Hidden are the layers before the classifier, the first of them over the
	// flattened image (N, H*W*C).
	Hidden []HiddenLayer
	// Act names their activation, as configurations do.
	Act string

	head graph.Module
}

// HiddenLayer is a linear layer and the activation behind it.
type HiddenLayer struct {
	Dense *graph.Dense
	Act   graph.Module
}

// Forward implements graph.Module: (N, in) to (N, out).
func (l HiddenLayer) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return l.Act.Forward(g, l.Dense.Forward(g, x))
}

// NewMLP declares a perceptron over the pixels of an image with hidden layers of
// these widths: fc1, fc2 and so on, the last of which gives the classes. Of the layers
// that can be chosen it has only activations.
func NewMLP(s graph.Scope, hidden []int, act op.Act, o Options) (graph.Module, error) {
	st, err := layers.Style{Act: layers.Act(act)}.With(o.Layers, layers.Norms, layers.Attentions, layers.Convs)
	if err != nil {
		return nil, err
	}
	m := &Perceptron{Act: cmp.Or(o.Layers.Act, string(act))}
	in := o.ImageSize * o.ImageSize * o.InChans
	// The first layer's weights count the pixels channel by channel in files.
	first := graph.LinearConfig{MapH: o.ImageSize, MapW: o.ImageSize}
	for i, width := range hidden {
		fc := s.Sub(fmt.Sprintf("fc%d", i+1))
		m.Hidden = append(m.Hidden, HiddenLayer{graph.NewLinear(fc, in, width, first), st.Act(fc.Sub("act"), width)})
		in, first = width, graph.LinearConfig{}
	}
	m.head = graph.Sequential{graph.Drop(o.DropRate), graph.NewLinear(s.Sub(fmt.Sprintf("fc%d", len(hidden)+1)), in, o.NumClasses, first)}
	return m, nil
}

// Forward implements graph.Module.
func (m *Perceptron) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return m.head.Forward(g, m.Code(g, x, len(m.Hidden)))
}

// Code is what the first n hidden layers make of images (N, H, W, C): (N, width), of
// none the flattened images.
func (m *Perceptron) Code(g *graph.Graph, x *graph.Node, n int) *graph.Node {
	x = g.Flatten(x)
	for _, l := range m.Hidden[:n] {
		x = l.Forward(g, x)
	}
	return x
}

// The perceptrons of the registry: one with a hidden layer, and one with three of
// logistic units, which began deep learning. They meet the image in a linear layer, so
// they have no first convolution to adapt.
var perceptrons = []Spec{
	perceptron("mlp", []int{256}, op.ReLU, "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors, Nature 323"),
	perceptron("mlp_500_500_2000", []int{500, 500, 2000}, op.Sigmoid, "Hinton, Osindero and Teh 2006, A fast learning algorithm for deep belief nets, Neural Computation 18"),
}

func perceptron(name string, hidden []int, act op.Act, paper string) Spec {
	return Spec{
		Name: name, Layers: true,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewMLP(s, hidden, act, o) },
		Config: Config{
			InputSize: 28, InChans: 1, NumClasses: 10,
			Mean: mnistMean, Std: mnistStd, CropPct: 1, Interpolation: "bilinear",
			Classifier: []string{fmt.Sprintf("fc%d", len(hidden)+1)},
			Paper:      paper,
		},
	}
}
