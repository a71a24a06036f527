package layers

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// deformables are convolutions whose taps look where a convolution of their own says.
var deformables = []Entry{
	{
		Name: "dcn", Kind: Convs, Family: "deformable", Options: "offset_groups=1, from=1", Paper: "Dai et al., arXiv 1703.06211",
		conv: func(s *Spec) Convolver { return deformableOf(s, false) },
	},
	{
		Name: "dcnv2", Kind: Convs, Family: "deformable", Options: "offset_groups=1, from=1", Paper: "Zhu et al., arXiv 1811.11168",
		conv: func(s *Spec) Convolver { return deformableOf(s, true) },
	},
}

// deformableOf reads the options: from is the first stage with deformable convolutions.
func deformableOf(s *Spec, modulated bool) Convolver {
	return Convolver{Spatial: Deformable(s.Int("offset_groups", 1, 1), modulated), From: s.Int("from", 1, 1)}
}

// Deformable is a deformable convolution as a ConvFunc: conv_offset, a convolution of the
// same stride, padding and dilation that starts at zero, gives for each group of channels
// and tap an offset down and to the right and, modulated, behind all of these a mask, of
// which the logistic function counts. weight and bias are the convolution's.
func Deformable(offsetGroups int, modulated bool) ConvFunc {
	return func(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
		base := graph.NewConv(s, in, out, k, c)
		places := offsetGroups * base.Window.KH * base.Window.KW
		m := &deformable{conv: base, places: places, sample: op.DeformSample{Window: base.Window, Groups: base.Groups, OffsetGroups: offsetGroups, Mask: modulated}}
		if in%offsetGroups != 0 {
			s.Fail(fmt.Errorf("%s: %d groups of offsets do not divide %d input channels", s.Name("conv_offset"), offsetGroups, in))
		}
		channels := 2 * places
		if modulated {
			channels += places
		}
		m.offsets = graph.NewConv(s.Sub("conv_offset"), in, channels, k, graph.ConvConfig{Window: base.Window, Bias: true, Init: graph.Zeros, BiasInit: graph.Zeros})
		return m
	}
}

type deformable struct {
	conv, offsets *graph.Convolution
	sample        op.DeformSample
	places        int
}

// Forward implements graph.Module.
func (m *deformable) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	offsets := m.offsets.Forward(g, x)
	in := []*graph.Node{x, offsets}
	if m.sample.Mask {
		in = []*graph.Node{x, g.Slice(offsets, 3, 0, 2*m.places, 1), g.Activation(g.Slice(offsets, 3, 2*m.places, 3*m.places, 1), op.Sigmoid)}
	}
	samples := g.Apply(m.sample, in...)
	shape := m.conv.Weight.Shape
	w := g.Reshape(g.Param(m.conv.Weight), 1, 1, shape[0]*shape[1]*shape[2], shape[3])
	return m.conv.Convolve(g, samples, w, op.Square(1, 1, 0))
}
