package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// ResNetConfig is what residual networks (He et al., arXiv 1512.03385) differ in.
type ResNetConfig struct {
	// Depths is the number of blocks of each stage, Widths their inner width.
	// Each stage but the first halves the map.
	Depths, Widths []int
	// Branch makes the residual branch of a block.
	Branch ResNetBranch
	// Cardinality is the number of groups of a bottleneck's 3x3 convolution, each
	// with BaseWidth channels where the stage's width is 64 (ResNeXt, Xie et al.,
	// arXiv 1611.05431). Zero values mean 1 and 64.
	Cardinality, BaseWidth int
	// Shortcut makes the way around a block that changes the shape.
	Shortcut ResNetShortcut
	// ShortcutFirst declares the shortcut before the branch, which is the order of
	// its parameters in some files.
	ShortcutFirst bool
	// Stem makes what stands before the stages, Between, where set, what stands
	// behind stage i, counted from 1, with so many channels, unless it is the last.
	Stem    ResNetStem
	Between func(s graph.Scope, i, channels int) graph.Module
	// Stage names stage i, counted from 1; nil means layer1 and so on.
	Stage func(i int) string
	// Attention names the attention inside a block; "" means se.
	Attention string
	// Style has the norm, the activation and the attention. ConvInit draws the
	// convolutions' weights, ConvBiasInit the biases of those in attentions; nil
	// means PyTorch's default.
	Style                  layers.Style
	ConvInit, ConvBiasInit graph.Init
	// Classifier is the name of the last layer, HeadInit draws its weight and
	// HeadBiasInit its bias; nil means PyTorch's default.
	Classifier             string
	HeadInit, HeadBiasInit graph.Init

	dropBlock graph.Module // behind a block's inner convolution; nil without
}

// ResNetStem is what stands before the stages.
type ResNetStem struct {
	// Declare declares it from in channels, in the network's scope, and tells how
	// many channels it gives.
	Declare func(s graph.Scope, st layers.Style, in int) (stem graph.Sequential, out int)
	// Conv and Norm name its first layers.
	Conv, Norm string
}

// SmallImageStem is one 3x3 convolution that keeps all the pixels.
func SmallImageStem(width int) ResNetStem {
	return ResNetStem{Conv: "conv1", Norm: "bn1", Declare: func(s graph.Scope, st layers.Style, in int) (graph.Sequential, int) {
		return graph.Sequential{st.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, width, 3, 1)}, width
	}}
}

// ImageStem is a 7x7 convolution to 64 channels and a max pool, which leave a
// sixteenth of the pixels.
func ImageStem() ResNetStem {
	return ResNetStem{Conv: "conv1", Norm: "bn1", Declare: func(s graph.Scope, st layers.Style, in int) (graph.Sequential, int) {
		return graph.Sequential{st.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, 64, 7, 2), stemPool}, 64
	}}
}

// DeepStem has three 3x3 convolutions in place of the 7x7 one (He et al., arXiv
// 1812.01187, C): to first, second and out channels, named conv1.0, conv1.3 and
// conv1.6.
func DeepStem(first, second, out int) ResNetStem {
	return ResNetStem{Conv: "conv1.0", Norm: "conv1.1", Declare: func(s graph.Scope, st layers.Style, in int) (graph.Sequential, int) {
		conv := s.Sub("conv1")
		return graph.Sequential{
			st.ConvNormAct(conv.Sub("0"), conv.Sub("1"), in, first, 3, 2),
			st.ConvNormAct(conv.Sub("3"), conv.Sub("4"), first, second, 3, 1),
			st.ConvNormAct(conv.Sub("6"), s.Sub("bn1"), second, out, 3, 1),
			stemPool,
		}, out
	}}
}

var stemPool = maxPool(op.Square(3, 2, 1), false)

// ResNetBranch is what a residual branch is made of.
type ResNetBranch struct {
	// Expansion is how many times as wide as the stage its result is.
	Expansion int
	// Declare declares it up to its last norm and its attention, from in channels,
	// with the stage's width inside.
	Declare func(s graph.Scope, c ResNetConfig, in, width, stride int) graph.Module
}

