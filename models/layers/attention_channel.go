package layers

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// channelAttentions weight each channel by what all of its map holds.
var channelAttentions = []Entry{
	{
		Name: "none", Kind: Attentions, Family: "none", Paper: "",
		attn: func(*Spec) AttentionFunc { return nil },
	},
	{
		Name: "se", Kind: Attentions, Family: "channel", Options: "reduction=16, divisor=8", Paper: "Hu et al., arXiv 1709.01507",
		attn: func(s *Spec) AttentionFunc {
			return SqueezeExcite(SqueezeExciteConfig{Reduction: s.Float("reduction", 16, 1), Divisor: s.Int("divisor", 8, 1)})
		},
	},
	{
		Name: "ese", Kind: Attentions, Family: "channel", Paper: "Lee and Park, arXiv 1911.06667",
		attn: func(*Spec) AttentionFunc { return EffectiveSqueezeExcite },
	},
	{
		Name: "eca", Kind: Attentions, Family: "channel", Options: "k=0", Paper: "Wang et al., arXiv 1910.03151",
		attn: func(s *Spec) AttentionFunc { return EfficientChannel(s.Odd("k", 0)) },
	},
	{
		Name: "ge", Kind: Attentions, Family: "channel", Options: "reduction=16, mlp=true, extent=0, params=false", Paper: "Hu et al., arXiv 1810.12348",
		attn: func(s *Spec) AttentionFunc {
			c := GatherExciteConfig{Reduction: s.Float("reduction", 16, 1), NoMLP: !s.Bool("mlp", true), Extent: s.Int("extent", 0, 0), Params: s.Bool("params", false)}
			if e := c.Extent; e == 1 || e&(e-1) != 0 {
				s.refuse("extent", strconv.Itoa(e), "0, for the whole map, or 2, 4, 8 and so on")
			} else if c.Params && e == 0 {
				s.refuse("params", "true", "left out with extent=0, for which it would depend on the size of the map")
			}
			return GatherExcite(c)
		},
	},
	{
		Name: "gct", Kind: Attentions, Family: "channel", Options: "eps=1e-5", Paper: "Yang et al., arXiv 1909.11519",
		attn: func(s *Spec) AttentionFunc { return GatedChannel(s.Float("eps", 1e-5, 0)) },
	},
	{
		Name: "fca", Kind: Attentions, Family: "channel", Options: "reduction=16, frequencies=16", Paper: "Qin et al., arXiv 2012.11879",
		attn: func(s *Spec) AttentionFunc {
			return FrequencyChannel(s.Float("reduction", 16, 1), s.Int("frequencies", 16, 1))
		},
	},
	{
		Name: "srm", Kind: Attentions, Family: "channel", Options: "eps=1e-5", Paper: "Lee et al., arXiv 1903.10829",
		attn: func(s *Spec) AttentionFunc { return StyleRecalibration(s.Float("eps", 1e-5, 0)) },
	},
}

// SqueezeExciteConfig says how squeeze-and-excitation narrows. Zero values mean
// timm's: a sixteenth of the channels, a multiple of 8, relu, the logistic function.
type SqueezeExciteConfig struct {
	// Reduction is the ratio of the channels to those between the two layers.
	Reduction float64
	// Divisor divides their number.
	Divisor int
	// Hidden, where set, is their number instead.
	Hidden int
	// Act is between the layers, Gate behind them.
	Act, Gate op.Act
	// SqueezeName and ExciteName are the names of the layers, "" for fc1 and fc2.
	SqueezeName, ExciteName string
}

// SqueezeExcite weights channels by sigmoid(fc2(relu(fc1(mean over the map))))
// (Hu et al., arXiv 1709.01507): fc1 and fc2 are 1x1 convolutions with biases.
func SqueezeExcite(c SqueezeExciteConfig) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module { return newSqueezeExcite(s, channels, c) }
}

type squeezeExcite struct {
	squeeze, excite *graph.Convolution
	act, gate       op.Act
}

