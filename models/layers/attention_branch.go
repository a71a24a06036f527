package layers

import (
	"cmp"
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// branchAttentions are convolutions that choose among branches.
var branchAttentions = []Entry{
	{
		Name: "sk", Kind: Convs, Family: "branch attention", Options: "reduction=16, divisor=8, split=false", Paper: "Li et al., arXiv 1903.06586",
		conv: func(s *Spec) Convolver {
			c := SelectiveKernelConfig{Reduction: s.Float("reduction", 16, 1), Divisor: s.Int("divisor", 8, 1), Split: s.Bool("split", false)}
			return branching(func(scope graph.Scope, st Style, in, out int, conv graph.ConvConfig) graph.Module {
				c := c
				c.Stride, c.Groups = conv.Stride, conv.Groups
				return NewSelectiveKernel(scope, st, in, out, c)
			})
		},
	},
	{
		Name: "splat", Kind: Convs, Family: "branch attention", Options: "radix=2", Paper: "Zhang et al., arXiv 2004.08955",
		conv: func(s *Spec) Convolver {
			radix := s.Int("radix", 2, 1)
			return branching(func(scope graph.Scope, st Style, in, out int, conv graph.ConvConfig) graph.Module {
				return NewSplitAttention(scope, st, in, out, SplitAttentionConfig{Stride: conv.Stride, Groups: conv.Groups, Radix: radix})
			})
		},
	},
}

// branching lets a convolution of branches, with batch norm and relu inside, take the place
// of those of 3x3 pixels.
func branching(make func(s graph.Scope, st Style, in, out int, c graph.ConvConfig) graph.Module) Convolver {
	st := Style{Norm: BatchNorm, Act: Act(op.ReLU)}
	return Convolver{Spatial: func(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
		if k != 3 || c.Bias {
			return Conv(s, in, out, k, c)
		}
		return make(s, st, in, out, c)
	}}
}

// The attentions of this file choose among branches. They are convolutions of their
// own, with norms and activations inside, and take the place of a block's 3x3 one.

// SelectiveKernelConfig says how a selective kernel differs from timm's default:
// reduction 16, a multiple of 8, one group.
type SelectiveKernelConfig struct {
	Stride, Groups int
	Reduction      float64
	Divisor        int
	// Split gives each branch its half of the input channels.
	Split bool
}

// NewSelectiveKernel declares a convolution that weighs two branches, of dilations 1
// and 2, by what their sum holds (Li et al., arXiv 1903.06586): (N, H, W, in) to
// (N, OH, OW, out), normed and activated. Names are timm's.
func NewSelectiveKernel(s graph.Scope, st Style, in, out int, c SelectiveKernelConfig) graph.Module {
	c.Reduction, c.Divisor = cmp.Or(c.Reduction, 16), cmp.Or(c.Divisor, 8)
	m := &selectiveKernel{split: c.Split}
	if c.Split {
		if in%2 != 0 {
			s.Fail(fmt.Errorf("%s: two branches cannot share %d input channels evenly", s.Name("paths"), in))
		}
		in /= 2
	}
	for i := range m.paths {
		path := s.Sub("paths").Sub(fmt.Sprint(i))
		m.paths[i] = st.ConvNormActOf(path.Sub("conv"), path.Sub("bn"), in, out, 3, graph.ConvConfig{Stride: c.Stride, Dilation: i + 1, Groups: min(out, max(1, c.Groups))})
	}
	attn, hidden := s.Sub("attn"), Divisible(float64(out)/c.Reduction, c.Divisor, 0.9)
	m.choose = graph.Sequential{
		graph.NewConv(attn.Sub("fc_reduce"), out, hidden, 1, graph.ConvConfig{}), st.Norm(attn.Sub("bn"), hidden, false), st.Act(attn.Sub("act"), hidden),
		graph.NewConv(attn.Sub("fc_select"), hidden, 2*out, 1, graph.ConvConfig{}),
	}
	return m
}

type selectiveKernel struct {
	split  bool
	paths  [2]graph.Module
	choose graph.Module
}

// Forward implements graph.Module.
func (m *selectiveKernel) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	var branches [2]*graph.Node
	for i, path := range m.paths {
		part := x
		if m.split {
			c := x.Shape()[3] / 2
			part = g.Slice(x, 3, i*c, (i+1)*c, 1)
		}
		branches[i] = path.Forward(g, part)
	}
	logits := m.choose.Forward(g, spatialMean(g, g.Add(branches[0], branches[1])))
	return weighed(g, branches[:], logits)
}

