package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/internal/rng"
	"github.com/seed52467199/trainer/models/layers"
)

// RepVGGConfig is what RepVGGs (Ding et al., arXiv 2101.03697) differ in.
type RepVGGConfig struct {
	// Stem is the width of the first block; Depths and Widths are the number of blocks
	// of each stage and their channels. The stem and each stage halve the map.
	Stem           int
	Depths, Widths []int
}

// NewRepVGG declares a RepVGG under timm's names: stem.conv_kxk.conv, stem.conv_1x1.conv,
// stages.0.0.identity and so on, head.fc. In evaluation each block computes one 3x3
// convolution, whose weights are those of its branches together.
func NewRepVGG(s graph.Scope, c RepVGGConfig, o Options) (graph.Module, error) {
	if err := checkStages("RepVGG", c.Depths, "widths", c.Widths); err != nil {
		return nil, err
	}
	net := graph.Sequential{newRepBlock(s.Sub("stem"), o.InChans, c.Stem, 2)}
	channels := c.Stem
	eachBlock(c.Depths, 0, func(i, k int, _ float64) {
		net = append(net, newRepBlock(s.Sub(fmt.Sprintf("stages.%d.%d", i, k)), channels, c.Widths[i], strideOf(k)))
		channels = c.Widths[i]
	})
	return append(net, layers.NewPoolHead(s.Sub("head.fc"), channels, o.NumClasses, o.DropRate, graph.LinearConfig{Init: graph.Normal(0.01), BiasInit: graph.Zeros})), nil
}

// repBlock is the relu of the sum of a 3x3 convolution, a 1x1 one and, where the shape
// stays, the input, each with a batch norm.
type repBlock struct {
	wide, point             *graph.Convolution
	onWide, onPoint, onSame *graph.Norm // onSame is nil where the input has no branch
}

// repNorm starts the branches' norms as timm does: scales about 0.1, shifts about 0.
var repNorm = graph.BatchNormConfig{Beta: graph.Normal(0.1), Gamma: func(r *rng.Stream, shape graph.Shape, dst []float64) {
	graph.Normal(0.1)(r, shape, dst)
	for i := range dst {
		dst[i] += 0.1
	}
}}

func newRepBlock(s graph.Scope, in, out, stride int) *repBlock {
	b := &repBlock{}
	if in == out && stride == 1 {
		b.onSame = graph.NewBatchNorm(s.Sub("identity"), out, repNorm)
	}
	wide, point := s.Sub("conv_kxk"), s.Sub("conv_1x1")
	b.wide = graph.NewConv(wide.Sub("conv"), in, out, 3, graph.ConvConfig{Stride: stride, Pad: 1, Init: groupedFanOut(3, out, 1)})
	b.onWide = graph.NewBatchNorm(wide.Sub("bn"), out, repNorm)
	b.point = graph.NewConv(point.Sub("conv"), in, out, 1, graph.ConvConfig{Stride: stride, Init: groupedFanOut(1, out, 1)})
	b.onPoint = graph.NewBatchNorm(point.Sub("bn"), out, repNorm)
	return b
}

// Forward implements graph.Module.
func (b *repBlock) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if !g.Training() {
		return g.ReLU(b.together(g, x))
	}
	y := g.Add(b.onPoint.Forward(g, b.point.Forward(g, x)), b.onWide.Forward(g, b.wide.Forward(g, x)))
	if b.onSame != nil {
		y = g.Add(y, b.onSame.Forward(g, x))
	}
	return g.ReLU(y)
}

// together is the block's sum as one 3x3 convolution.
func (b *repBlock) together(g *graph.Graph, x *graph.Node) *graph.Node {
	// The 1x1 kernel, and the identity's, are 3x3 ones with zeros around.
	centred := func(w *graph.Node) *graph.Node {
		return g.ZeroPad(g.ZeroPad(w, 0, 1, 1), 1, 1, 1)
	}
	scale, bias := constantsOf(g, b.onWide)
	w := g.Mul(g.Param(b.wide.Weight), scale)
	onPoint, more := constantsOf(g, b.onPoint)
	w, bias = g.Add(w, centred(g.Mul(g.Param(b.point.Weight), onPoint))), g.Add(bias, more)
	if b.onSame != nil {
		onSame, more := constantsOf(g, b.onSame)
		channels := b.wide.Weight.Shape[3]
		diagonal := make([]int, channels*channels)
		for i := range diagonal {
			diagonal[i] = -1
		}
		for c := range channels {
			diagonal[c*channels+c] = c
		}
		same := g.Reshape(g.Gather(g.Reshape(onSame, channels, 1), diagonal), 1, 1, channels, channels)
		w, bias = g.Add(w, centred(same)), g.Add(bias, more)
	}
	return g.Conv2D(x, w, bias, b.wide.Window, 1)
}

// constantsOf is a batch norm in evaluation as x*scale + shift, both (C).
func constantsOf(g *graph.Graph, n *graph.Norm) (scale, shift *graph.Node) {
	scale = g.Mul(g.Param(n.Gamma), g.Power(g.Param(n.Var), -0.5, n.Eps))
	return scale, g.Sub(g.Param(n.Beta), g.Mul(g.Param(n.Mean), scale))
}

// repVGGs have the preprocessing of timm's default weights.
var repVGGs = []Spec{
	repVGG("repvgg_a0", RepVGGConfig{Stem: 48, Depths: []int{2, 4, 14, 1}, Widths: []int{48, 96, 192, 1280}}, timmHub+"repvgg_a0.rvgg_in1k"),
}

func repVGG(name string, c RepVGGConfig, weights string) Spec {
	info := imageNet("Ding et al., RepVGG: Making VGG-style ConvNets Great Again, arXiv 2101.03697", 0.875, weights).resized("bilinear")
	info.FirstConv = []string{"stem.conv_kxk.conv", "stem.conv_1x1.conv"}
	info.FirstNorm = []string{"stem.conv_kxk.bn", "stem.conv_1x1.bn"}
	info.Classifier = []string{"head.fc"}
	return Spec{
		Name: name, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewRepVGG(s, c, o) },
	}
}