func newSqueezeExcite(s graph.Scope, channels int, c SqueezeExciteConfig) *squeezeExcite {
	hidden := cmp.Or(c.Hidden, Divisible(float64(channels)/cmp.Or(c.Reduction, 16), cmp.Or(c.Divisor, 8), 0))
	return &squeezeExcite{
		squeeze: graph.NewConv(s.Sub(cmp.Or(c.SqueezeName, "fc1")), channels, hidden, 1, graph.ConvConfig{Bias: true}),
		excite:  graph.NewConv(s.Sub(cmp.Or(c.ExciteName, "fc2")), hidden, channels, 1, graph.ConvConfig{Bias: true}),
		act:     cmp.Or(c.Act, op.ReLU), gate: cmp.Or(c.Gate, op.Sigmoid),
	}
}

// Forward implements graph.Module.
func (m *squeezeExcite) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return g.Mul(x, g.Activation(m.gates(g, spatialMean(g, x)), m.gate))
}

// gates are what the gate function then takes, for the means y.
func (m *squeezeExcite) gates(g *graph.Graph, y *graph.Node) *graph.Node {
	return m.excite.Forward(g, g.Activation(m.squeeze.Forward(g, y), m.act))
}

// EffectiveSqueezeExcite weights channels by hard_sigmoid(fc(mean over the map)),
// without narrowing (Lee and Park, arXiv 1911.06667). fc is a 1x1 convolution with a
// bias.
func EffectiveSqueezeExcite(s graph.Scope, channels int) graph.Module {
	fc := graph.NewConv(s.Sub("fc"), channels, channels, 1, graph.ConvConfig{Bias: true})
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		return g.Mul(x, g.Activation(fc.Forward(g, spatialMean(g, x)), op.HardSigmoid))
	})
}

// EfficientChannel weights channels by the logistic function of a convolution of k
// neighbouring channels' means, without a bias (Wang et al., arXiv 1910.03151). For k
// of 0 it is ChannelKernel's.
func EfficientChannel(k int) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		k := k
		if k == 0 {
			k = ChannelKernel(channels)
		}
		shape := graph.Shape{1, k, 1, 1}
		weight := s.Sub("conv").Param("weight", shape, graph.ShapedLayout(shape, graph.Shape{1, 1, k}), graph.Weight, graph.Uniform(1/math.Sqrt(float64(k))))
		window := op.Window{KH: 1, KW: k, StrideH: 1, StrideW: 1, PadLeft: k / 2, PadRight: k / 2, DilationH: 1, DilationW: 1}
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			y := g.GlobalAvgPool(x)
			if y == nil {
				return nil
			}
			n := y.Shape()[0]
			y = g.Conv2D(g.Reshape(y, n, 1, channels, 1), g.Param(weight), nil, window, 1)
			return g.Mul(x, g.Reshape(g.Activation(y, op.Sigmoid), n, 1, 1, channels))
		})
	}
}

// ChannelKernel is the number of neighbouring channels that ECA looks at: the odd
// number at or above int((log2(channels)+1)/2), at least 3.
func ChannelKernel(channels int) int {
	return max(3, int((math.Log2(float64(channels))+1)/2)|1)
}

// GatherExciteConfig is what GatherExcite differs in.
type GatherExciteConfig struct {
	// Reduction divides the channels between the two convolutions, unless NoMLP leaves
	// these out.
	Reduction float64
	NoMLP     bool
	// Extent is how many pixels along each side a gate is gathered from, 0 for all of
	// the map; means of windows of 2*Extent-1 are taken or, with Params, depthwise 3x3
	// convolutions of stride 2 that halve the map until it is as small.
	Extent int
	Params bool
}

// GatherExcite weights the channels of each place by the logistic function of what is
// gathered around it, behind two 1x1 convolutions with biases, mlp.fc1 and mlp.fc2 (Hu et
// al., arXiv 1810.12348); the layers that gather with parameters are gather.conv1,
// gather.norm1 and so on. Between gates the nearest one counts.
func GatherExcite(c GatherExciteConfig) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		m := &gatherExcite{gather: spatialMean}
		if c.Extent > 0 {
			m.gather = c.local(s.Sub("gather"), channels)
		}
		if !c.NoMLP {
			m.mlp = newSqueezeExcite(s.Sub("mlp"), channels, SqueezeExciteConfig{Reduction: c.Reduction, Divisor: 1})
		}
		return m
	}
}

