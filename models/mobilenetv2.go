package models

import "github.com/seed52467199/trainer/graph/op"

// mobileNetV2Stages is table 2 of Sandler et al. (arXiv 1801.04381).
var mobileNetV2Stages = [][]MobileBlocks{
	{{Kind: Separable, Depth: 1, Stride: 1, Kernel: 3, Channels: 16}},
	{{Kind: Inverted, Depth: 2, Stride: 2, Kernel: 3, Expand: 6, Channels: 24}},
	{{Kind: Inverted, Depth: 3, Stride: 2, Kernel: 3, Expand: 6, Channels: 32}},
	{{Kind: Inverted, Depth: 4, Stride: 2, Kernel: 3, Expand: 6, Channels: 64}},
	{{Kind: Inverted, Depth: 3, Stride: 1, Kernel: 3, Expand: 6, Channels: 96}},
	{{Kind: Inverted, Depth: 3, Stride: 2, Kernel: 3, Expand: 6, Channels: 160}},
	{{Kind: Inverted, Depth: 1, Stride: 1, Kernel: 3, Expand: 6, Channels: 320}},
}

// mobileNetV2s have the preprocessing of timm's default weights.
var mobileNetV2s = []Spec{
	mobileNetV2("mobilenetv2_050", 0.5, "mobilenetv2_050-3d30d450.pth"),
	mobileNetV2("mobilenetv2_100", 1, "mobilenetv2_100_ra-b33bc2c4.pth"),
	mobileNetV2("mobilenetv2_140", 1.4, "mobilenetv2_140_ra-21a4e913.pth"),
}

// mobileNetV2 multiplies the channels of every layer by a width, but the last
// convolution does not become narrower than 1280.
func mobileNetV2(name string, width float64, weights string) Spec {
	round := scaled(width, 0.9)
	return mobileSpec(name, MobileNetConfig{
		Stem: round(32), Stages: mobileNetV2Stages, Round: round, Head: max(1280, round(1280)), Style: batchNormed(op.ReLU6),
	}, imageNet("Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv 1801.04381", 0.875, timmWeights+weights))
}
