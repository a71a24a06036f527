package train

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// HasBatchNorms tells whether there are running statistics that MeasureNorms may change.
func (n *Network) HasBatchNorms() bool {
	for _, p := range n.Params.All() {
		if strings.HasSuffix(p.Name, ".running_mean") || strings.HasSuffix(p.Name, ".running_var") {
			return true
		}
	}
	return false
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
