package train

import (
	"context"
	"fmt"
	"time"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train/metric"
)

// Evaluator measures a network on every sample of a loader.
type Evaluator struct {
	Network *Network
	// Loader gives the samples; its batches may end with a short one.
	Loader *data.Loader
	// Events hears of the progress; nil for nobody.
	Events report.Listener
	// Flip averages the logits of each image and its mirror image.
	Flip bool
	// Ranks measures auc too, for which what the network says of every image is kept.
	Ranks bool
	// Each, where set, is shown every batch with its outputs (N, Classes); neither may
	// be kept.
	Each func(b *data.Batch, outputs []float32) error

	logits, mirrored, flipped []float32
}

// Run measures the network as it is now.
func (e *Evaluator) Run(ctx context.Context) (*metric.Result, error) {
	n := e.Network
	t := metric.New(metric.Options{Task: e.task(), Outputs: n.Classes, Ranks: e.Ranks})
	it := e.Loader.Epoch(ctx, 0, 0)
	defer it.Close()
	start := time.Now()
	progress := report.EvalStep{Batches: e.Loader.Batches()}
	for it.Next() {
		b := it.Batch()
		if b.N > 0 {
			if err := e.infer(b); err != nil {
				return nil, err
			}
			outputs := e.logits[:b.N*n.Classes]
			t.Add(outputs, b.Labels, b.Targets)
			if e.Each != nil {
				if err := e.Each(b, outputs); err != nil {
					return nil, err
				}
			}
		}
		it.Release(b)
		progress.Batch++
		progress.Images = t.Images()
		progress.ImagesPerSecond = float64(t.Images()) / time.Since(start).Seconds()
		if err := send(e.Events, &progress); err != nil {
			return nil, err
		}
	}
	if err := it.Err(); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, &InputError{err}
	}
	if err := warnSkipped(e.Events, it.Skipped()); err != nil {
		return nil, err
	}
	if t.Images() == 0 {
		return nil, fmt.Errorf("evaluating: none of the %d images could be read", it.Skipped().Count)
	}
	return t.Result(), nil
}

// task is what the data asks.
func (e *Evaluator) task() data.Task { return data.TaskOf(e.Loader.Dataset()) }

// infer leaves the logits of a batch in e.logits.
func (e *Evaluator) infer(b *data.Batch) error {
	n := e.Network
	size := b.N * n.Classes
	e.logits = grow(e.logits, size)
	if err := n.Logits(e.logits[:size], b.Images, b.N); err != nil || !e.Flip {
		return err
	}
	e.mirrored = grow(e.mirrored, len(b.Images))
	mirror(e.mirrored[:len(b.Images)], b.Images, b.Width, b.Channels)
	e.flipped = grow(e.flipped, size)
	if err := n.Logits(e.flipped[:size], e.mirrored[:len(b.Images)], b.N); err != nil {
		return err
	}
	for i, x := range e.flipped[:size] {
		e.logits[i] = (e.logits[i] + x) / 2
	}
	return nil
}

// mirror writes each row of width x channels values of src to dst from right to left.
func mirror(dst, src []float32, width, channels int) {
	row := width * channels
	for at := 0; at < len(src); at += row {
		for x := range width {
			copy(dst[at+(width-1-x)*channels:at+(width-x)*channels], src[at+x*channels:])
		}
	}
}

// grow returns a slice of at least n elements, buf itself where it is long enough.
func grow(buf []float32, n int) []float32 {
	if cap(buf) < n {
		return make([]float32, n)
	}
	return buf[:cap(buf)]
}

// send gives an event to a listener that may be nil.
func send(l report.Listener, e report.Event) error {
	if l == nil {
		return nil
	}
	return l.Handle(e)
}
