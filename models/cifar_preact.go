package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// PreActConfig is what residual networks of pre-activation for small images differ
// in (He et al., Identity Mappings in Deep Residual Networks, arXiv 1603.05027).
type PreActConfig struct {
	// Stem is the width of the first convolution.
	Stem int
	// Depths is the number of blocks of each stage, Widths their width. Each stage
	// but the first halves the map.
	Depths, Widths []int
	// Stage names stage i, counted from 1, by a format such as layer%d.
	Stage string
	// Shortcut makes the way around a block that changes the shape.
	Shortcut ResNetShortcut
	// DropInside puts dropout between the convolutions of each block in place of
	// before the classifier.
	DropInside bool
	// Norm and Classifier name the last layers.
	Norm, Classifier string
	// Style has the norms, the activations and the convolutions.
	Style layers.Style
}

// BareProjection is a shortcut by a 1x1 convolution without a norm.
func BareProjection(name string) ResNetShortcut {
	return func(s graph.Scope, st layers.Style, in, out, stride int) graph.Module {
		return st.Convolve(s.Sub(name), in, out, 1, graph.ConvConfig{Stride: stride})
	}
}

// NewPreActResNet declares conv1, blocks of bn1, conv1, bn2 and conv2 in the
// stages, the last norm, and the classifier. Around the first block and those that
// change the shape, the shortcut takes what its norm and activation give, as in
// the paper, around the others the block's input. An attention is called se.
func NewPreActResNet(s graph.Scope, c PreActConfig, o Options) (graph.Module, error) {
	err := checkStages("residual network", c.Depths, "widths", c.Widths)
	if err != nil {
		return nil, err
	}
	if c.Style, err = c.Style.With(o.Layers); err != nil {
		return nil, err
	}
	inside := 0.0
	if c.DropInside {
		inside, o.DropRate = o.DropRate, 0
	}
	s = s.ConvInit(graph.KaimingNormal)
	net := graph.Sequential{c.Style.Outside().Convolve(s.Sub("conv1"), o.InChans, c.Stem, 3, graph.ConvConfig{})}
	channels := c.Stem
	eachBlock(c.Depths, o.DropPath, func(i, k int, dropPath float64) {
		c := c
		c.Style = c.Style.At(i)
		block := c.block(s.Sub(fmt.Sprintf(c.Stage, i+1)).Sub(fmt.Sprint(k)), channels, c.Widths[i], laterStride(i, k), inside)
		if i == 0 && k == 0 && block.Shortcut == nil {
			block.Shortcut = graph.Sequential{}
		}
		block.DropPath = dropPath
		net = append(net, block)
		channels = c.Widths[i]
	})
	return append(net,
		c.Style.NormAct(s.Sub(c.Norm), channels),
		layers.NewPoolHead(s.Sub(c.Classifier), channels, o.NumClasses, o.DropRate, graph.LinearConfig{BiasInit: graph.Zeros}),
	), nil
}

// block declares two 3x3 convolutions, each behind a norm and an activation.
func (c PreActConfig) block(s graph.Scope, in, width, stride int, drop float64) *layers.PreActResidual {
	st := c.Style
	b := &layers.PreActResidual{Pre: st.NormAct(s.Sub("bn1"), in)}
	b.Branch = st.Attended(graph.Sequential{
		st.Convolve(s.Sub("conv1"), in, width, 3, graph.ConvConfig{Stride: stride}),
		st.NormAct(s.Sub("bn2"), width),
		graph.Drop(drop),
		st.Convolve(s.Sub("conv2"), width, width, 3, graph.ConvConfig{}),
	}, s.Sub("se"), width)
	if stride != 1 || in != width {
		b.Shortcut = c.Shortcut(s, st, in, width, stride)
	}
	return b
}

// cifarPreActs are networks of pre-activation for images of 32x32 pixels. All start
// as Zagoruyko's code starts them: convolutions after He by their outputs, the
// classifier's bias at zero.
//
// Pre-activation ResNet-18 has the names of kuangliu's pytorch-cifar with, as in
// the paper and not in that code, a norm and an activation behind the last block,
// bn. The thin ones, of 20 to 110 layers, are the paper's with option-A shortcuts
// under the same names. Wide residual networks (d layers, k times as wide) have
// the names of xternalz's WideResNet-pytorch; their dropout is inside the blocks.
var cifarPreActs = []Spec{
	cifarPreAct("cifar_preact_resnet18", PreActConfig{
		Stem: 64, Depths: []int{2, 2, 2, 2}, Widths: []int{64, 128, 256, 512}, Shortcut: BareProjection("shortcut.0"),
	}),
	thinPreAct("cifar_preact_resnet20", 3),
	thinPreAct("cifar_preact_resnet32", 5),
	thinPreAct("cifar_preact_resnet44", 7),
	thinPreAct("cifar_preact_resnet56", 9),
	thinPreAct("cifar_preact_resnet110", 18),
	wideResNet("cifar_wrn16_4", 16, 4),
	wideResNet("cifar_wrn28_10", 28, 10),
}

// thinPreAct has three stages of n blocks.
func thinPreAct(name string, n int) Spec {
	return cifarPreAct(name, PreActConfig{Stem: 16, Depths: []int{n, n, n}, Widths: []int{16, 32, 64}, Shortcut: OptionA})
}

func cifarPreAct(name string, c PreActConfig) Spec {
	c.Stage, c.Norm, c.Classifier = "layer%d", "bn", "linear"
	return c.spec(name, "He et al., Identity Mappings in Deep Residual Networks, arXiv 1603.05027")
}

// wideResNet has depth layers and k times the thin network's widths.
func wideResNet(name string, depth, k int) Spec {
	n := (depth - 4) / 6
	c := PreActConfig{
		Stem: 16, Depths: []int{n, n, n}, Widths: []int{16 * k, 32 * k, 64 * k}, Shortcut: BareProjection("convShortcut"),
		Stage: "block%d.layer", DropInside: true, Norm: "bn1", Classifier: "fc",
	}
	return c.spec(name, "Zagoruyko and Komodakis, Wide Residual Networks, arXiv 1605.07146")
}

func (c PreActConfig) spec(name, paper string) Spec {
	c.Style = batchNormed(op.ReLU)
	first := fmt.Sprintf(c.Stage, 1) + ".0.bn1"
	return Spec{
		Name: name, Residual: true, Layers: true,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewPreActResNet(s, c, o) },
		Config: Config{
			InputSize: 32, InChans: 3, NumClasses: 10, Mean: cifarMean, Std: cifarStd, CropPct: 1, Interpolation: "bilinear",
			FirstConv: []string{"conv1"}, FirstNorm: []string{first}, Classifier: []string{c.Classifier}, Paper: paper,
		},
	}
}
