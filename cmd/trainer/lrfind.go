package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/pretrain"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/schedule/curve"
	"github.com/seed52467199/trainer/train"
)

func lrFindCommand(a *app) *cobra.Command {
	var config, mode, plot string
	var gray grayFlag
	var minLR, maxLR float64
	var steps int
	var unlabelled bool
	c := &cobra.Command{
		Use:   "lr-find --config FILE_OR_NAME",
		Short: "Find a learning rate by a range test",
		Long: `Train for some steps while the learning rate sweeps from far too small to far too
large, and say which one to use. Where that is too coarse to see the loss fall, a second
sweep looks around the rate at which it rises. Nothing is kept: a training afterwards is
the same as without it.`,
		Example: `  trainer lr-find --config my.yaml --plot lr.svg
  trainer lr-find --config my.yaml --set lr_find.seeds=3 --set lr_find.val_batches=4
  trainer lr-find --config my.yaml --pretrain
  trainer train --config my.yaml --lr auto`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			flags := append(flagValue(c, "mode", "lr_find.mode"), gray.settings(c)...)
			for flag, key := range map[string]string{"min-lr": "lr_find.min_lr", "max-lr": "lr_find.max_lr", "steps": "lr_find.steps"} {
				flags = append(flags, flagValue(c, flag, key)...)
			}
			cfg, err := a.config(c, config, flags...)
			if err != nil {
				return err
			}
			if err := checkPlot(plot); err != nil {
				return usage(err)
			}
			dev, err := openDevice(cfg.Runtime.Device, cfg.Runtime.Threads, cfg.Runtime.Convolution)
			if err != nil {
				return err
			}
			defer dev.Close()
			ready := a.labelled
			if unlabelled {
				ready = a.unlabelled
			}
			find, err := ready(cfg, dev, a.terminal(cfg.Train.LogEvery))
			if err != nil {
				return usage(err)
			}
			found, err := find(c.Context())
			if err != nil {
				return err
			}
			return a.lrResult(found, cfg.LRFind.Seeds, plot)
		},
	}
	gray.add(c, grayHelp)
	f := c.Flags()
	f.StringVar(&config, "config", "", "a YAML file or the name of an embedded recipe")
	f.Float64Var(&minLR, "min-lr", 0, "learning rate of the first step (default: the configuration's)")
	f.Float64Var(&maxLR, "max-lr", 0, "learning rate of the last step (default: the configuration's)")
	f.IntVar(&steps, "steps", 0, "steps of the sweep (default: the configuration's)")
	f.StringVar(&mode, "mode", "", "exp or linear (default: the configuration's)")
	f.BoolVar(&unlabelled, "pretrain", false, "of a training without labels, in the loss of pretrain.method")
	f.StringVar(&plot, "plot", "", "draw the curve into this .svg or .png file")
	_ = c.MarkFlagRequired("config")
	a.runFlags(c)
	return c
}

// search is an LR range test of a training that is ready.
type search func(ctx context.Context) (train.LRCurve, error)

// searchOf is that of a job's trainer.
func searchOf(j *train.Job, t *train.Trainer) search {
	return func(ctx context.Context) (train.LRCurve, error) { return j.FindLR(ctx, t) }
}

// labelled readies a training with labels for a range test.
func (a *app) labelled(cfg *configs.Config, dev graph.Device, events report.Listener) (search, error) {
	job, err := train.OpenJob(*cfg, dev)
	if err != nil {
		return nil, err
	}
	t, err := job.Trainer("", events)
	return searchOf(job, t), err
}

// unlabelled readies a training without labels for a range test.
func (a *app) unlabelled(cfg *configs.Config, dev graph.Device, events report.Listener) (search, error) {
	p, err := pretrain.Open(*cfg, dev)
	if err != nil {
		return nil, err
	}
	if n := p.Parts(); n > 1 {
		a.say("%s trains %d layers one after the other: the range test is of the first", cfg.Pretrain.Method, n)
	}
	return p.FindLR, p.Prepare("", events, nil)
}

