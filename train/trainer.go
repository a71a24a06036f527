package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/schedule"
	"github.com/seed52467199/trainer/train/metric"
)

// Trainer runs epochs of training over a network.
type Trainer struct {
	Network   *Network
	Optimizer *optim.Optimizer
	// Phases are the parts of the training that train different parameters, in
	// order, the first from epoch 0; nil where all epochs train the same.
	Phases []Phase
	// Optimise makes an optimizer of the parameters that are then trained, for all
	// phases but the first.
	Optimise func() (*optim.Optimizer, error)
	// Loader gives the training batches.
	Loader *data.Loader
	// Evaluator measures after each epoch; nil to measure nothing.
	Evaluator *Evaluator
	// BestBy chooses the best epoch; the zero value is the task's own figure.
	BestBy metric.Choice
	// LR is the learning rate of each update, from 0.
	LR func(update int) float64
	// Momentum is the momentum, or the first beta, of each update; nil where it stays.
	Momentum func(update int) float64
	// Lookahead is the part of the way that lookahead keeps at each update; nil where it
	// stays.
	Lookahead func(update int) float64
	// Plateau, where set, lowers that rate when evaluations get no better.
	Plateau *schedule.Plateau
	// Patience ends the run when they do not.
	Patience Patience
	// Epochs is how many passes over the data there are, at most.
	Epochs int
	// From and Until, where Until is set, make this a part of a run, which others
	// precede and follow: the epochs From, counted from 0, to before Until. The
	// optimizer starts with the part, and so does what is learnt from evaluations: the
	// best epoch, Plateau and Patience. LR goes on counting the whole run's updates.
	From, Until int
	// GradAccum is how many batches make an update; 0 is 1.
	GradAccum int
	// EMA, where set, averages the weights; the average is what is measured.
	EMA *optim.EMA
	// EMADecay is the decay of each update of EMA, less at first with EMAWarmup.
	EMADecay  float64
	EMAWarmup bool
	// SWA, where set, averages the weights of the last epochs; nil without.
	SWA *SWA
	// SAM, where set, has each update's gradients taken at weights further up; nil
	// without.
	SAM *optim.SAM
	// Folder is the run folder in which checkpoints are written; "" for none.
	Folder string
	// SaveEvery is the number of updates between two checkpoints within an epoch;
	// 0 for none.
	SaveEvery int
	// Scaffold, where set, tells which parameters are there for the training alone,
	// such as a decoder: checkpoints keep them apart from the network's weights.
	Scaffold func(name string) bool
	// Meta is what checkpoints tell beside the progress: model, classes,
	// preprocessing, configuration.
	Meta checkpoint.Meta
	// ResumeCommand is what a person types to go on with the run.
	ResumeCommand string
	// Events hears what happens; nil for nobody.
	Events report.Listener

	at       progress
	step     report.Step
	lastGood string // the last checkpoint written
	phase    int    // of Phases, under way
	lr       float64
	held     []*data.Batch // of the update under way, for SAM
}

// progress is where a run stands.
type progress struct {
	epoch  int // complete epochs
	batch  int // batches consumed of the epoch under way
	update int
	loss   checkpoint.MeanLoss
	best   *checkpoint.BestMetric
	stale  schedule.Stale // evaluations without improvement
	wall   float64        // seconds of earlier parts of the run
}

// Result is what a run reached.
type Result struct {
	Best, Last      *report.EpochDone
	ImagesPerSecond float64
	Updates         int
	// Stopped says why the run ended before its last epoch; nil where it did not.
	Stopped *report.StoppedEarly
}

// UpdatesPerEpoch is the number of updates of one epoch.
func (t *Trainer) UpdatesPerEpoch() int {
	k := t.accum()
	return (t.Loader.Batches() + k - 1) / k
}

func (t *Trainer) accum() int { return max(t.GradAccum, 1) }

// Position is the number of complete epochs and of updates so far.
func (t *Trainer) Position() (epochs, updates int) { return t.at.epoch, t.at.update }

