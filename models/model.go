package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models/layers"
)

// Options are what a user chooses about a model. Zero values mean the model's own.
type Options struct {
	// NumClasses is the number of outputs.
	NumClasses int
	// InChans is the number of channels of the images.
	InChans int
	// ImageSize is the height and width in pixels of the images. Only models with
	// a linear layer over a flattened map, or with tables of positions, depend on it;
	// the others take any size that their strides leave something of.
	ImageSize int
	// DropRate is the probability of dropout before the classifier; NoDropout
	// switches off what a model has of its own.
	DropRate float64
	// DropPath is the probability of leaving out the last residual branch, which
	// grows linearly from 0 at the first (stochastic depth). Models without
	// residual branches refuse it.
	DropPath float64
	// DropBlock is the probability with which each pixel of the last two stages' maps is
	// lost in squares (drop block). Models without a place for it refuse it.
	DropBlock float64
	// Layers takes the place of the model's own norm, activation, attention or
	// convolution. Models that are not built to allow it refuse it.
	Layers layers.Choice
}

// NoDropout is the DropRate of a model without dropout.
const NoDropout = -1

// Model is a network whose parameters are declared.
type Model struct {
	// Name is the name in the registry.
	Name string
	// Config is what is known about the model as published.
	Config Config
	// Options are the choices it was made with, defaults filled in.
	Options Options
	// Classes is the number of outputs.
	Classes int

	net graph.Module
}

// Forward implements graph.Module: images (N, H, W, InChans), normalised, to
// logits (N, Classes).
func (m *Model) Forward(g *graph.Graph, x *graph.Node) *graph.Node { return m.net.Forward(g, x) }

// Network is the module itself, for those who need to know its kind: a *Perceptron, a
// *VisionTransformer.
func (m *Model) Network() graph.Module { return m.net }

// New declares the parameters of the model of this name in a scope. An unknown
// name, and options that the model cannot have, are errors.
func New(name string, s graph.Scope, o Options) (*Model, error) {
	spec, err := lookup(name)
	if err != nil {
		return nil, err
	}
	if o, err = o.fill(spec); err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	net, err := spec.Build(s, o)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return &Model{Name: name, Config: spec.Config.clone(), Options: o, Classes: o.NumClasses, net: net}, nil
}

// fill checks the options and puts in the model's own where they are zero.
func (o Options) fill(spec Spec) (Options, error) {
	for _, f := range []struct {
		name  string
		value *int
		own   int
	}{
		{"the number of classes", &o.NumClasses, spec.Config.NumClasses},
		{"the number of input channels", &o.InChans, spec.Config.InChans},
		{"the image size", &o.ImageSize, spec.Config.InputSize},
	} {
		if *f.value < 0 {
			return o, fmt.Errorf("%s is %d; it should be at least 1, or 0 for the model's own", f.name, *f.value)
		}
		if *f.value == 0 {
			*f.value = f.own
		}
	}
	switch {
	case o.DropRate == 0:
		o.DropRate = spec.DropRate
	case o.DropRate == NoDropout:
		o.DropRate = 0
	}
	if !(o.DropRate >= 0 && o.DropRate < 1) {
		return o, fmt.Errorf("the dropout probability is %v; it should be at least 0 and below 1", o.DropRate)
	}
	if !(o.DropPath >= 0 && o.DropPath < 1) {
		return o, fmt.Errorf("the drop-path probability is %v; it should be at least 0 and below 1", o.DropPath)
	}
	if o.DropPath > 0 && !spec.Residual {
		return o, fmt.Errorf("the drop-path probability is %v, but the model has no residual branches to leave out; it should be 0", o.DropPath)
	}
	if !(o.DropBlock >= 0 && o.DropBlock < 1) {
		return o, fmt.Errorf("the drop-block probability is %v; it should be at least 0 and below 1", o.DropBlock)
	}
	if o.DropBlock > 0 && !spec.DropBlock {
		return o, fmt.Errorf("the drop-block probability is %v, but the model has no place for it; it should be 0, or take a residual network such as resnet50", o.DropBlock)
	}
	if o.Layers.Any() && !spec.Layers {
		return o, fmt.Errorf("it has no choice of norm, act, attn and conv; leave those out, or take a residual network such as resnet50")
	}
	return o, nil
}
