package pretrain

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/layers"
	"github.com/seed52467199/trainer/train"
)

// cae trains a network's trunk as the encoder of a denoising autoencoder, whose decoder
// goes back by the sizes of the trunk's maps: a map is spread to the next larger size by
// repeating its pixels, then convolved, which leaves no pattern of a transposed
// convolution's overlaps (Odena et al. 2016, Deconvolution and checkerboard artifacts).
type cae struct {
	model   *models.Model
	noise   noise
	loss    string
	decoder graph.Module
}

// leastWidth is what a decoder's channels, halved with each size, stop at.
const leastWidth = 16

// decoderStyle is that of its layers but the last.
var decoderStyle = layers.Style{Norm: layers.BatchNorm, Act: layers.Act(op.ReLU)}

func newCAE(j *train.Job, s graph.Scope) ([]train.Pretext, error) {
	trunk, err := trunkOf(j)
	if err != nil {
		return nil, err
	}
	width := j.Config.Pretrain.DecoderWidth
	if width == 0 {
		width = 256
	}
	s = s.Sub("decoder")
	conv := func(i, in, out, k int) graph.Module {
		at := s.Sub(fmt.Sprint(i))
		return decoderStyle.ConvNormAct(at.Sub("conv"), at.Sub("norm"), in, out, k, 1)
	}
	decoder := graph.Sequential{conv(0, trunk.Features.Shape()[3], width, 1)}
	for i, size := range trunk.Sizes[1:] {
		next := max(width/2, min(width, leastWidth))
		decoder = append(decoder, spread(size[0], size[1]), conv(i+1, width, next, 3))
		width = next
	}
	decoder = append(decoder, graph.NewConv(s.Sub("out"), width, j.Config.Model.InChans, 3, graph.ConvConfig{Pad: 1, Bias: true, BiasInit: graph.Zeros}))
	return []train.Pretext{&cae{j.Model, newNoise(j.Config), j.Config.Pretrain.Loss, decoder}}, nil
}

// trunkOf is the trunk for the job's images, to know its shapes.
func trunkOf(j *train.Job) (models.Trunk, error) {
	g := graph.New(graph.Train)
	size := j.Config.Data.Size
	trunk, err := j.Model.Trunk(g, g.Input("images", 2, size, size, j.Config.Model.InChans))
	if err != nil {
		return trunk, fmt.Errorf("pretrain.method is %s: %w", j.Config.Pretrain.Method, err)
	}
	return trunk, nil
}

// spread makes a map of (N, h, w, C) one of (N, height, width, C) by repeating pixels.
func spread(height, width int) graph.Module {
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
		index := make([]int, height*width)
		for i := range index {
			index[i] = i/width*h/height*w + i%width*w/width
		}
		return g.Reshape(g.Gather(g.Reshape(x, n, h*w, c), index), n, height, width, c)
	})
}

// Build implements train.Pretext.
func (m *cae) Build(g *graph.Graph, images *graph.Node) train.Exercise {
	x, inputs := m.noise.disturb(g, images)
	trunk, err := m.model.Trunk(g, x)
	if err != nil {
		g.Fail(err)
		return train.Exercise{}
	}
	return train.Exercise{Inputs: inputs, Loss: reconstruction(g, m.loss, m.decoder.Forward(g, trunk.Features), images)}
}
