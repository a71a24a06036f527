package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
	"github.com/seed52467199/trainer/train/metric"
)

// evalFlags say what is measured and where it is written.
type evalFlags struct {
	weightFlags
	checkpoints []string
	dir, split  string
	perClass    bool
	confusion   string
	real        string
	predictions predictionFlags

	sizes []int
	crops []float64
	csv   string
}

func evalCommand(a *app) *cobra.Command {
	var o evalFlags
	c := &cobra.Command{
		Use:   "eval --checkpoint P",
		Short: "Measure checkpoints",
		Long: `Measure checkpoints. One gives its figures; several, or one at several image sizes or
crops, give a table with a row each, which --csv keeps as it grows. Where one of several
fails, its row says why, the others go on, and the exit status is 1.`,
		Example: `  trainer eval --checkpoint runs/quickstart
  trainer eval --checkpoint 'runs/*' --csv all.csv
  trainer eval --checkpoint runs/flowers --sweep-size 160,192,224 --sweep-crop 0.875,0.95,1
  trainer eval --checkpoint runs/flowers --predictions worst.csv --worst 50
  trainer eval --model cifar_resnet20 --weights resnet20.th --data DIR --set data.format=cifar`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.flags = flagValue(c, "tta", "eval.tta")
			many, err := o.settle()
			if err != nil {
				return usage(err)
			}
			dev, err := openDevice(a.device, a.threads, a.convolution)
			if err != nil {
				return err
			}
			defer dev.Close()
			if many {
				return a.evalMany(c.Context(), dev, &o)
			}
			return a.evalOne(c.Context(), dev, &o)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&o.checkpoints, "checkpoint", nil, "a run folder, a checkpoint or a file of weights, or a pattern with * for several; may be repeated")
	o.addOthers(c)
	f.StringVar(&o.dir, "data", "", "where the data is (default: as in training)")
	f.StringVar(&o.split, "split", "", "the split to measure on (default: val)")
	f.BoolVar(&o.perClass, "per-class", false, "the figures of each class, or output, too")
	f.StringVar(&o.confusion, "confusion", "", "write how many images of each class were taken for which into this .csv file")
	f.StringVar(&o.real, "real-labels", "", "count, too, how often one of the labels in this .json file is named: real.json of ImageNet, or {\"file name\": [labels]}")
	f.String("tta", "", "average the logits of several views of each image: flip (also where --tta stands alone), crops5, crops10 or shifts (default: the configuration's)")
	f.Lookup("tta").NoOptDefVal = "flip"
	f.IntSliceVar(&o.sizes, "sweep-size", nil, "image sizes to measure at, such as 160,192,224 (default: the weights' own)")
	f.Float64SliceVar(&o.crops, "sweep-crop", nil, "parts of the resized image that the crop keeps (eval.crop_pct), such as 0.875,1, each at each size")
	f.StringVar(&o.csv, "csv", "", "write a row for each measurement into this file, which is whole after every row")
	o.predictions.add(c)
	a.runFlags(c)
	return c
}

// settle finds the weights that are meant and checks that the flags go together. It
// tells whether there is more than one thing to measure.
func (o *evalFlags) settle() (many bool, err error) {
	for _, size := range o.sizes {
		if size < 1 {
			return false, fmt.Errorf("--sweep-size %d: a size is at least 1 pixel", size)
		}
	}
	for _, crop := range o.crops {
		if !(crop > 0 && crop <= 1) {
			return false, fmt.Errorf("--sweep-crop %v: a crop keeps a part above 0 and up to 1", crop)
		}
	}
	if err := o.predictions.check(); err != nil {
		return false, err
	}
	if o.checkpoints, err = expand(o.checkpoints); err != nil {
		return false, err
	}
	if len(o.checkpoints) > 0 {
		o.checkpoint = o.checkpoints[0]
	}
	path, err := o.path()
	if err != nil {
		return false, err
	}
	if len(o.checkpoints) == 0 {
		o.checkpoints = []string{path}
	}
	many = len(o.checkpoints) > 1 || o.sizes != nil || o.crops != nil || o.csv != ""
	if many && (o.perClass || o.confusion != "" || o.real != "" || o.predictions.path != "") {
		return false, errors.New("--per-class, --confusion, --real-labels and --predictions are about one measurement: leave out --csv, --sweep-size and --sweep-crop, and name one checkpoint")
	}
	return many, nil
}

