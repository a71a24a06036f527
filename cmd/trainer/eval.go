package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
)

func evalCommand(a *app) *cobra.Command {
	var w weightFlags
	var dir, split string
	var perClass, tta bool
	c := &cobra.Command{
		Use:   "eval --checkpoint P",
		Short: "Measure a checkpoint",
		Example: `  trainer eval --checkpoint runs/quickstart
  trainer eval --model cifar_resnet20 --weights resnet20.th --data DIR --set data.format=cifar`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return w.with(a, func(_ graph.Device, l *train.Loaded, cfg *configs.Config) error {
				ds, loader, err := evalData(l, cfg, dir, split)
				if err != nil {
					return usage(err)
				}
				e := train.Evaluator{Network: l.Network, Loader: loader, Flip: tta, Events: a.terminal(0)}
				start := time.Now()
				m, err := e.Run(c.Context())
				if err != nil {
					return err
				}
				return a.evalResult(m, l, ds, perClass, time.Since(start))
			})
		},
	}
	w.add(c)
	f := c.Flags()
	f.StringVar(&dir, "data", "", "where the data is (default: as in training)")
	f.StringVar(&split, "split", "", "the split to measure on (default: val)")
	f.BoolVar(&perClass, "per-class", false, "precision, recall and F1 of each class too")
	f.BoolVar(&tta, "tta", false, "average each image's logits with its mirror image's")
	a.runFlags(c)
	return c
}

// evalData opens a split of the data that weights are measured on; an empty dir and
// split are the configuration's.
func evalData(l *train.Loaded, cfg *configs.Config, dir, split string) (data.Dataset, *data.Loader, error) {
	if dir != "" {
		cfg.Data.Root = dir
	}
	root, err := cfg.Data.Dir()
	if err != nil {
		return nil, nil, fmt.Errorf("%w; name the data with --data DIR", err)
	}
	if split == "" {
		split = cfg.Data.ValSplit
	}
	ds, err := data.Open(cfg.Data.Format, root, split, data.Options{Classes: l.Classes, ValFraction: cfg.Data.ValFraction})
	if err != nil {
		return nil, nil, err
	}
	if got, want := len(ds.Classes()), l.Network.Classes; got != want {
		return nil, nil, fmt.Errorf("the data in %s has %d classes, and the weights in %s have %d", root, got, l.Source, want)
	}
	loader, err := train.NewEvalLoader(ds, l.Preprocessing, cfg.Eval.BatchSize, cfg.Data.Workers, cfg.Train.OnBadImage == "stop")
	return ds, loader, err
}

func (a *app) evalResult(m train.Metrics, l *train.Loaded, ds data.Dataset, perClass bool, took time.Duration) error {
	r := map[string]any{"top1": m.Top1, "top5": m.Top5, "loss": m.Loss, "images": m.Images,
		"images_per_s": float64(m.Images) / took.Seconds()}
	a.say("top-1 %.2f%%  top-5 %.2f%%  loss %.4f  on %d images in %s", m.Top1, m.Top5, m.Loss, m.Images, took.Round(time.Millisecond))
	if perClass {
		names := l.Classes
		if names == nil {
			names = ds.Classes()
		}
		scores := m.PerClass(names)
		var classes []map[string]any
		for _, s := range scores {
			classes = append(classes, map[string]any{"name": s.Name, "images": s.Images, "precision": s.Precision, "recall": s.Recall, "f1": s.F1})
		}
		r["per_class"], r["confusion"] = classes, m.Confusion
		if !a.quiet {
			t := tabwriter.NewWriter(a.stderr, 0, 0, 2, ' ', tabwriter.AlignRight)
			fmt.Fprintln(t, "class\timages\tprecision\trecall\tF1\t")
			for _, s := range scores {
				fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t\n", s.Name, s.Images, s.Precision, s.Recall, s.F1)
			}
			if err := t.Flush(); err != nil {
				return err
			}
		}
	}
	return a.result(r)
}
