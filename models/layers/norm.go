package layers

import "github.com/seed52467199/trainer/graph"

// NormFunc declares a normalisation of maps (N, H, W, channels). With zero it
// starts by giving nothing but zeros.
type NormFunc func(s graph.Scope, channels int, zero bool) graph.Module

// norms are the normalisations that configurations choose from.
var norms = []Entry{
	{
		Name: "batch", Kind: Norms, Family: "batch", Options: "eps=1e-5, momentum=0.1", Paper: "Ioffe and Szegedy, arXiv 1502.03167",
		norm: func(s *Spec) NormFunc {
			return BatchNormOf(graph.BatchNormConfig{Eps: s.Float("eps", 1e-5, 0), Momentum: s.Float("momentum", 0.1, 0)})
		},
	},
}

// BatchNorm is batch normalisation with PyTorch's constants as a NormFunc.
func BatchNorm(s graph.Scope, channels int, zero bool) graph.Module {
	return graph.NewBatchNorm(s, channels, graph.BatchNormConfig{ZeroGamma: zero})
}

// BatchNormOf is BatchNorm with other constants.
func BatchNormOf(c graph.BatchNormConfig) NormFunc {
	return func(s graph.Scope, channels int, zero bool) graph.Module {
		c := c
		c.ZeroGamma = zero
		return graph.NewBatchNorm(s, channels, c)
	}
}
