package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	// Views give the same samples in the same order, otherwise cut out of the images;
	// see Augment. The network's outputs for all views of an image are averaged as they
	// are, before any softmax or sigmoid.
	Views []*data.Loader
	// Flip takes the mirror image of every view as one more.
	Flip bool
	// Ranks measures auc too, for which what the network says of every image is kept.
	Ranks bool
	// Each, where set, is shown every batch with its outputs (N, Classes); neither may
	// be kept.
	Each func(b *data.Batch, outputs []float32) error

	logits, mirrored, view []float32
}

// Run measures the network as it is now.
func (e *Evaluator) Run(ctx context.Context) (*metric.Result, error) {
	n := e.Network
	t := metric.New(metric.Options{Task: e.task(), Outputs: n.Classes, Ranks: e.Ranks})
	it := e.Loader.Epoch(ctx, 0, 0)
	defer it.Close()
	views := make([]*data.Epoch, len(e.Views))
	for i, l := range e.Views {
		views[i] = l.Epoch(ctx, 0, 0)
		defer views[i].Close()
	}
	start := time.Now()
	progress := report.EvalStep{Batches: e.Loader.Batches()}
	for it.Next() {
		b := it.Batch()
		if b.N > 0 {
			if err := e.infer(b, views); err != nil {
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

// infer leaves the outputs for a batch in e.logits: the means over its views.
func (e *Evaluator) infer(b *data.Batch, views []*data.Epoch) error {
	size := b.N * e.Network.Classes
	e.logits = grow(e.logits, size)
	sum := e.logits[:size]
	if err := e.Network.Logits(sum, b.Images, b.N); err != nil {
		return err
	}
	if e.Flip {
		if err := e.addMirrored(sum, b); err != nil {
			return err
		}
	}
	for _, it := range views {
		if !it.Next() {
			return cmp.Or(it.Err(), errors.New("evaluating: a view of the data ended before the others"))
		}
		v := it.Batch()
		if !slices.Equal(v.Indices, b.Indices) {
			return fmt.Errorf("evaluating: batch %d of a view holds other images than that of the others: some could be read only once", b.Number)
		}
		if err := e.add(sum, v.Images, b.N); err != nil {
			return err
		}
		if e.Flip {
			if err := e.addMirrored(sum, v); err != nil {
				return err
			}
		}
		it.Release(v)
	}
	count := float32(1 + len(views))
	if e.Flip {
		count *= 2
	}
	if count > 1 {
		for i := range sum {
			sum[i] /= count
		}
	}
	return nil
}

// add adds the outputs for so many images to sum.
func (e *Evaluator) add(sum, images []float32, count int) error {
	e.view = grow(e.view, len(sum))
	view := e.view[:len(sum)]
	if err := e.Network.Logits(view, images, count); err != nil {
		return err
	}
	for i, x := range view {
		sum[i] += x
	}
	return nil
}

// addMirrored adds the outputs for the mirror images of a batch to sum.
func (e *Evaluator) addMirrored(sum []float32, b *data.Batch) error {
	e.mirrored = grow(e.mirrored, len(b.Images))
	mirrored := e.mirrored[:len(b.Images)]
	mirror(mirrored, b.Images, b.Width, b.Channels)
	return e.add(sum, mirrored, b.N)
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
