package pretrain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
	"github.com/seed52467199/trainer/train/metric"
)

// scaffold is the scope of the parameters that a model does not have.
const scaffold = "pretrain"

// Pretraining is a run of training without labels, in as many parts as its method has.
type Pretraining struct {
	// Job has the data, the model and the configuration. Its Network is that of the
	// part under way.
	Job *train.Job

	parts  []train.Pretext
	folder string
	events report.Listener
	setUp  func(*train.Trainer)
	part   int
	t      *train.Trainer // of that part
}

// method makes the pretexts of a configuration, one for each part of the run, and
// declares in s what they need beside the model.
type method func(j *train.Job, s graph.Scope) ([]train.Pretext, error)

// methods are those of configs.Pretrain.Method.
var methods = map[string]method{"dae": newDAE, "rbm": newRBM, "cae": newCAE, "mae": newMAE, "simmim": newSimMIM}

// Open opens the data, without its labels, both the split to train on and, unless
// data.val_split is train.NoSplit, the one on which the method's loss is measured after
// each epoch. It builds the model and what the method needs beside it on the device.
func Open(c configs.Config, dev graph.Device) (*Pretraining, error) {
	declare := methods[c.Pretrain.Method]
	switch {
	case declare == nil:
		return nil, errors.New("pretrain.method is none: set it to dae, rbm, cae, mae or simmim")
	case c.Finetune.Weights != "":
		return nil, fmt.Errorf("finetune.weights is %s, and pre-training starts from nothing: leave it out, and give the result to finetune --weights", c.Finetune.Weights)
	case c.Train.SWAStart > 0:
		return nil, fmt.Errorf("train.swa_start is %v, and pre-training keeps no such average: set it to 0, or use train.ema_decay", c.Train.SWAStart)
	}
	if c.Pretrain.Epochs > 0 {
		c.Train.Epochs = c.Pretrain.Epochs
	}
	// What is measured is the method's own loss, of images as training sees them.
	c.Eval.Metric, c.Eval.Size, c.Eval.TTA = metric.Loss, 0, "none"
	if err := unitRange(&c); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	p := &Pretraining{}
	var err error
	p.Job, err = train.OpenJobWith(c, dev, train.JobOptions{Unlabelled: true, Declare: func(j *train.Job, s graph.Scope) (err error) {
		p.parts, err = declare(j, s.Sub(scaffold))
		return err
	}})
	return p, err
}

// unitRange leaves the images in [0, 1] for a method that takes values for
// probabilities.
func unitRange(c *configs.Config) error {
	dae := c.Pretrain.Method == "dae" || c.Pretrain.Method == "cae"
	if c.Pretrain.Method != "rbm" && !(dae && c.Pretrain.Loss == "cross_entropy") {
		return nil
	}
	if c.Data.Mean.Auto() && c.Data.Std.Auto() {
		c.Data.Mean, c.Data.Std = configs.Stats{0}, configs.Stats{1}
	}
	other := func(want float64) func(float64) bool { return func(v float64) bool { return v != want } }
	if slices.ContainsFunc(c.Data.Mean, other(0)) || slices.ContainsFunc(c.Data.Std, other(1)) {
		return fmt.Errorf("data.mean is %v and data.std %v, and %s takes pixels for probabilities: set data.mean to [0] and data.std to [1], or leave both out",
			[]float64(c.Data.Mean), []float64(c.Data.Std), c.Pretrain.Method)
	}
	return nil
}

// Prepare makes the run ready. folder is the run folder, "" to keep nothing; setUp, where
// not nil, is called with the trainer of each part before it is used.
func (p *Pretraining) Prepare(folder string, events report.Listener, setUp func(*train.Trainer)) error {
	p.folder, p.events, p.setUp = folder, events, setUp
	return p.begin(0)
}

// begin makes the trainer of a part.
func (p *Pretraining) begin(part int) error {
	j := p.Job
	c := j.Config
	n := *j.Network
	n.Pretext = p.parts[part]
	var err error
	if j.Network, err = train.NewNetwork(n, uint64(c.Train.Seed)); err != nil {
		return err
	}
	t, err := j.Trainer(p.folder, p.events)
	if err != nil {
		return err
	}
	epochs := c.Train.Epochs
	t.From, t.Until, t.Epochs = part*epochs, (part+1)*epochs, len(p.parts)*epochs
	lr, first := t.LR, t.From*t.UpdatesPerEpoch()
	t.LR = func(update int) float64 { return lr(update - first) }
	t.Scaffold = checkpoint.Under(append(slices.Clone(j.Model.Config.Classifier), scaffold)...)
	t.Meta.Pretraining, t.Meta.ClassNames = c.Pretrain.Method, nil
	if p.setUp != nil {
		p.setUp(t)
	}
	p.part, p.t = part, t
	return nil
}

// Epochs is the number of epochs of all parts.
func (p *Pretraining) Epochs() int { return p.t.Epochs }

// UpdatesPerEpoch is the number of updates of one epoch.
func (p *Pretraining) UpdatesPerEpoch() int { return p.t.UpdatesPerEpoch() }

// Position is the number of complete epochs and of updates so far.
func (p *Pretraining) Position() (epochs, updates int) { return p.t.Position() }

// Restore continues from a checkpoint of the same configuration.
func (p *Pretraining) Restore(s checkpoint.State, path string) error {
	if got, want := s.Meta.Pretraining, p.Job.Config.Pretrain.Method; got != want {
		if got == "" {
			got = "training with labels"
		}
		return fmt.Errorf("resuming from %s: it was made by %s, and pretrain.method is %s", path, got, want)
	}
	if part := min(s.Meta.Epoch/p.Job.Config.Train.Epochs, len(p.parts)-1); part != p.part {
		if err := p.begin(part); err != nil {
			return err
		}
	}
	return p.t.Restore(s, path)
}

// BestBy names the figure that chooses the best epoch; "" where nothing is measured.
func (p *Pretraining) BestBy() string { return p.t.BestBy.Name }

// FindLR is the LR range test in the method's own loss, of the first part where there
// are several. It leaves no trace.
func (p *Pretraining) FindLR(ctx context.Context) (train.LRCurve, error) {
	return p.Job.FindLR(ctx, p.t)
}

// Parts is how many parts the run has, such as the layers of a perceptron.
func (p *Pretraining) Parts() int { return len(p.parts) }

// Run trains what is left of all parts; the speed told, and the best epoch, are of the
// last. When ctx ends it finishes the update under way, saves and returns an error that
// wraps train.ErrInterrupted.
func (p *Pretraining) Run(ctx context.Context) (train.Result, error) {
	var all train.Result
	for {
		r, err := p.t.Run(ctx)
		if r.Last != nil {
			all = r
			if p.t.Evaluator == nil {
				all.Best = nil // nothing says which
			}
		}
		all.Stopped = r.Stopped
		if err != nil || p.part == len(p.parts)-1 {
			return all, err
		}
		before := p.t
		if err := p.begin(p.part + 1); err != nil {
			return all, err
		}
		if err := p.t.Follow(before); err != nil {
			return all, err
		}
	}
}
