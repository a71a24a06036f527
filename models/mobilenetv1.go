package models

import "github.com/seed52467199/trainer/graph/op"

// mobileNetV1Stages is table 1 of Howard et al. (arXiv 1704.04861).
var mobileNetV1Stages = [][]MobileBlocks{
	{{Kind: ActSeparable, Depth: 1, Stride: 1, Kernel: 3, Channels: 64}},
	{{Kind: ActSeparable, Depth: 2, Stride: 2, Kernel: 3, Channels: 128}},
	{{Kind: ActSeparable, Depth: 2, Stride: 2, Kernel: 3, Channels: 256}},
	{{Kind: ActSeparable, Depth: 6, Stride: 2, Kernel: 3, Channels: 512}},
	{{Kind: ActSeparable, Depth: 2, Stride: 2, Kernel: 3, Channels: 1024}},
}

var mobileNetV1s = []Spec{
	mobileNetV1("mobilenetv1_100", 1, imageNet(mobileNetV1Paper, 0.875, timmHub+"mobilenetv1_100.ra4_e3600_r224_in1k").halved()),
}

const mobileNetV1Paper = "Howard et al., MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, arXiv 1704.04861"

func mobileNetV1(name string, width float64, info Config) Spec {
	round := scaled(width, 0.9)
	spec := mobileSpec(name, MobileNetConfig{Stem: round(32), Stages: mobileNetV1Stages, Round: round, Style: batchNormed(op.ReLU6)}, info)
	spec.Residual = false
	return spec
}
