package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/schedule/curve"
)

// LRCurve is the result of an LR range test.
type LRCurve struct {
	// Train are the learning rates and training losses of the steps, in order: each
	// loss is that of the step's batches, before its update.
	Train curve.Band
	// Held are the losses on held-out images after the updates; without points where
	// none were asked for.
	Held curve.Band
	// Reading is what the held-out losses say, or else the training losses.
	Reading curve.Reading
}

// Read is the band that was read.
func (c LRCurve) Read() curve.Band {
	if len(c.Held.Points) > 0 {
		return c.Held
	}
	return c.Train
}

// FindLR trains for some steps while the learning rate sweeps over a range, with
// the training's own loss, accumulation, clipping and parameter groups, and puts
// everything back: weights, running statistics, optimizer, moving average and
// random streams. The batches of the first sweep are those that training would see
// first, those of further ones come of other seeds; a sweep longer than an epoch goes
// on in the next one. Where they pass over a fall that may be too short for their steps,
// they are made again around it ([curve.Reading.Finer]). held, where set, measures
// held-out images after each c.ValEvery steps. In a training in phases all sweeps are of
// the last one, which trains the most. It writes no checkpoint.
func (t *Trainer) FindLR(ctx context.Context, c configs.LRFind, held *Evaluator) (found LRCurve, err error) {
	back, err := t.enterLast()
	defer back()
	if err != nil {
		return LRCurve{}, err
	}
	before, err := t.snapshot()
	if err != nil {
		return LRCurve{}, err
	}
	test := rangeTest{Trainer: t, c: c, held: held, seed: t.Loader.Options().Seed, events: t.Events}
	lr, swa := t.LR, t.SWA
	defer func() {
		t.Events, t.LR, t.SWA = test.events, lr, swa
		t.Loader.SetSeed(test.seed)
		err = errors.Join(err, t.restore(before))
	}()
	t.Events, t.SWA = nil, nil // neither its learning rate nor its average has a part

	found, err = test.sweeps(ctx, before)
	finer, ok := found.Reading.Finer(c)
	if err != nil || !ok {
		return found, err
	}
	test.c = finer
	found, err = test.sweeps(ctx, before)
	if err != nil {
		return LRCurve{}, err
	}
	found.Reading.Verdict += fmt.Sprintf(" (a second sweep, from %.2g to %.2g: in the first one the loss rose without having fallen)", finer.MinLR, finer.MaxLR)
	return found, nil
}

// rangeTest is a range test under way.
type rangeTest struct {
	*Trainer
	c      configs.LRFind
	held   *Evaluator
	seed   uint64
	rates  []float64
	events report.Listener
}

// sweeps goes over the rates once for each seed, always from the same state.
func (t *rangeTest) sweeps(ctx context.Context, from *snapshot) (found LRCurve, err error) {
	t.rates = curve.Rates(t.c)
	var train, held []curve.Sweep
	for i := range max(t.c.Seeds, 1) {
		if err := t.restore(from); err != nil {
			return LRCurve{}, err
		}
		t.Loader.SetSeed(t.seed + uint64(i))
		if i > 0 {
			t.Network.ws.SetDraws(from.draws + uint64(i)<<40) // masks that no training comes to
		}
		a, b, err := t.sweep(ctx, i)
		if err != nil {
			return LRCurve{}, err
		}
		train, held = append(train, a), append(held, b)
	}
	c := t.c
	found.Train = curve.Join(train)
	if t.held != nil {
		found.Held = curve.Join(held)
		c.Steps = (c.Steps + max(c.ValEvery, 1) - 1) / max(c.ValEvery, 1)
	}
	found.Reading = found.Read().Read(c)
	return found, nil
}