// weighed is the sum of the branches (N, H, W, C), each times its softmax among the
// branches of logits (N, 1, 1, branches*C), in whose places it puts the products.
func weighed(g *graph.Graph, branches []*graph.Node, logits *graph.Node) *graph.Node {
	if g.Err() != nil {
		return nil
	}
	n, c := logits.Shape()[0], logits.Shape()[3]/len(branches)
	part := func(x *graph.Node, i int) *graph.Node { return g.Reshape(g.Slice(x, 1, i, i+1, 1), n, 1, 1, c) }
	logits = g.Reshape(logits, n, len(branches), c)
	if len(branches) == 1 {
		return g.Mul(branches[0], g.Activation(part(logits, 0), op.Sigmoid))
	}
	e := g.Exp(g.Sub(logits, g.MaxTo(logits, n, 1, c)))
	weights := g.Mul(e, g.Power(g.SumTo(e, n, 1, c), -1, 0))
	for i, b := range branches {
		branches[i] = g.Mul(b, part(weights, i))
	}
	return g.Sum(branches...)
}

// SplitAttentionConfig says how split attention differs from ResNeSt's: radix 2, a
// quarter of the channels inside, a multiple of 8, at least 32.
type SplitAttentionConfig struct {
	Stride, Groups, Radix int
}

// NewSplitAttention declares a convolution to radix groups of out channels, weighed by
// what their sum holds (Zhang et al., arXiv 2004.08955): (N, H, W, in) to (N, OH, OW,
// out), normed and activated. Names are timm's.
func NewSplitAttention(s graph.Scope, st Style, in, out int, c SplitAttentionConfig) graph.Module {
	radix, groups := cmp.Or(c.Radix, 2), max(1, c.Groups)
	hidden := max(32, Divisible(float64(in*radix)/4, 8, 0.9))
	return &splitAttention{
		radix: radix, groups: groups,
		conv: graph.Sequential{
			st.Conv.choose(3)(s.Sub("conv"), in, out*radix, 3, graph.ConvConfig{Stride: c.Stride, Pad: 1, Groups: groups * radix}),
			st.Norm(s.Sub("bn0"), out*radix, false), st.Act(s.Sub("act0"), out*radix),
		},
		choose: graph.Sequential{
			graph.NewConv(s.Sub("fc1"), out, hidden, 1, graph.ConvConfig{Groups: groups, Bias: true}),
			st.Norm(s.Sub("bn1"), hidden, false), st.Act(s.Sub("act1"), hidden),
			graph.NewConv(s.Sub("fc2"), hidden, out*radix, 1, graph.ConvConfig{Groups: groups, Bias: true}),
		},
	}
}

type splitAttention struct {
	radix, groups int
	conv, choose  graph.Module
}

// Forward implements graph.Module.
func (m *splitAttention) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	y := m.conv.Forward(g, x)
	if y == nil {
		return nil
	}
	c := y.Shape()[3] / m.radix
	branches := make([]*graph.Node, m.radix)
	for i := range branches {
		branches[i] = g.Slice(y, 3, i*c, (i+1)*c, 1)
	}
	logits := m.choose.Forward(g, spatialMean(g, g.Sum(branches...)))
	return weighed(g, branches, m.byBranch(g, logits))
}

// byBranch turns logits that are ordered by group, then branch, into ones ordered by
// branch.
func (m *splitAttention) byBranch(g *graph.Graph, logits *graph.Node) *graph.Node {
	if logits == nil || m.groups == 1 || m.radix == 1 {
		return logits
	}
	width := logits.Shape()[3] / m.groups / m.radix
	parts := make([]*graph.Node, 0, m.groups*m.radix)
	for b := range m.radix {
		for k := range m.groups {
			at := (k*m.radix + b) * width
			parts = append(parts, g.Slice(logits, 3, at, at+width, 1))
		}
	}
	return g.Concat(3, parts...)
}
