package report_test

import (
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/report/tfevents/tfeventstest"
)

func TestTensorBoard(t *testing.T) {
	dir := t.TempDir()
	write := func(run *report.RunStarted, events ...report.Event) {
		board, err := report.NewTensorBoard(dir, 2)
		if err != nil {
			t.Fatal(err)
		}
		play(t, board, run)
		play(t, board, events...)
		if err := board.Close(); err != nil {
			t.Fatal(err)
		}
	}
	bare := &report.EpochDone{Epoch: 2, Update: 4, TrainLoss: 0.25, EvalLoss: math.NaN()}
	write(started(),
		&report.Step{Update: 1, Images: 10, Loss: 1, LR: 0.5},
		&report.Step{Update: 2, Images: 30, Loss: 2, LR: 0.5, ImagesPerSecond: 8},
		&report.EpochDone{Epoch: 1, Update: 2, TrainLoss: 1.75, EvalLoss: 3, Metrics: []report.Metric{{Name: "top1", Value: 50}}})
	write(&report.RunStarted{Resumed: true, Epoch: 2, Update: 2},
		&report.Step{Update: 4, Images: 1, Loss: 0.25, LR: 0.5, GradNorm: 2}, bare)

	files, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("two processes leave the files %q (%v)", files, err)
	}
	first, second := tfeventstest.Read(t, files[0]), tfeventstest.Read(t, files[1])
	if want := []tfeventstest.Event{
		{Version: "brain.Event:2"},
		{Step: 2, Scalars: map[string]float32{"train/loss": 1.75, "train/lr": 0.5, "train/images_per_s": 8}},
		{Step: 2, Scalars: map[string]float32{"train/epoch_loss": 1.75, "eval/loss": 3, "eval/top1": 50}},
	}; !reflect.DeepEqual(first, want) {
		t.Errorf("first file\n%+v\nwant\n%+v", first, want)
	}
	if !second[1].Restart || second[1].Step != 3 {
		t.Errorf("the second file begins with %+v, want a restart at update 3", second[1])
	}
	if tags := slices.Sorted(maps.Keys(second[2].Scalars)); strings.Join(tags, " ") != "train/grad_norm train/images_per_s train/loss train/lr" {
		t.Errorf("an update with a measured gradient has the curves %q", tags)
	}
	if want := map[string]float32{"train/epoch_loss": 0.25}; !reflect.DeepEqual(second[3].Scalars, want) {
		t.Errorf("an epoch without an evaluation has %v, want %v", second[3].Scalars, want)
	}
}
