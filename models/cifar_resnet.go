package models

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// cifarResNets are residual networks for images of 32x32 pixels.
//
// The thin ones, of 20 to 56 layers, are those of section 4.2 of the paper with
// option-A shortcuts, under the names and with the initialisation (He, fan-in) of
// akamaster's pytorch_resnet_cifar10, whose weights they load. CIFAR ResNet-18 is
// ResNet-18 of ImageNet's widths behind a 3x3 stem, under the names of kuangliu's
// pytorch-cifar (shortcut.0, linear); it starts as timm starts residual
// networks, where that code keeps PyTorch's defaults.
var cifarResNets = []Spec{
	thinResNet("cifar_resnet20", 3, "resnet20-12fca82f.th"),
	thinResNet("cifar_resnet32", 5, "resnet32-d509ac18.th"),
	thinResNet("cifar_resnet44", 7, "resnet44-014dd654.th"),
	thinResNet("cifar_resnet56", 9, "resnet56-4bfd9763.th"),
	cifarResNet("cifar_resnet18", ResNetConfig{
		Depths: []int{2, 2, 2, 2}, Widths: []int{64, 128, 256, 512},
		Branch: BasicBranch, Shortcut: Projection("shortcut"), Stem: SmallImageStem(64), Style: residualStyle, ConvInit: graph.KaimingNormal,
	}, Config{Mean: cifarMean, Std: cifarStd}),
}

// thinResNet has three stages of n blocks. Its published weights are normalised
// by ImageNet's statistics.
func thinResNet(name string, n int, weights string) Spec {
	return cifarResNet(name, ResNetConfig{
		Depths: []int{n, n, n}, Widths: []int{16, 32, 64},
		Branch: BasicBranch, Shortcut: OptionA, Stem: SmallImageStem(16),
		Style:    batchNormed(op.ReLU),
		ConvInit: graph.KaimingNormalFanIn, HeadInit: graph.KaimingNormalFanIn,
	}, Config{
		Mean: imageNetMean, Std: imageNetStd,
		Weights: "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/" + weights,
	})
}

func cifarResNet(name string, c ResNetConfig, info Config) Spec {
	c.Classifier = "linear"
	info.InputSize, info.InChans, info.NumClasses = 32, 3, 10
	info.CropPct, info.Interpolation = 1, "bilinear"
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"conv1"}, []string{"bn1"}, []string{c.Classifier}
	info.Paper = "He et al., Deep Residual Learning for Image Recognition, arXiv 1512.03385, section 4.2"
	return Spec{Name: name, Residual: true, DropBlock: true, Layers: true, Build: c.build, Config: info}
}