// BasicBranch is two 3x3 convolutions, of which the first has the stride.
var BasicBranch = ResNetBranch{Expansion: 1, Declare: func(s graph.Scope, c ResNetConfig, in, width, stride int) graph.Module {
	return c.attended(s, graph.Sequential{
		c.dropped(c.Style.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, width, 3, stride)),
		c.Style.LastConvNorm(s.Sub("conv2"), s.Sub("bn2"), width, width, 3, 1),
	}, width)
}}

// BottleneckBranch is a 3x3 convolution between two of 1x1, the last of which
// widens four times. The stride is the 3x3 convolution's, as in torchvision and
// timm; the paper gives it to the first one.
var BottleneckBranch = ResNetBranch{Expansion: 4, Declare: func(s graph.Scope, c ResNetConfig, in, width, stride int) graph.Module {
	inner, out := c.inner(width), 4*width
	return c.attended(s, graph.Sequential{
		c.Style.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, inner, 1, 1),
		c.dropped(c.Style.ConvNormActOf(s.Sub("conv2"), s.Sub("bn2"), inner, inner, 3, graph.ConvConfig{Stride: stride, Groups: c.Cardinality})),
		c.Style.LastConvNorm(s.Sub("conv3"), s.Sub("bn3"), inner, out, 1, 1),
	}, out)
}}

// attended is a branch with the style's attention behind it.
func (c ResNetConfig) attended(s graph.Scope, branch graph.Sequential, channels int) graph.Module {
	return c.Style.Attended(branch, s.Sub(c.Attention), channels)
}

// dropped is the inner convolution of a branch with drop block behind it, where the
// stage has it. timm has it before the activation, which for relu is the same.
func (c ResNetConfig) dropped(inner graph.Module) graph.Module {
	if c.dropBlock == nil {
		return inner
	}
	return graph.Sequential{inner, c.dropBlock}
}

// dropBlockOf is drop block in stage i of n, as timm has it: squares of 5 x 5 pixels at
// a quarter of the rate in the last but one, of 3 x 3 in the last, none before.
func dropBlockOf(p float64, i, n int) graph.Module {
	switch {
	case p > 0 && i == n-2:
		return layers.DropBlock(p, 5, 0.25)
	case p > 0 && i == n-1:
		return layers.DropBlock(p, 3, 1)
	}
	return nil
}

// inner is the width of a bottleneck's 3x3 convolution in a stage of this width.
func (c ResNetConfig) inner(width int) int {
	if c.BaseWidth == 0 {
		return width * max(1, c.Cardinality)
	}
	return width * c.BaseWidth / 64 * max(1, c.Cardinality)
}

// ResNetShortcut makes the way around a block, in the block's scope.
type ResNetShortcut func(s graph.Scope, st layers.Style, in, out, stride int) graph.Module

// Projection is a shortcut by a 1x1 convolution and a norm (option B of the
// paper), named name.0 and name.1.
func Projection(name string) ResNetShortcut {
	return func(s graph.Scope, st layers.Style, in, out, stride int) graph.Module {
		s = s.Sub(name)
		return st.ConvNorm(s.Sub("0"), s.Sub("1"), in, out, 1, stride)
	}
}

// PooledProjection is Projection behind a mean over 2x2 pixels that takes the
// stride, so that no pixel is left out (He et al., arXiv 1812.01187, D): name.1
// and name.2.
func PooledProjection(name string) ResNetShortcut {
	return func(s graph.Scope, st layers.Style, in, out, stride int) graph.Module {
		s = s.Sub(name)
		project := st.ConvNorm(s.Sub("1"), s.Sub("2"), in, out, 1, 1)
		if stride == 1 {
			return project
		}
		pool := graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			return g.AvgPool(x, op.Square(2, stride, 0), true, false)
		})
		return graph.Sequential{pool, project}
	}
}

// OptionA is the shortcut without parameters of the paper.
func OptionA(_ graph.Scope, _ layers.Style, _, out, stride int) graph.Module {
	return layers.OptionA{Stride: stride, Channels: out}
}

