package layers

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// temporalAttentions look along the frames of a clip, which follow each other in the
// batch.
var temporalAttentions = []Entry{
	{
		Name: "temporal", Kind: Attentions, Family: "temporal", Options: "frames=1, reduction=16, fold=8",
		Paper: "shift: Lin et al., arXiv 1811.08383; excitation: Li et al., arXiv 2004.01398",
		attn: func(s *Spec) AttentionFunc {
			return Temporal(TemporalConfig{Frames: s.Int("frames", 1, 1), Reduction: s.Float("reduction", 16, 1), Fold: s.Int("fold", 8, 2)})
		},
	},
}

// TemporalConfig says how frames look at each other.
type TemporalConfig struct {
	// Frames is the number of frames of a clip, which the batch is a multiple of.
	Frames int
	// Reduction is the ratio of the channels to those of the excitation.
	Reduction float64
	// Fold is the part of the channels, one in so many, that comes from the next frame,
	// and as many from the one before.
	Fold int
}

// Temporal moves some channels of each frame to its neighbours, zeros coming in at a
// clip's ends (Lin et al., arXiv 1811.08383), and then weights channels by the logistic
// function of a convolution of three frames' means, conv1, relu, and a linear map of
// channels, conv2 (in the manner of Li et al., arXiv 2004.01398).
func Temporal(c TemporalConfig) AttentionFunc {
	return func(s graph.Scope, channels int) graph.Module {
		hidden := max(1, int(float64(channels)/c.Reduction))
		along := op.Window{KH: 3, KW: 1, StrideH: 1, StrideW: 1, PadTop: 1, PadBottom: 1, DilationH: 1, DilationW: 1}
		return &temporal{
			TemporalConfig: c,
			squeeze:        graph.NewConv(s.Sub("conv1"), channels, hidden, 0, graph.ConvConfig{Window: along, Bias: true}),
			excite:         graph.NewConv(s.Sub("conv2"), hidden, channels, 1, graph.ConvConfig{Bias: true}),
		}
	}
}

type temporal struct {
	TemporalConfig
	squeeze, excite *graph.Convolution
}

// Forward implements graph.Module.
func (m *temporal) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
	if n%m.Frames != 0 {
		return g.Fail(fmt.Errorf("temporal attention: a batch of %d images has no clips of %d frames; it should be a multiple", n, m.Frames))
	}
	clips := n / m.Frames
	x = g.Reshape(m.shift(g, g.Reshape(x, clips, m.Frames, h*w, c)), n, h, w, c)
	y := g.ReLU(m.squeeze.Forward(g, g.Reshape(g.GlobalAvgPool(x), clips, m.Frames, 1, c)))
	gate := g.Activation(m.excite.Forward(g, y), op.Sigmoid)
	return g.Mul(x, g.Reshape(gate, n, 1, 1, c))
}

// shift takes channels of x (clips, frames, pixels, C) from the neighbouring frames.
func (m *temporal) shift(g *graph.Graph, x *graph.Node) *graph.Node {
	frames, c := m.Frames, x.Shape()[3]
	fold := c / m.Fold
	if frames == 1 || fold == 0 {
		return x
	}
	// moved is channels [from, to) with frames [first, last) beginning at another one.
	moved := func(from, to, first, last, at int) *graph.Node {
		part := g.Slice(g.Slice(x, 3, from, to, 1), 1, first, last, 1)
		return g.ZeroPad(part, 1, at, frames-at-(last-first))
	}
	return g.Concat(3, moved(0, fold, 1, frames, 0), moved(fold, 2*fold, 0, frames-1, 1), g.Slice(x, 3, 2*fold, c, 1))
}
