package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// ResNetV2Config is what residual networks with the norm and activation before each
// convolution (He et al., arXiv 1603.05027) differ in.
type ResNetV2Config struct {
	// Depths is the number of bottlenecks of each stage, Widths the channels that each
	// gives. Each stage but the first halves the map.
	Depths, Widths []int
	// Style has the norm, the activation and the convolution.
	Style layers.Style
	// ZeroPadPool pads the map with zeros before the max pool, as BiT does, where others
	// let only pixels count.
	ZeroPadPool bool
}

// NewResNetV2 declares a network under timm's names: stem.conv, stages.0.blocks.0.norm1,
// conv1 and so on, norm, head.fc, which files hold as a 1x1 convolution.
func NewResNetV2(s graph.Scope, c ResNetV2Config, o Options) (graph.Module, error) {
	err := checkStages("residual network", c.Depths, "widths", c.Widths)
	if err != nil {
		return nil, err
	}
	if c.Style, err = c.Style.With(o.Layers); err != nil {
		return nil, err
	}
	s = s.ConvInit(graph.KaimingNormal)
	net := graph.Sequential{c.Style.Outside().Convolve(s.Sub("stem.conv"), o.InChans, 64, 7, graph.ConvConfig{Stride: 2})}
	if c.ZeroPadPool {
		net = append(net, layers.ZeroPad(1), maxPool(op.Square(3, 2, 0), false))
	} else {
		net = append(net, stemPool)
	}
	channels := 64
	eachBlock(c.Depths, o.DropPath, func(i, k int, dropPath float64) {
		c := c
		c.Style = c.Style.At(i)
		block := s.Sub(fmt.Sprintf("stages.%d.blocks.%d", i, k))
		net = append(net, c.block(block, channels, c.Widths[i], laterStride(i, k), k == 0, dropPath))
		channels = c.Widths[i]
	})
	net = append(net, c.Style.NormAct(s.Sub("norm"), channels), layers.SpatialMean, graph.Drop(o.DropRate))
	fc := graph.NewConv(s.Sub("head.fc"), channels, o.NumClasses, 1, graph.ConvConfig{Bias: true, Init: graph.Normal(0.01), BiasInit: graph.Zeros})
	return append(net, fc, layers.Flatten), nil
}

// block declares a bottleneck, whose shortcut is a convolution where project says so.
func (c ResNetV2Config) block(s graph.Scope, in, out, stride int, project bool, dropPath float64) graph.Module {
	st, inner := c.Style, out/4
	b := &layers.PreActResidual{DropPath: dropPath}
	if project {
		b.Shortcut = st.Outside().Convolve(s.Sub("downsample.conv"), in, out, 1, graph.ConvConfig{Stride: stride})
	}
	b.Pre = st.NormAct(s.Sub("norm1"), in)
	b.Branch = st.Attended(graph.Sequential{
		st.Convolve(s.Sub("conv1"), in, inner, 1, graph.ConvConfig{}), st.NormAct(s.Sub("norm2"), inner),
		st.Convolve(s.Sub("conv2"), inner, inner, 3, graph.ConvConfig{Stride: stride}), st.NormAct(s.Sub("norm3"), inner),
		st.Convolve(s.Sub("conv3"), inner, out, 1, graph.ConvConfig{}),
	}, s.Sub("se"), out)
	return b
}

const (
	preActPaper = "He et al., Identity Mappings in Deep Residual Networks, arXiv 1603.05027"
	bitPaper    = "Kolesnikov et al., Big Transfer (BiT): General Visual Representation Learning, arXiv 1912.11370"
)

// resNetV2s have the preprocessing of timm's default weights.
var resNetV2s = []Spec{
	resNetV2("resnetv2_50", ResNetV2Config{Style: residualStyle}, imageNet(preActPaper, 0.95, timmHub+"resnetv2_50.a1h_in1k").halved()),
	resNetV2("resnetv2_50x1_bit", ResNetV2Config{ZeroPadPool: true, Style: layers.Style{
		Norm: layers.GroupNorm(32, 1e-5), Act: layers.Act(op.ReLU), Conv: layers.Convolver{Every: layers.Standardization{Eps: 1e-8}.Conv},
	}}, imageNet(bitPaper, 0.875, timmHub+"resnetv2_50x1_bit.goog_distilled_in1k").halved()),
}

func resNetV2(name string, c ResNetV2Config, info Config) Spec {
	c.Depths, c.Widths = []int{3, 4, 6, 3}, []int{256, 512, 1024, 2048}
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"stem.conv"}, []string{""}, []string{"head.fc"}
	return Spec{
		Name: name, Residual: true, Layers: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewResNetV2(s, c, o) },
	}
}
