package models

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// MobileNetConfig is what the networks of mobile blocks differ in: MobileNet 1 to
// 3, EfficientNet and EfficientNetV2.
type MobileNetConfig struct {
	// Stem is the width of the first convolution, of 3x3 pixels and stride 2.
	Stem int
	// Stages hold runs of blocks. Channels are what Round makes of those in the runs.
	Stages [][]MobileBlocks
	Round  func(channels int) int
	// Head is the width of the 1x1 convolution before the classifier, 0 without.
	Head int
	// PooledHead has that convolution behind the mean over the map, with a bias in
	// place of the norm (MobileNetV3).
	PooledHead bool
	// Style has the norm, the activation and the padding.
	Style layers.Style
	// Squeeze says how squeeze-and-excitation narrows, for blocks that have it: from
	// in channels, widened to wide, by the ratio of the run.
	Squeeze func(in, wide int, ratio float64) layers.SqueezeExciteConfig
}

// MobileKind is the order of the convolutions in a block.
type MobileKind uint8

// The kinds of blocks. All but the last filter each channel by itself, or not at
// all where Kernel is 1.
const (
	// Inverted widens by 1x1, filters, and narrows by 1x1 without an activation
	// behind (Sandler et al., arXiv 1801.04381).
	Inverted MobileKind = iota
	// Separable is Inverted without what widens.
	Separable
	// ActSeparable is Separable with an activation behind and no shortcut (Howard
	// et al., arXiv 1704.04861).
	ActSeparable
	// FusedInverted widens by a dense convolution, which takes the place of two
	// (Tan and Le, arXiv 2104.00298).
	FusedInverted
	// SkippedConv is one dense convolution with a norm and an activation inside a
	// shortcut, PlainConv one without a shortcut.
	SkippedConv
	PlainConv
)

// MobileBlocks is a run of blocks of one kind that give as many channels.
type MobileBlocks struct {
	Kind MobileKind
	// Depth is the number of blocks. Stride is that of the stage's first one.
	Depth, Stride int
	// Kernel is the size of the spatial convolution.
	Kernel int
	// Expand is how much wider a block is inside than its input, for the kinds that
	// widen.
	Expand float64
	// Channels is the width of the blocks' results, before MobileNetConfig.Round.
	Channels int
	// Squeeze is the ratio of squeeze-and-excitation, 0 without.
	Squeeze float64
	// Act takes the place of the network's activation where it is set.
	Act op.Act
}

// scaled multiplies channels by a width and rounds to a multiple of 8, upwards
// where rounding to the nearest would leave less than limit of them.
func scaled(width, limit float64) func(channels int) int {
	return func(channels int) int { return layers.Divisible(width*float64(channels), 8, limit) }
}

// deepened multiplies the depth of all runs and rounds up.
func deepened(stages [][]MobileBlocks, depth float64) [][]MobileBlocks {
	out := make([][]MobileBlocks, len(stages))
	for i, stage := range stages {
		for _, run := range stage {
			run.Depth = int(math.Ceil(depth * float64(run.Depth)))
			out[i] = append(out[i], run)
		}
	}
	return out
}

// NewMobileNet declares a network of mobile blocks under timm's names: conv_stem
// and bn1, the blocks as blocks.0.0.conv_dw and so on, conv_head and bn2,
// classifier. An attention that is chosen stands where squeeze-and-excitation does.
func NewMobileNet(s graph.Scope, c MobileNetConfig, o Options) (graph.Module, error) {
	if len(c.Stages) == 0 || c.Stem < 1 {
		return nil, fmt.Errorf("network of mobile blocks: %d stages behind %d channels; it needs a stage and a channel", len(c.Stages), c.Stem)
	}
	var err error
	if c.Style, err = c.Style.With(o.Layers); err != nil {
		return nil, err
	}
	s = s.ConvInit(graph.KaimingNormal).ConvBiasInit(graph.Zeros)
	net := graph.Sequential{c.Style.Outside().ConvNormAct(s.Sub("conv_stem"), s.Sub("bn1"), o.InChans, c.Stem, 3, 2)}
	b := mobileBuilder{MobileNetConfig: c, choice: o.Layers, channels: c.Stem, dropPath: o.DropPath}
	for _, stage := range c.Stages {
		for _, run := range stage {
			b.blocks += run.Depth
		}
	}
	for i, stage := range c.Stages {
		b.Style = c.Style.At(i)
		net = append(net, b.stage(s.Sub(fmt.Sprintf("blocks.%d", i)), stage)...)
	}
	return append(net, c.head(s, b.channels, o)...), nil
}

