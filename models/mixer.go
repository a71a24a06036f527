package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// MixerConfig is what MLP-Mixers (Tolstikhin et al., arXiv 2105.01601) differ in.
type MixerConfig struct {
	// Patch is the height and width in pixels of what one token stands for, Width the
	// channels of a token, Depth the number of blocks.
	Patch, Width, Depth int
}

// NewMixer declares an MLP-Mixer under timm's names: stem.proj, blocks.0.norm1,
// blocks.0.mlp_tokens.fc1 and so on, norm, head. Parameters depend on the image's size.
func NewMixer(s graph.Scope, c MixerConfig, o Options) (graph.Module, error) {
	side, err := patchesPerSide(o.ImageSize, c.Patch)
	if err != nil {
		return nil, err
	}
	tokens := side * side
	dense := layers.DenseOf(graph.XavierUniform, graph.Normal(1e-6))
	net := graph.Sequential{layers.NewPatchEmbed(s.Sub("stem"), o.InChans, c.Width, c.Patch, graph.LecunNormal, graph.Zeros)}
	for i := range c.Depth {
		block := s.Sub(fmt.Sprintf("blocks.%d", i))
		norm := vitNorm(block.Sub("norm1"), c.Width, false)
		across := layers.NewMLP(block.Sub("mlp_tokens"), tokens, c.Width/2, dense, op.GELU, nil)
		turned := graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
			return g.Permute(across.Forward(g, g.Permute(norm.Forward(g, x), 0, 2, 1)), 0, 2, 1)
		})
		net = append(net, &layers.Residual{Branch: turned, DropPath: o.DropPath}, &layers.Residual{DropPath: o.DropPath, Branch: graph.Sequential{
			vitNorm(block.Sub("norm2"), c.Width, false),
			layers.NewMLP(block.Sub("mlp_channels"), c.Width, 4*c.Width, dense, op.GELU, nil),
		}})
	}
	return append(net, vitNorm(s.Sub("norm"), c.Width, false), layers.TokenMean, graph.Drop(o.DropRate),
		graph.NewLinear(s.Sub("head"), c.Width, o.NumClasses, graph.LinearConfig{Init: graph.Zeros, BiasInit: graph.Zeros})), nil
}

var mixers = []Spec{
	mixer("mixer_s32_224", MixerConfig{Patch: 32, Width: 512, Depth: 8}, imageNet(mixerPaper, 0.875, "").halved()),
}

const mixerPaper = "Tolstikhin et al., MLP-Mixer: An all-MLP Architecture for Vision, arXiv 2105.01601"

func mixer(name string, c MixerConfig, info Config) Spec {
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"stem.proj"}, []string{""}, []string{"head"}
	return Spec{
		Name: name, Residual: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewMixer(s, c, o) },
	}
}
