package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// NewLeNet declares LeNet-5 as it is built today: relu and max pools in the
// place of the paper's scaled tanh and trained subsampling, and a linear
// classifier. Its layers are conv1, conv2, fc1, fc2 and fc3; fc1 depends on
// the image size, of which each pool halves the map.
func NewLeNet(s graph.Scope, act op.Act, o Options) (graph.Module, error) {
	side := (o.ImageSize/2 - 4) / 2
	if side < 1 {
		return nil, fmt.Errorf("images of %dx%d pixels leave nothing for its linear layers; it needs 12x12 at least", o.ImageSize, o.ImageSize)
	}
	half := maxPool(op.Square(2, 2, 0), false)
	return graph.Sequential{
		graph.NewConv(s.Sub("conv1"), o.InChans, 6, 5, graph.ConvConfig{Pad: 2, Bias: true}), graph.Activate(act), half,
		graph.NewConv(s.Sub("conv2"), 6, 16, 5, graph.ConvConfig{Bias: true}), graph.Activate(act), half,
		layers.Flatten,
		graph.NewLinear(s.Sub("fc1"), 16*side*side, 120, graph.LinearConfig{MapH: side, MapW: side}), graph.Activate(act),
		graph.NewLinear(s.Sub("fc2"), 120, 84, graph.LinearConfig{}), graph.Activate(act),
		graph.Drop(o.DropRate),
		graph.NewLinear(s.Sub("fc3"), 84, o.NumClasses, graph.LinearConfig{}),
	}, nil
}

var leNets = []Spec{{
	Name:  "lenet5",
	Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewLeNet(s, op.ReLU, o) },
	Config: Config{
		InputSize: 28, InChans: 1, NumClasses: 10,
		Mean: mnistMean, Std: mnistStd, CropPct: 1, Interpolation: "bilinear",
		FirstConv: []string{"conv1"}, FirstNorm: []string{""}, Classifier: []string{"fc3"},
		Paper: "LeCun et al. 1998, Gradient-based learning applied to document recognition, Proc. IEEE 86(11)",
	},
}}
