package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
	"github.com/seed52467199/trainer/train/metric"
)

func evalCommand(a *app) *cobra.Command {
	var w weightFlags
	var dir, split string
	var perClass bool
	var confusion, tta string
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
				if confusion != "" && data.TaskOf(ds) != data.Classify {
					return usage(fmt.Errorf("--confusion %s: images of the task %s have no one class that could be confused with another", confusion, data.TaskOf(ds)))
				}
				e := train.Evaluator{Network: l.Network, Loader: loader, Ranks: metric.Rankable(ds.Len(), l.Network.Classes), Events: a.terminal(0)}
				if tta == "" {
					tta = cfg.Eval.TTA
				}
				if err := e.Augment(tta, l.Preprocessing); err != nil {
					return usage(fmt.Errorf("--tta: %w", err))
				}
				start := time.Now()
				m, err := e.Run(c.Context())
				if err != nil {
					return err
				}
				if confusion != "" {
					if err := writeConfusion(confusion, m.Confusion, l.Names(ds)); err != nil {
						return err
					}
				}
				return a.evalResult(m, l.Names(ds), perClass, time.Since(start))
			})
		},
	}
	w.add(c)
	f := c.Flags()
	f.StringVar(&dir, "data", "", "where the data is (default: as in training)")
	f.StringVar(&split, "split", "", "the split to measure on (default: val)")
	f.BoolVar(&perClass, "per-class", false, "precision, recall and F1 of each class too")
	f.StringVar(&confusion, "confusion", "", "write how many images of each class were taken for which into this .csv file")
	f.StringVar(&tta, "tta", "", "average the logits of several views of each image: flip (also where --tta stands alone), crops5 or crops10 (default: the configuration's)")
	f.Lookup("tta").NoOptDefVal = "flip"
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
