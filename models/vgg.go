package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// VGGConfig is what the networks of Simonyan and Zisserman (arXiv 1409.1556) differ in.
type VGGConfig struct {
	// Stages are the widths of the 3x3 convolutions; a max pool, which halves the
	// map, follows each stage.
	Stages [][]int
	// Hidden is the width of the two layers before the classifier, the first of
	// which takes Side x Side pixels.
	Hidden, Side int
	// Style has the norm behind each convolution and the activation.
	Style layers.Style
}

// NewVGG declares a VGG network under timm's names: features.0, features.1 and so
// on, in which activations and pools are counted; pre_logits.fc1 and
// pre_logits.fc2, which are convolutions, so that larger images give a map of
// features, whose mean is taken; and head.fc. Smaller images have their last map
// spread to Side x Side pixels. Dropout stands before the last two.
func NewVGG(s graph.Scope, c VGGConfig, o Options) (graph.Module, error) {
	st, err := c.Style.With(o.Layers, layers.Attentions)
	if err != nil {
		return nil, err
	}
	s = s.ConvInit(graph.KaimingNormal)
	biased := graph.ConvConfig{Bias: true, BiasInit: graph.Zeros}
	features, index, channels := s.Sub("features"), 0, o.InChans
	child := func(step int) graph.Scope {
		defer func() { index += step }()
		return features.Sub(fmt.Sprint(index))
	}
	var net graph.Sequential
	for i, stage := range c.Stages {
		for _, width := range stage {
			net = append(net, st.At(i).ConvNormActOf(child(1), child(2), channels, width, 3, biased))
			channels = width
		}
		net = append(net, maxPool(op.Square(2, 2, 0), false))
		index++
	}
	logits := s.Sub("pre_logits")
	return append(net,
		graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			return spread(g, spread(g, x, 1, c.Side), 2, c.Side)
		}),
		graph.NewConv(logits.Sub("fc1"), channels, c.Hidden, c.Side, biased), st.Act(logits.Sub("act1"), c.Hidden),
		graph.Drop(o.DropRate),
		graph.NewConv(logits.Sub("fc2"), c.Hidden, c.Hidden, 1, biased), st.Act(logits.Sub("act2"), c.Hidden),
		layers.NewPoolHead(s.Sub("head.fc"), c.Hidden, o.NumClasses, o.DropRate, graph.LinearConfig{Init: graph.Normal(0.01), BiasInit: graph.Zeros}),
	), nil
}

// spread makes an axis of x, height or width, size pixels long where it is shorter:
// pixel i is the mean of those that the part from i/size to (i+1)/size of the axis
// touches.
func spread(g *graph.Graph, x *graph.Node, axis, size int) *graph.Node {
	if x == nil || len(x.Shape()) != 4 || x.Shape()[axis] >= size {
		return x
	}
	n := x.Shape()[axis]
	parts := make([]*graph.Node, size)
	for i := range parts {
		from, to := i*n/size, ((i+1)*n+size-1)/size
		mean := op.Square(1, 1, 0)
		if axis == 1 {
			mean.KH = to - from
		} else {
			mean.KW = to - from
		}
		if parts[i] = g.Slice(x, axis, from, to, 1); to-from > 1 {
			parts[i] = g.AvgPool(parts[i], mean, false, false)
		}
	}
	return g.Concat(axis, parts...)
}

// vggs have batch norms.
var vggs = []Spec{
	vgg("vgg11_bn", []int{64}, []int{128}, []int{256, 256}, []int{512, 512}, []int{512, 512}),
	vgg("vgg16_bn", []int{64, 64}, []int{128, 128}, []int{256, 256, 256}, []int{512, 512, 512}, []int{512, 512, 512}),
}

func vgg(name string, stages ...[]int) Spec {
	c := VGGConfig{Stages: stages, Hidden: 4096, Side: 7, Style: batchNormed(op.ReLU)}
	info := imageNet("Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, arXiv 1409.1556", 0.875,
		timmHub+name+".tv_in1k").resized("bilinear")
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"features.0"}, []string{""}, []string{"head.fc"}
	return Spec{
		Name: name, Layers: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewVGG(s, c, o) },
	}
}
