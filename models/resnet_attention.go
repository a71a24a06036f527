package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// SelectiveBasicBranch is BasicBranch with a selective kernel in place of the first
// convolution, under timm's names.
func SelectiveBasicBranch(k layers.SelectiveKernelConfig) ResNetBranch {
	return ResNetBranch{Expansion: 1, Declare: func(s graph.Scope, c ResNetConfig, in, width, stride int) graph.Module {
		k := k
		k.Stride = stride
		last := s.Sub("conv2")
		return c.attended(s, graph.Sequential{
			c.dropped(layers.NewSelectiveKernel(s.Sub("conv1"), c.Style, in, width, k)),
			c.Style.LastConvNorm(last.Sub("conv"), last.Sub("bn"), width, width, 3, 1),
		}, width)
	}}
}

// SelectiveBottleneckBranch is BottleneckBranch with a selective kernel in place of
// the 3x3 convolution (Li et al., arXiv 1903.06586), under timm's names.
func SelectiveBottleneckBranch(k layers.SelectiveKernelConfig) ResNetBranch {
	return ResNetBranch{Expansion: 4, Declare: func(s graph.Scope, c ResNetConfig, in, width, stride int) graph.Module {
		k := k
		k.Stride, k.Groups = stride, c.Cardinality
		inner, out, first, last := c.inner(width), 4*width, s.Sub("conv1"), s.Sub("conv3")
		return c.attended(s, graph.Sequential{
			c.Style.ConvNormAct(first.Sub("conv"), first.Sub("bn"), in, inner, 1, 1),
			c.dropped(layers.NewSelectiveKernel(s.Sub("conv2"), c.Style, inner, inner, k)),
			c.Style.LastConvNorm(last.Sub("conv"), last.Sub("bn"), inner, out, 1, 1),
		}, out)
	}}
}

// SplitBranch is BottleneckBranch with split attention of this radix in place of the
// 3x3 convolution and a mean over 3x3 pixels behind it that takes the stride
// (ResNeSt, Zhang et al., arXiv 2004.08955).
func SplitBranch(radix int) ResNetBranch {
	return ResNetBranch{Expansion: 4, Declare: func(s graph.Scope, c ResNetConfig, in, width, stride int) graph.Module {
		inner, out := c.inner(width), 4*width
		branch := graph.Sequential{
			c.Style.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), in, inner, 1, 1),
			c.dropped(layers.NewSplitAttention(s.Sub("conv2"), c.Style, inner, inner, layers.SplitAttentionConfig{Groups: c.Cardinality, Radix: radix})),
		}
		if stride > 1 {
			branch = append(branch, graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
				return g.AvgPool(x, op.Square(3, stride, 1), false, true)
			}))
		}
		return c.attended(s, append(branch, c.Style.LastConvNorm(s.Sub("conv3"), s.Sub("bn3"), inner, out, 1, 1)), out)
	}}
}

// attend is the network with an attention of this name at the end of each branch.
func (c ResNetConfig) attend(name string, a layers.AttentionFunc) ResNetConfig {
	c.Attention, c.Style.Attention = name, a
	return c
}

// branch is the network with other branches, whose last norms start at 1 with
// ones.
func (c ResNetConfig) branch(b ResNetBranch, ones bool) ResNetConfig {
	c.Branch, c.Style.ZeroLast = b, !ones
	return c
}

// bottlenecks puts the attention of Park et al. (arXiv 1807.06514) between the
// stages as bam1, bam2 and bam3.
func (c ResNetConfig) bottlenecks() ResNetConfig {
	bam := layers.BottleneckAttention(layers.BottleneckAttentionConfig{Reduction: 16, Dilation: 4})
	c.Between = func(s graph.Scope, i, channels int) graph.Module {
		return bam(s.Sub(fmt.Sprintf("bam%d", i)), channels)
	}
	return c
}

