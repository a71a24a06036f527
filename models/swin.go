package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// SwinConfig is what Swin transformers (Liu et al., arXiv 2103.14030) differ in.
type SwinConfig struct {
	// Patch is the height and width in pixels of what one token stands for, Window those
	// in tokens of a window.
	Patch, Window int
	// Width is the channels of the first stage, which each further one doubles; Depths
	// and Heads are the number of blocks of each stage, and of their attention heads.
	Width         int
	Depths, Heads []int
}

var swinNorm = layers.LayerNorm(1e-5)

// NewSwin declares a Swin transformer under timm's names: patch_embed.proj,
// patch_embed.norm, layers.0.blocks.0.attn.qkv and so on, layers.1.downsample, norm,
// head.fc. Where a map is not larger than a window, the window is the map, so that
// parameters depend on the image's size.
func NewSwin(s graph.Scope, c SwinConfig, o Options) (graph.Module, error) {
	if err := checkStages("Swin transformer", c.Depths, "numbers of heads", c.Heads); err != nil {
		return nil, err
	}
	side, err := patchesPerSide(o.ImageSize, c.Patch)
	if err != nil {
		return nil, err
	}
	embed := s.Sub("patch_embed")
	fan := c.Patch * c.Patch * o.InChans
	net := graph.Sequential{
		layers.NewPatchEmbed(embed, o.InChans, c.Width, c.Patch, graph.FanInUniform, graph.BiasUniform(fan)),
		swinNorm(embed.Sub("norm"), c.Width, false),
	}
	width := c.Width
	eachBlock(c.Depths, o.DropPath, func(i, k int, dropPath float64) {
		stage := s.Sub(fmt.Sprintf("layers.%d", i))
		if i > 0 && k == 0 {
			net = append(net, newPatchMerging(stage.Sub("downsample"), side, width))
			side, width = (side+1)/2, 2*width
		}
		w := layers.Windows{H: side, W: side, Size: min(c.Window, side)}
		if k%2 != 0 && side > c.Window {
			w.Shift = c.Window / 2
		}
		net = append(net, newSwinBlock(stage.Sub(fmt.Sprintf("blocks.%d", k)), w, width, c.Heads[i], dropPath))
	})
	return append(net, swinNorm(s.Sub("norm"), width, false), layers.TokenMean, graph.Drop(o.DropRate),
		graph.NewLinear(s.Sub("head.fc"), width, o.NumClasses, graph.LinearConfig{Init: narrowNormal, BiasInit: graph.Zeros})), nil
}

// newSwinBlock declares a block: attention within windows, and a network of two layers,
// each in a residual branch behind a norm.
func newSwinBlock(s graph.Scope, w layers.Windows, width, heads int, dropPath float64) graph.Module {
	dense := layers.DenseOf(narrowNormal, graph.Zeros)
	norm1, attn := swinNorm(s.Sub("norm1"), width, false), s.Sub("attn")
	m := &windowAttention{
		bias:      layers.NewRelativeBias(attn, w.Size, heads, narrowNormal),
		attention: layers.NewSelfAttention(attn, width, heads, dense, dense),
		windows:   w, cut: w.Cut(), join: w.Join(), regions: w.Regions(),
	}
	return graph.Sequential{
		&layers.Residual{Branch: graph.Sequential{norm1, m}, DropPath: dropPath},
		&layers.Residual{DropPath: dropPath, Branch: graph.Sequential{
			swinNorm(s.Sub("norm2"), width, false),
			layers.NewMLP(s.Sub("mlp"), width, 4*width, dense, op.GELU, nil),
		}},
	}
}

type windowAttention struct {
	attention *layers.SelfAttention
	bias      *layers.RelativeBias
	windows   layers.Windows
	cut, join []int
	regions   [][]int
}

// Forward implements graph.Module.
func (m *windowAttention) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	n, c := x.Shape()[0], x.Shape()[2]
	number, tokens := m.windows.Number(), m.windows.Tokens()
	y := g.Reshape(g.Gather(x, m.cut), n*number, tokens, c)
	y = m.attention.Biased(g, y, m.bias.Forward(g), m.regions)
	return g.Gather(g.Reshape(y, n, number*tokens, c), m.join)
}

// newPatchMerging declares a map of side x side tokens made one of half the side, each
// token of four: their norm and a linear layer to twice the width.
func newPatchMerging(s graph.Scope, side, width int) graph.Module {
	half := (side + 1) / 2
	var index []int
	for y := range half {
		for x := range half {
			for k := range 4 {
				h, w := 2*y+k%2, 2*x+k/2
				if h >= side || w >= side {
					index = append(index, -1)
					continue
				}
				index = append(index, h*side+w)
			}
		}
	}
	merged := graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		return g.Reshape(g.Gather(x, index), x.Shape()[0], half*half, 4*width)
	})
	return graph.Sequential{
		merged, swinNorm(s.Sub("norm"), 4*width, false),
		graph.NewLinear(s.Sub("reduction"), 4*width, 2*width, graph.LinearConfig{NoBias: true, Init: narrowNormal}),
	}
}

const swinPaper = "Liu et al., Swin Transformer: Hierarchical Vision Transformer using Shifted Windows, arXiv 2103.14030"

// swins have the preprocessing of timm's default weights.
var swins = []Spec{
	swin("swin_tiny_patch4_window7_224", SwinConfig{Patch: 4, Window: 7, Width: 96, Depths: []int{2, 2, 6, 2}, Heads: []int{3, 6, 12, 24}},
		imageNet(swinPaper, 0.9, timmHub+"swin_tiny_patch4_window7_224.ms_in1k")),
}

func swin(name string, c SwinConfig, info Config) Spec {
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"patch_embed.proj"}, []string{""}, []string{"head.fc"}
	info.Positions = []string{"relative_position_bias_table"}
	return Spec{
		Name: name, Residual: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewSwin(s, c, o) },
	}
}
