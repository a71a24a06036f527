package train

import (
	"encoding/json"
	"fmt"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/report"
)

// Patience ends a run whose evaluations get no better. What has been seen is part of
// the checkpoints.
type Patience struct {
	// Evaluations is how many in a row may pass without improvement; the run ends
	// with the last of them. 0 is any number.
	Evaluations int
	// MinDelta is what a value must be better by, in its own unit, to count as an
	// improvement.
	MinDelta float64
	// Start is how many epochs are over before evaluations count.
	Start int
}

// observe shows the evaluation of the epoch under way to all that decide by it: the
// value of the metric that chooses the best checkpoint, of which less is better where
// lower is set.
func (t *Trainer) observe(value float64, lower bool) {
	epochs := t.at.epoch + 1 - t.From
	if t.Plateau != nil {
		t.Plateau.Observe(epochs, value, lower)
	}
	if t.Patience.Evaluations > 0 && epochs > t.Patience.Start {
		t.at.stale.Add(value, t.Patience.MinDelta, lower)
	}
}

// exhausted tells whether the run should end before its last epoch.
func (t *Trainer) exhausted() bool {
	return t.impatient() && t.at.epoch < t.until()
}

// impatient tells whether patience is at its end.
func (t *Trainer) impatient() bool {
	n := t.Patience.Evaluations
	return n > 0 && t.at.stale.Count >= n
}

// warnNoAverage tells of an average that a run ended too early for.
func (t *Trainer) warnNoAverage() error {
	if t.SWA == nil || t.SWA.averages(t.at.epoch) {
		return nil
	}
	return send(t.Events, &report.Warning{Text: fmt.Sprintf("patience ended before epoch %d, with which train.swa_start begins: the weights are no average", t.SWA.Start)})
}

// stoppedEarly says why.
func (t *Trainer) stoppedEarly() *report.StoppedEarly {
	s := &report.StoppedEarly{Epoch: t.at.epoch, Epochs: t.until(), Update: t.at.update, Evaluations: t.at.stale.Count, MinDelta: t.Patience.MinDelta}
	if t.at.best != nil {
		s.Metric = t.at.best.Name
	}
	return s
}

// keepObserved writes what has been observed into a checkpoint.
func (t *Trainer) keepObserved(m *checkpoint.Meta) (err error) {
	if t.Plateau != nil {
		if m.Schedule, err = json.Marshal(t.Plateau); err != nil {
			return err
		}
	}
	if t.Patience.Evaluations > 0 {
		m.Patience, err = json.Marshal(t.at.stale)
	}
	return err
}

// restoreObserved goes on from there. A checkpoint of a run that did not look at
// evaluations has seen none.
func (t *Trainer) restoreObserved(m checkpoint.Meta, path string) error {
	for _, part := range []struct {
		text json.RawMessage
		to   any
		on   bool
	}{{m.Schedule, t.Plateau, t.Plateau != nil}, {m.Patience, &t.at.stale, t.Patience.Evaluations > 0}} {
		if !part.on || len(part.text) == 0 {
			continue
		}
		if err := json.Unmarshal(part.text, part.to); err != nil {
			return fmt.Errorf("resuming from %s: %w", path, err)
		}
	}
	return nil
}