// Follow goes on where the part before ended, with the same parameters: its progress,
// random masks and moving average become this one's. Epochs that it had no patience for
// are passed over.
func (t *Trainer) Follow(before *Trainer) error {
	t.at, t.lr, t.lastGood, t.EMA = before.at, before.lr, before.lastGood, before.EMA
	t.at.epoch, t.at.update, t.at.stale = t.From, t.From*t.UpdatesPerEpoch(), schedule.Stale{}
	t.Network.ws.SetDraws(before.Network.ws.Draws())
	// Clipping looks at the gradients of all parameters: those that this part does not
	// train have none any more.
	grads := t.Network.Params.Grads()
	return grads.Upload(make([]byte, grads.Len()))
}

// until is the epoch before which Run ends.
func (t *Trainer) until() int {
	if t.Until > 0 {
		return t.Until
	}
	return t.Epochs
}

// Run trains from where the run stands to its last epoch or that of its part, or until
// Patience is at its end. When ctx ends it finishes the update under way, or leaves the
// evaluation, saves and returns an error that wraps ErrInterrupted; a resumed run then
// evaluates anew.
func (t *Trainer) Run(ctx context.Context) (Result, error) {
	r := Result{}
	started := time.Now()
	var images int
	var training time.Duration
	if err := t.settle(started); err != nil {
		return r, err
	}
	for t.at.epoch < t.until() && !t.exhausted() {
		epochStart := time.Now()
		if err := t.enter(t.at.epoch); err != nil {
			return r, err
		}
		if err := send(t.Events, &report.EpochStarted{Epoch: t.at.epoch + 1, Epochs: t.Epochs}); err != nil {
			return r, err
		}
		n, err := t.epoch(ctx, started)
		images += n
		training += time.Since(epochStart)
		if err != nil {
			return r, err
		}
		done, err := t.finishEpoch(ctx, n, time.Since(epochStart), started)
		if err != nil {
			return r, err
		}
		r.Last = done
		if done.Best || r.Best == nil {
			r.Best = done
		}
		r.Updates = t.at.update
	}
	t.at.wall += time.Since(started).Seconds()
	if images > 0 {
		r.ImagesPerSecond = float64(images) / training.Seconds()
	}
	if t.exhausted() {
		r.Stopped = t.stoppedEarly()
		return r, errors.Join(send(t.Events, r.Stopped), t.warnNoAverage())
	}
	return r, nil
}

// settle writes the checkpoint last of a run that goes on from another one, such as
// the best where the process was killed before last was written: from here on
// last is where the run stands.
func (t *Trainer) settle(started time.Time) error {
	if t.Folder == "" || t.lastGood == "" || filepath.Clean(t.lastGood) == filepath.Join(t.Folder, checkpoint.FolderName, checkpoint.LastName) {
		return nil
	}
	return t.save(checkpoint.LastName, nil, started)
}

// epoch trains what is left of the epoch under way and returns how many images
// that was.
func (t *Trainer) epoch(ctx context.Context, started time.Time) (images int, err error) {
	batches := t.Loader.Batches()
	// The loader must not stop with ctx: the update under way still needs batches.
	it := t.Loader.Epoch(context.WithoutCancel(ctx), uint64(t.at.epoch), t.at.batch)
	defer it.Close()
	t.step = report.Step{Batches: batches}
	begin := time.Now()
	for t.at.batch < batches {
		n, err := t.update(it, min(t.accum(), batches-t.at.batch))
		if err != nil {
			return images, err
		}
		images += n
		t.step.ImagesPerSecond = float64(images) / time.Since(begin).Seconds()
		if err := send(t.Events, &t.step); err != nil {
			return images, err
		}
		if ctx.Err() != nil {
			return images, t.interrupt(started)
		}
		if t.SaveEvery > 0 && t.at.update%t.SaveEvery == 0 && t.at.batch < batches {
			if err := t.save(checkpoint.LastName, nil, started); err != nil {
				return images, err
			}
		}
	}
	return images, warnSkipped(t.Events, it.Skipped())
}

