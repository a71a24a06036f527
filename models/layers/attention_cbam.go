package layers

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// blockAttentions weight channels and positions in modules of their own.
var blockAttentions = []Entry{
	{
		Name: "cbam", Kind: Attentions, Family: "channel+spatial", Options: "reduction=16, k=7", Paper: "Woo et al., arXiv 1807.06521",
		attn: func(s *Spec) AttentionFunc { return ConvBlock(s.Float("reduction", 16, 1), s.Odd("k", 7)) },
	},
	{
		Name: "bam", Kind: Attentions, Family: "channel+spatial", Options: "combine=product, reduction=16, dilation=4", Paper: "Park et al., arXiv 1807.06514",
		attn: func(s *Spec) AttentionFunc {
			return BottleneckAttention(BottleneckAttentionConfig{
				Sum: s.Choice("combine", "product", "sum") == "sum", Reduction: s.Float("reduction", 16, 1), Dilation: s.Int("dilation", 4, 1),
			})
		},
	},
	{
		Name: "gc", Kind: Attentions, Family: "channel+spatial", Options: "reduction=8, fuse=scale", Paper: "Cao et al., arXiv 1904.11492",
		attn: func(s *Spec) AttentionFunc {
			return GlobalContext(s.Float("reduction", 8, 1), s.Choice("fuse", "scale", "add") == "add")
		},
	},
}

// ConvBlock is CBAM (Woo et al., arXiv 1807.06521) under the names of its authors'
// code: a gate of channels, the logistic function of one network of two linear layers
// over the means plus the same over the maxima; then one of positions, of a k x k
// convolution over the channels' maximum and mean and a batch norm, whose scale starts
// at 0, so that the gate starts at 1/2.
func ConvBlock(reduction float64, k int) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		hidden := max(1, int(float64(channels)/reduction))
		mlp, spatial := s.Sub("ChannelGate").Sub("mlp"), s.Sub("SpatialGate").Sub("spatial")
		return &convBlock{
			squeeze: graph.NewLinear(mlp.Sub("1"), channels, hidden, graph.LinearConfig{}),
			excite:  graph.NewLinear(mlp.Sub("3"), hidden, channels, graph.LinearConfig{}),
			conv:    graph.NewConv(spatial.Sub("conv"), 2, 1, k, graph.ConvConfig{Pad: k / 2}),
			norm:    graph.NewBatchNorm(spatial.Sub("bn"), 1, graph.BatchNormConfig{Momentum: 0.01, ZeroGamma: true}),
		}
	}
}

type convBlock struct {
	squeeze, excite *graph.Dense
	conv            *graph.Convolution
	norm            *graph.Norm
}

// Forward implements graph.Module.
func (m *convBlock) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
	logits := func(pooled *graph.Node) *graph.Node { return m.excite.Forward(g, g.ReLU(m.squeeze.Forward(g, pooled))) }
	gate := g.Activation(g.Add(logits(g.GlobalAvgPool(x)), logits(g.GlobalMaxPool(x))), op.Sigmoid)
	x = g.Mul(x, g.Reshape(gate, n, 1, 1, c))
	y := m.conv.Forward(g, g.Concat(3, g.MaxTo(x, n, h, w, 1), g.MeanTo(x, n, h, w, 1)))
	return g.Mul(x, g.Activation(m.norm.Forward(g, y), op.Sigmoid))
}

// BottleneckAttentionConfig says how BAM puts its gates together.
type BottleneckAttentionConfig struct {
	// Sum adds the two, as the paper writes; the authors' code multiplies them.
	Sum bool
	// Reduction is the ratio of the channels to those inside.
	Reduction float64
	// Dilation is that of the spatial gate's convolutions.
	Dilation int
}

