package train

import (
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/schedule"
)

// Rates is the learning rate over a run that has not begun.
type Rates struct {
	// Epochs and LR are the corners of the curve: when, in epochs since the
	// beginning, and the rate.
	Epochs, LR []float64
	// UpdatesPerEpoch is what the data says, or 1 where it cannot be opened: the
	// curve then has one rate an epoch, and NoData is the reason.
	UpdatesPerEpoch int
	NoData          error
}

// corners is about how many updates are looked at: more could not be seen in a drawing.
const corners = 4000

// ScheduledRates is the learning rate of a configuration, as far as it stands beforehand:
// plateau never drops. It opens the data to count updates, but builds no network.
func ScheduledRates(c configs.Config) (Rates, error) {
	r := Rates{UpdatesPerEpoch: 1}
	n, err := updatesPerEpoch(c)
	if err == nil {
		r.UpdatesPerEpoch = n
	}
	r.NoData = err
	s, err := schedule.New(c.Schedule, schedule.Span{Epochs: c.Train.Epochs, UpdatesPerEpoch: r.UpdatesPerEpoch, Seed: uint64(c.Train.Seed)})
	if err != nil {
		return r, err
	}
	updates := c.Train.Epochs * r.UpdatesPerEpoch
	stride := (updates + corners - 1) / corners
	at := func(update int) float64 { return float64(update) / float64(r.UpdatesPerEpoch) }
	for u := 0; u < updates; u += stride {
		lr := s.LR(c.Optimizer.LR, u)
		r.Epochs = append(r.Epochs, at(u), at(min(u+stride, updates)))
		r.LR = append(r.LR, lr, lr)
	}
	return r, nil
}

// updatesPerEpoch opens the data of a configuration and counts.
func updatesPerEpoch(c configs.Config) (int, error) {
	if c.Data.Mean.Auto() { // they need not be measured for that
		c.Data.Mean, c.Data.Std = configs.Stats{0.5}, configs.Stats{0.5}
	}
	j := &Job{Config: &c}
	if c.Model.Name == configs.AutoModel {
		if _, err := j.startingWeights(); err != nil {
			return 0, err
		}
	}
	info, err := models.Info(c.Model.Name)
	if err != nil {
		return 0, err
	}
	if err := j.openData(false); err != nil {
		return 0, err
	}
	if err := j.settle(info, nil); err != nil {
		return 0, err
	}
	loader, err := j.TrainLoader()
	if err != nil {
		return 0, err
	}
	return (&Trainer{Loader: loader, GradAccum: c.Train.GradAccum}).UpdatesPerEpoch(), nil
}
