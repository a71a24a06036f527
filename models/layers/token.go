package layers

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// DenseFunc declares a map of the last axis from in to out channels.
type DenseFunc func(s graph.Scope, in, out int) graph.Module

// DenseOf is linear layers with these initialisations as a DenseFunc; nil means
// PyTorch's default.
func DenseOf(weight, bias graph.Init) DenseFunc {
	return func(s graph.Scope, in, out int) graph.Module {
		return graph.NewLinear(s, in, out, graph.LinearConfig{Init: weight, BiasInit: bias})
	}
}

// PointwiseOf is 1x1 convolutions as a DenseFunc, which files hold as such.
func PointwiseOf(weight, bias graph.Init) DenseFunc {
	return func(s graph.Scope, in, out int) graph.Module {
		return graph.NewConv(s, in, out, 1, graph.ConvConfig{Bias: true, Init: weight, BiasInit: bias})
	}
}

// NewMLP declares two layers, fc1 and fc2, with an activation between: (..., channels)
// to the same by way of (..., hidden). between, where it is not nil, follows the
// activation, in the scope of the two.
func NewMLP(s graph.Scope, channels, hidden int, dense DenseFunc, act op.Act, between NormFunc) graph.Module {
	m := graph.Sequential{dense(s.Sub("fc1"), channels, hidden), graph.Activate(act)}
	if between != nil {
		m = append(m, between(s.Sub("grn"), hidden, false))
	}
	return append(m, dense(s.Sub("fc2"), hidden, channels))
}

// NewLayerScale declares a factor for each channel, which starts small (Touvron et al.,
// arXiv 2103.17239), as the parameter gamma.
func NewLayerScale(s graph.Scope, channels int, start float64) graph.Module {
	gamma := s.Param("gamma", graph.Shape{channels}, graph.Layout{}, graph.Bias, graph.Constant(start))
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Mul(x, g.Param(gamma)) })
}

// NewPatchEmbed declares a convolution that takes each square of patch x patch pixels
// for itself, as proj, and gives them as tokens: (N, H, W, in) to (N, H/patch*W/patch,
// channels). Sides that patch does not divide are an error of the graph.
func NewPatchEmbed(s graph.Scope, in, channels, patch int, init, bias graph.Init) graph.Module {
	proj := graph.NewConv(s.Sub("proj"), in, channels, patch, graph.ConvConfig{Stride: patch, Bias: true, Init: init, BiasInit: bias})
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		if h, w := x.Shape()[1], x.Shape()[2]; h%patch != 0 || w%patch != 0 {
			return g.Fail(fmt.Errorf("images of %dx%d pixels do not divide into patches of %dx%d; both sides should be multiples of %d", h, w, patch, patch, patch))
		}
		y := proj.Forward(g, x)
		if y == nil {
			return nil
		}
		return g.Reshape(y, y.Shape()[0], y.Shape()[1]*y.Shape()[2], channels)
	})
}

// SelfAttention is multi-head self-attention over tokens (N, L, channels) (Vaswani et
// al., arXiv 1706.03762): qkv, the attention, and proj.
type SelfAttention struct {
	qkv, proj graph.Module
	heads     int
	scale     float64
}

// NewSelfAttention declares the two layers. The heads share the channels evenly; logits are
// divided by the square root of the channels of one.
func NewSelfAttention(s graph.Scope, channels, heads int, qkv, proj DenseFunc) *SelfAttention {
	if channels%heads != 0 {
		s.Fail(fmt.Errorf("%s: %d heads cannot share %d channels evenly; another number, such as heads=1, can", s.Name("qkv"), heads, channels))
	}
	return &SelfAttention{
		qkv: qkv(s.Sub("qkv"), channels, 3*channels), proj: proj(s.Sub("proj"), channels, channels),
		heads: heads, scale: 1 / math.Sqrt(float64(channels/heads)),
	}
}

// Forward implements graph.Module.
func (m *SelfAttention) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return m.Biased(g, x, nil, nil)
}

// Biased is Forward with a bias (heads, L, L) of the logits, unless nil, and regions as
// in op.Attention.
func (m *SelfAttention) Biased(g *graph.Graph, x, bias *graph.Node, regions [][]int) *graph.Node {
	o := op.Attention{Heads: m.heads, Scale: m.scale, Bias: bias != nil, Regions: regions}
	in := []*graph.Node{m.qkv.Forward(g, x)}
	if bias != nil {
		in = append(in, bias)
	}
	return m.proj.Forward(g, g.Apply(o, in...))
}
