package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// NewMLP declares a perceptron over the pixels of an image with hidden layers of
// these widths: fc1, fc2 and so on, the last of which gives the classes.
func NewMLP(s graph.Scope, hidden []int, act op.Act, o Options) (graph.Module, error) {
	net := graph.Sequential{layers.Flatten}
	in := o.ImageSize * o.ImageSize * o.InChans
	// The first layer's weights count the pixels channel by channel in files.
	first := graph.LinearConfig{MapH: o.ImageSize, MapW: o.ImageSize}
	for i, width := range hidden {
		net = append(net, graph.NewLinear(s.Sub(fmt.Sprintf("fc%d", i+1)), in, width, first), graph.Activate(act))
		in, first = width, graph.LinearConfig{}
	}
	return append(net, graph.Drop(o.DropRate), graph.NewLinear(s.Sub(fmt.Sprintf("fc%d", len(hidden)+1)), in, o.NumClasses, first)), nil
}

// The perceptron of the registry has one hidden layer. It meets the image in a
// linear layer, so it has no first convolution to adapt.
var perceptrons = []Spec{{
	Name:  "mlp",
	Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewMLP(s, []int{256}, op.ReLU, o) },
	Config: Config{
		InputSize: 28, InChans: 1, NumClasses: 10,
		Mean: mnistMean, Std: mnistStd, CropPct: 1, Interpolation: "bilinear",
		Classifier: []string{"fc2"},
		Paper:      "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors, Nature 323",
	},
}}