// local is what gathers from a part of the map.
func (c GatherExciteConfig) local(s graph.Scope, channels int) func(g *graph.Graph, x *graph.Node) *graph.Node {
	if !c.Params {
		window := op.Square(2*c.Extent-1, c.Extent, c.Extent-1)
		return func(g *graph.Graph, x *graph.Node) *graph.Node { return g.AvgPool(x, window, false, false) }
	}
	var net graph.Sequential
	for i := 1; 1<<i <= c.Extent; i++ {
		if i > 1 {
			net = append(net, graph.Activate(op.ReLU))
		}
		net = append(net, graph.NewConv(s.Sub(fmt.Sprintf("conv%d", i)), channels, channels, 3, graph.ConvConfig{Stride: 2, Pad: 1, Groups: channels}),
			graph.NewBatchNorm(s.Sub(fmt.Sprintf("norm%d", i)), channels, graph.BatchNormConfig{}))
	}
	return net.Forward
}

type gatherExcite struct {
	gather func(g *graph.Graph, x *graph.Node) *graph.Node
	mlp    *squeezeExcite // nil without
}

// Forward implements graph.Module.
func (m *gatherExcite) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	y := m.gather(g, x)
	if m.mlp != nil {
		y = m.mlp.gates(g, y)
	}
	return g.Mul(x, g.Activation(nearest(g, y, x), op.Sigmoid))
}

// nearest is a map stretched to another one's size, each pixel by the nearest, as PyTorch
// does it. A map of one pixel stays as it is.
func nearest(g *graph.Graph, y, like *graph.Node) *graph.Node {
	if y == nil || like == nil || y.Shape()[1]*y.Shape()[2] == 1 {
		return y
	}
	n, h, w, c := y.Shape()[0], y.Shape()[1], y.Shape()[2], y.Shape()[3]
	height, width := like.Shape()[1], like.Shape()[2]
	index := make([]int, 0, height*width)
	for i := range height {
		for j := range width {
			index = append(index, i*h/height*w+j*w/width)
		}
	}
	return g.Reshape(g.Gather(g.Reshape(y, n, h*w, c), index), n, height, width, c)
}

// GatedChannel lets channels compete or cooperate by their norms (Yang et al., arXiv
// 1909.11519): with e = alpha*sqrt(sum over the map of x^2 + eps) the map is multiplied
// by 1 + tanh(e*gamma/sqrt(mean over channels of e^2 + eps) + beta). It starts as the
// identity.
func GatedChannel(eps float64) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		shape := graph.Shape{channels}
		param := func(name string, init graph.Init) *graph.Param {
			return s.Param(name, shape, graph.ShapedLayout(shape, graph.Shape{1, channels, 1, 1}), graph.Bias, init)
		}
		alpha, gamma, beta := param("alpha", graph.Ones), param("gamma", graph.Zeros), param("beta", graph.Zeros)
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			n := batch(x)
			e := g.Mul(g.Power(g.SumTo(g.Mul(x, x), n, 1, 1, channels), 0.5, eps), g.Param(alpha))
			norm := g.Power(g.MeanTo(g.Power(e, 2, 0), n, 1, 1, 1), -0.5, eps)
			gate := g.Activation(g.Add(g.Mul(g.Mul(e, norm), g.Param(gamma)), g.Param(beta)), op.Tanh)
			return g.Add(x, g.Mul(x, gate))
		})
	}
}

