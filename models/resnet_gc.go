package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models/layers"
)

// The residual networks of timm's ByobNet compute what others do under names of
// their own: a convolution and its norm are conv and bn of one module, and a
// block's shortcut comes first in files.

// contextBranch is BottleneckBranch with the attention inside, in front of the last
// convolution.
var contextBranch = ResNetBranch{Expansion: 4, Declare: func(s graph.Scope, c ResNetConfig, in, width, stride int) graph.Module {
	inner, out := c.inner(width), 4*width
	first, middle, last := s.Sub("conv1_1x1"), s.Sub("conv2_kxk"), s.Sub("conv3_1x1")
	branch := c.Style.Attended(graph.Sequential{
		c.Style.ConvNormAct(first.Sub("conv"), first.Sub("bn"), in, inner, 1, 1),
		c.dropped(c.Style.ConvNormActOf(middle.Sub("conv"), middle.Sub("bn"), inner, inner, 3, graph.ConvConfig{Stride: stride, Groups: c.Cardinality})),
	}, s.Sub("attn"), inner)
	return append(branch, c.Style.LastConvNorm(last.Sub("conv"), last.Sub("bn"), inner, out, 1, 1))
}}

// moduleProjection is Projection under the names of one module, shortcut.
func moduleProjection(s graph.Scope, st layers.Style, in, out, stride int) graph.Module {
	s = s.Sub("shortcut")
	return st.ConvNorm(s.Sub("conv"), s.Sub("bn"), in, out, 1, stride)
}

// stridedStem is DeepStem without a pool: the last convolution takes its stride.
func stridedStem(widths ...int) ResNetStem {
	return ResNetStem{Conv: "stem.conv1.conv", Norm: "stem.conv1.bn", Declare: func(s graph.Scope, st layers.Style, in int) (graph.Sequential, int) {
		var stem graph.Sequential
		for i, width := range widths {
			stride := 1
			if i == 0 || i == len(widths)-1 {
				stride = 2
			}
			conv := s.Sub(fmt.Sprintf("stem.conv%d", i+1))
			stem = append(stem, st.ConvNormAct(conv.Sub("conv"), conv.Sub("bn"), in, width, 3, stride))
			in = width
		}
		return stem, in
	}}
}

// contextResNets look at the global context.
var contextResNets = []Spec{
	imageResNet("gcresnet50t", ResNetConfig{
		Depths: []int{3, 4, 6, 3}, Widths: []int{64, 128, 256, 512}, Branch: contextBranch,
		Shortcut: moduleProjection, ShortcutFirst: true, Stem: stridedStem(24, 32, 64),
		Stage: func(i int) string { return fmt.Sprintf("stages.%d", i-1) },
		Style: layers.Style{Norm: layers.BatchNorm, Act: residualStyle.Act, Attention: layers.GlobalContext(8, true), ZeroLast: true},
		// All of its convolutions' biases are the attention's.
		ConvInit: graph.KaimingNormal, ConvBiasInit: graph.Zeros,
		Classifier: "head.fc", HeadInit: graph.Normal(0.01), HeadBiasInit: graph.Zeros,
	}, imageNet("Cao et al., GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, arXiv 1904.11492", 0.9,
		"https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-attn-weights/gcresnet50t_256-96374d1c.pth").at(256)),
}
