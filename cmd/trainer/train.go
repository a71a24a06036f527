package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

// runNames are the flags that name a run: its configuration, its folder, where to go
// on, and its learning rate.
type runNames struct{ config, output, resume, lr string }

// add adds the flags; recipe is the configuration where none is named, "" to ask for
// one.
func (n *runNames) add(c *cobra.Command, recipe string) {
	f := c.Flags()
	f.StringVar(&n.config, "config", recipe, "a YAML file or the name of an embedded recipe")
	f.StringVar(&n.output, "output", "", "the run folder (default: the configuration's)")
	f.StringVar(&n.resume, "resume", "", "auto, to go on from the newest good checkpoint of the run folder, or a checkpoint's path")
	f.StringVar(&n.lr, "lr", "", "the base learning rate: a number, or auto, to find it by a range test first (default: the configuration's)")
	if recipe == "" {
		_ = c.MarkFlagRequired("config")
	}
}

// auto tells whether the learning rate is to be found.
func (n *runNames) auto() bool { return n.lr == "auto" }

// settings are the flags that stand for keys.
func (n *runNames) settings(c *cobra.Command) []configs.Flag {
	flags := flagValue(c, "output", "output.dir")
	if n.auto() {
		return flags
	}
	return append(flags, flagValue(c, "lr", "optimizer.lr")...)
}

// grayFlag is --gray: one channel from the decoder to the network.
type grayFlag bool

// grayHelp is what it means where no weights are adapted.
const grayHelp = "one channel from end to end, also where the configuration is made for colour"

func (g *grayFlag) add(c *cobra.Command, help string) {
	c.Flags().BoolVar((*bool)(g), "gray", false, help)
}

// settings are the keys that it stands for.
func (g *grayFlag) settings(c *cobra.Command) []configs.Flag {
	flags := flagValue(c, "gray", "finetune.gray")
	if *g { // over a recipe made for colour
		flags = append(flags, configs.Flag{Flag: "--gray", Key: "model.in_chans", Value: "1"})
	}
	return flags
}

func trainCommand(a *app) *cobra.Command {
	var names runNames
	var gray grayFlag
	c := &cobra.Command{
		Use:   "train --config FILE_OR_NAME",
		Short: "Train a model from a configuration",
		Example: `  trainer train --config quickstart
  trainer train --config my.yaml --output runs/a --set optimizer.lr=0.05
  trainer train --config my.yaml --output runs/b --lr auto
  trainer train --config rsb-a2 --gray --set data.root=xrays
  trainer train --config my.yaml --output runs/a --resume auto`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.config(c, names.config, append(names.settings(c), gray.settings(c)...)...)
			if err != nil {
				return err
			}
			return a.train(c.Context(), cfg, names)
		},
	}
	names.add(c, "")
	gray.add(c, grayHelp)
	a.runFlags(c)
	return c
}