// NewResNet declares a residual network: the stem, such as conv1 and bn1, the
// blocks layer1.0, layer1.1 and so on, and the classifier. An attention that
// options choose is called se, as timm calls every one.
func NewResNet(s graph.Scope, c ResNetConfig, o Options) (graph.Module, error) {
	err := checkStages("residual network", c.Depths, "widths", c.Widths)
	if err != nil {
		return nil, err
	}
	if c.Style, err = c.Style.With(o.Layers); err != nil {
		return nil, err
	}
	if c.Attention == "" || o.Layers.Attention != "" {
		c.Attention = "se"
	}
	if c.Stage == nil {
		c.Stage = func(i int) string { return fmt.Sprintf("layer%d", i) }
	}
	s = s.ConvInit(c.ConvInit).ConvBiasInit(c.ConvBiasInit)
	net, channels := c.Stem.Declare(s, c.Style.Outside(), o.InChans)
	eachBlock(c.Depths, o.DropPath, func(i, k int, dropPath float64) {
		if c.Between != nil && i > 0 && k == 0 {
			net = append(net, c.Between(s, i, channels))
		}
		c := c
		c.Style = c.Style.At(i)
		c.dropBlock = dropBlockOf(o.DropBlock, i, len(c.Depths))
		net = append(net, c.block(s.Sub(c.Stage(i+1)).Sub(fmt.Sprint(k)), channels, c.Widths[i], laterStride(i, k), dropPath))
		channels = c.Widths[i] * c.Branch.Expansion
	})
	head := layers.NewPoolHead(s.Sub(c.Classifier), channels, o.NumClasses, o.DropRate, graph.LinearConfig{Init: c.HeadInit, BiasInit: c.HeadBiasInit})
	return append(net, head), nil
}

// block declares one residual block.
func (c ResNetConfig) block(s graph.Scope, in, width, stride int, dropPath float64) graph.Module {
	out := width * c.Branch.Expansion
	b := &layers.Residual{DropPath: dropPath}
	around := func() {
		if stride != 1 || in != out {
			b.Shortcut = c.Shortcut(s, c.Style, in, out, stride)
		}
	}
	if c.ShortcutFirst {
		around()
	}
	b.Branch = c.Branch.Declare(s, c, in, width, stride)
	b.Act = c.Style.Act(s.Sub("act"), out)
	if !c.ShortcutFirst {
		around()
	}
	return b
}

func maxPool(w op.Window, ceil bool) graph.Module {
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.MaxPool(x, w, ceil) })
}

// batchNormed is batch norm and an activation.
func batchNormed(act op.Act) layers.Style {
	return layers.Style{Norm: layers.BatchNorm, Act: layers.Act(act)}
}

// residualStyle is batch norm and relu, each branch starting at zero.
var residualStyle = layers.Style{Norm: layers.BatchNorm, Act: layers.Act(op.ReLU), ZeroLast: true}

// resNets are the networks for ImageNet under torchvision's and timm's names of
// parameters, with the preprocessing of timm's default weights.
var resNets = []Spec{
	imageResNet("resnet18", basic(2, 2, 2, 2), imageNet(resNetPaper, 0.95, rsbWeights+"resnet18_a1_0-d63eafa0.pth")),
	imageResNet("resnet34", basic(3, 4, 6, 3), imageNet(resNetPaper, 0.95, rsbWeights+"resnet34_a1_0-46f8f793.pth")),
	imageResNet("resnet50", bottleneck(3, 4, 6, 3), imageNet(resNetPaper, 0.95, rsbWeights+"resnet50_a1_0-14fe96d1.pth")),
	imageResNet("resnet101", bottleneck(3, 4, 23, 3), imageNet(resNetPaper, 0.95, rsbWeights+"resnet101_a1h-36d3f2aa.pth")),
	imageResNet("resnet152", bottleneck(3, 8, 36, 3), imageNet(resNetPaper, 0.95, rsbWeights+"resnet152_a1h-dc400468.pth")),

	imageResNet("resnet26d", bottleneck(2, 2, 2, 2).d(), imageNet(tricksPaper, 0.875, timmWeights+"resnet26d-69e92c46.pth")),
	imageResNet("resnet50d", bottleneck(3, 4, 6, 3).d(), imageNet(tricksPaper, 0.875, timmWeights+"resnet50d_ra2-464e36ba.pth")),
	imageResNet("resnet101d", bottleneck(3, 4, 23, 3).d(), imageNet(tricksPaper, 0.95, timmWeights+"resnet101d_ra2-2803ffab.pth").at(256)),

	grouped(imageResNet("resnet50_gn", bottleneck(3, 4, 6, 3).norm(layers.GroupNorm(32, 1e-5)),
		imageNet("Wu and He, Group Normalization, arXiv 1803.08494", 0.94, rsbWeights+"resnet50_gn_a1h2-8fe6c4d0.pth"))),
	imageResNet("wide_resnet50_2", bottleneck(3, 4, 6, 3).groups(1, 128),
		imageNet("Zagoruyko and Komodakis, Wide Residual Networks, arXiv 1605.07146", 0.875, timmWeights+"wide_resnet50_racm-8234f177.pth")),
	imageResNet("resnext50_32x4d", bottleneck(3, 4, 6, 3).groups(32, 4), imageNet(resNeXtPaper, 0.95, rsbWeights+"resnext50_32x4d_a1h-0146ab0a.pth")),
	imageResNet("resnext101_32x8d", bottleneck(3, 4, 23, 3).groups(32, 8),
		imageNet(resNeXtPaper, 0.875, "https://download.pytorch.org/models/resnext101_32x8d-8ba56ff5.pth").resized("bilinear")),
}

