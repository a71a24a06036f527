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
	// Shortcut makes the way around a block that changes the shape.
	Shortcut ResNetShortcut
	// ImageStem begins with a 7x7 convolution and a max pool, which leave a
	// sixteenth of the pixels; without it a 3x3 convolution keeps them all.
	ImageStem bool
	// Style has the norm, the activation and the initialisation.
	Style layers.Style
	// Classifier is the name of the last layer, HeadInit draws its weight; nil
	// means PyTorch's default.
	Classifier string
	HeadInit   graph.Init
}

// ResNetBranch declares a residual branch up to its last norm, from in channels,
// with the stage's width inside, and tells how many channels it gives.
type ResNetBranch func(s graph.Scope, st layers.Style, in, width, stride int) (branch graph.Module, out int)

// BasicBranch is two 3x3 convolutions, of which the first has the stride.
func BasicBranch(s graph.Scope, st layers.Style, in, width, stride int) (graph.Module, int) {
	return graph.Sequential{
		st.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, width, 3, stride),
		st.LastConvNorm(s.Sub("conv2"), s.Sub("bn2"), width, width, 3, 1),
	}, width
}

// BottleneckBranch is a 3x3 convolution between two of 1x1, the last of which
// widens four times. The stride is the 3x3 convolution's, as in torchvision and
// timm; the paper gives it to the first one.
func BottleneckBranch(s graph.Scope, st layers.Style, in, width, stride int) (graph.Module, int) {
	out := 4 * width
	return graph.Sequential{
		st.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, width, 1, 1),
		st.ConvNormAct(s.Sub("conv2"), s.Sub("bn2"), width, width, 3, stride),
		st.LastConvNorm(s.Sub("conv3"), s.Sub("bn3"), width, out, 1, 1),
	}, out
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

// OptionA is the shortcut without parameters of the paper.
func OptionA(_ graph.Scope, _ layers.Style, _, out, stride int) graph.Module {
	return layers.OptionA{Stride: stride, Channels: out}
}

// NewResNet declares a residual network: conv1 and bn1, layer1.0, layer1.1 and so
// on, and the classifier. An attention is called se, as timm calls every one.
func NewResNet(s graph.Scope, c ResNetConfig, o Options) (graph.Module, error) {
	if len(c.Depths) == 0 || len(c.Depths) != len(c.Widths) {
		return nil, fmt.Errorf("residual network: %d depths and %d widths; each stage should have one of both", len(c.Depths), len(c.Widths))
	}
	var err error
	if c.Style, err = c.Style.With(o.Layers); err != nil {
		return nil, err
	}
	net, channels := c.stem(s, o.InChans), c.Widths[0]
	blocks, index := 0, 0
	for _, depth := range c.Depths {
		blocks += depth
	}
	for i, depth := range c.Depths {
		stage := s.Sub(fmt.Sprintf("layer%d", i+1))
		for k := range depth {
			stride := 1
			if i > 0 && k == 0 {
				stride = 2
			}
			var block graph.Module
			block, channels = c.block(stage.Sub(fmt.Sprint(k)), channels, c.Widths[i], stride, layers.DropPathRate(o.DropPath, index, blocks))
			net = append(net, block)
			index++
		}
	}
	head := layers.NewPoolHead(s.Sub(c.Classifier), channels, o.NumClasses, o.DropRate, graph.LinearConfig{Init: c.HeadInit})
	return append(net, head), nil
}

// stem declares what stands before the stages.
func (c ResNetConfig) stem(s graph.Scope, in int) graph.Sequential {
	style := c.Style.Outside()
	if !c.ImageStem {
		return graph.Sequential{style.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, c.Widths[0], 3, 1)}
	}
	return graph.Sequential{
		style.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, c.Widths[0], 7, 2),
		maxPool(op.Square(3, 2, 1), false),
	}
}

// block declares one residual block and tells how many channels it gives.
func (c ResNetConfig) block(s graph.Scope, in, width, stride int, dropPath float64) (graph.Module, int) {
	branch, out := c.Branch(s, c.Style, in, width, stride)
	if attention := c.Style.Attend(s.Sub("se"), out); attention != nil {
		branch = graph.Sequential{branch, attention}
	}
	b := &layers.Residual{Branch: branch, Act: c.Style.Act(s.Sub("act"), out), DropPath: dropPath}
	if stride != 1 || in != out {
		b.Shortcut = c.Shortcut(s, c.Style, in, out, stride)
	}
	return b, out
}

func maxPool(w op.Window, ceil bool) graph.Module {
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.MaxPool(x, w, ceil) })
}

// residualStyle is batch norm, relu and He's initialisation, as timm starts its
// residual networks.
var residualStyle = layers.Style{Norm: layers.BatchNorm, Act: layers.Act(op.ReLU), Init: graph.KaimingNormal, ZeroLast: true}

// resNets are the networks for ImageNet under torchvision's and timm's names of
// parameters. Their preprocessing is that of timm's default weights, trained by
// procedure A1 of "ResNet strikes back" (arXiv 2110.00476).
var resNets = []Spec{
	imageResNet("resnet18", BasicBranch, []int{2, 2, 2, 2}, "resnet18_a1_0-d63eafa0.pth"),
	imageResNet("resnet34", BasicBranch, []int{3, 4, 6, 3}, "resnet34_a1_0-46f8f793.pth"),
	imageResNet("resnet50", BottleneckBranch, []int{3, 4, 6, 3}, "resnet50_a1_0-14fe96d1.pth"),
}

func imageResNet(name string, branch ResNetBranch, depths []int, weights string) Spec {
	c := ResNetConfig{
		Depths: depths, Widths: []int{64, 128, 256, 512},
		Branch: branch, Shortcut: Projection("downsample"), ImageStem: true,
		Style: residualStyle, Classifier: "fc",
	}
	return Spec{
		Name: name, Residual: true, Layers: true, Build: c.build,
		Config: Config{
			InputSize: 224, InChans: 3, NumClasses: 1000,
			Mean: imageNetMean, Std: imageNetStd, CropPct: 0.95, Interpolation: "bicubic",
			FirstConv: []string{"conv1"}, FirstNorm: []string{"bn1"}, Classifier: []string{"fc"},
			Paper:   "He et al., Deep Residual Learning for Image Recognition, arXiv 1512.03385",
			Weights: "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/" + weights,
		},
	}
}

func (c ResNetConfig) build(s graph.Scope, o Options) (graph.Module, error) {
	return NewResNet(s, c, o)
}
