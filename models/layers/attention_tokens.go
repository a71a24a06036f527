package layers

import (
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// tokenAttentions let every position of the map see all others. Each adds what it finds
// to the map.
var tokenAttentions = []Entry{
	{
		Name: "mhsa", Kind: Attentions, Family: "spatial", Options: "heads=8", Paper: "Vaswani et al., arXiv 1706.03762",
		attn: func(s *Spec) AttentionFunc { return MultiHead(s.Int("heads", 8, 1)) },
	},
	{
		Name: "nl", Kind: Attentions, Family: "spatial", Options: "reduction=8, divisor=8, scale=true", Paper: "Wang et al., arXiv 1711.07971",
		attn: func(s *Spec) AttentionFunc {
			return NonLocal(s.Float("reduction", 8, 1), s.Int("divisor", 8, 1), s.Bool("scale", true))
		},
	},
	{
		Name: "a2", Kind: Attentions, Family: "spatial", Options: "reduction=4", Paper: "Chen et al., arXiv 1810.11579",
		attn: func(s *Spec) AttentionFunc { return Double(s.Float("reduction", 4, 1)) },
	},
	{
		Name: "external", Kind: Attentions, Family: "spatial", Options: "slots=64", Paper: "Guo et al., arXiv 2105.02358",
		attn: func(s *Spec) AttentionFunc { return External(s.Int("slots", 64, 1)) },
	},
}

// asTokens is a map (N, H, W, C) as tokens (N, H*W, C).
func asTokens(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	s := x.Shape()
	return g.Reshape(x, s[0], s[1]*s[2], s[3])
}

// asMap is tokens as a map of the same extent as another, with the tokens' channels.
func asMap(g *graph.Graph, tokens, like *graph.Node) *graph.Node {
	if tokens == nil {
		return nil
	}
	s := like.Shape()
	return g.Reshape(tokens, s[0], s[1], s[2], tokens.Shape()[2])
}

// MultiHead adds to the map its multi-head self-attention (Vaswani et al., arXiv
// 1706.03762), of which a position is a token: qkv without a bias, the attention, and
// proj. It knows nothing of where a position lies, and takes maps of any size.
func MultiHead(heads int) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		unbiased := func(s graph.Scope, in, out int) graph.Module {
			return graph.NewLinear(s, in, out, graph.LinearConfig{NoBias: true})
		}
		attention := NewSelfAttention(s, channels, heads, unbiased, DenseOf(nil, nil))
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			return g.Add(x, asMap(g, attention.Forward(g, asTokens(g, x)), x))
		})
	}
}

// NonLocal adds to the map a batch norm, which starts at 0, of what each position finds
// in all others (Wang et al., arXiv 1711.07971, embedded Gaussian): t, p and g are 1x1
// convolutions to Divisible(channels/reduction, divisor, .9) channels, z one back, and
// between is softmax(t*p')*g, the products divided by the square root of channels with
// scale.
func NonLocal(reduction float64, divisor int, scale bool) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		hidden := Divisible(float64(channels)/reduction, divisor, 0.9)
		conv := func(name string, in, out int) graph.Module {
			return graph.NewConv(s.Sub(name), in, out, 1, graph.ConvConfig{Bias: true})
		}
		query, key, value := conv("t", channels, hidden), conv("p", channels, hidden), conv("g", channels, hidden)
		back := conv("z", hidden, channels)
		norm := graph.NewBatchNorm(s.Sub("norm"), channels, graph.BatchNormConfig{ZeroGamma: true})
		o := op.Attention{Heads: 1, Scale: 1}
		if scale {
			o.Scale = 1 / math.Sqrt(float64(channels))
		}
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			packed := g.Concat(3, query.Forward(g, x), key.Forward(g, x), value.Forward(g, x))
			y := asMap(g, g.Apply(o, asTokens(g, packed)), x)
			return g.Add(x, norm.Forward(g, back.Forward(g, y)))
		})
	}
}

// Double gathers features of the whole map and hands them out to its positions (Chen et
// al., arXiv 1810.11579): with A, B and V 1x1 convolutions to channels/reduction
// channels, which are convA, convB and convV, the features are A'*softmax over positions
// of B, each position's share softmax over channels of V, and conv_reconstruct, a 1x1
// convolution, takes their product back to the map, to which it is added.
func Double(reduction float64) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		hidden := max(1, int(float64(channels)/reduction))
		conv := func(name string, in, out int) graph.Module {
			return graph.NewConv(s.Sub(name), in, out, 1, graph.ConvConfig{Bias: true})
		}
		features, maps, shares := conv("convA", channels, hidden), conv("convB", channels, hidden), conv("convV", channels, hidden)
		back := conv("conv_reconstruct", hidden, channels)
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			where := g.Softmax(g.Permute(asTokens(g, maps.Forward(g, x)), 0, 2, 1))
			gathered := g.MatMul(where, asTokens(g, features.Forward(g, x)), false, false)
			y := g.MatMul(g.Softmax(asTokens(g, shares.Forward(g, x))), gathered, false, false)
			return g.Add(x, back.Forward(g, asMap(g, y, x)))
		})
	}
}

// External lets positions attend to slots that are learned and the same for all images
// (Guo et al., arXiv 2105.02358): conv1 with a bias, linear_0 to the slots' logits, their
// softmax over positions, divided by the sum over slots, linear_1 back, and conv2 with a
// batch norm, added to the map. Convolutions are 1x1; only conv1 and the norm have
// biases. The authors clip the sum by relu, which here is left to the network.
func External(slots int) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		first := graph.NewConv(s.Sub("conv1"), channels, channels, 1, graph.ConvConfig{Bias: true})
		keys := graph.NewLinear(s.Sub("linear_0"), channels, slots, graph.LinearConfig{NoBias: true})
		values := graph.NewLinear(s.Sub("linear_1"), slots, channels, graph.LinearConfig{NoBias: true})
		second := graph.NewConv(s.Sub("conv2.0"), channels, channels, 1, graph.ConvConfig{})
		norm := graph.NewBatchNorm(s.Sub("conv2.1"), channels, graph.BatchNormConfig{})
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			if x == nil {
				return nil
			}
			logits := keys.Forward(g, asTokens(g, first.Forward(g, x)))
			a := g.Permute(g.Softmax(g.Permute(logits, 0, 2, 1)), 0, 2, 1)
			a = g.Mul(a, g.Power(g.SumTo(a, batch(x), pixels(x), 1), -1, 1e-9))
			y := asMap(g, values.Forward(g, a), x)
			return g.Add(x, norm.Forward(g, second.Forward(g, y)))
		})
	}
}