const (
	resNetPaper  = "He et al., Deep Residual Learning for Image Recognition, arXiv 1512.03385"
	tricksPaper  = "He et al., Bag of Tricks for Image Classification with Convolutional Neural Networks, arXiv 1812.01187"
	resNeXtPaper = "Xie et al., Aggregated Residual Transformations for Deep Neural Networks, arXiv 1611.05431"
)

// Where timm keeps weights: those of "ResNet strikes back" (arXiv 2110.00476), others,
// and those that have a page of their own.
const (
	rsbWeights  = "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/"
	timmHub     = "https://huggingface.co/timm/"
	timmWeights = "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/"
)

// basic is a network of basic blocks for ImageNet, with so many in each stage.
func basic(depths ...int) ResNetConfig { return imageConfig(BasicBranch, depths) }

// bottleneck is one of bottlenecks.
func bottleneck(depths ...int) ResNetConfig { return imageConfig(BottleneckBranch, depths) }

func imageConfig(branch ResNetBranch, depths []int) ResNetConfig {
	return ResNetConfig{
		Depths: depths, Widths: []int{64, 128, 256, 512},
		Branch: branch, Shortcut: Projection("downsample"), Stem: ImageStem(),
		Style: residualStyle, ConvInit: graph.KaimingNormal, Classifier: "fc",
	}
}

// d is the network with a deep stem and pooled shortcuts (arXiv 1812.01187).
func (c ResNetConfig) d() ResNetConfig {
	c.Stem, c.Shortcut = DeepStem(32, 32, 64), PooledProjection("downsample")
	return c
}

// t is d with a stem whose layers widen one by one.
func (c ResNetConfig) t() ResNetConfig {
	c = c.d()
	c.Stem = DeepStem(24, 32, 64)
	return c
}

// norm is the network with another normalisation.
func (c ResNetConfig) norm(n layers.NormFunc) ResNetConfig {
	c.Style.Norm = n
	return c
}

// grouped tells of a network with group norms that its stem has no statistics.
func grouped(s Spec) Spec {
	s.Config.FirstNorm = []string{""}
	return s
}

// groups is the network with a bottleneck's 3x3 convolutions in groups.
func (c ResNetConfig) groups(cardinality, baseWidth int) ResNetConfig {
	c.Cardinality, c.BaseWidth = cardinality, baseWidth
	return c
}

func imageResNet(name string, c ResNetConfig, info Config) Spec {
	info.FirstConv, info.FirstNorm, info.Classifier = []string{c.Stem.Conv}, []string{c.Stem.Norm}, []string{c.Classifier}
	return Spec{Name: name, Residual: true, DropBlock: true, Layers: true, Build: c.build, Config: info}
}

func (c ResNetConfig) build(s graph.Scope, o Options) (graph.Module, error) {
	return NewResNet(s, c, o)
}
