package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train/metric"
)

// Evaluator measures a network on every sample of a loader: its outputs or, without
// labels, its Pretext.
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
	// Shift, where above 0, looks at every view moved by so many pixels up and to the left,
	// and down and to the right, too, the border mirrored; the view as it is counts as
	// much as both (Jordan, arXiv 2404.00498).
	Shift int
	// Ranks measures auc too, for which what the network says of every image is kept.
	Ranks bool
	// Each, where set, is shown every batch with its outputs (N, Classes); neither may
	// be kept.
	Each func(b *data.Batch, outputs []float32) error

	logits, mirrored, moved, view []float32
}

// Run measures the network as it is now.
func (e *Evaluator) Run(ctx context.Context) (*metric.Result, error) {
	n := e.Network
	if n.Pretext != nil {
		return e.exercise(ctx)
	}
	t := metric.New(metric.Options{Task: e.task(), Outputs: n.Classes, Ranks: e.Ranks})
	views := make([]*data.Epoch, len(e.Views))
	for i, l := range e.Views {
		views[i] = l.Epoch(ctx, 0, 0)
		defer views[i].Close()
	}
	_, err := e.each(ctx, func(b *data.Batch) error {
		if err := e.infer(b, views); err != nil {
			return err
		}
		outputs := e.logits[:b.N*n.Classes]
		t.Add(outputs, b.Labels, b.Targets)
		if e.Each == nil {
			return nil
		}
		return e.Each(b, outputs)
	})
	if err != nil {
		return nil, err
	}
	return t.Result(), nil
}

// each calls do for every batch that has images, and gives their number.
func (e *Evaluator) each(ctx context.Context, do func(b *data.Batch) error) (images int, err error) {
	it := e.Loader.Epoch(ctx, 0, 0)
	defer it.Close()
	start := time.Now()
	progress := report.EvalStep{Batches: e.Loader.Batches()}
	for it.Next() {
		b := it.Batch()
		if b.N > 0 {
			if err := do(b); err != nil {
				return images, err
			}
			images += b.N
		}
		it.Release(b)
		progress.Batch++
		progress.Images = images
		progress.ImagesPerSecond = float64(images) / time.Since(start).Seconds()
		if err := send(e.Events, &progress); err != nil {
			return images, err
		}
		if err := ctx.Err(); err != nil {
			return images, err
		}
	}
	if err := it.Err(); err != nil {
		if ctx.Err() != nil {
			return images, err
		}
		return images, &InputError{err}
	}
	if err := warnSkipped(e.Events, it.Skipped()); err != nil {
		return images, err
	}
	if images == 0 {
		return 0, fmt.Errorf("evaluating: none of the %d images could be read", it.Skipped().Count)
	}
	return images, nil
}

// task is what the data asks.
func (e *Evaluator) task() data.Task { return data.TaskOf(e.Loader.Dataset()) }

// infer leaves the outputs for a batch in e.logits: the means over its views.
func (e *Evaluator) infer(b *data.Batch, views []*data.Epoch) error {
	size := b.N * e.Network.Classes
	e.logits = grow(e.logits, size)
	sum := e.logits[:size]
	clear(sum)
	if err := e.look(sum, b); err != nil {
		return err
	}
	for _, it := range views {
		if !it.Next() {
			return cmp.Or(it.Err(), errors.New("evaluating: a view of the data ended before the others"))
		}
		v := it.Batch()
		if !slices.Equal(v.Indices, b.Indices) {
			return fmt.Errorf("evaluating: batch %d of a view holds other images than that of the others: some could be read only once", b.Number)
		}
		if err := e.look(sum, v); err != nil {
			return err
		}
		it.Release(v)
	}
	if count := float32((1 + len(views)) * e.looks()); count > 1 {
		for i := range sum {
			sum[i] /= count
		}
	}
	return nil
}

// looks is how many outputs look adds up.
func (e *Evaluator) looks() int {
	n := 1
	if e.Flip {
		n = 2
	}
	if e.Shift > 0 {
		n *= 4
	}
	return n
}

// look adds the outputs for a batch to sum, also as its mirror images and moved.
func (e *Evaluator) look(sum []float32, b *data.Batch) error {
	if err := e.addBoth(sum, b.Images, b); err != nil || e.Shift == 0 {
		return err
	}
	for i := range sum {
		sum[i] *= 2
	}
	e.moved = grow(e.moved, len(b.Images))
	moved := e.moved[:len(b.Images)]
	for _, by := range []int{-e.Shift, e.Shift} {
		shift(moved, b.Images, b.Height, b.Width, b.Channels, by)
		if err := e.addBoth(sum, moved, b); err != nil {
			return err
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

// addBoth adds the outputs for images of a batch's shape, and for their mirror images, to
// sum.
func (e *Evaluator) addBoth(sum, images []float32, b *data.Batch) error {
	if err := e.add(sum, images, b.N); err != nil || !e.Flip {
		return err
	}
	e.mirrored = grow(e.mirrored, len(images))
	mirrored := e.mirrored[:len(images)]
	mirror(mirrored, images, b.Width, b.Channels)
	return e.add(sum, mirrored, b.N)
}

// shift writes images of height x width x channels values to dst, moved down and to the
// right by so many pixels, or up and to the left; what comes in is mirrored at the border.
func shift(dst, src []float32, height, width, channels, by int) {
	from := func(i, n int) int { return imaging.Mirror(i-by, n) }
	row := width * channels
	for at := 0; at < len(src); at += height * row {
		for y := range height {
			line := src[at+from(y, height)*row:][:row]
			for x := range width {
				copy(dst[at+y*row+x*channels:][:channels], line[from(x, width)*channels:])
			}
		}
	}
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
