package report

import (
	"math"

	"github.com/seed52467199/trainer/report/tfevents"
)

// TensorBoard writes the curves of a run for TensorBoard, the update as step:
// train/loss (mean since the last point), train/lr, train/grad_norm where it
// is measured and train/images_per_s every so many updates; eval/loss, each
// metric as eval/NAME, and train/epoch_loss at each epoch's end.
type TensorBoard struct {
	file  *tfevents.Writer
	every int
	loss  window
}

// NewTensorBoard starts a new event file in dir and writes the curves of
// training every so many updates (0: none).
func NewTensorBoard(dir string, every int) (*TensorBoard, error) {
	file, err := tfevents.Create(dir)
	if err != nil {
		return nil, err
	}
	return &TensorBoard{file: file, every: every}, nil
}

// Close closes the file.
func (t *TensorBoard) Close() error { return t.file.Close() }

// Handle adds the event's points. A resumed run tells TensorBoard to forget
// the points of an earlier file that come after its start.
func (t *TensorBoard) Handle(e Event) error {
	switch e := e.(type) {
	case *RunStarted:
		if e.Resumed {
			return t.file.Restart(e.Update + 1)
		}
	case *Step:
		t.loss.add(e)
		if due(e.Update, t.every) {
			return t.step(e)
		}
	case *EpochDone:
		return t.epoch(e)
	}
	return nil
}

func (t *TensorBoard) step(e *Step) error {
	points := [...]tfevents.Scalar{
		{Tag: "train/loss", Value: t.loss.take()},
		{Tag: "train/lr", Value: e.LR},
		{Tag: "train/images_per_s", Value: e.ImagesPerSecond},
		{Tag: "train/grad_norm", Value: e.GradNorm},
	}
	if e.GradNorm == 0 { // not measured
		return t.file.Add(e.Update, points[:3]...)
	}
	return t.file.Add(e.Update, points[:]...)
}

func (t *TensorBoard) epoch(e *EpochDone) error {
	points := []tfevents.Scalar{{Tag: "train/epoch_loss", Value: e.TrainLoss}}
	if !math.IsNaN(e.EvalLoss) {
		points = append(points, tfevents.Scalar{Tag: "eval/loss", Value: e.EvalLoss})
	}
	for _, m := range e.Metrics {
		points = append(points, tfevents.Scalar{Tag: "eval/" + m.Name, Value: m.Value})
	}
	return t.file.Add(e.Update, points...)
}
