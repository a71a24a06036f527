package models

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// ViTConfig is what vision transformers (Dosovitskiy et al., arXiv 2010.11929) differ in.
type ViTConfig struct {
	// Patch is the height and width in pixels of what one token stands for.
	Patch int
	// Width is the channels of a token, Depth the number of blocks, Heads that of
	// attention heads.
	Width, Depth, Heads int
	// PlaceClass gives the class token a position of its own; without it positions are
	// added before the class token is there, as in DeiT III (arXiv 2204.07118).
	PlaceClass bool
	// LayerScale is where the factors of the residual branches start; 0 means none.
	LayerScale float64
}

// vitNorm is layer norm with the constant of vision transformers.
var vitNorm = layers.LayerNorm(1e-6)

// narrowNormal draws the weights of transformers.
var narrowNormal = graph.Normal(0.02)

// NewViT declares a vision transformer under timm's names: cls_token, pos_embed,
// patch_embed.proj, blocks.0.norm1, blocks.0.attn.qkv and so on, norm, head. Parameters
// depend on the image's size, which its patches divide.
func NewViT(s graph.Scope, c ViTConfig, o Options) (graph.Module, error) {
	side, err := patchesPerSide(o.ImageSize, c.Patch)
	if err != nil {
		return nil, err
	}
	positions := side * side
	if c.PlaceClass {
		positions++
	}
	m := &vit{placeClass: c.PlaceClass, width: c.Width}
	m.class = s.Param("cls_token", graph.Shape{1, 1, c.Width}, graph.Layout{}, graph.Bias, graph.Normal(1e-6))
	m.positions = s.Param("pos_embed", graph.Shape{1, positions, c.Width}, graph.Layout{}, graph.Bias, narrowNormal)
	fan := c.Patch * c.Patch * o.InChans
	m.patches = layers.NewPatchEmbed(s.Sub("patch_embed"), o.InChans, c.Width, c.Patch, graph.FanInUniform, graph.BiasUniform(fan))
	for i := range c.Depth {
		m.blocks = append(m.blocks, c.block(s.Sub(fmt.Sprintf("blocks.%d", i)), layers.DropPathRate(o.DropPath, i, c.Depth)))
	}
	m.norm = vitNorm(s.Sub("norm"), c.Width, false)
	m.head = graph.Sequential{graph.Drop(o.DropRate), graph.NewLinear(s.Sub("head"), c.Width, o.NumClasses, graph.LinearConfig{Init: narrowNormal, BiasInit: graph.Zeros})}
	return m, nil
}

// block declares a block: attention and a network of two layers, each in a residual
// branch behind a norm.
func (c ViTConfig) block(s graph.Scope, dropPath float64) graph.Module {
	dense := layers.DenseOf(narrowNormal, graph.Zeros)
	branch := func(norm, scale string, m func() graph.Module) graph.Module {
		parts := graph.Sequential{vitNorm(s.Sub(norm), c.Width, false), m()}
		if c.LayerScale > 0 {
			parts = append(parts, layers.NewLayerScale(s.Sub(scale), c.Width, c.LayerScale))
		}
		return &layers.Residual{Branch: parts, DropPath: dropPath}
	}
	return graph.Sequential{
		branch("norm1", "ls1", func() graph.Module {
			return layers.NewSelfAttention(s.Sub("attn"), c.Width, c.Heads, dense, dense)
		}),
		branch("norm2", "ls2", func() graph.Module {
			return layers.NewMLP(s.Sub("mlp"), c.Width, 4*c.Width, dense, op.GELU, nil)
		}),
	}
}

type vit struct {
	placeClass       bool
	width            int
	class, positions *graph.Param
	patches          graph.Module
	blocks           graph.Sequential
	norm, head       graph.Module
}

// Forward implements graph.Module.
func (m *vit) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	x = m.patches.Forward(g, x)
	if x == nil {
		return nil
	}
	n := x.Shape()[0]
	positions := g.Param(m.positions)
	if !m.placeClass {
		x = g.Add(x, positions)
	}
	x = g.Concat(1, g.Apply(op.BroadcastTo{Shape: graph.Shape{n, 1, m.width}}, g.Param(m.class)), x)
	if m.placeClass {
		x = g.Add(x, positions)
	}
	x = m.blocks.Forward(g, x)
	// Only the class token is read, so only it is normed.
	x = g.Reshape(g.Slice(x, 1, 0, 1, 1), n, m.width)
	return m.head.Forward(g, m.norm.Forward(g, x))
}

const (
	vitPaper   = "Dosovitskiy et al., An Image is Worth 16x16 Words, arXiv 2010.11929"
	deitPaper  = "Touvron et al., Training data-efficient image transformers, arXiv 2012.12877"
	deit3Paper = "Touvron et al., DeiT III: Revenge of the ViT, arXiv 2204.07118"
)

// viTs have the preprocessing of timm's default weights.
var viTs = []Spec{
	viT("vit_tiny_patch16_224", ViTConfig{Patch: 16, Width: 192, Depth: 12, Heads: 3, PlaceClass: true}, imageNet(vitPaper, 0.9, timmHub+"vit_tiny_patch16_224.augreg_in21k_ft_in1k").halved()),
	viT("vit_small_patch16_224", ViTConfig{Patch: 16, Width: 384, Depth: 12, Heads: 6, PlaceClass: true}, imageNet(vitPaper, 0.9, timmHub+"vit_small_patch16_224.augreg_in21k_ft_in1k").halved()),
	viT("vit_base_patch16_224", ViTConfig{Patch: 16, Width: 768, Depth: 12, Heads: 12, PlaceClass: true}, imageNet(vitPaper, 0.9, timmHub+"vit_base_patch16_224.augreg2_in21k_ft_in1k").halved()),
	viT("deit_tiny_patch16_224", ViTConfig{Patch: 16, Width: 192, Depth: 12, Heads: 3, PlaceClass: true}, imageNet(deitPaper, 0.9, timmHub+"deit_tiny_patch16_224.fb_in1k")),
	viT("deit_small_patch16_224", ViTConfig{Patch: 16, Width: 384, Depth: 12, Heads: 6, PlaceClass: true}, imageNet(deitPaper, 0.9, timmHub+"deit_small_patch16_224.fb_in1k")),
	viT("deit3_small_patch16_224", ViTConfig{Patch: 16, Width: 384, Depth: 12, Heads: 6, LayerScale: 1e-6}, imageNet(deit3Paper, 0.9, timmHub+"deit3_small_patch16_224.fb_in1k")),
}

func viT(name string, c ViTConfig, info Config) Spec {
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"patch_embed.proj"}, []string{""}, []string{"head"}
	info.Positions = []string{"pos_embed"}
	return Spec{
		Name: name, Residual: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewViT(s, c, o) },
	}
}
