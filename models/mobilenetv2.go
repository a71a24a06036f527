package models

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// MobileNetV2Config is what the widths of MobileNetV2 (Sandler et al., arXiv
// 1801.04381) differ in.
type MobileNetV2Config struct {
	// Width multiplies the channels of every layer but the last convolution,
	// which does not become narrower than 1280.
	Width float64
	// Stages follow the first convolution.
	Stages []MobileNetV2Stage
	// Norm makes the normalisation, Act is the activation behind all but the
	// narrow layers.
	Norm layers.NormFunc
	Act  op.Act
}

// MobileNetV2Stage is a run of blocks that give as many channels.
type MobileNetV2Stage struct {
	// Expand widens the channels inside each block; 1 leaves out the convolution
	// that widens.
	Expand int
	// Channels is the width of the blocks' results, at Width 1.
	Channels int
	// Depth is the number of blocks, of which the first has the stride.
	Depth, Stride int
}

// mobileNetV2Stages is table 2 of the paper.
var mobileNetV2Stages = []MobileNetV2Stage{
	{Expand: 1, Channels: 16, Depth: 1, Stride: 1},
	{Expand: 6, Channels: 24, Depth: 2, Stride: 2},
	{Expand: 6, Channels: 32, Depth: 3, Stride: 2},
	{Expand: 6, Channels: 64, Depth: 4, Stride: 2},
	{Expand: 6, Channels: 96, Depth: 3, Stride: 1},
	{Expand: 6, Channels: 160, Depth: 3, Stride: 2},
	{Expand: 6, Channels: 320, Depth: 1, Stride: 1},
}

// channels scales n by the width and rounds to a multiple of 8, upwards where
// rounding to the nearest would take more than a tenth away.
func (c MobileNetV2Config) channels(n int) int {
	scaled := c.Width * float64(n)
	rounded := max(8, int(scaled+4)/8*8)
	if float64(rounded) < 0.9*scaled {
		rounded += 8
	}
	return rounded
}

// conv declares a k x k convolution in groups without a bias, initialised as
// TensorFlow's: normal, the variance 2 over the outputs of one group.
func (c MobileNetV2Config) conv(s graph.Scope, in, out, k, stride, groups int) graph.Module {
	return graph.NewConv(s, in, out, k, graph.ConvConfig{
		Stride: stride, Pad: k / 2, Groups: groups, Init: graph.Normal(math.Sqrt(2 / float64(k*k*out/groups))),
	})
}

// pointwise declares a 1x1 convolution and its norm.
func (c MobileNetV2Config) pointwise(conv, norm graph.Scope, in, out int) graph.Sequential {
	return graph.Sequential{c.conv(conv, in, out, 1, 1, 1), c.Norm(norm, out, false)}
}

// depthwise declares a 3x3 convolution of each channel by itself, its norm, and
// the activation.
func (c MobileNetV2Config) depthwise(conv, norm graph.Scope, channels, stride int) graph.Sequential {
	return graph.Sequential{c.conv(conv, channels, channels, 3, stride, channels), c.Norm(norm, channels, false), graph.Activate(c.Act)}
}

// branch declares an inverted residual: channels are widened, filtered one by
// one, and narrowed again without an activation behind.
func (c MobileNetV2Config) branch(s graph.Scope, in, out, expand, stride int) graph.Sequential {
	if expand == 1 {
		return append(c.depthwise(s.Sub("conv_dw"), s.Sub("bn1"), in, stride), c.pointwise(s.Sub("conv_pw"), s.Sub("bn2"), in, out)...)
	}
	wide := expand * in
	b := append(c.pointwise(s.Sub("conv_pw"), s.Sub("bn1"), in, wide), graph.Activate(c.Act))
	b = append(b, c.depthwise(s.Sub("conv_dw"), s.Sub("bn2"), wide, stride)...)
	return append(b, c.pointwise(s.Sub("conv_pwl"), s.Sub("bn3"), wide, out)...)
}

// NewMobileNetV2 declares a MobileNetV2 under timm's names: conv_stem and bn1,
// the blocks as blocks.0.0.conv_dw and so on, conv_head and bn2, classifier.
func NewMobileNetV2(s graph.Scope, c MobileNetV2Config, o Options) (graph.Module, error) {
	if len(c.Stages) == 0 || !(c.Width > 0) {
		return nil, fmt.Errorf("MobileNetV2: %d stages of width %v; it needs a stage and a width above 0", len(c.Stages), c.Width)
	}
	channels, blocks := c.channels(32), 0
	for _, st := range c.Stages {
		blocks += st.Depth
	}
	net := graph.Sequential{c.conv(s.Sub("conv_stem"), o.InChans, channels, 3, 2, 1), c.Norm(s.Sub("bn1"), channels, false), graph.Activate(c.Act)}
	index := 0
	for i, st := range c.Stages {
		stage, out := s.Sub(fmt.Sprintf("blocks.%d", i)), c.channels(st.Channels)
		for k := range st.Depth {
			stride := 1
			if k == 0 {
				stride = st.Stride
			}
			branch := c.branch(stage.Sub(fmt.Sprint(k)), channels, out, st.Expand, stride)
			if stride == 1 && channels == out {
				// timm spaces the probabilities so that none reaches the rate itself.
				net = append(net, &layers.Residual{Branch: branch, DropPath: o.DropPath * float64(index) / float64(blocks)})
			} else {
				net = append(net, branch)
			}
			channels = out
			index++
		}
	}
	features := max(1280, c.channels(1280))
	net = append(net, c.pointwise(s.Sub("conv_head"), s.Sub("bn2"), channels, features), graph.Activate(c.Act))
	return append(net, layers.NewPoolHead(s.Sub("classifier"), features, o.NumClasses, o.DropRate, graph.LinearConfig{
		Init: graph.Uniform(1 / math.Sqrt(float64(o.NumClasses))), BiasInit: graph.Zeros,
	})), nil
}

// mobileNetV2s have the preprocessing of timm's default weights.
var mobileNetV2s = []Spec{
	mobileNetV2("mobilenetv2_050", 0.5, "mobilenetv2_050-3d30d450.pth"),
	mobileNetV2("mobilenetv2_100", 1, "mobilenetv2_100_ra-b33bc2c4.pth"),
	mobileNetV2("mobilenetv2_140", 1.4, "mobilenetv2_140_ra-21a4e913.pth"),
}

func mobileNetV2(name string, width float64, weights string) Spec {
	c := MobileNetV2Config{Width: width, Stages: mobileNetV2Stages, Norm: layers.BatchNorm, Act: op.ReLU6}
	return Spec{
		Name: name, Residual: true,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewMobileNetV2(s, c, o) },
		Config: Config{
			InputSize: 224, InChans: 3, NumClasses: 1000,
			Mean: imageNetMean, Std: imageNetStd, CropPct: 0.875, Interpolation: "bicubic",
			FirstConv: []string{"conv_stem"}, FirstNorm: []string{"bn1"}, Classifier: []string{"classifier"},
			Paper:   "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv 1801.04381",
			Weights: "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/" + weights,
		},
	}
}
