package layers

import "github.com/seed52467199/trainer/graph"

// ConvFunc declares a k x k convolution without a norm, from in to out channels:
// (N, H, W, in) to (N, OH, OW, out).
type ConvFunc func(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module

// Conv is the standard convolution as a ConvFunc.
func Conv(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
	return graph.NewConv(s, in, out, k, c)
}

// Convolver is the convolutions of a network that takes others than the standard.
type Convolver struct {
	// Every takes the place of all convolutions that a norm follows, nil of none,
	// such as one with standardized weights.
	Every ConvFunc
	// Spatial takes the place of those of more than one pixel inside residual
	// branches, nil of none, such as a deformable one.
	Spatial ConvFunc
	// From is the first stage, counted from 1, in which Spatial does so.
	From int
}

// convolutions are those that configurations choose from.
var convolutions = []Entry{
	{Name: "standard", Kind: Convs, Family: "dense", conv: func(*Spec) Convolver { return Convolver{} }},
}

// choose is the ConvFunc for a kernel of k x k pixels.
func (c Convolver) choose(k int) ConvFunc {
	switch {
	case k > 1 && c.Spatial != nil:
		return c.Spatial
	case c.Every != nil:
		return c.Every
	}
	return Conv
}
