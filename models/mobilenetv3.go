package models

import (
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// mobileNetV3Large and mobileNetV3Small are tables 1 and 2 of Howard et al. (arXiv
// 1905.02244), with the widths inside the blocks as multiples of their inputs.
var (
	mobileNetV3Large = [][]MobileBlocks{
		{{Kind: Separable, Depth: 1, Stride: 1, Kernel: 3, Channels: 16, Act: op.ReLU}},
		{
			{Kind: Inverted, Depth: 1, Stride: 2, Kernel: 3, Expand: 4, Channels: 24, Act: op.ReLU},
			{Kind: Inverted, Depth: 1, Stride: 1, Kernel: 3, Expand: 3, Channels: 24, Act: op.ReLU},
		},
		{{Kind: Inverted, Depth: 3, Stride: 2, Kernel: 5, Expand: 3, Channels: 40, Squeeze: 0.25, Act: op.ReLU}},
		{
			{Kind: Inverted, Depth: 1, Stride: 2, Kernel: 3, Expand: 6, Channels: 80},
			{Kind: Inverted, Depth: 1, Stride: 1, Kernel: 3, Expand: 2.5, Channels: 80},
			{Kind: Inverted, Depth: 2, Stride: 1, Kernel: 3, Expand: 2.3, Channels: 80},
		},
		{{Kind: Inverted, Depth: 2, Stride: 1, Kernel: 3, Expand: 6, Channels: 112, Squeeze: 0.25}},
		{{Kind: Inverted, Depth: 3, Stride: 2, Kernel: 5, Expand: 6, Channels: 160, Squeeze: 0.25}},
		{{Kind: PlainConv, Depth: 1, Stride: 1, Kernel: 1, Channels: 960}},
	}
	mobileNetV3Small = [][]MobileBlocks{
		{{Kind: Separable, Depth: 1, Stride: 2, Kernel: 3, Channels: 16, Squeeze: 0.25, Act: op.ReLU}},
		{
			{Kind: Inverted, Depth: 1, Stride: 2, Kernel: 3, Expand: 4.5, Channels: 24, Act: op.ReLU},
			{Kind: Inverted, Depth: 1, Stride: 1, Kernel: 3, Expand: 3.67, Channels: 24, Act: op.ReLU},
		},
		{
			{Kind: Inverted, Depth: 1, Stride: 2, Kernel: 5, Expand: 4, Channels: 40, Squeeze: 0.25},
			{Kind: Inverted, Depth: 2, Stride: 1, Kernel: 5, Expand: 6, Channels: 40, Squeeze: 0.25},
		},
		{{Kind: Inverted, Depth: 2, Stride: 1, Kernel: 5, Expand: 3, Channels: 48, Squeeze: 0.25}},
		{{Kind: Inverted, Depth: 3, Stride: 2, Kernel: 5, Expand: 6, Channels: 96, Squeeze: 0.25}},
		{{Kind: PlainConv, Depth: 1, Stride: 1, Kernel: 1, Channels: 576}},
	}
)

// mobileNetV3s have the preprocessing of timm's default weights.
var mobileNetV3s = []Spec{
	mobileNetV3("mobilenetv3_small_100", mobileNetV3Small, 1024, "mobilenetv3_small_100_lamb-266a294c.pth"),
	mobileNetV3("mobilenetv3_large_100", mobileNetV3Large, 1280, "mobilenetv3_large_100_ra-f55367f5.pth"),
}

func mobileNetV3(name string, stages [][]MobileBlocks, head int, weights string) Spec {
	return mobileSpec(name, MobileNetConfig{
		Stem: 16, Stages: stages, Round: scaled(1, 0.9), Head: head, PooledHead: true, Style: batchNormed(op.HardSwish),
		Squeeze: func(_, wide int, ratio float64) layers.SqueezeExciteConfig {
			return layers.SqueezeExciteConfig{Hidden: layers.Divisible(ratio*float64(wide), 8, 0.9), Gate: op.HardSigmoid}
		},
	}, imageNet("Howard et al., Searching for MobileNetV3, arXiv 1905.02244", 0.875, timmWeights+weights))
}
