package main

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/schedule/curve"
	"github.com/seed52467199/trainer/train"
)

func lrFindCommand(a *app) *cobra.Command {
	var config, mode, plot string
	var minLR, maxLR float64
	var steps int
	c := &cobra.Command{
		Use:   "lr-find --config FILE_OR_NAME",
		Short: "Find a learning rate by a range test",
		Long: `Train for some steps while the learning rate sweeps from far too small to far too
large, and say which one to use. Nothing is kept: a training afterwards is the same
as without it.`,
		Example: "  trainer lr-find --config my.yaml --plot lr.svg",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			flags := flagValue(c, "mode", "lr_find.mode")
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
			job, err := train.OpenJob(*cfg, dev)
			if err != nil {
				return usage(err)
			}
			t, err := job.Trainer("", a.terminal(cfg.Train.LogEvery))
			if err != nil {
				return usage(err)
			}
			found, err := t.FindLR(c.Context(), cfg.LRFind)
			if err != nil {
				return err
			}
			return a.lrResult(found, plot)
		},
	}
	f := c.Flags()
	f.StringVar(&config, "config", "", "a YAML file or the name of an embedded recipe")
	f.Float64Var(&minLR, "min-lr", 0, "learning rate of the first step (default: the configuration's)")
	f.Float64Var(&maxLR, "max-lr", 0, "learning rate of the last step (default: the configuration's)")
	f.IntVar(&steps, "steps", 0, "steps of the sweep (default: the configuration's)")
	f.StringVar(&mode, "mode", "", "exp or linear (default: the configuration's)")
	f.StringVar(&plot, "plot", "", "draw the curve into this .svg or .png file")
	_ = c.MarkFlagRequired("config")
	a.runFlags(c)
	return c
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
		{"min10", "a tenth of where the loss is least", s.Min10},
		{"turn10", "a tenth of where it turns up for good", s.Turn10},
	}
}

// lrResult prints and draws a range test.
func (a *app) lrResult(found train.LRCurve, plot string) error {
	r := found.Reading
	named := map[string]float64{}
	drawing := report.LRCurve{Verdict: r.Verdict}
	for _, s := range suggestions(r.Suggestions) {
		if s.lr == 0 {
			a.say("%-9s -          %s: nothing to say", s.key, s.rule)
			continue
		}
		named[s.key] = s.lr
		drawing.Suggestions = append(drawing.Suggestions, report.Mark{Name: s.key, LR: s.lr})
		a.say("%-9s %-10.3g %s", s.key, s.lr, s.rule)
	}
	a.say("%s", r.Verdict)
	points := make([]any, len(found.Points))
	for i, p := range found.Points {
		points[i] = [2]any{p.LR, finiteOrNil(p.Loss)}
		smoothed := math.NaN()
		if i < len(r.Smoothed) {
			smoothed = r.Smoothed[i].Loss
		}
		drawing.Points = append(drawing.Points, report.LRPoint{Step: i + 1, Steps: len(points), LR: p.LR, Loss: p.Loss, Smoothed: smoothed})
	}
	if plot != "" {
		if err := report.PlotLRCurve(plot, drawing); err != nil {
			return err
		}
		a.say("the curve is drawn in %s", plot)
	}
	return a.result(map[string]any{"suggestions": named, "verdict": r.Verdict, "clear": r.Clear, "curve": points})
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
