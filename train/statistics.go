package train

import (
	"errors"
	"fmt"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// GathersStatistics tells whether there are running statistics that MeasureNorms changes:
// those of batch norms that take the statistics of their batch in training. Frozen norms
// take none, and norms that go by estimates (layers.BatchChannelNorm with a Speed) move
// theirs on from where they are.
func (n *Network) GathersStatistics() (bool, error) {
	g := graph.New(graph.Train)
	logits := n.Module.Forward(g, g.Input("images", 1, n.Height, n.Width, n.Channels))
	norms, err := gathered(g, logits)
	return len(norms) > 0, err
}

// MeasureNorms sets the running statistics of all batch norms to the mean of those of the
// batches of an epoch, with the network as in training, as PyTorch's
// torch.optim.swa_utils.update_bn does. Averaged weights want it where the averages of the
// statistics are not theirs.
func (n *Network) MeasureNorms(it *data.Epoch) error {
	var norms map[*graph.Param]float64
	var sums map[*graph.Param][]float64
	batches := 0
	for it.Next() {
		b := it.Batch()
		p, err := n.program(programKey{batch: b.N, train: true, forward: true})
		if err == nil && norms == nil {
			norms, err = gathered(p.graph, p.logits)
			sums = map[*graph.Param][]float64{}
			for p := range norms {
				sums[p] = make([]float64, p.Len())
			}
		}
		if err == nil && len(norms) > 0 {
			err = n.measure(p, b, norms, sums)
		}
		it.Release(b)
		if err != nil || len(norms) == 0 {
			return err
		}
		batches++
	}
	if err := it.Err(); err != nil {
		return &InputError{err}
	}
	for p, sum := range sums {
		vals := make([]float32, len(sum))
		for i, v := range sum {
			vals[i] = float32(v / float64(batches))
		}
		if err := p.Write(vals); err != nil {
			return err
		}
	}
	return nil
}

// measure adds the statistics of a batch. A norm that starts from zeros leaves its
// momentum times those of the batch.
func (n *Network) measure(p *batchProgram, b *data.Batch, norms map[*graph.Param]float64, sums map[*graph.Param][]float64) error {
	for s := range norms {
		if err := s.Write(make([]float32, s.Len())); err != nil {
			return err
		}
	}
	if err := errors.Join(p.Set(p.images, b.Images), p.Run()); err != nil {
		return err
	}
	for s, momentum := range norms {
		vals, err := s.Read()
		if err != nil {
			return err
		}
		for i, v := range vals {
			sums[s][i] += float64(v) / momentum
		}
	}
	return nil
}

// gathered are the running statistics that a training pass replaces a part of by those of
// its batch, with how large a part.
func gathered(g *graph.Graph, logits *graph.Node) (map[*graph.Param]float64, error) {
	steps, err := g.Trace(logits)
	if err != nil {
		return nil, fmt.Errorf("finding the batch norms: %w", err)
	}
	found := map[*graph.Param]float64{}
	for _, s := range steps {
		norm, ok := s.Op.(op.BatchNorm)
		if !ok {
			continue
		}
		for _, v := range s.In {
			if v.Param != nil && v.Param.Role == graph.Statistic {
				found[v.Param] = norm.Momentum
			}
		}
	}
	return found, nil
}
