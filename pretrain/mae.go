package pretrain

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/train"
)

// mae is the masked autoencoder (He et al., arXiv 2111.06377): the transformer encodes
// the patches that are not hidden, a lighter one decodes these together with a learned
// token in place of each that is, and predicts the pixels of the hidden ones.
//
// The positions of both are learned, as the model's are in fine-tuning, where the paper
// has fixed sines.
type mae struct {
	net     *models.VisionTransformer
	visible int // patches
	seed    uint64
	norm    bool // predict normalised pixels

	token, positions *graph.Param
	embed, head      *graph.Dense
	blocks           graph.Sequential
	last             graph.Module
	width            int
}

func newMAE(j *train.Job, s graph.Scope) ([]train.Pretext, error) {
	net, ok := j.Model.Network().(*models.VisionTransformer)
	if !ok {
		return nil, fmt.Errorf("pretrain.method is mae, which is for vision transformers such as vit_small_patch16_224, and model.name is %s: take cae or simmim for convolutional networks, dae or rbm for perceptrons", j.Model.Name)
	}
	c := j.Config.Pretrain
	ratio := c.MaskRatio
	if ratio == 0 {
		ratio = 0.75
	}
	patches := net.Side * net.Side
	m := &mae{net: net, visible: int(float64(patches)*(1-ratio) + 1e-9), seed: uint64(j.Config.Train.Seed), norm: c.NormPixels, width: c.DecoderWidth}
	if m.visible == 0 || m.visible == patches {
		return nil, fmt.Errorf("pretrain.mask_ratio of %g of %d patches leaves %d visible: there should be some of either kind; set pretrain.mask_ratio, or data.size higher", ratio, patches, m.visible)
	}
	if m.width == 0 {
		m.width = 512
	}
	if m.width%c.DecoderHeads != 0 {
		return nil, fmt.Errorf("pretrain.decoder_heads is %d: it should divide pretrain.decoder_width, which is %d", c.DecoderHeads, m.width)
	}
	small := models.ViTConfig{Width: m.width, Heads: c.DecoderHeads}
	linear := graph.LinearConfig{Init: graph.XavierUniform, BiasInit: graph.Zeros}
	m.token = s.Param("mask_token", graph.Shape{1, 1, m.width}, graph.Layout{}, graph.Bias, graph.Normal(0.02))
	m.positions = s.Param("decoder_pos_embed", graph.Shape{1, 1 + patches, m.width}, graph.Layout{}, graph.Bias, graph.Normal(0.02))
	m.embed = graph.NewLinear(s.Sub("decoder_embed"), net.Width, m.width, linear)
	for i := range c.DecoderDepth {
		m.blocks = append(m.blocks, small.Block(s.Sub(fmt.Sprintf("decoder_blocks.%d", i)), 0))
	}
	m.last = small.Norm(s.Sub("decoder_norm"))
	m.head = graph.NewLinear(s.Sub("decoder_pred"), m.width, net.Patch*net.Patch*j.Config.Model.InChans, linear)
	return []train.Pretext{m}, nil
}

// Build implements train.Pretext. Patches are chosen by a product with a matrix that has
// a 1 in each row, which gives them as they are, and put back by its transpose.
func (m *mae) Build(g *graph.Graph, images *graph.Node) train.Exercise {
	tokens := m.net.Embed(g, images)
	if tokens == nil {
		return train.Exercise{}
	}
	n, l := tokens.Shape()[0], tokens.Shape()[1]
	chosen, hidden := g.Input("visible", n, m.visible, l), g.Input("hidden", n, l, 1)
	code := m.net.Encode(g, g.MatMul(chosen, m.net.Place(g, tokens), false, false))
	code = m.embed.Forward(g, code)
	class, rest := g.Slice(code, 1, 0, 1, 1), g.Slice(code, 1, 1, 1+m.visible, 1)
	rest = g.Add(g.MatMul(chosen, rest, true, false), g.Mul(g.Apply(op.BroadcastTo{Shape: graph.Shape{n, l, m.width}}, g.Param(m.token)), hidden))
	y := g.Add(g.Concat(1, class, rest), g.Param(m.positions))
	y = m.head.Forward(g, g.Slice(m.last.Forward(g, m.blocks.Forward(g, y)), 1, 1, 1+l, 1))
	off := g.Sub(y, m.target(g, images))
	share := float64(l-m.visible) / float64(l)
	return train.Exercise{
		Inputs: []train.Input{
			{Node: chosen, Fill: eachSample(m.visible*l, m.seed, purpose(g, "mask"), m.choose)},
			{Node: hidden, Fill: eachSample(l, m.seed, purpose(g, "mask"), m.hide)},
		},
		Loss: g.Scale(g.Mean(g.Mul(g.Mul(off, off), hidden)), 1/share),
	}
}

// target is the pixels of each patch, or what they are above their mean in standard
// deviations, with PyTorch's unbiased variance.
func (m *mae) target(g *graph.Graph, images *graph.Node) *graph.Node {
	x := patchify(g, images, m.net.Patch)
	if x == nil || !m.norm {
		return x
	}
	n, l, pixels := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	x = g.Sub(x, g.MeanTo(x, n, l, 1))
	variance := g.Scale(g.MeanTo(g.Mul(x, x), n, l, 1), float64(pixels)/float64(max(pixels-1, 1)))
	return g.Mul(x, g.Power(variance, -0.5, 1e-6))
}

// choose writes the matrix (visible, patches) that takes the visible patches.
func (m *mae) choose(dst []float32, r *rng.Stream) {
	clear(dst)
	row, l := 0, len(dst)/m.visible
	choose(l, m.visible, r, func(i int) {
		dst[row*l+i] = 1
		row++
	})
}

// hide writes 1 for each patch that choose, given the same stream, leaves out.
func (m *mae) hide(dst []float32, r *rng.Stream) {
	for i := range dst {
		dst[i] = 1
	}
	choose(len(dst), m.visible, r, func(i int) { dst[i] = 0 })
}