// sweep goes over the rates once, from the weights as they are. It gives the training
// losses and those that were held out.
func (t *rangeTest) sweep(ctx context.Context, number int) (train, held curve.Sweep, err error) {
	watch, watchHeld := curve.NewWatch(t.c), curve.NewWatch(t.c)
	point := report.LRPoint{Steps: len(t.rates) * max(t.c.Seeds, 1)}
	var it *data.Epoch
	defer func() {
		if it != nil {
			it.Close()
		}
	}()
	for i, rate := range t.rates {
		if err := ctx.Err(); err != nil {
			return train, held, fmt.Errorf("the LR range test was stopped: %w", err)
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
			return train, held, err
		}
		train.Points = append(train.Points, curve.Point{LR: rate, Loss: loss})
		smoothed, stop := watch.Add(loss)
		if t.held != nil && (i+1)%max(t.c.ValEvery, 1) == 0 {
			if loss, err = t.measure(ctx, diverged); err != nil {
				return train, held, err
			}
			held.Points = append(held.Points, curve.Point{LR: rate, Loss: loss})
			var stopHeld bool
			smoothed, stopHeld = watchHeld.Add(loss)
			stop = stop || stopHeld
		}
		point.Step, point.LR, point.Loss, point.Smoothed = number*len(t.rates)+i+1, rate, loss, smoothed
		if err := send(t.events, &point); err != nil {
			return train, held, err
		}
		if stop {
			train.Diverged, held.Diverged = true, true
			break
		}
	}
	return train, held, nil
}

// measure is the loss of the held-out images, which is that of training where it has
// diverged already.
func (t *rangeTest) measure(ctx context.Context, diverged *NonFiniteError) (float64, error) {
	if diverged != nil {
		return diverged.Value, nil
	}
	m, err := t.held.Run(ctx)
	if err != nil {
		return 0, err
	}
	return m.Loss, nil
}

// FindLR is the range test of the job's configuration with its trainer.
func (j *Job) FindLR(ctx context.Context, t *Trainer) (LRCurve, error) {
	c := j.Config
	n := c.LRFind.ValBatches
	if n == 0 {
		return t.FindLR(ctx, c.LRFind, nil)
	}
	if t.Evaluator == nil {
		return LRCurve{}, errors.New("lr_find.val_batches asks for held-out images, and the data has no validation split: set it to 0")
	}
	loader, err := j.EvalLoader(data.Draw(j.ValData, n*c.Eval.BatchSize, uint64(c.Train.Seed)))
	if err != nil {
		return LRCurve{}, err
	}
	held := *t.Evaluator // measured as in training, on fewer images
	held.Loader, held.Events = loader, nil
	return t.FindLR(ctx, c.LRFind, &held)
}

// NoLRError says that a range test has no answer.
type NoLRError struct {
	// Verdict is what its curve says.
	Verdict string
}

// Error says what to do instead.
func (e *NoLRError) Error() string {
	return "the range test finds no learning rate to train with: " + e.Verdict + "; or look at the curve, with lr-find --plot, and set optimizer.lr yourself"
}

// Adopted is the suggestion that AdoptLR takes for an optimizer, and its name: of the rate
// from which on the loss rises for good (Smith 2017) a quarter with sgd, and a tenth, the
// classical reading, with the others. Those step as far as the rate says however small
// the gradients are, and what goes too far early does not come back. Both hang on
// the end of the stable rates alone. Where the loss falls, on which steepest and
// valley (fastai's default) hang, depends on how long the sweep has been training by
// then, and in a short one that is far below what a training takes best; min10 lies
// between. configs/README.md has what each reaches.
func Adopted(optimizer string, s curve.Suggestions) (lr float64, name string) {
	if optimizer == "sgd" {
		return s.Turn4, "turn4"
	}
	return s.Turn10, "turn10"
}

// AdoptLR makes that suggestion of a range test the configuration's base learning rate,
// to three digits, and gives it back with the suggestion's name. A trainer made before
// goes on with the rate that was. The classifier's own rate keeps its ratio, since the
// test moved both. A curve without a clear answer is a *NoLRError.
func (j *Job) AdoptLR(found LRCurve) (lr float64, name string, err error) {
	r, c := found.Reading, j.Config
	lr, name = Adopted(c.Optimizer.Name, r.Suggestions)
	if !r.Clear || lr == 0 {
		return 0, "", &NoLRError{r.Verdict}
	}
	lr = threeDigits(lr)
	if c.Finetune.HeadLR > 0 {
		c.Finetune.HeadLR = threeDigits(c.Finetune.HeadLR * lr / c.Optimizer.LR)
	}
	c.Optimizer.LR, c.Optimizer.LRBase = lr, 0
	if err := c.Validate(); err != nil {
		return 0, "", fmt.Errorf("the learning rate that the range test finds, %g, does not go with the rest of the configuration: %w", lr, err)
	}
	return lr, name, nil
}

func threeDigits(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil { // it was made by FormatFloat
		return math.NaN()
	}
	return y
}
