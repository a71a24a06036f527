package report_test

import (
	"math"
	"testing"
	"time"

	"github.com/seed52467199/trainer/report"
)

// started is a run of two classes for the tests.
func started() *report.RunStarted {
	return &report.RunStarted{
		RunDir: "runs/x", Model: "lenet5", Config: "model: {name: lenet5}\n", Device: "cpu (generic)",
		Classes: []string{"cat", "dog"}, Metrics: []string{"top1", "top5"},
		Params: 61706, ArenaBytes: 3 << 20, TrainImages: 1500, ValImages: 297, Epochs: 12, UpdatesPerEpoch: 15,
		BatchSize: 100, Threads: 1, Seed: math.MaxUint64, Epoch: 1,
	}
}

// epoch is the end of one, its figures made from its number.
func epoch(n int) *report.EpochDone {
	return &report.EpochDone{
		Epoch: n, Update: 15 * n, TrainLoss: 2 / float64(n), EvalLoss: 1.5 / float64(n),
		Metrics: []report.Metric{{Name: "top1", Value: 90 + float64(n)/3}, {Name: "top5", Value: 99}},
		LR:      0.1 / float64(n), Time: time.Duration(n)*time.Second + 123456789, ImagesPerSecond: 1000 / 3., Best: true,
	}
}

// play sends events and fails at the first error.
func play(t *testing.T, l report.Listener, events ...report.Event) {
	t.Helper()
	for _, e := range events {
		if err := l.Handle(e); err != nil {
			t.Fatalf("%T: %v", e, err)
		}
	}
}
