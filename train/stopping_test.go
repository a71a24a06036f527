package train_test

import (
	"bytes"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/report"
)

// still are settings under which no evaluation is better than the first.
func still(more ...string) []string {
	return append([]string{"train.epochs=9", "train.batch_size=500", "schedule.name=constant", "optimizer.lr=1e-12", "optimizer.momentum=0", "optimizer.nesterov=false"}, more...)
}

// A run ends with the evaluation that takes the last of its patience, and says so; what
// is resumed then trains no more.
func TestPatience(t *testing.T) {
	for _, c := range []struct {
		set    []string
		epochs int
	}{
		{[]string{"train.patience=2"}, 3},
		{[]string{"train.patience=1"}, 2},
		{[]string{"train.patience=2", "train.patience_start=3"}, 6},
		{[]string{"train.patience=20"}, 9},
		{[]string{"train.patience=0"}, 9},
		{[]string{"train.patience=8"}, 9},
		{[]string{"train.patience=2", "train.min_delta=90", "optimizer.lr=0.05"}, 3},
		{[]string{"train.patience=2", "optimizer.lr=0.05"}, 9},
	} {
		j, folder := job(t, still(c.set...)...), t.TempDir()
		var told *report.StoppedEarly
		listen := report.Func(func(e report.Event) error {
			if e, ok := e.(*report.StoppedEarly); ok {
				told = e
			}
			return nil
		})
		r, err := trainer(t, j, folder, listen).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if early := c.epochs < 9; r.Last.Epoch != c.epochs || (r.Stopped != nil) != early || (told != nil) != early {
			t.Errorf("%v: the run ends after epoch %d with %+v, telling %+v; want epoch %d", c.set, r.Last.Epoch, r.Stopped, told, c.epochs)
		}
		if told == nil {
			continue
		}
		again := job(t, still(c.set...)...)
		tr := trainer(t, again, folder, nil)
		path, _, err := checkpoint.Newest(folder)
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Restore(must(checkpoint.Load(path)), path); err != nil {
			t.Fatal(err)
		}
		r, err = tr.Run(t.Context())
		if err != nil || r.Stopped == nil || r.Last != nil || !bytes.Equal(memory(j), memory(again)) {
			t.Errorf("%v: resumed it goes on: %+v, %v", c.set, r, err)
		}
	}
}

// The rate falls when evaluations get no better, and the epochs' rates tell.
func TestPlateauLowersTheRate(t *testing.T) {
	j := job(t, still("train.epochs=7", "schedule.name=plateau", "schedule.patience_epochs=1", "schedule.gamma=0.5", "schedule.warmup_epochs=1", "schedule.warmup_lr=0")...)
	var rates []float64
	_, err := trainer(t, j, "", report.Func(func(e report.Event) error {
		if e, ok := e.(*report.EpochDone); ok {
			rates = append(rates, e.LR/1e-12)
		}
		return nil
	})).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Epoch 1 warms up and does not count, the second is the best one.
	want := []float64{1, 1, 1, 0.5, 0.5, 0.25}
	for i, w := range want {
		if rates[i+1] != w {
			t.Fatalf("rates of the epochs: %v, want %v after the first", rates, want)
		}
	}
}
