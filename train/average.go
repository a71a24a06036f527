package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/optim"
)

// SWA is stochastic weight averaging (arXiv 1803.05407): the mean of the weights at the
// ends of the epochs from Start on. After the last epoch it takes the place of the
// weights, with the statistics of batch norms measured anew.
type SWA struct {
	// Average is the mean so far.
	Average *optim.EMA
	// Start is the first epoch, from 1, whose weights count.
	Start int
	// LR is the learning rate from that epoch on, 0 for the schedule's.
	LR float64
}

// averages tells whether the weights after so many epochs count.
func (s *SWA) averages(epochs int) bool { return s != nil && epochs >= s.Start }

// add takes the weights after so many epochs into the mean.
func (s *SWA) add(epochs int) error {
	n := float64(epochs - s.Start + 1)
	return s.Average.Update((n - 1) / n)
}

// emaDecay is that of the moving average at the next update.
func (t *Trainer) emaDecay() float64 {
	if t.EMAWarmup {
		return optim.WarmDecay(t.EMADecay, t.at.update+1)
	}
	return t.EMADecay
}

// rate is the learning rate of the next update.
func (t *Trainer) rate() float64 {
	if t.SWA != nil && t.SWA.LR > 0 && t.SWA.averages(t.at.epoch+1) {
		return t.SWA.LR
	}
	return t.LR(t.at.update)
}

// averageWeights takes the weights of the epoch that just ended into the mean; after the
// last epoch it puts that in their place.
func (t *Trainer) averageWeights(ctx context.Context) error {
	if !t.SWA.averages(t.at.epoch + 1) {
		return nil
	}
	if err := t.SWA.add(t.at.epoch + 1); err != nil {
		return err
	}
	if t.at.epoch+1 < t.Epochs {
		return nil
	}
	if err := t.SWA.Average.Adopt(); err != nil {
		return err
	}
	it := t.Loader.Epoch(context.WithoutCancel(ctx), uint64(t.Epochs), 0)
	defer it.Close()
	return t.Network.MeasureNorms(it)
}

// MeasureNorms sets the running statistics of all batch norms to the mean of those of the
// batches of an epoch, with the network as in training.
func (n *Network) MeasureNorms(it *data.Epoch) error {
	var norms map[*graph.Param]float64
	var sums map[*graph.Param][]float64
	batches := 0
	for it.Next() {
		b := it.Batch()
		p, err := n.program(programKey{batch: b.N, train: true, forward: true})
		if err == nil && norms == nil {
			norms, err = p.norms()
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

// norms are the running statistics that a pass moves, with how far.
func (p *batchProgram) norms() (map[*graph.Param]float64, error) {
	steps, err := p.graph.Trace(p.logits)
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
