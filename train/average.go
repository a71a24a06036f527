package train

import (
	"context"

	"github.com/seed52467199/trainer/optim"
)

// SWA is stochastic weight averaging (arXiv 1803.05407): the mean of the weights at the
// ends of the epochs from Start on. After the last epoch, be it that with which Patience
// ends, it takes the place of the weights, with the statistics of batch norms measured
// anew.
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

// averageWeights takes the weights of the epoch that just ended into the mean.
func (t *Trainer) averageWeights() error {
	if !t.SWA.averages(t.at.epoch + 1) {
		return nil
	}
	return t.SWA.add(t.at.epoch + 1)
}

// adoptAverage puts the mean in the place of the weights.
func (t *Trainer) adoptAverage(ctx context.Context) error {
	if err := t.SWA.Average.Adopt(); err != nil {
		return err
	}
	it := t.Loader.Epoch(context.WithoutCancel(ctx), uint64(t.Epochs), 0)
	defer it.Close()
	return t.Network.MeasureNorms(it)
}
