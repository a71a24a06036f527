package layers

import "github.com/seed52467199/trainer/graph"

// Style is what the convolutions of a network have in common.
type Style struct {
	// Norm makes the normalisation behind a convolution.
	Norm NormFunc
	// Act makes the activation behind a norm.
	Act ActFunc
	// Attention makes what ends a residual branch, nil where nothing does.
	Attention AttentionFunc
	// Conv makes the convolutions; the zero value means standard ones.
	Conv Convolver
	// ZeroLast starts each residual branch at zero, so that a block begins as its
	// shortcut (Goyal et al., arXiv 1706.02677, section 5.1).
	ZeroLast bool
}

// Outside is the style of what stands outside residual branches, where no
// convolution is replaced for being spatial.
func (st Style) Outside() Style {
	st.Conv.Spatial = nil
	return st
}

// At is the style of a stage, counted from 0.
func (st Style) At(stage int) Style {
	if stage+1 < st.Conv.From {
		return st.Outside()
	}
	return st
}

// ConvNormAct declares a k x k convolution from in to out channels, padded so
// that stride 1 keeps the size, its norm, and the activation, whose parameters,
// if it has any, are norm.act's.
func (st Style) ConvNormAct(conv, norm graph.Scope, in, out, k, stride int) graph.Module {
	return st.ConvNormActOf(conv, norm, in, out, k, graph.ConvConfig{Stride: stride})
}

// ConvNormActOf is ConvNormAct with more to say about the convolution: its
// groups, its dilation. Pad keeps the size where it is left out.
func (st Style) ConvNormActOf(conv, norm graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
	return graph.Sequential{st.Convolve(conv, in, out, k, c), st.NormAct(norm, out)}
}

// ConvNorm is ConvNormAct without the activation, as in shortcuts.
func (st Style) ConvNorm(conv, norm graph.Scope, in, out, k, stride int) graph.Module {
	return graph.Sequential{st.Convolve(conv, in, out, k, graph.ConvConfig{Stride: stride}), st.Norm(norm, out, false)}
}

// NormAct declares a norm and the activation behind it, which stand before a
// convolution in networks of pre-activation.
func (st Style) NormAct(norm graph.Scope, channels int) graph.Module {
	return graph.Sequential{st.Norm(norm, channels, false), st.Act(norm.Sub("act"), channels)}
}

// LastConvNorm is ConvNorm at the end of a residual branch, where ZeroLast counts.
func (st Style) LastConvNorm(conv, norm graph.Scope, in, out, k, stride int) graph.Module {
	return graph.Sequential{st.Convolve(conv, in, out, k, graph.ConvConfig{Stride: stride}), st.Norm(norm, out, st.ZeroLast)}
}

// Convolve declares a k x k convolution in the style's way, without a norm. Pad keeps the
// size where it is left out.
func (st Style) Convolve(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
	if c.Pad == 0 {
		c.Pad = max(c.Dilation, 1) * (k - 1) / 2
	}
	return st.Conv.choose(k)(s, in, out, k, c)
}

// Attended is a branch with the style's attention over this many channels at its end,
// where it has one.
func (st Style) Attended(branch graph.Sequential, s graph.Scope, channels int) graph.Sequential {
	if st.Attention == nil {
		return branch
	}
	return append(branch, st.Attention(s, channels))
}
