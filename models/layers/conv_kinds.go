package layers

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// composed are convolutions made of others.
var composed = []Entry{
	{
		Name: "separable", Kind: Convs, Family: "depthwise-separable", Paper: "Howard et al., arXiv 1704.04861",
		conv: func(*Spec) Convolver { return Convolver{Spatial: SeparableConv} },
	},
	{
		Name: "mixed", Kind: Convs, Family: "mixed kernels", Options: "sizes=2", Paper: "Tan and Le, arXiv 1907.09595",
		conv: func(s *Spec) Convolver { return Convolver{Spatial: MixedConv(s.Int("sizes", 2, 1))} },
	},
}

// variants are standard convolutions with another geometry.
var variants = []Entry{
	{
		Name: "grouped", Kind: Convs, Family: "grouped", Options: "groups=8", Paper: "Krizhevsky et al., NIPS 2012",
		conv: func(s *Spec) Convolver { return Convolver{Spatial: GroupedConv(s.Int("groups", 8, 1))} },
	},
	{
		Name: "dilated", Kind: Convs, Family: "dilated", Options: "dilation=2", Paper: "Yu and Koltun, arXiv 1511.07122",
		conv: func(s *Spec) Convolver { return Convolver{Spatial: DilatedConv(s.Int("dilation", 2, 1))} },
	},
	{
		Name: "same", Kind: Convs, Family: "dense", Paper: "padded as in TensorFlow",
		conv: func(*Spec) Convolver { return Convolver{Every: SameConv} },
	},
}

// GroupedConv has so many groups of channels, of which none sees another, as a ConvFunc. One
// that has more already keeps them; one whose groups would have less than two input
// channels, such as those of an image, stays whole.
func GroupedConv(groups int) ConvFunc {
	return func(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
		if in < 2*groups {
			return graph.NewConv(s, in, out, k, c)
		}
		if in%groups != 0 || out%groups != 0 {
			s.Fail(fmt.Errorf("%s: %d groups do not divide %d input and %d output channels", s.Name("weight"), groups, in, out))
			return Flatten
		}
		c.Groups = max(c.Groups, groups)
		return graph.NewConv(s, in, out, k, c)
	}
}

// DilatedConv has a kernel whose pixels lie so far apart, padded so that the size of the
// result stays, as a ConvFunc.
func DilatedConv(dilation int) ConvFunc {
	return func(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
		was := max(c.Dilation, 1)
		c.Dilation = was * dilation
		c.Pad += (c.Dilation - was) * (k - 1) / 2
		return graph.NewConv(s, in, out, k, c)
	}
}

// SeparableConv is a convolution of each channel by itself, conv_dw, and one of 1x1 pixel
// behind it, conv_pw, as a ConvFunc. c.Groups and c.Init are the second one's.
func SeparableConv(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
	deep := c
	deep.Groups, deep.Bias, deep.Init = in, false, nil
	return graph.Sequential{
		graph.NewConv(s.Sub("conv_dw"), in, in, k, deep),
		graph.NewConv(s.Sub("conv_pw"), in, out, 1, graph.ConvConfig{Groups: c.Groups, Bias: c.Bias, Init: c.Init, BiasInit: c.BiasInit}),
	}
}

// MixedConv splits the channels among so many kernels, each larger than the one before by
// 2 pixels, as a ConvFunc. The first has what the others cannot share evenly; they are
// named 0, 1 and so on, and padded so that stride 1 keeps the size. A depthwise one, whose
// groups are as many as its channels, stays that.
func MixedConv(sizes int) ConvFunc {
	return func(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
		if in < sizes || out < sizes {
			s.Fail(fmt.Errorf("%s: %d kernels for %d input and %d output channels; each should have one at least", s.Name("0"), sizes, in, out))
			return Flatten
		}
		depthwise := c.Groups > 1 && c.Groups == in
		m := &mixedConv{}
		for i := range sizes {
			own, from, to := c, share(in, sizes, i), share(out, sizes, i)
			size := k + 2*i
			own.Pad = max(c.Dilation, 1) * (size - 1) / 2
			if depthwise {
				own.Groups = from
			}
			m.widths = append(m.widths, from)
			m.parts = append(m.parts, graph.NewConv(s.Sub(fmt.Sprint(i)), from, to, size, own))
		}
		return m
	}
}

// share is the i-th of n shares of channels.
func share(channels, n, i int) int {
	if i == 0 {
		return channels - (n-1)*(channels/n)
	}
	return channels / n
}

type mixedConv struct {
	widths []int
	parts  []graph.Module
}

// Forward implements graph.Module.
func (m *mixedConv) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	results, at := make([]*graph.Node, len(m.parts)), 0
	for i, part := range m.parts {
		results[i] = part.Forward(g, g.Slice(x, 3, at, at+m.widths[i], 1))
		at += m.widths[i]
	}
	return g.Concat(3, results...)
}

// TransposedConfig is what a transposed convolution needs beyond its channels and kernel
// size. Zero values are PyTorch's defaults.
type TransposedConfig struct {
	Stride, Pad, Dilation, Groups int
	// OutputPad adds rows and columns behind the result, for strides that leave its size
	// open; it is less than the stride.
	OutputPad int
	NoBias    bool
}

// NewTransposedConv declares the adjoint of a convolution, which widens a map by its
// stride: (N, H, W, in) to (N, (H-1)*stride-2*pad+dilation*(k-1)+outputPad+1, ..., out).
// Its parameters are those of PyTorch's ConvTranspose2d.
func NewTransposedConv(s graph.Scope, in, out, k int, c TransposedConfig) graph.Module {
	groups := max(c.Groups, 1)
	if c.OutputPad >= max(c.Stride, 1) {
		s.Fail(fmt.Errorf("%s: an output padding of %d for stride %d; it should be less", s.Name("weight"), c.OutputPad, max(c.Stride, 1)))
	}
	// The convolution that it is the adjoint of goes from out to in channels.
	adjoint := graph.NewConv(s, out, in, k, graph.ConvConfig{Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation, Groups: groups})
	m := &transposed{conv: adjoint, outputPad: c.OutputPad}
	if !c.NoBias {
		m.bias = s.Param("bias", graph.Shape{out}, graph.Layout{}, graph.Bias, graph.BiasUniform(out/groups*k*k))
	}
	return m
}

type transposed struct {
	conv      *graph.Convolution
	outputPad int
	bias      *graph.Param // nil without
}

// Forward implements graph.Module.
func (m *transposed) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	w := m.conv.Window
	o := op.Conv2DInputGrad{
		Window: w, Groups: m.conv.Groups,
		H: (x.Shape()[1]-1)*w.StrideH - w.PadTop - w.PadBottom + w.DilationH*(w.KH-1) + m.outputPad + 1,
		W: (x.Shape()[2]-1)*w.StrideW - w.PadLeft - w.PadRight + w.DilationW*(w.KW-1) + m.outputPad + 1,
	}
	y := g.Apply(o, x, g.Param(m.conv.Weight))
	if m.bias == nil {
		return y
	}
	return g.Add(y, g.Param(m.bias))
}
