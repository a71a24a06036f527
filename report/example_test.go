package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed52467199/trainer/report"
)

// A loop of one's own needs to send events, and no more.
func Example() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	folder, err := report.CreateRun(filepath.Join(dir, "digits"), []byte("model: {name: lenet5}\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	files, err := folder.Listen(50)
	if err != nil {
		fmt.Println(err)
		return
	}
	events := report.Tee(report.NewTerminal(os.Stdout, 2), files)
	defer events.Close()

	var failed error
	emit := func(e report.Event) {
		if failed == nil {
			failed = events.Handle(e)
		}
	}
	emit(&report.RunStarted{
		RunDir: "runs/digits", Model: "lenet5", Device: "cpu (generic)", Metrics: []string{"top1"},
		Params: 61706, TrainImages: 400, ValImages: 100, Epochs: 1, UpdatesPerEpoch: 4, BatchSize: 100, Threads: 2, Seed: 42, Epoch: 1,
	})
	emit(&report.EpochStarted{Epoch: 1, Epochs: 1})
	for batch := 1; batch <= 4; batch++ {
		emit(&report.Step{Epoch: 1, Update: batch, Batch: batch, Batches: 4, Images: 100, LR: 0.1, Loss: 2 / float64(batch), ImagesPerSecond: 900})
	}
	end := &report.EpochDone{
		Epoch: 1, Update: 4, TrainLoss: 1.04, EvalLoss: 0.5, Metrics: []report.Metric{{Name: "top1", Value: 87}},
		LR: 0.1, Time: 2 * time.Second, ImagesPerSecond: 900, Best: true,
	}
	emit(end)
	emit(&report.RunDone{RunDir: "runs/digits", Time: 2 * time.Second, ImagesPerSecond: 900, BestBy: "top1", Best: end, Last: end})
	if failed != nil {
		fmt.Println(failed)
	}
	// Output:
	// run       runs/digits
	// model     lenet5, 61,706 parameters
	// data      400 images for training, 100 for validation
	// training  1 epoch of 4 updates, batch 100, seed 42
	// device    cpu (generic), 2 threads
	// epoch 1/1  update 2  batch 2/4  loss 1.5000  lr 0.1  900 img/s
	// epoch 1/1  update 4  batch 4/4  loss 0.5833  lr 0.1  900 img/s
	// epoch 1/1  train loss 1.0400  eval loss 0.5000  top1 87.00  lr 0.1  900 img/s  0:02  best
	// done in 0:02, 900 img/s; best top1 87.00 in epoch 1
	// run folder: runs/digits
}