// update takes count batches and updates the weights once.
func (t *Trainer) update(it *data.Epoch, count int) (images int, err error) {
	defer t.release(it)
	loss, draws := 0.0, t.Network.ws.Draws()
	for k := range count {
		if !it.Next() {
			if err := it.Err(); err != nil {
				return 0, &InputError{err}
			}
			return 0, fmt.Errorf("reading batch %d of epoch %d: the data ended after %d of %d batches", t.at.batch+1, t.at.epoch+1, t.at.batch, t.Loader.Batches())
		}
		b := it.Batch()
		l, err := t.Network.Backward(b, k > 0)
		images += b.N
		if t.SAM == nil {
			it.Release(b)
		} else {
			t.held = append(t.held, b)
		}
		if err != nil {
			return 0, err
		}
		if math.IsNaN(l) || math.IsInf(l, 0) {
			return 0, &NonFiniteError{What: "a batch", Value: l, Epoch: t.at.epoch + 1, Update: t.at.update + 1, LR: t.lr, Checkpoint: t.lastGood}
		}
		loss += l
		t.at.batch++
	}
	if t.SAM != nil {
		if err := t.sharpen(draws); err != nil {
			return 0, err
		}
	}
	t.lr = t.rate()
	if t.Momentum != nil {
		t.Optimizer.SetMomentum(t.Momentum(t.at.update))
	}
	if t.Lookahead != nil {
		t.Optimizer.SetLookahead(t.Lookahead(t.at.update))
	}
	var norm float64
	if t.EMA == nil {
		norm, err = t.Optimizer.Step(t.lr, 1/float64(count))
	} else {
		norm, err = t.Optimizer.StepAveraged(t.lr, 1/float64(count), t.EMA, t.emaDecay())
	}
	if err != nil {
		return 0, err
	}
	t.at.update++
	loss /= float64(count)
	t.at.loss.Sum += loss * float64(images)
	t.at.loss.Images += images
	t.step.Epoch, t.step.Update, t.step.Batch = t.at.epoch+1, t.at.update, t.at.batch
	t.step.Images, t.step.LR, t.step.Loss, t.step.GradNorm = images, t.lr, loss, norm
	return images, nil
}

// release gives the batches of the update back.
func (t *Trainer) release(it *data.Epoch) {
	for _, b := range t.held {
		it.Release(b)
	}
	t.held = t.held[:0]
}

// sharpen takes the gradients of the update again, at the weights that SAM climbs to, by
// the same batches and masks.
func (t *Trainer) sharpen(draws uint64) error {
	if err := t.SAM.Ascend(); err != nil {
		return err
	}
	t.Network.ws.SetDraws(draws)
	for k, b := range t.held {
		l, err := t.Network.Backward(b, k > 0)
		if err != nil {
			return err
		}
		if math.IsNaN(l) || math.IsInf(l, 0) {
			return &NonFiniteError{What: "a batch at the weights of optimizer.sam_rho", Value: l, Epoch: t.at.epoch + 1, Update: t.at.update + 1, LR: t.lr, Checkpoint: t.lastGood}
		}
	}
	return t.SAM.Return()
}

// interrupt saves the state and says how to go on.
func (t *Trainer) interrupt(started time.Time) error {
	if t.Folder == "" {
		return ErrInterrupted
	}
	if err := t.save(checkpoint.LastName, nil, started); err != nil {
		return err
	}
	err := send(t.Events, &report.Interrupted{Epoch: t.at.epoch + 1, Update: t.at.update, Checkpoint: t.lastGood, ResumeCommand: t.ResumeCommand})
	return errors.Join(ErrInterrupted, err)
}

