package pretrain

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/train"
)

// rbm trains a hidden layer of a perceptron as a restricted Boltzmann machine of binary
// units by one step of contrastive divergence (Hinton 2002, Training products of experts
// by minimizing contrastive divergence, Neural Computation 14; Hinton 2012, A practical
// guide to training restricted Boltzmann machines). Visible units hold the probabilities
// that the pixels, or the layers below, give; hidden ones are drawn before the
// reconstruction and are probabilities in the statistics.
//
// The update <v h>data - <v h>reconstruction is no gradient of a function of the
// parameters, but it is the one of F(data) - F(reconstruction) with the reconstruction
// held fast, F being the free energy -v*b - sum softplus(v*W + c): its derivative by W
// is -v times the hidden probabilities. So the optimizers, momentum and weight decay
// apply as to any loss.
type rbm struct {
	net     *models.Perceptron
	layer   int
	visible *graph.Param // bias b
}

// newRBM makes one machine for each hidden layer. Weights start small and biases at 0.
func newRBM(j *train.Job, s graph.Scope) ([]train.Pretext, error) {
	net, err := perceptron(j)
	if err != nil {
		return nil, err
	}
	if net.Act != string(op.Sigmoid) {
		return nil, fmt.Errorf("pretrain.method is rbm, whose hidden units are logistic, and %s has %s: set model.act to sigmoid, or take dae", j.Model.Name, net.Act)
	}
	var parts []train.Pretext
	for i, l := range net.Hidden {
		l.Dense.Weight.StartFrom(graph.Normal(0.01))
		l.Dense.Bias.StartFrom(graph.Zeros)
		visible := s.Sub(fmt.Sprintf("visible%d", i+1)).Param("bias", l.Dense.Weight.Shape[:1], graph.Layout{}, graph.Bias, graph.Zeros)
		parts = append(parts, &rbm{net, i, visible})
	}
	return parts, nil
}

// Build implements train.Pretext. What is told is the mean squared difference of the data
// and their mean-field reconstruction, in which nothing is drawn.
func (m *rbm) Build(g *graph.Graph, images *graph.Node) train.Exercise {
	data := g.Detach(m.net.Code(g, images, m.layer))
	dense := m.net.Hidden[m.layer].Dense
	w, b := g.Param(dense.Weight), g.Param(m.visible)
	down := func(hidden *graph.Node) *graph.Node {
		return g.Activation(g.Add(g.MatMul(hidden, w, false, true), b), op.Sigmoid)
	}
	up := dense.Forward(g, data)
	hidden := g.Activation(up, op.Sigmoid)
	again := g.Detach(down(g.Bernoulli(hidden)))
	// Means over the batch of sums over units.
	sum := func(x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		return g.Scale(g.Mean(x), float64(x.Shape()[1]))
	}
	units := g.Sub(g.Activation(dense.Forward(g, again), op.Softplus), g.Activation(up, op.Softplus))
	return train.Exercise{
		Loss:   g.Add(sum(units), sum(g.Mul(g.Sub(again, data), b))),
		Report: g.MSE(down(hidden), data),
	}
}