// BottleneckAttention is BAM (Park et al., arXiv 1807.06514) under the names of its
// authors' code: x*(1 + sigmoid(of both gates)). The gate of channels is two linear
// layers over the means with a batch norm and relu between; that of positions a 1x1
// convolution, two of 3x3 with a dilation, each with batch norm and relu, and one to a
// single channel.
func BottleneckAttention(c BottleneckAttentionConfig) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		hidden := max(1, int(float64(channels)/c.Reduction))
		byChannel, bySpace := s.Sub("channel_att").Sub("gate_c"), s.Sub("spatial_att").Sub("gate_s")
		conv := func(name string, in, out, k, dilation int) graph.Module {
			return graph.NewConv(bySpace.Sub(name), in, out, k, graph.ConvConfig{Pad: dilation * (k / 2), Dilation: dilation, Bias: true})
		}
		norm := func(s graph.Scope) graph.Module { return graph.NewBatchNorm(s, hidden, graph.BatchNormConfig{}) }
		relu := graph.Activate(op.ReLU)
		return &bottleneckAttention{
			sum: c.Sum,
			channel: graph.Sequential{
				graph.NewLinear(byChannel.Sub("gate_c_fc_0"), channels, hidden, graph.LinearConfig{}), norm(byChannel.Sub("gate_c_bn_1")), relu,
				graph.NewLinear(byChannel.Sub("gate_c_fc_final"), hidden, channels, graph.LinearConfig{}),
			},
			spatial: graph.Sequential{
				conv("gate_s_conv_reduce0", channels, hidden, 1, 1), norm(bySpace.Sub("gate_s_bn_reduce0")), relu,
				conv("gate_s_conv_di_0", hidden, hidden, 3, c.Dilation), norm(bySpace.Sub("gate_s_bn_di_0")), relu,
				conv("gate_s_conv_di_1", hidden, hidden, 3, c.Dilation), norm(bySpace.Sub("gate_s_bn_di_1")), relu,
				conv("gate_s_conv_final", hidden, 1, 1, 1),
			},
		}
	}
}

type bottleneckAttention struct {
	sum              bool
	channel, spatial graph.Module
}

// Forward implements graph.Module.
func (m *bottleneckAttention) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	n, c := x.Shape()[0], x.Shape()[3]
	channel, spatial := g.Reshape(m.channel.Forward(g, g.GlobalAvgPool(x)), n, 1, 1, c), m.spatial.Forward(g, x)
	gates := g.Mul(channel, spatial)
	if m.sum {
		gates = g.Add(channel, spatial)
	}
	return g.Add(x, g.Mul(x, g.Activation(gates, op.Sigmoid)))
}

// GlobalContext looks at the mean over the map, weighted by the softmax of a 1x1
// convolution to one channel (Cao et al., arXiv 1904.11492), through two 1x1
// convolutions with a layer norm and relu between, as timm has it: the result's
// logistic function weights the channels or, with add, the result is added.
func GlobalContext(reduction float64, add bool) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		hidden := Divisible(float64(channels)/reduction, 1, 0)
		name, init := "mlp_scale", graph.Init(nil)
		if add {
			name, init = "mlp_add", graph.Zeros
		}
		mlp := s.Sub(name)
		return &globalContext{
			add:    add,
			weight: graph.NewConv(s.Sub("conv_attn"), channels, 1, 1, graph.ConvConfig{Bias: true, Init: graph.KaimingNormalFanIn}),
			mlp: graph.Sequential{
				graph.NewConv(mlp.Sub("fc1"), channels, hidden, 1, graph.ConvConfig{Bias: true}),
				LayerNorm(1e-6)(mlp.Sub("norm"), hidden, false), graph.Activate(op.ReLU),
				graph.NewConv(mlp.Sub("fc2"), hidden, channels, 1, graph.ConvConfig{Bias: true, Init: init}),
			},
		}
	}
}

type globalContext struct {
	add    bool
	weight *graph.Convolution
	mlp    graph.Module
}

// Forward implements graph.Module.
func (m *globalContext) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
	weights := g.Reshape(g.Softmax(g.Reshape(m.weight.Forward(g, x), n, h*w)), n, h, w, 1)
	context := m.mlp.Forward(g, g.SumTo(g.Mul(x, weights), n, 1, 1, c))
	if m.add {
		return g.Add(x, context)
	}
	return g.Mul(x, g.Activation(context, op.Sigmoid))
}