// suggestion is one of the rules' answers.
type suggestion struct {
	key, rule string
	lr        float64
}

func suggestions(s curve.Suggestions) []suggestion {
	return []suggestion{
		{"steepest", "where the loss falls fastest", s.Steepest},
		{"valley", "half-way down the longest fall", s.Valley},
		{"slide", "where it comes to level ground from the end (fastai)", s.Slide},
		{"min10", "a tenth of where the loss is least", s.Min10},
		{"turn10", "a tenth of where it turns up for good", s.Turn10},
		{"turn4", "a quarter of it", s.Turn4},
		{"half", "half of it", s.Half},
	}
}

// saySuggestions prints what a curve says, and gives the suggestions by name.
func (a *app) saySuggestions(r curve.Reading) map[string]float64 {
	named := map[string]float64{}
	for _, s := range suggestions(r.Suggestions) {
		if s.lr == 0 {
			a.say("%-9s -          %s: nothing to say", s.key, s.rule)
			continue
		}
		named[s.key] = s.lr
		a.say("%-9s %-10.3g %s", s.key, s.lr, s.rule)
	}
	a.say("%s", r.Verdict)
	return named
}

// lrResult prints and draws a range test.
func (a *app) lrResult(found train.LRCurve, seeds int, plot string) error {
	r := found.Reading
	named := a.saySuggestions(r)
	if plot != "" {
		if err := report.PlotLRCurve(plot, lrDrawing(found, seeds)); err != nil {
			return err
		}
		a.say("the curve is drawn in %s", plot)
	}
	result := map[string]any{"suggestions": named, "verdict": r.Verdict, "clear": r.Clear, "curve": pairs(found.Train.Points)}
	if seeds > 1 {
		result["seeds"], result["band"] = seeds, limits(found.Train)
	}
	if len(found.Held.Points) > 0 {
		result["val_curve"] = pairs(found.Held.Points)
		if seeds > 1 {
			result["val_band"] = limits(found.Held)
		}
	}
	return a.result(result)
}

// pairs are points as [lr, loss], with null for a loss that is not finite.
func pairs(points []curve.Point) []any {
	list := make([]any, len(points))
	for i, p := range points {
		list[i] = [2]any{p.LR, finiteOrNil(p.Loss)}
	}
	return list
}

// limits are the least and the greatest losses of a band, as pairs.
func limits(b curve.Band) []any {
	list := make([]any, len(b.Low))
	for i := range list {
		list[i] = [2]any{finiteOrNil(b.Low[i]), finiteOrNil(b.High[i])}
	}
	return list
}

// lrDrawing is the curve that was read, for a plot.
func lrDrawing(found train.LRCurve, seeds int) report.LRCurve {
	r, band := found.Reading, found.Read()
	drawing := report.LRCurve{Verdict: r.Verdict, Points: make([]report.LRPoint, len(band.Points))}
	if seeds > 1 {
		drawing.Low, drawing.High = band.Low, band.High
	}
	if len(found.Held.Points) > 0 {
		drawing.Loss = "held-out loss"
	}
	for _, s := range suggestions(r.Suggestions) {
		if s.lr > 0 {
			drawing.Suggestions = append(drawing.Suggestions, report.Mark{Name: s.key, LR: s.lr})
		}
	}
	for i, p := range band.Points {
		smoothed := math.NaN()
		if i < len(r.Smoothed) {
			smoothed = r.Smoothed[i].Loss
		}
		drawing.Points[i] = report.LRPoint{Step: i + 1, Steps: len(band.Points), LR: p.LR, Loss: p.Loss, Smoothed: smoothed}
	}
	return drawing
}

// finiteOrNil is x, or nil where JSON has no number for it.
func finiteOrNil(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}

// checkPlot refuses a file of a kind that cannot be drawn, before anything is computed.
func checkPlot(path string) error {
	if ext := filepath.Ext(path); path == "" || ext == ".svg" || ext == ".png" {
		return nil
	}
	return fmt.Errorf("--plot %s: the file must end in .svg or .png", path)
}
