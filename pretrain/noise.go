package pretrain

import (
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
	"github.com/seed52467199/trainer/train"
)

// noise disturbs what an autoencoder sees (Vincent et al. 2010, Stacked denoising
// autoencoders, JMLR 11, section 3.3): a share of the values becomes 0, or normal numbers
// are added. Its draws for a sample of an epoch depend on the seed and these two alone.
type noise struct {
	masking bool
	level   float64
	seed    uint64
}

func newNoise(c *configs.Config) noise {
	return noise{masking: c.Pretrain.Noise == "masking", level: c.Pretrain.NoiseLevel, seed: uint64(c.Train.Seed)}
}

// disturb is x (N, ...) with noise.
func (n noise) disturb(g *graph.Graph, x *graph.Node) (*graph.Node, []train.Input) {
	if x == nil || n.level == 0 {
		return x, nil
	}
	in := g.Input("noise", x.Shape()...)
	inputs := []train.Input{{Node: in, Fill: eachSample(op.Size(x.Shape())/x.Shape()[0], n.seed, purpose(g, "noise"), n.draw)}}
	if n.masking {
		return g.Mul(x, in), inputs
	}
	return g.Add(x, in), inputs
}

// draw fills a sample's part of the input.
func (n noise) draw(dst []float32, r *rng.Stream) {
	for i := range dst {
		switch {
		case !n.masking:
			dst[i] = float32(n.level * r.Norm())
		case r.Bernoulli(n.level):
			dst[i] = 0
		default:
			dst[i] = 1
		}
	}
}

// purpose names the streams of what a graph draws: an image that training looks at and
// the one of that number that is measured draw apart from each other.
func purpose(g *graph.Graph, what string) string {
	if g.Training() {
		return what
	}
	return "validation " + what
}

// eachSample fills an input sample by sample, size values each, from the stream of the
// sample in its epoch.
func eachSample(size int, seed uint64, purpose string, draw func(dst []float32, r *rng.Stream)) func(dst []float32, b *data.Batch) {
	var r rng.Stream
	return func(dst []float32, b *data.Batch) {
		for slot, sample := range b.Indices {
			r.Reset(seed, purpose, b.Epoch, uint64(sample))
			draw(dst[slot*size:(slot+1)*size], &r)
		}
	}
}

// reconstruction is how far a decoder's result is from what it should give, averaged over
// all values: the cross-entropy of its logistic function, or the squared difference.
func reconstruction(g *graph.Graph, loss string, got, want *graph.Node) *graph.Node {
	if loss == "cross_entropy" {
		return g.BCEWithLogits(got, want, false)
	}
	return g.MSE(got, want)
}