// attentionResNets are residual networks with attention. Squeeze-and-excitation,
// ECA, selective kernels and ResNeSt have timm's names, CBAM and BAM those of their
// authors' code (the attention cbam in each block, bam1 to bam3 between the
// stages); these two start as timm starts residual networks.
var attentionResNets = []Spec{
	imageResNet("seresnet18", basic(2, 2, 2, 2).attend("se", squeezeExcite), imageNet(squeezePaper, 0.875, "")),
	imageResNet("seresnet50", bottleneck(3, 4, 6, 3).attend("se", squeezeExcite), imageNet(squeezePaper, 0.95, rsbWeights+"seresnet50_a1_0-ffa00869.pth")),

	imageResNet("ecaresnet26t", bottleneck(2, 2, 2, 2).t().attend("se", efficientChannel), imageNet(efficientPaper, 0.875, timmWeights+"ecaresnet26t_ra2-46609757.pth").at(256)),
	imageResNet("ecaresnet50t", bottleneck(3, 4, 6, 3).t().attend("se", efficientChannel), imageNet(efficientPaper, 0.875, timmWeights+"ecaresnet50t_ra2-f7ac63c4.pth").at(256)),
	imageResNet("ecaresnet50d", bottleneck(3, 4, 6, 3).d().attend("se", efficientChannel), imageNet(efficientPaper, 0.875, treeWeights+"ecaresnet50d-93c81e3b.pth")),
	imageResNet("ecaresnet101d", bottleneck(3, 4, 23, 3).d().attend("se", efficientChannel), imageNet(efficientPaper, 0.875, treeWeights+"ecaresnet101d-153dad65.pth")),

	imageResNet("cbam_resnet18", basic(2, 2, 2, 2).attend("cbam", layers.ConvBlock(16, 7)), imageNet(convBlockPaper, 0.875, attentionModules).resized("bilinear")),
	imageResNet("cbam_resnet50", bottleneck(3, 4, 6, 3).attend("cbam", layers.ConvBlock(16, 7)), imageNet(convBlockPaper, 0.875, attentionModules).resized("bilinear")),
	imageResNet("bam_resnet50", bottleneck(3, 4, 6, 3).bottlenecks(), imageNet(bottleneckPaper, 0.875, attentionModules).resized("bilinear")),

	imageResNet("skresnet18", basic(2, 2, 2, 2).branch(SelectiveBasicBranch(layers.SelectiveKernelConfig{Reduction: 8, Divisor: 16, Split: true}), true),
		imageNet(selectivePaper, 0.875, timmHub+"skresnet18.ra_in1k")),
	imageResNet("skresnet50", bottleneck(3, 4, 6, 3).branch(SelectiveBottleneckBranch(layers.SelectiveKernelConfig{Split: true}), true), imageNet(selectivePaper, 0.875, "")),

	imageResNet("resnest14d", bottleneck(1, 1, 1, 1).d().branch(SplitBranch(2), false),
		imageNet(splitPaper, 0.875, timmHub+"resnest14d.gluon_in1k").resized("bilinear")),
	imageResNet("resnest50d", bottleneck(3, 4, 6, 3).d().branch(SplitBranch(2), false),
		imageNet(splitPaper, 0.875, timmHub+"resnest50d.in1k").resized("bilinear")),
}

var (
	squeezeExcite    = layers.SqueezeExcite(layers.SqueezeExciteConfig{})
	efficientChannel = layers.EfficientChannel(0)
)

const (
	squeezePaper    = "Hu et al., Squeeze-and-Excitation Networks, arXiv 1709.01507"
	efficientPaper  = "Wang et al., ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks, arXiv 1910.03151"
	convBlockPaper  = "Woo et al., CBAM: Convolutional Block Attention Module, arXiv 1807.06521"
	bottleneckPaper = "Park et al., BAM: Bottleneck Attention Module, arXiv 1807.06514"
	selectivePaper  = "Li et al., Selective Kernel Networks, arXiv 1903.06586"
	splitPaper      = "Zhang et al., ResNeSt: Split-Attention Networks, arXiv 2004.08955"

	treeWeights      = "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-tresnet/"
	attentionModules = "https://github.com/Jongchan/attention-module"
)
