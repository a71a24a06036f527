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
	// Distilled is DeiT's (arXiv 2012.12877): a second token behind the class token, with
	// a place and a classifier of its own, head_dist, for what a teacher says. It goes with
	// PlaceClass. The network is then a DistilledTransformer.
	Distilled bool
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
	if c.Distilled {
		positions++
	}
	m := &VisionTransformer{ViTConfig: c, Side: side}
	m.class = s.Param("cls_token", graph.Shape{1, 1, c.Width}, graph.Layout{}, graph.Bias, graph.Normal(1e-6))
	m.positions = s.Param("pos_embed", graph.Shape{1, positions, c.Width}, graph.Layout{}, graph.Bias, narrowNormal)
	var distillation *graph.Param
	if c.Distilled {
		distillation = s.Param("dist_token", graph.Shape{1, 1, c.Width}, graph.Layout{}, graph.Bias, narrowNormal)
	}
	fan := c.Patch * c.Patch * o.InChans
	m.patches = layers.NewPatchEmbed(s.Sub("patch_embed"), o.InChans, c.Width, c.Patch, graph.FanInUniform, graph.BiasUniform(fan))
	for i := range c.Depth {
		m.blocks = append(m.blocks, c.Block(s.Sub(fmt.Sprintf("blocks.%d", i)), layers.DropPathRate(o.DropPath, i, c.Depth)))
	}
	m.norm = c.Norm(s.Sub("norm"))
	head := func(name string) graph.Module {
		return graph.Sequential{graph.Drop(o.DropRate), graph.NewLinear(s.Sub(name), c.Width, o.NumClasses, graph.LinearConfig{Init: narrowNormal, BiasInit: graph.Zeros})}
	}
	m.head = head("head")
	if c.Distilled {
		return &DistilledTransformer{m, distillation, head("head_dist")}, nil
	}
	return m, nil
}

// Norm declares the norm of such a transformer.
func (c ViTConfig) Norm(s graph.Scope) graph.Module { return vitNorm(s, c.Width, false) }

// Block declares a block of tokens (N, L, Width): attention and a network of two layers, each in a residual
// branch behind a norm.
func (c ViTConfig) Block(s graph.Scope, dropPath float64) graph.Module {
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

// VisionTransformer is a vision transformer, in parts that can be used apart.
type VisionTransformer struct {
	ViTConfig
	// Side is the number of patches along a side of the image.
	Side int

	class, positions *graph.Param
	patches          graph.Module
	blocks           graph.Sequential
	norm, head       graph.Module
}

// Embed makes tokens of the patches, row by row, that know nothing of their places:
// (N, H, W, C) to (N, Side*Side, Width).
func (m *VisionTransformer) Embed(g *graph.Graph, x *graph.Node) *graph.Node {
	return m.patches.Forward(g, x)
}

// Place adds its position to the token of each patch.
func (m *VisionTransformer) Place(g *graph.Graph, tokens *graph.Node) *graph.Node {
	positions := g.Param(m.positions)
	if m.PlaceClass {
		positions = g.Slice(positions, 1, 1, 1+m.Side*m.Side, 1)
	}
	return g.Add(tokens, positions)
}

// Encode passes placed tokens, of all patches or of some, through all blocks and the
// norm: (N, L, Width) to (N, 1+L, Width), the class token first.
func (m *VisionTransformer) Encode(g *graph.Graph, tokens *graph.Node) *graph.Node {
	if tokens == nil {
		return nil
	}
	class := g.Param(m.class)
	if m.PlaceClass {
		class = g.Add(class, g.Slice(g.Param(m.positions), 1, 0, 1, 1))
	}
	class = g.Apply(op.BroadcastTo{Shape: graph.Shape{tokens.Shape()[0], 1, m.Width}}, class)
	return m.norm.Forward(g, m.blocks.Forward(g, g.Concat(1, class, tokens)))
}

// Forward implements graph.Module.
func (m *VisionTransformer) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return m.read(g, m.tokens(g, x, m.class), 0, m.head)
}

// tokens passes images through all blocks, with these tokens in front of the patches'.
func (m *VisionTransformer) tokens(g *graph.Graph, x *graph.Node, front ...*graph.Param) *graph.Node {
	x = m.patches.Forward(g, x)
	if x == nil {
		return nil
	}
	positions := g.Param(m.positions)
	if !m.PlaceClass {
		x = g.Add(x, positions)
	}
	var all []*graph.Node
	for _, p := range front {
		all = append(all, g.Apply(op.BroadcastTo{Shape: graph.Shape{x.Shape()[0], 1, m.Width}}, g.Param(p)))
	}
	x = g.Concat(1, append(all, x)...)
	if m.PlaceClass {
		x = g.Add(x, positions)
	}
	return m.blocks.Forward(g, x)
}

// read gives what a classifier says of the token at this place. Only those that are read
// are normed.
func (m *VisionTransformer) read(g *graph.Graph, tokens *graph.Node, at int, head graph.Module) *graph.Node {
	if tokens == nil {
		return nil
	}
	x := g.Reshape(g.Slice(tokens, 1, at, at+1, 1), tokens.Shape()[0], m.Width)
	return head.Forward(g, m.norm.Forward(g, x))
}

// DistilledTransformer is a vision transformer with a second token and classifier for
// what a teacher says (Touvron et al. 2021, arXiv 2012.12877).
type DistilledTransformer struct {
	net          *VisionTransformer
	distillation *graph.Param
	head         graph.Module
}

// Heads gives the logits (N, classes) of the classifier that learns from labels, and of
// the one that learns from a teacher.
func (m *DistilledTransformer) Heads(g *graph.Graph, x *graph.Node) (own, taught *graph.Node) {
	tokens := m.net.tokens(g, x, m.net.class, m.distillation)
	return m.net.read(g, tokens, 0, m.net.head), m.net.read(g, tokens, 1, m.head)
}

// Mean is what both classifiers say together: the mean of their logits.
func (m *DistilledTransformer) Mean(g *graph.Graph, own, taught *graph.Node) *graph.Node {
	return g.Scale(g.Add(own, taught), 0.5)
}

// Forward implements graph.Module: the mean of both classifiers' logits.
func (m *DistilledTransformer) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	own, taught := m.Heads(g, x)
	return m.Mean(g, own, taught)
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
	viT("deit_tiny_distilled_patch16_224", ViTConfig{Patch: 16, Width: 192, Depth: 12, Heads: 3, PlaceClass: true, Distilled: true}, imageNet(deitPaper, 0.9, timmHub+"deit_tiny_distilled_patch16_224.fb_in1k")),
	viT("deit_small_distilled_patch16_224", ViTConfig{Patch: 16, Width: 384, Depth: 12, Heads: 6, PlaceClass: true, Distilled: true}, imageNet(deitPaper, 0.9, timmHub+"deit_small_distilled_patch16_224.fb_in1k")),
	viT("deit3_small_patch16_224", ViTConfig{Patch: 16, Width: 384, Depth: 12, Heads: 6, LayerScale: 1e-6}, imageNet(deit3Paper, 0.9, timmHub+"deit3_small_patch16_224.fb_in1k")),
}

func viT(name string, c ViTConfig, info Config) Spec {
	info.FirstConv, info.FirstNorm, info.Classifier = []string{"patch_embed.proj"}, []string{""}, []string{"head"}
	if c.Distilled {
		info.Classifier = append(info.Classifier, "head_dist")
	}
	info.Positions = []string{"pos_embed"}
	return Spec{
		Name: name, Residual: true, Config: info,
		Build: func(s graph.Scope, o Options) (graph.Module, error) { return NewViT(s, c, o) },
	}
}
