package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// ConvNeXtConfig is what ConvNeXts (Liu et al., arXiv 2201.03545) differ in.
type ConvNeXtConfig struct {
	// Depths is the number of blocks of each stage, Widths their channels. Each stage
	// but the first halves the map.
	Depths, Widths []int
	// Pointwise says that files hold the blocks' linear layers as 1x1 convolutions.
	Pointwise bool
	// Response puts global response normalisation between these layers in place of a
	// scale behind them (ConvNeXt V2, Woo et al., arXiv 2301.00808).
	Response bool
}

// NewConvNeXt declares a ConvNeXt under timm's names: stem.0, stem.1,
// stages.0.blocks.0.conv_dw and so on, stages.1.downsample.0, head.norm, head.fc.
func NewConvNeXt(s graph.Scope, c ConvNeXtConfig, o Options) (graph.Module, error) {
	if err := checkStages("ConvNeXt", c.Depths, "widths", c.Widths); err != nil {
		return nil, err
	}
	norm := layers.LayerNorm(1e-6)
	conv := func(s graph.Scope, in, out, k int) graph.Module {
		return graph.NewConv(s, in, out, k, graph.ConvConfig{Stride: k, Bias: true, Init: narrowNormal, BiasInit: graph.Zeros})
	}
	net := graph.Sequential{conv(s.Sub("stem.0"), o.InChans, c.Widths[0], 4), norm(s.Sub("stem.1"), c.Widths[0], false)}
	eachBlock(c.Depths, o.DropPath, func(i, k int, dropPath float64) {
		stage, width := s.Sub(fmt.Sprintf("stages.%d", i)), c.Widths[i]
		if i > 0 && k == 0 {
			down := stage.Sub("downsample")
			net = append(net, norm(down.Sub("0"), c.Widths[i-1], false), conv(down.Sub("1"), c.Widths[i-1], width, 2))
		}
		net = append(net, &layers.Residual{Branch: c.branch(stage.Sub(fmt.Sprintf("blocks.%d", k)), width, norm), DropPath: dropPath})
	})
	width := c.Widths[len(c.Widths)-1]
	return append(net, layers.GlobalAvgPool, norm(s.Sub("head.norm"), width, false), graph.Drop(o.DropRate),
		graph.NewLinear(s.Sub("head.fc"), width, o.NumClasses, graph.LinearConfig{Init: narrowNormal, BiasInit: graph.Zeros})), nil
}

// branch declares a block's residual branch: a 7x7 depthwise convolution, a norm, and two
// linear layers, the first four times as wide.
func (c ConvNeXtConfig) branch(s graph.Scope, width int, norm layers.NormFunc) graph.Module {
	dense := layers.DenseOf(narrowNormal, graph.Zeros)
	if c.Pointwise {
		dense = layers.PointwiseOf(narrowNormal, graph.Zeros)
	}
	var response layers.NormFunc
	var scale graph.Sequential
	if c.Response {
		response = layers.GlobalResponseNorm
	} else {
		scale = graph.Sequential{layers.NewLayerScale(s, width, 1e-6)}
	}
	return append(graph.Sequential{
		graph.NewConv(s.Sub("conv_dw"), width, width, 7, graph.ConvConfig{Pad: 3, Groups: width, Bias: true, Init: narrowNormal, BiasInit: graph.Zeros}),
		norm(s.Sub("norm"), width, false),
		layers.NewMLP(s.Sub("mlp"), width, 4*width, dense, op.GELU, response),
	}, scale...)
}

const (
	convNeXtPaper   = "Liu et al., A ConvNet for the 2020s, arXiv 2201.03545"
	convNeXtV2Paper = "Woo et al., ConvNeXt V2: Co-designing and Scaling ConvNets with Masked Autoencoders, arXiv 2301.00808"
	convNeXtFiles   = "https://dl.fbaipublicfiles.com/convnext/"
)

// convNeXts have the preprocessing of timm's default weights.
var convNeXts = []Spec{
	convNeXt("convnext_atto", ConvNeXtConfig{Depths: []int{2, 2, 6, 2}, Widths: []int{40, 80, 160, 320}, Pointwise: true}, imageNet(convNeXtPaper, 0.875, rsbWeights+"convnext_atto_d2-01bb0f51.pth")),
	convNeXt("convnext_tiny", ConvNeXtConfig{Depths: []int{3, 3, 9, 3}, Widths: []int{96, 192, 384, 768}}, imageNet(convNeXtPaper, 0.95, timmHub+"convnext_tiny.in12k_ft_in1k")),
	convNeXt("convnext_base", ConvNeXtConfig{Depths: []int{3, 3, 27, 3}, Widths: []int{128, 256, 512, 1024}}, imageNet(convNeXtPaper, 0.875, convNeXtFiles+"convnext_base_22k_1k_224.pth")),
	convNeXt("convnextv2_atto", ConvNeXtConfig{Depths: []int{2, 2, 6, 2}, Widths: []int{40, 80, 160, 320}, Pointwise: true, Response: true}, imageNet(convNeXtV2Paper, 0.875, convNeXtFiles+"convnextv2/im1k/convnextv2_atto_1k_224_ema.pt")),
}

func convNeXt(name string, c ConvNeXtConfig, info Config) Spec {
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"stem.0"}, []string{""}, []string{"head.fc"}
	return Spec{
		Name: name, Residual: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewConvNeXt(s, c, o) },
	}
}