// expand replaces patterns by the paths that they match, in the order of their names.
func expand(patterns []string) ([]string, error) {
	var paths []string
	for _, p := range patterns {
		if !strings.ContainsAny(p, "*?[") {
			paths = append(paths, p)
			continue
		}
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, fmt.Errorf("--checkpoint %s is not a pattern; * and ? stand for any characters, [a-z] for one of a range", p)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("--checkpoint %s: nothing has such a name", p)
		}
		slices.Sort(found)
		paths = append(paths, found...)
	}
	return paths, nil
}

// evalOne measures one checkpoint and prints all about it.
func (a *app) evalOne(ctx context.Context, dev graph.Device, o *evalFlags) error {
	l, cfg, err := o.load(a, dev)
	if err != nil {
		return err
	}
	e, err := a.evaluator(l, cfg, o)
	if err != nil {
		return err
	}
	ds := e.Loader.Dataset()
	if task := data.TaskOf(ds); task != data.Classify && (o.confusion != "" || o.real != "") {
		return usage(fmt.Errorf("--confusion and --real-labels are for images of one class, and the task of these is %s", task))
	}
	var p *predictions
	if o.predictions.path != "" {
		p = newPredictions(o.predictions, ds, l.Names(ds))
	}
	var real *metric.RealLabels
	if o.real != "" {
		if real, err = readRealLabels(o.real, ds); err != nil {
			return usage(err)
		}
	}
	e.Each = func(b *data.Batch, outputs []float32) error {
		if p != nil {
			p.add(b, outputs)
		}
		if real != nil {
			for i, index := range b.Indices {
				real.Add(ds.Name(index), outputs[i*l.Network.Classes:(i+1)*l.Network.Classes])
			}
		}
		return nil
	}
	start := time.Now()
	m, err := e.Run(ctx)
	if err != nil {
		return err
	}
	took := time.Since(start)
	if real != nil {
		m.Figures = append(m.Figures, real.Figures()...)
	}
	if o.confusion != "" {
		if err := writeConfusion(o.confusion, m.Confusion, l.Names(ds)); err != nil {
			return err
		}
	}
	if p != nil {
		if err := p.write(); err != nil {
			return err
		}
	}
	return a.evalResult(m, l.Names(ds), o.perClass, took)
}

// readRealLabels reads other labels of the images of ds.
func readRealLabels(path string, ds data.Dataset) (*metric.RealLabels, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--real-labels: %w", err)
	}
	defer f.Close()
	r, err := metric.ReadRealLabels(f, len(ds.Classes()))
	if err != nil {
		return nil, fmt.Errorf("--real-labels %s: %w", path, err)
	}
	for i := range ds.Len() {
		if r.Knows(ds.Name(i)) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("--real-labels %s: it has labels for none of the %d images; the first is called %s", path, ds.Len(), ds.Name(0))
}

// evaluator opens the data that weights are measured on.
func (a *app) evaluator(l *train.Loaded, cfg *configs.Config, o *evalFlags) (*train.Evaluator, error) {
	ds, loader, err := evalData(l, cfg, o.dir, o.split)
	if err != nil {
		return nil, usage(err)
	}
	e := &train.Evaluator{Network: l.Network, Loader: loader, Ranks: metric.Rankable(ds.Len(), l.Network.Classes), Events: a.terminal(0)}
	return e, e.Augment(cfg.Eval.TTA, l.Preprocessing)
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
	ds, err := train.OpenData(cfg.Data, split, l.Classes)
	if err != nil {
		return nil, nil, err
	}
	if got, want := len(ds.Classes()), l.Network.Classes; got != want {
		return nil, nil, fmt.Errorf("the data in %s has %d classes, and the weights in %s have %d", root, got, l.Source, want)
	}
	loader, err := train.NewEvalLoader(ds, l.Preprocessing, cfg.Eval.BatchSize, cfg.Data.Workers, cfg.Train.OnBadImage == "stop")
	if err != nil {
		return nil, nil, err
	}
	return ds, loader, l.Network.Takes(loader, ds.Len())
}