// StyleRecalibration weights channels by the logistic function of a batch norm of
// cfc's weights (channels, 2) times each channel's own mean and standard deviation over
// the map, of which the variance is unbiased (Lee et al., arXiv 1903.10829).
func StyleRecalibration(eps float64) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		shape := graph.Shape{2, channels}
		cfc := s.Param("cfc", shape, graph.LinearLayout(shape), graph.Weight, graph.Zeros)
		norm := graph.NewBatchNorm(s.Sub("bn"), channels, graph.BatchNormConfig{})
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			mean := spatialMean(g, x)
			rest := g.Sub(x, mean)
			variance := unbiasedMean(g, g.Mul(rest, rest))
			w := g.Param(cfc)
			y := g.Add(g.Mul(mean, g.Slice(w, 0, 0, 1, 1)), g.Mul(g.Power(variance, 0.5, eps), g.Slice(w, 0, 1, 2, 1)))
			return g.Mul(x, g.Activation(norm.Forward(g, y), op.Sigmoid))
		})
	}
}

// topFrequencies are those that the authors found best, on a map of 7x7.
var topFrequencies = [][2]int{
	{0, 0}, {0, 1}, {6, 0}, {0, 5}, {0, 2}, {1, 0}, {1, 2}, {4, 0}, {5, 0}, {1, 6}, {3, 0}, {0, 4}, {0, 6}, {0, 3}, {3, 5}, {2, 2},
}

// FrequencyChannel is squeeze-and-excitation by coefficients of the map's cosine transform
// in place of the mean alone (Qin et al., arXiv 2012.11879): as many groups of channels as
// frequencies have one each, of the best ones; then two linear layers without biases, fc.0
// and fc.2. The authors bring every map to the size that it has in training first; here
// the transform is that of the map as it is.
func FrequencyChannel(reduction float64, frequencies int) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		if frequencies > len(topFrequencies) || channels%frequencies != 0 {
			s.Fail(fmt.Errorf("%s: %d frequencies for %d channels; there are %d, and their number should divide that of channels", s.Name("fc"), frequencies, channels, len(topFrequencies)))
			return Flatten
		}
		hidden := max(1, int(float64(channels)/reduction))
		squeeze := graph.NewLinear(s.Sub("fc.0"), channels, hidden, graph.LinearConfig{NoBias: true})
		excite := graph.NewLinear(s.Sub("fc.2"), hidden, channels, graph.LinearConfig{NoBias: true})
		return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			y := g.Apply(op.SpectralPool{Frequencies: topFrequencies[:frequencies], Grid: 7}, x)
			gate := g.Activation(excite.Forward(g, g.ReLU(squeeze.Forward(g, y))), op.Sigmoid)
			return g.Mul(x, g.Reshape(gate, batch(x), 1, 1, channels))
		})
	}
}

// batch and pixels are the number of maps of x (N, H, W, C), and of positions in one;
// 0 for no node.
func batch(x *graph.Node) int {
	if x == nil {
		return 0
	}
	return x.Shape()[0]
}

func pixels(x *graph.Node) int {
	if x == nil {
		return 0
	}
	return x.Shape()[1] * x.Shape()[2]
}

// unbiasedMean is the sum over height and width, divided by one less than their number:
// of squared distances from the mean the variance of a sample.
func unbiasedMean(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	return g.Scale(g.SumTo(x, batch(x), 1, 1, x.Shape()[3]), 1/float64(max(1, pixels(x)-1)))
}

// spatialMean is the mean over height and width that keeps the axes:
// (N, H, W, C) to (N, 1, 1, C).
func spatialMean(g *graph.Graph, x *graph.Node) *graph.Node {
	y := g.GlobalAvgPool(x)
	if y == nil {
		return nil
	}
	return g.Reshape(y, y.Shape()[0], 1, 1, y.Shape()[1])
}

// Divisible rounds v to the nearest multiple of divisor, at least divisor, and
// one multiple up where that falls below limit times v: limit is .9 in
// MobileNets and 0 in squeeze-and-excitation.
func Divisible(v float64, divisor int, limit float64) int {
	n := max(divisor, int(v+float64(divisor)/2)/divisor*divisor)
	if float64(n) < limit*v {
		n += divisor
	}
	return n
}
