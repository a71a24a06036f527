package layers

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// NormFunc declares a normalisation of maps with this many channels. With zero
// it starts by giving nothing but zeros.
type NormFunc func(s graph.Scope, channels int, zero bool) graph.Module

// BatchNorm is batch normalisation with PyTorch's constants as a NormFunc.
func BatchNorm(s graph.Scope, channels int, zero bool) graph.Module {
	return graph.NewBatchNorm(s, channels, graph.BatchNormConfig{ZeroGamma: zero})
}

// Style is what the convolutions of a network have in common.
type Style struct {
	// Norm makes the normalisation behind a convolution.
	Norm NormFunc
	// Act is the activation behind a norm.
	Act op.Act
	// Init draws the convolutions' weights; nil means PyTorch's default.
	Init graph.Init
	// ZeroLast starts each residual branch at zero, so that a block begins as its
	// shortcut (Goyal et al., arXiv 1706.02677, section 5.1).
	ZeroLast bool
}

// ConvNormAct declares a k x k convolution from in to out channels, padded so
// that stride 1 keeps the size, its norm, and the activation.
func (st Style) ConvNormAct(conv, norm graph.Scope, in, out, k, stride int) graph.Module {
	return graph.Sequential{st.conv(conv, in, out, k, stride), st.Norm(norm, out, false), graph.Activate(st.Act)}
}

// ConvNorm is ConvNormAct without the activation, as in shortcuts.
func (st Style) ConvNorm(conv, norm graph.Scope, in, out, k, stride int) graph.Module {
	return graph.Sequential{st.conv(conv, in, out, k, stride), st.Norm(norm, out, false)}
}

// LastConvNorm is ConvNorm at the end of a residual branch, where ZeroLast counts.
func (st Style) LastConvNorm(conv, norm graph.Scope, in, out, k, stride int) graph.Module {
	return graph.Sequential{st.conv(conv, in, out, k, stride), st.Norm(norm, out, st.ZeroLast)}
}

func (st Style) conv(s graph.Scope, in, out, k, stride int) graph.Module {
	return graph.NewConv(s, in, out, k, graph.ConvConfig{Stride: stride, Pad: k / 2, Init: st.Init})
}
