package models

import (
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// efficientNetStages is table 1 of Tan and Le (arXiv 1905.11946), with
// squeeze-and-excitation or, as in the Lite networks, without.
func efficientNetStages(squeeze float64) [][]MobileBlocks {
	return [][]MobileBlocks{
		{{Kind: Separable, Depth: 1, Stride: 1, Kernel: 3, Channels: 16, Squeeze: squeeze}},
		{{Kind: Inverted, Depth: 2, Stride: 2, Kernel: 3, Expand: 6, Channels: 24, Squeeze: squeeze}},
		{{Kind: Inverted, Depth: 2, Stride: 2, Kernel: 5, Expand: 6, Channels: 40, Squeeze: squeeze}},
		{{Kind: Inverted, Depth: 3, Stride: 2, Kernel: 3, Expand: 6, Channels: 80, Squeeze: squeeze}},
		{{Kind: Inverted, Depth: 3, Stride: 1, Kernel: 5, Expand: 6, Channels: 112, Squeeze: squeeze}},
		{{Kind: Inverted, Depth: 4, Stride: 2, Kernel: 5, Expand: 6, Channels: 192, Squeeze: squeeze}},
		{{Kind: Inverted, Depth: 1, Stride: 1, Kernel: 3, Expand: 6, Channels: 320, Squeeze: squeeze}},
	}
}

// squeezeInput narrows to a part of the channels that a block begins with.
func squeezeInput(in, _ int, ratio float64) layers.SqueezeExciteConfig {
	return layers.SqueezeExciteConfig{Hidden: int(math.RoundToEven(ratio * float64(in))), Act: op.SiLU}
}

// efficientNets have the preprocessing of timm's default weights, at the size that
// these were trained at.
var efficientNets = []Spec{
	efficientNet("efficientnet_b0", 1, 1, imageNet(efficientNetPaper, 0.875, timmWeights+"efficientnet_b0_ra-3dd342df.pth")),
	efficientNet("efficientnet_b1", 1, 1.1, imageNet(efficientNetPaper, 0.9, timmHub+"efficientnet_b1.ra4_e3600_r240_in1k").at(240).halved()),
	efficientNet("efficientnet_b2", 1.1, 1.2, imageNet(efficientNetPaper, 0.875, timmWeights+"efficientnet_b2_ra-bcdf34b7.pth").at(256)),
	efficientNet("efficientnet_b3", 1.2, 1.4, imageNet(efficientNetPaper, 0.875, timmWeights+"efficientnet_b3_ra2-cf984f9c.pth").at(288)),
	efficientNet("efficientnet_b4", 1.4, 1.8, imageNet(efficientNetPaper, 0.875, timmWeights+"efficientnet_b4_ra2_320-7eb33cd5.pth").at(320)),
	mobileSpec("efficientnet_lite0", efficientNetLite(batchNormed(op.ReLU6)),
		imageNet(efficientNetPaper, 0.875, timmWeights+"efficientnet_lite0_ra-37913777.pth")),
}

// efficientNetV2s are padded as TensorFlow pads, whose weights they take.
var efficientNetV2s = []Spec{
	mobileSpec("tf_efficientnetv2_b0", MobileNetConfig{
		Stem: 32, Stages: efficientNetV2B0Stages, Round: scaled(1, 0), Head: 1280, Squeeze: squeezeInput, Style: tensorFlowStyle(op.SiLU),
	}, imageNet("Tan and Le, EfficientNetV2: Smaller Models and Faster Training, arXiv 2104.00298", 0.875,
		"https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-effv2-weights/tf_efficientnetv2_b0-c7cc451f.pth").at(192)),
}

// tensorFlowStyle is batch norm with TensorFlow's constant, its padding, and an activation.
func tensorFlowStyle(act op.Act) layers.Style {
	return layers.Style{
		Norm: layers.BatchNormOf(graph.BatchNormConfig{Eps: 1e-3}), Act: layers.Act(act),
		Conv: layers.Convolver{Every: layers.SameConv},
	}
}

// efficientNetV2B0Stages are those of the smallest network, which is scaled from the
// first EfficientNet.
var efficientNetV2B0Stages = [][]MobileBlocks{
	{{Kind: SkippedConv, Depth: 1, Stride: 1, Kernel: 3, Channels: 16}},
	{{Kind: FusedInverted, Depth: 2, Stride: 2, Kernel: 3, Expand: 4, Channels: 32}},
	{{Kind: FusedInverted, Depth: 2, Stride: 2, Kernel: 3, Expand: 4, Channels: 48}},
	{{Kind: Inverted, Depth: 3, Stride: 2, Kernel: 3, Expand: 4, Channels: 96, Squeeze: 0.25}},
	{{Kind: Inverted, Depth: 5, Stride: 1, Kernel: 3, Expand: 6, Channels: 112, Squeeze: 0.25}},
	{{Kind: Inverted, Depth: 8, Stride: 2, Kernel: 3, Expand: 6, Channels: 192, Squeeze: 0.25}},
}

// tfEfficientNetLites are the Lite networks with TensorFlow's padding and constants.
var tfEfficientNetLites = []Spec{
	mobileSpec("tf_efficientnet_lite0", efficientNetLite(tensorFlowStyle(op.ReLU6)),
		imageNet(efficientNetPaper, 0.875, timmWeights+"tf_efficientnet_lite0-0aa007d2.pth").halved()),
}

const efficientNetPaper = "Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, arXiv 1905.11946"

// efficientNetLite is the smallest network with neither swish nor squeeze-and-excitation,
// which integer arithmetic does badly.
func efficientNetLite(st layers.Style) MobileNetConfig {
	return MobileNetConfig{Stem: 32, Stages: efficientNetStages(0), Round: scaled(1, 0.9), Head: 1280, Style: st}
}

// efficientNet multiplies the channels and the depths of the smallest network.
func efficientNet(name string, width, depth float64, info Config) Spec {
	round := scaled(width, 0.9)
	return mobileSpec(name, MobileNetConfig{
		Stem: round(32), Stages: deepened(efficientNetStages(0.25), depth), Round: round, Head: round(1280),
		Style: batchNormed(op.SiLU), Squeeze: squeezeInput,
	}, info)
}
