package pretrain

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/train"
)

// dae trains a hidden layer of a perceptron to restore what the layers below give of an
// image from a disturbed form of it (Vincent et al. 2010, Stacked denoising autoencoders,
// JMLR 11). The layers below are not trained, and see the image as it is.
type dae struct {
	net     *models.Perceptron
	layer   int
	noise   noise
	loss    string
	decoder *graph.Dense // nil where it has the encoder's weights
	bias    *graph.Param // of the decoder then
}

// newDAE makes one autoencoder for each hidden layer.
func newDAE(j *train.Job, s graph.Scope) ([]train.Pretext, error) {
	net, err := perceptron(j)
	if err != nil {
		return nil, err
	}
	c := j.Config.Pretrain
	if c.Loss == "cross_entropy" && net.Act != "sigmoid" && len(net.Hidden) > 1 {
		return nil, fmt.Errorf("pretrain.loss is cross_entropy, and the layers of %s above the first would restore what %s gives, which is not within [0, 1]: set pretrain.loss to mse, or model.act to sigmoid", j.Model.Name, net.Act)
	}
	var parts []train.Pretext
	for i, l := range net.Hidden {
		d := &dae{net: net, layer: i, noise: newNoise(j.Config), loss: c.Loss}
		in, out := l.Dense.Weight.Shape[0], l.Dense.Weight.Shape[1]
		at := s.Sub(fmt.Sprintf("decoder%d", i+1))
		if c.Tied {
			d.bias = at.Param("bias", graph.Shape{in}, graph.Layout{}, graph.Bias, graph.Zeros)
		} else {
			d.decoder = graph.NewLinear(at, out, in, graph.LinearConfig{BiasInit: graph.Zeros})
		}
		parts = append(parts, d)
	}
	return parts, nil
}

// perceptron is the model as one, for methods that train layer by layer.
func perceptron(j *train.Job) (*models.Perceptron, error) {
	net, ok := j.Model.Network().(*models.Perceptron)
	if !ok {
		return nil, fmt.Errorf("pretrain.method is %s, which is for perceptrons such as mlp, and model.name is %s: take cae or simmim for convolutional networks, mae or simmim for vision transformers",
			j.Config.Pretrain.Method, j.Model.Name)
	}
	return net, nil
}

// Build implements train.Pretext.
func (d *dae) Build(g *graph.Graph, images *graph.Node) train.Exercise {
	x := g.Detach(d.net.Code(g, images, d.layer))
	disturbed, inputs := d.noise.disturb(g, x)
	l := d.net.Hidden[d.layer]
	y := l.Forward(g, disturbed)
	if d.decoder != nil {
		y = d.decoder.Forward(g, y)
	} else {
		y = g.Add(g.MatMul(y, g.Param(l.Dense.Weight), false, true), g.Param(d.bias))
	}
	return train.Exercise{Inputs: inputs, Loss: reconstruction(g, d.loss, y, x)}
}
