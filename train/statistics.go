package train

import (
	"context"
	"strings"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
)

// statistic is a running mean or variance that is being computed anew.
type statistic struct {
	p     *graph.Param
	first []float32 // after the first batch, from zeros
	sum   []float64 // of momentum times the batches' own values
}

// runningStatistics are the running means and variances of batch norms.
func (n *Network) runningStatistics() []*graph.Param {
	var list []*graph.Param
	for _, p := range n.Params.All() {
		if strings.HasSuffix(p.Name, ".running_mean") || strings.HasSuffix(p.Name, ".running_var") {
			list = append(list, p)
		}
	}
	return list
}

// HasBatchNorms tells whether there is anything that UpdateNorms changes.
func (n *Network) HasBatchNorms() bool { return len(n.runningStatistics()) > 0 }

// UpdateNorms computes the running means and variances of batch norms anew: as the
// means of the batches' own over one epoch of loader, in training mode, as PyTorch's
// torch.optim.swa_utils.update_bn does. Averaged weights want it where the averages of
// the statistics are not theirs.
func (n *Network) UpdateNorms(ctx context.Context, loader *data.Loader) error {
	var list []*statistic
	for _, p := range n.runningStatistics() {
		list = append(list, &statistic{p: p, sum: make([]float64, p.Len())})
	}
	n.Objective = Objective{Name: "mse"} // any one does, and this suits every task
	batches := 0
	pass := func(b *data.Batch, from float32, read func(s *statistic, vals []float32)) error {
		for _, s := range list {
			vals := make([]float32, s.p.Len())
			for i := range vals {
				vals[i] = from
			}
			if err := s.p.Write(vals); err != nil {
				return err
			}
		}
		if _, err := n.Backward(b, false); err != nil {
			return err
		}
		for _, s := range list {
			vals, err := s.p.Read()
			if err != nil {
				return err
			}
			read(s, vals)
		}
		return nil
	}
	it := loader.Epoch(ctx, 0, 0)
	defer it.Close()
	momenta := make([]float64, len(list))
	for it.Next() {
		b := it.Batch()
		draws := n.ws.Draws()
		// running = (1-momentum)*before + momentum*batch: from zeros it is the batch's
		// own, scaled by a momentum that the first batch tells when it is run from ones.
		err := pass(b, 0, func(s *statistic, vals []float32) {
			if batches == 0 {
				s.first = vals
			}
			for i, v := range vals {
				s.sum[i] += float64(v)
			}
		})
		if err == nil && batches == 0 {
			n.ws.SetDraws(draws) // with the same masks
			k := 0
			err = pass(b, 1, func(s *statistic, vals []float32) {
				for i, v := range vals {
					momenta[k] += (1 - float64(v-s.first[i])) / float64(len(vals))
				}
				k++
			})
		}
		it.Release(b)
		if err != nil {
			return err
		}
		batches++
	}
	if err := it.Err(); err != nil {
		return err
	}
	for k, s := range list {
		vals := make([]float32, len(s.sum))
		for i, sum := range s.sum {
			vals[i] = float32(sum / momenta[k] / float64(batches))
		}
		if err := s.p.Write(vals); err != nil {
			return err
		}
	}
	return nil
}

// TrainLoader makes a loader of ds as a training under this configuration does.
func (l *Loaded) TrainLoader(c *configs.Config, ds data.Dataset) (*data.Loader, error) {
	return (&Job{Config: c, TrainData: ds, Preprocessing: l.Preprocessing}).TrainLoader()
}
