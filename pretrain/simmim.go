package pretrain

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/train"
)

// SimMIM (Xie et al., arXiv 2111.09886): squares of the image are hidden behind a learned
// token, and one linear layer over the features predicts their pixels; the mean absolute
// difference of the hidden ones is the loss.

// defaultShare is the part that SimMIM hides.
const defaultShare = 0.6

func newSimMIM(j *train.Job, s graph.Scope) ([]train.Pretext, error) {
	if vit, ok := j.Model.Network().(*models.VisionTransformer); ok {
		return newTokenMIM(j, vit, s)
	}
	return newPixelMIM(j, s)
}

// hiding reads how much is hidden, in squares of so many pixels, on a grid of side x side
// cells of so many.
func hiding(j *train.Job, side, cell, pixels int) (squares, error) {
	c := j.Config.Pretrain
	if pixels%cell != 0 || side*cell%pixels != 0 {
		return squares{}, fmt.Errorf("pretrain.mask_patch is %d: it should divide the %d pixels of the images' sides and be a multiple of %d", pixels, side*cell, cell)
	}
	share := c.MaskRatio
	if share == 0 {
		share = defaultShare
	}
	q := newSquares(side, pixels/cell, share)
	if q.hidden >= q.number() {
		return squares{}, fmt.Errorf("a share of %g of %d squares of %dx%d pixels hides the whole image: set pretrain.mask_patch or pretrain.mask_ratio lower, or data.size higher", share, q.number(), pixels, pixels)
	}
	return q, nil
}

// difference is the mean absolute difference of a prediction and its target where mask,
// which stretches to their shape, is 1, given the share of the mask that is.
func difference(g *graph.Graph, got, want, mask *graph.Node, share float64) *graph.Node {
	// A leaky relu with a slope of -1 is the absolute value.
	off := g.ActivationAlpha(g.Sub(got, want), op.LeakyReLU, -1)
	return g.Scale(g.Mean(g.Mul(off, mask)), 1/share)
}

// tokenMIM is SimMIM for vision transformers: tokens are replaced behind the embedding.
type tokenMIM struct {
	net    *models.VisionTransformer
	hidden squares // of tokens
	seed   uint64
	token  *graph.Param
	head   *graph.Dense
}

func newTokenMIM(j *train.Job, net *models.VisionTransformer, s graph.Scope) ([]train.Pretext, error) {
	pixels := j.Config.Pretrain.MaskPatch
	if pixels == 0 {
		pixels = net.Patch
	}
	q, err := hiding(j, net.Side, net.Patch, pixels)
	if err != nil {
		return nil, err
	}
	return []train.Pretext{&tokenMIM{net: net, hidden: q, seed: uint64(j.Config.Train.Seed),
		token: s.Param("mask_token", graph.Shape{1, 1, net.Width}, graph.Layout{}, graph.Bias, graph.Normal(0.02)),
		head:  graph.NewLinear(s.Sub("head"), net.Width, net.Patch*net.Patch*j.Config.Model.InChans, graph.LinearConfig{}),
	}}, nil
}

// Build implements train.Pretext.
func (m *tokenMIM) Build(g *graph.Graph, images *graph.Node) train.Exercise {
	tokens := m.net.Embed(g, images)
	if tokens == nil {
		return train.Exercise{}
	}
	n, l := tokens.Shape()[0], tokens.Shape()[1]
	mask := g.Input("mask", n, l, 1)
	x := m.net.Encode(g, m.net.Place(g, replaced(g, tokens, mask, m.token)))
	x = m.head.Forward(g, g.Slice(x, 1, 1, 1+l, 1))
	return train.Exercise{
		Inputs: []train.Input{{Node: mask, Fill: eachSample(l, m.seed, purpose(g, "mask"), m.hidden.draw)}},
		Loss:   difference(g, x, patchify(g, images, m.net.Patch), mask, m.hidden.share()),
	}
}

// replaced is x with a token in its place where mask is 1.
func replaced(g *graph.Graph, x, mask *graph.Node, token *graph.Param) *graph.Node {
	return g.Add(x, g.Mul(g.Sub(g.Param(token), x), mask))
}

// pixelMIM is SimMIM for networks of maps: pixels are replaced.
type pixelMIM struct {
	model  *models.Model
	stride int     // of the features, in pixels
	hidden squares // of pixels
	seed   uint64
	token  *graph.Param
	head   *graph.Dense
}

func newPixelMIM(j *train.Job, s graph.Scope) ([]train.Pretext, error) {
	trunk, err := trunkOf(j)
	if err != nil {
		return nil, err
	}
	f, size, channels := trunk.Features.Shape(), j.Config.Data.Size, j.Config.Model.InChans
	if size%f[1] != 0 || size%f[2] != 0 || f[1] != f[2] {
		return nil, fmt.Errorf("pretrain.method is simmim, and %s leaves %dx%d places of images of %dx%d pixels, which they do not divide: set data.size to a multiple of the network's stride, or take cae",
			j.Model.Name, f[1], f[2], size, size)
	}
	stride := size / f[1]
	pixels := j.Config.Pretrain.MaskPatch
	if pixels == 0 {
		pixels = stride
	}
	q, err := hiding(j, size, 1, pixels)
	if err != nil {
		return nil, err
	}
	return []train.Pretext{&pixelMIM{model: j.Model, stride: stride, hidden: q, seed: uint64(j.Config.Train.Seed),
		token: s.Param("mask_token", graph.Shape{1, 1, 1, channels}, graph.Layout{}, graph.Bias, graph.Zeros),
		head:  graph.NewLinear(s.Sub("head"), f[3], stride*stride*channels, graph.LinearConfig{}),
	}}, nil
}

// Build implements train.Pretext.
func (m *pixelMIM) Build(g *graph.Graph, images *graph.Node) train.Exercise {
	s := images.Shape()
	mask := g.Input("mask", s[0], s[1], s[2], 1)
	trunk, err := m.model.Trunk(g, replaced(g, images, mask, m.token))
	if err != nil {
		g.Fail(err)
		return train.Exercise{}
	}
	x := unpatchify(g, m.head.Forward(g, trunk.Features), m.stride)
	return train.Exercise{
		Inputs: []train.Input{{Node: mask, Fill: eachSample(s[1]*s[2], m.seed, purpose(g, "mask"), m.hidden.draw)}},
		Loss:   difference(g, x, images, mask, m.hidden.share()),
	}
}
