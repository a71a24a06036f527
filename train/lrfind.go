package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/schedule/curve"
)

// LRCurve is the result of an LR range test.
type LRCurve struct {
	// Points are the learning rates and losses of the steps, in order.
	Points []curve.Point
	// Reading is what they say.
	Reading curve.Reading
}

// FindLR trains for some steps while the learning rate sweeps over a range, with
// the training's own loss, accumulation, clipping and parameter groups, and puts
// everything back: weights, running statistics, optimizer, moving average and
// random streams. The batches are those that training would see first; a sweep
// longer than an epoch goes on in the next one. It writes no checkpoint.
func (t *Trainer) FindLR(ctx context.Context, c configs.LRFind) (_ LRCurve, err error) {
	before, err := t.snapshot()
	if err != nil {
		return LRCurve{}, err
	}
	events, lr := t.Events, t.LR
	defer func() {
		t.Events, t.LR = events, lr
		err = errors.Join(err, t.restore(before))
	}()
	t.Events = nil

	rates := curve.Rates(c)
	watch := curve.NewWatch(c)
	var found LRCurve
	point := report.LRPoint{Steps: len(rates)}
	var it *data.Epoch
	defer func() {
		if it != nil {
			it.Close()
		}
	}()
	for i, rate := range rates {
		if err := ctx.Err(); err != nil {
			return LRCurve{}, fmt.Errorf("the LR range test was stopped: %w", err)
		}
		if left := t.Loader.Batches() - t.at.batch; it == nil || left <= 0 {
			if it != nil {
				it.Close()
				t.at.epoch, t.at.batch = t.at.epoch+1, 0
			}
			it = t.Loader.Epoch(context.WithoutCancel(ctx), uint64(t.at.epoch), t.at.batch)
		}
		t.LR = func(int) float64 { return rate }
		_, err := t.update(it, min(t.accum(), t.Loader.Batches()-t.at.batch))
		loss := t.step.Loss
		var diverged *NonFiniteError
		if errors.As(err, &diverged) {
			loss = diverged.Value
		} else if err != nil {
			return LRCurve{}, err
		}
		found.Points = append(found.Points, curve.Point{LR: rate, Loss: loss})
		smoothed, stop := watch.Add(loss)
		point.Step, point.LR, point.Loss, point.Smoothed = i+1, rate, loss, smoothed
		if err := send(events, &point); err != nil {
			return LRCurve{}, err
		}
		if stop {
			break
		}
	}
	found.Reading = curve.Read(found.Points, c)
	return found, nil
}