func finetuneCommand(a *app) *cobra.Command {
	var names runNames
	var gray grayFlag
	var weights, model, root, method string
	var freeze []string
	var headLR float64
	c := &cobra.Command{
		Use:   "finetune --weights FILE",
		Short: "Train from the weights of another training",
		Long: `Train from other weights: the classifier is replaced where the classes differ, and
the first convolution is adapted to the data's channels. With --gray one channel is
used from decoding to the first convolution. Without --config the recipe finetune
says how: it does well on small sets without being tuned.`,
		Example: `  trainer finetune --model resnet18 --weights resnet18.safetensors --data flowers
  trainer finetune --weights runs/base --data flowers --gray
  trainer finetune --config squeezenet-finetune --weights squeezenet1_1.safetensors
  trainer finetune --config my.yaml --weights resnet18.pth --gray --freeze layer1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			flags := names.settings(c)
			flags = append(flags, flagValue(c, "weights", "finetune.weights")...)
			flags = append(flags, flagValue(c, "model", "model.name")...)
			flags = append(flags, flagValue(c, "data", "data.root")...)
			flags = append(flags, gray.settings(c)...)
			flags = append(flags, flagValue(c, "gray-method", "finetune.gray_method")...)
			if c.Flags().Changed("freeze") {
				flags = append(flags, listValue("freeze", "finetune.freeze", freeze))
			}
			flags = append(flags, flagValue(c, "head-lr", "finetune.head_lr")...)
			cfg, err := a.config(c, names.config, flags...)
			if err != nil {
				return err
			}
			if cfg.Finetune.Weights == "" {
				return usage(errors.New("finetune needs --weights FILE, or finetune.weights in the configuration"))
			}
			return a.train(c.Context(), cfg, names)
		},
	}
	f := c.Flags()
	names.add(c, "finetune")
	f.StringVar(&weights, "weights", "", "a .safetensors or PyTorch file, a checkpoint or a run folder")
	f.StringVar(&model, "model", "", "the model of the weights (default: the configuration's, or as the weights tell)")
	f.StringVar(&root, "data", "", "the folder or file with the data (default: the configuration's)")
	gray.add(c, "one channel from end to end; adapts the first convolution")
	f.StringVar(&method, "gray-method", "sum", "sum, mean, luma or fold")
	f.StringArrayVar(&freeze, "freeze", nil, "parameters that are not trained, by name or pattern; may be repeated")
	f.Float64Var(&headLR, "head-lr", 0, "learning rate of the classifier")
	a.runFlags(c)
	return c
}

// train runs a training to its end and prints the result.
func (a *app) train(ctx context.Context, cfg *configs.Config, names runNames) error {
	dir, err := cfg.Output.Folder()
	if err != nil {
		return usage(err)
	}
	r, err := a.trainRun(ctx, cfg, runNames{output: dir, resume: names.resume, lr: names.lr}, resumeCommand(os.Args, dir))
	if err != nil {
		return err
	}
	return a.result(trainResult(dir, r, cfg.Optimizer.LR))
}

// trainRun runs a training to its end. again is the command that goes on with it.
// The learning rate that it finds, where it is to find one, becomes cfg's.
func (a *app) trainRun(ctx context.Context, cfg *configs.Config, names runNames, again string) (r train.Result, err error) {
	dir := names.output
	var found *train.LRCurve
	u := undertaking{dir: dir, resume: names.resume}
	u.open = func(dev graph.Device, events report.Listener, from *resumption) (*train.Job, training, error) {
		if err := names.keepLR(cfg, from); err != nil {
			return nil, nil, usage(err)
		}
		job, err := train.OpenJob(*cfg, dev)
		if err != nil {
			return nil, nil, usage(err)
		}
		t, err := job.Trainer(dir, events)
		if err != nil {
			return nil, nil, usage(err)
		}
		if names.auto() && from == nil {
			if found, err = a.findLR(ctx, job, searchOf(job, t)); err != nil {
				return nil, nil, err
			}
			cfg.Optimizer.LR = job.Config.Optimizer.LR
			if t, err = job.Trainer(dir, events); err != nil {
				return nil, nil, usage(err)
			}
		}
		t.Meta.TrainerVersion = version
		t.ResumeCommand = again
		return job, supervised{t}, nil
	}
	u.begin = func() error { return drawFound(dir, found, cfg.LRFind.Seeds) }
	return a.perform(ctx, cfg, u)
}

// training is what perform carries out.
type training interface {
	Restore(s checkpoint.State, path string) error
	Run(ctx context.Context) (train.Result, error)
	Position() (epochs, updates int)
	UpdatesPerEpoch() int
	// Epochs is how many there are in all.
	Epochs() int
	// Metrics names the figures that are told of every epoch, and BestBy the one that
	// chooses the best; none without evaluation.
	Metrics() []string
	BestBy() string
}

// supervised is a training with labels.
type supervised struct{ *train.Trainer }

// Epochs implements training.
func (s supervised) Epochs() int { return s.Trainer.Epochs }

// BestBy implements training.
func (s supervised) BestBy() string { return s.Trainer.BestBy.Name }

// undertaking is a training and where it takes place.
type undertaking struct {
	dir, resume string // the run folder, and --resume
	// open makes the training, with events for what happens in it; from is where it
	// will go on, nil for the beginning.
	open func(dev graph.Device, events report.Listener, from *resumption) (*train.Job, training, error)
	// begin is called when the run folder is there; nil for nothing.
	begin func() error
}

// resumption is a checkpoint to go on from.
type resumption struct {
	path  string
	state checkpoint.State
}

// perform carries out a training to its end.
func (a *app) perform(ctx context.Context, cfg *configs.Config, u undertaking) (r train.Result, err error) {
	dir, resume := u.dir, u.resume
	from, err := a.resumePoint(dir, resume)
	if err != nil {
		return r, usage(err)
	}
	if resume == "" {
		if err := report.CheckNoRun(dir); err != nil {
			return r, usage(err)
		}
	}
	if err := checkpoint.CheckWritable(dir); err != nil {
		return r, usage(fmt.Errorf("the run folder cannot be used: %w", err))
	}
	dev, err := openDevice(cfg.Runtime.Device, cfg.Runtime.Threads, cfg.Runtime.Convolution)
	if err != nil {
		return r, err
	}
	defer dev.Close()
	if cfg.Train.Memory > 0 {
		debug.SetGCPercent(train.GarbagePercent)
	}
	var sinks report.Listeners
	sinks = report.Tee(a.terminal(cfg.Train.LogEvery)) // until there is a run folder
	job, t, err := u.open(dev, report.Func(func(e report.Event) error { return sinks.Handle(e) }), from)
	if err != nil {
		return r, err
	}
	if from != nil {
		if err := t.Restore(from.state, from.path); err != nil {
			return r, usage(err)
		}
	}
	folder, err := openFolder(dir, job.Config.YAML(), resume != "")
	if err != nil {
		return r, usage(err)
	}
	if sinks, err = folder.Listen(cfg.Train.LogEvery); err != nil {
		return r, err
	}
	defer func() { sinks.Close() }()
	if !a.quiet {
		sinks = append(sinks, report.NewTerminal(a.stderr, cfg.Train.LogEvery))
	}
	if u.begin != nil {
		if err := u.begin(); err != nil {
			return r, err
		}
	}
	if job.Plan != nil {
		a.say("%s", describePlan(job.Plan, job.Config.Model.Name))
	}
	if err := sinks.Handle(runStarted(job, t, dev.Name(), dir, from != nil)); err != nil {
		return r, err
	}
	begin := time.Now()
	r, err = t.Run(ctx)
	if err != nil {
		epochs, updates := t.Position()
		if !errors.Is(err, train.ErrInterrupted) {
			err = errors.Join(err, sinks.Handle(&report.RunFailed{Epoch: epochs + 1, Update: updates, Reason: err.Error()}))
		}
		return r, err
	}
	err = sinks.Handle(&report.RunDone{RunDir: dir, Time: time.Since(begin), ImagesPerSecond: r.ImagesPerSecond, BestBy: t.BestBy(), Best: r.Best, Last: r.Last})
	if err != nil {
		return r, err
	}
	return r, nil
}

// findLR finds the learning rate that the job is trained with.
func (a *app) findLR(ctx context.Context, j *train.Job, find search) (*train.LRCurve, error) {
	found, err := find(ctx)
	if err != nil {
		return nil, err
	}
	a.saySuggestions(found.Reading)
	lr, name, err := j.AdoptLR(found)
	if err != nil {
		return nil, fmt.Errorf("--lr auto: %w", err)
	}
	a.say("training with LR %g, the suggestion %s", lr, name)
	return &found, nil
}

// drawFound draws the range test, where there was one, into the run folder.
func drawFound(dir string, found *train.LRCurve, seeds int) error {
	if found == nil {
		return nil
	}
	return report.PlotLRCurve(filepath.Join(dir, "lr_find.svg"), lrDrawing(*found, seeds))
}

// keepLR takes the learning rates that --lr auto found when the run began from the
// checkpoint that it goes on from, where there is one.
func (n *runNames) keepLR(c *configs.Config, from *resumption) error {
	if !n.auto() || from == nil {
		return nil
	}
	was, err := configs.Parse(from.path, []byte(from.state.Meta.Config), configs.Options{})
	if err != nil {
		return fmt.Errorf("--lr auto goes on with the learning rate of the checkpoint: %w", err)
	}
	c.Optimizer.LR, c.Optimizer.LRBase = was.Optimizer.LR, was.Optimizer.LRBase
	c.Finetune.HeadLR = was.Finetune.HeadLR
	return c.Validate()
}

// resumePoint finds the checkpoint that --resume means; nil to start anew.
func (a *app) resumePoint(dir, resume string) (*resumption, error) {
	from := &resumption{path: resume}
	switch resume {
	case "":
		return nil, nil
	case "auto":
		if err := checkpoint.Recover(dir); err != nil {
			return nil, err
		}
		found, skipped, err := checkpoint.Newest(dir)
		for _, s := range skipped {
			a.say("passing over %s: %v", s.Path, s.Reason)
		}
		if errors.Is(err, checkpoint.ErrNoCheckpoint) && len(skipped) == 0 {
			a.say("%s holds no checkpoint yet: starting from the beginning", dir)
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		from.path = found
	}
	var err error
	from.state, err = checkpoint.Load(from.path)
	return from, err
}

func openFolder(dir string, config []byte, resumed bool) (report.RunFolder, error) {
	if resumed {
		return report.ResumeRun(dir, config)
	}
	return report.CreateRun(dir, config)
}

// resumeCommand is the command line that goes on with this run.
func resumeCommand(args []string, dir string) string {
	var words []string
	skip := false
	for i, w := range args {
		switch {
		case skip:
			skip = false
		case w == "--resume" || w == "--output":
			skip = true
		case strings.HasPrefix(w, "--resume=") || strings.HasPrefix(w, "--output="):
		default:
			if i == 0 {
				w = filepath.Base(w)
			}
			words = append(words, quoteWord(w))
		}
	}
	return strings.Join(append(words, "--output", quoteWord(dir), "--resume", "auto"), " ")
}

// quoteWord makes a word safe for a shell.
func quoteWord(w string) string {
	if w != "" && !strings.ContainsAny(w, " \t\n'\"\\$`*?[]{}()<>|&;!#~") {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

func runStarted(j *train.Job, t training, device, dir string, resumed bool) *report.RunStarted {
	c := j.Config
	m := j.Memory
	epoch, update := t.Position()
	s := &report.RunStarted{RunDir: dir, Model: c.Model.Name, Config: string(c.YAML()), Device: device, Classes: j.Classes,
		Params: int64(j.Network.Params.Count()), ArenaBytes: int64(m.Activations.Bytes), TrainImages: j.TrainData.Len(), Epochs: t.Epochs(),
		UpdatesPerEpoch: t.UpdatesPerEpoch(), BatchSize: c.Train.BatchSize * c.Train.GradAccum, Threads: effectiveThreads(c.Runtime.Threads),
		Seed: uint64(c.Train.Seed), Resumed: resumed, Epoch: epoch + 1, Update: update}
	s.Memory = report.Memory{Limit: int64(m.Limit), Parameters: int64(m.Parameters), Input: int64(m.Input),
		Saved: int64(m.Activations.Whole - m.Activations.Bytes), Repeated: m.Activations.Repeated, ExtraTime: m.Activations.ExtraTime}
	if j.ValData != nil {
		s.ValImages, s.Metrics = j.ValData.Len(), t.Metrics()
	}
	return s
}

func describePlan(p *train.Plan, model string) string {
	text := fmt.Sprintf("starting from %s: %d tensors loaded", p.Source, p.Loaded)
	if p.Instead != "" {
		text += "; they are of " + model + ", which is trained instead of " + p.Instead
	}
	if len(p.Fresh) > 0 {
		text += ", the classifier (" + strings.Join(p.Fresh, ", ") + ") starts anew"
	}
	if p.Sliced {
		text += ", of the classifier the rows of the classes of these names"
	}
	if p.FirstConv != "" {
		text += ", " + p.FirstConv + " adapted by " + p.Method
	}
	if n := len(p.Resized); n > 0 {
		text += ", " + p.Resized[0]
		if n > 1 {
			text += fmt.Sprintf(" and %d more", n-1)
		}
		text += " resized for the images"
	}
	return text
}

// trainResult is the JSON of a training.
func trainResult(dir string, r train.Result, lr float64) map[string]any {
	m := map[string]any{"run": dir, "lr": lr, "best": epochResult(r.Best), "last": epochResult(r.Last), "images_per_s": r.ImagesPerSecond}
	if r.Stopped != nil {
		m["stopped_early"] = r.Stopped.Reason()
	}
	return m
}

func epochResult(e *report.EpochDone) map[string]any {
	if e == nil {
		return nil
	}
	m := map[string]any{"epoch": e.Epoch, "train_loss": e.TrainLoss}
	if !math.IsNaN(e.EvalLoss) {
		m["loss"] = e.EvalLoss
	}
	for _, x := range e.Metrics {
		m[x.Name] = x.Value
	}
	return m
}