// head declares what stands behind the blocks.
func (c MobileNetConfig) head(s graph.Scope, in int, o Options) graph.Sequential {
	classifier := graph.LinearConfig{Init: graph.Uniform(1 / math.Sqrt(float64(o.NumClasses))), BiasInit: graph.Zeros}
	if c.Head == 0 {
		return graph.Sequential{layers.NewPoolHead(s.Sub("classifier"), in, o.NumClasses, o.DropRate, classifier)}
	}
	if c.PooledHead {
		return graph.Sequential{
			layers.SpatialMean,
			graph.NewConv(s.Sub("conv_head"), in, c.Head, 1, graph.ConvConfig{Bias: true}),
			c.Style.Act(s.Sub("act2"), c.Head),
			layers.Flatten,
			graph.Drop(o.DropRate),
			graph.NewLinear(s.Sub("classifier"), c.Head, o.NumClasses, classifier),
		}
	}
	return graph.Sequential{
		c.Style.Outside().ConvNormAct(s.Sub("conv_head"), s.Sub("bn2"), in, c.Head, 1, 1),
		layers.NewPoolHead(s.Sub("classifier"), c.Head, o.NumClasses, o.DropRate, classifier),
	}
}

// mobileBuilder declares blocks one after the other.
type mobileBuilder struct {
	MobileNetConfig
	choice   layers.Choice
	channels int // of the last block
	index    int // of the next block
	blocks   int // in all
	dropPath float64
}

// stage declares the blocks of one stage.
func (b *mobileBuilder) stage(s graph.Scope, runs []MobileBlocks) graph.Sequential {
	var blocks graph.Sequential
	for _, run := range runs {
		for range run.Depth {
			if len(blocks) > 0 {
				run.Stride = 1
			}
			blocks = append(blocks, b.block(s.Sub(fmt.Sprint(len(blocks))), run))
		}
	}
	return blocks
}

// block declares one block.
func (b *mobileBuilder) block(s graph.Scope, r MobileBlocks) graph.Module {
	m := mobileBlock{Style: b.Style, s: s}
	if r.Act != "" && b.choice.Act == "" {
		m.Act = layers.Act(r.Act)
	}
	in, out := b.channels, b.Round(r.Channels)
	wide := in
	if r.Kind == Inverted || r.Kind == FusedInverted {
		wide = layers.Divisible(float64(in)*r.Expand, 8, 0.9)
	}
	var branch graph.Sequential
	switch r.Kind {
	case Inverted:
		branch = append(branch, m.ConvNormAct(s.Sub("conv_pw"), s.Sub("bn1"), in, wide, 1, 1), m.depthwise("bn2", wide, r))
		branch = append(branch, b.attention(s, in, wide, r)...)
		branch = append(branch, m.ConvNorm(s.Sub("conv_pwl"), s.Sub("bn3"), wide, out, 1, 1))
	case Separable, ActSeparable:
		branch = append(branch, m.depthwise("bn1", in, r))
		branch = append(branch, b.attention(s, in, in, r)...)
		if r.Kind == ActSeparable {
			branch = append(branch, m.ConvNormAct(s.Sub("conv_pw"), s.Sub("bn2"), in, out, 1, 1))
		} else {
			branch = append(branch, m.ConvNorm(s.Sub("conv_pw"), s.Sub("bn2"), in, out, 1, 1))
		}
	case FusedInverted:
		branch = append(branch, m.ConvNormAct(s.Sub("conv_exp"), s.Sub("bn1"), in, wide, r.Kernel, r.Stride))
		branch = append(branch, b.attention(s, in, wide, r)...)
		branch = append(branch, m.ConvNorm(s.Sub("conv_pwl"), s.Sub("bn2"), wide, out, 1, 1))
	default:
		branch = append(branch, m.ConvNormAct(s.Sub("conv"), s.Sub("bn1"), in, out, r.Kernel, r.Stride))
	}
	// timm spaces the probabilities so that none reaches the rate itself.
	dropPath := b.dropPath * float64(b.index) / float64(b.blocks)
	b.channels = out
	b.index++
	if r.Stride != 1 || in != out || r.Kind == ActSeparable || r.Kind == PlainConv {
		return branch
	}
	return &layers.Residual{Branch: branch, DropPath: dropPath}
}

// attention declares the squeeze-and-excitation of a block or what was chosen in
// its place.
func (b *mobileBuilder) attention(s graph.Scope, in, wide int, r MobileBlocks) graph.Sequential {
	f := b.Style.Attention
	if b.choice.Attention == "" && r.Squeeze > 0 {
		c := b.Squeeze(in, wide, r.Squeeze)
		c.SqueezeName, c.ExciteName = "conv_reduce", "conv_expand"
		f = layers.SqueezeExcite(c)
	}
	if f == nil {
		return nil
	}
	return graph.Sequential{f(s.Sub("se"), wide)}
}

// mobileBlock is the style and the scope of one block.
type mobileBlock struct {
	layers.Style
	s graph.Scope
}

// depthwise declares a convolution of each channel by itself, its norm, and the
// activation.
func (m mobileBlock) depthwise(norm string, channels int, r MobileBlocks) graph.Module {
	return m.ConvNormActOf(m.s.Sub("conv_dw"), m.s.Sub(norm), channels, channels, r.Kernel, graph.ConvConfig{
		Stride: r.Stride, Groups: channels, Init: groupedFanOut(r.Kernel, channels, channels)})
}

// mobileSpec is a network of mobile blocks in the registry.
func mobileSpec(name string, c MobileNetConfig, info Config) Spec {
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"conv_stem"}, []string{"bn1"}, []string{"classifier"}
	return Spec{Name: name, Residual: true, Layers: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewMobileNet(s, c, o) }}
}