// finishEpoch evaluates, counts the epoch and saves.
func (t *Trainer) finishEpoch(ctx context.Context, images int, training time.Duration, started time.Time) (*report.EpochDone, error) {
	done := &report.EpochDone{Epoch: t.at.epoch + 1, Update: t.at.update, TrainLoss: t.at.loss.Mean(), EvalLoss: math.NaN(),
		LR: t.lr, ImagesPerSecond: float64(images) / training.Seconds()}
	evalStart := time.Now()
	if err := t.averageWeights(); err != nil {
		return nil, err
	}
	averaged := t.SWA.averages(done.Epoch) && done.Epoch == t.Epochs
	if !averaged {
		if err := t.assess(t.interruptible(ctx), done, false); err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return nil, t.interrupt(started)
			}
			return nil, err
		}
		averaged = t.SWA.averages(done.Epoch) && t.impatient()
	}
	if averaged {
		if err := t.adoptAverage(ctx); err != nil {
			return nil, err
		}
		if err := t.assess(context.WithoutCancel(ctx), done, true); err != nil {
			return nil, err
		}
	}
	done.Time = training + time.Since(evalStart)
	t.at.epoch++
	t.at.batch = 0
	t.at.loss = checkpoint.MeanLoss{}
	// The row is written before the checkpoint: a run that dies between the two
	// repeats the epoch and replaces the row, so that none is ever missing.
	if err := send(t.Events, done); err != nil {
		return nil, err
	}
	if t.Folder == "" {
		return done, nil
	}
	names := []string{checkpoint.LastName}
	if done.Best {
		names = []string{checkpoint.BestName, checkpoint.LastName}
	}
	for _, name := range names {
		if err := t.save(name, done, started); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// interruptible is the context of an evaluation that a resumed run makes again. It cannot
// where the epoch's weights are already in a mean.
func (t *Trainer) interruptible(ctx context.Context) context.Context {
	if t.SWA.averages(t.at.epoch + 1) {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// assess evaluates the weights at the end of an epoch or, where averaged is set, the
// average that has taken their place.
func (t *Trainer) assess(ctx context.Context, done *report.EpochDone, averaged bool) error {
	if t.Evaluator == nil {
		return nil
	}
	m, err := t.evaluate(ctx)
	if err != nil {
		return err
	}
	if math.IsNaN(m.Loss) || math.IsInf(m.Loss, 0) {
		return &NonFiniteError{What: "the evaluation", Value: m.Loss, Epoch: t.at.epoch + 1, Update: t.at.update, LR: t.lr, Checkpoint: t.lastGood}
	}
	done.EvalLoss = m.Loss
	done.Confusion, done.PerClass = m.Confusion, m.Named(t.Meta.ClassNames)
	return t.judge(done, m, averaged)
}

// judge tells the figures of an evaluation, and whether the epoch is the best so far.
func (t *Trainer) judge(done *report.EpochDone, m *metric.Result, averaged bool) error {
	by := t.bestBy()
	done.Metrics = nil
	for _, name := range metric.Told(m.Task, by) {
		if v, ok := m.Figure(name); ok {
			done.Metrics = append(done.Metrics, report.Metric{Name: name, Value: v})
		}
	}
	v, ok := m.Figure(by.Name)
	if !ok {
		return send(t.Events, &report.Warning{Text: fmt.Sprintf("%s, which chooses the best epoch, is not defined on the validation data: choose another eval.metric", by.Name)})
	}
	if !averaged { // the training is over
		t.observe(v, by.Lower)
	}
	// A run that was begun with another figure starts to compare anew, and what SWA made
	// is what the run is for, whatever came before.
	// Parts of a run are not compared with each other.
	if b := t.at.best; b == nil || b.Name != by.Name || b.Epoch <= t.From || by.Better(v, b.Value) || averaged {
		t.at.best = &checkpoint.BestMetric{Name: by.Name, Value: v, Epoch: done.Epoch}
		done.Best = true
	}
	return nil
}

// bestBy is BestBy, or the task's own.
func (t *Trainer) bestBy() metric.Choice {
	by := t.BestBy
	if by.Name == "" {
		by, _ = metric.Choose(t.Evaluator.task(), metric.Auto) // which every task knows
	}
	return by
}

// Metrics names the figures that are told of every epoch; none without an Evaluator.
func (t *Trainer) Metrics() []string {
	if t.Evaluator == nil {
		return nil
	}
	return metric.Told(t.Evaluator.task(), t.bestBy())
}

// evaluate measures the moving average where there is one, else the weights.
func (t *Trainer) evaluate(ctx context.Context) (*metric.Result, error) {
	if t.EMA == nil {
		return t.Evaluator.Run(ctx)
	}
	if err := t.EMA.Swap(); err != nil {
		return nil, err
	}
	m, err := t.Evaluator.Run(ctx)
	return m, errors.Join(err, t.EMA.Swap())
}

// warnSkipped tells of samples that could not be read.
func warnSkipped(l report.Listener, s data.Skipped) error {
	if s.Count == 0 {
		return nil
	}
	return send(l, &report.Warning{Text: fmt.Sprintf("%d images could not be read and were left out, the first because %v", s.Count, s.First), Names: s.Names})
}
