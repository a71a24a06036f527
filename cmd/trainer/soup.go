package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
	"github.com/seed52467199/trainer/train/metric"
)

// soupFlags say what is averaged and where it goes.
type soupFlags struct {
	evalFlags
	out      string
	greedy   bool
	bnUpdate bool
}

func soupCommand(a *app) *cobra.Command {
	var o soupFlags
	c := &cobra.Command{
		Use:   "soup --checkpoint A --checkpoint B --out DIR_OR_FILE",
		Short: "Average the weights of several trainings",
		Long: `Average the weights of several trainings of one model (a model soup): all of them, or
with --greedy, in the order of what each reaches alone on the validation data, those with
which the average does not fall. --bn-update computes the statistics of batch norms anew
over the training data. The result is a checkpoint, or a file of weights where
--out ends in .safetensors, which eval, predict, export and finetune take.`,
		Example: `  trainer soup --checkpoint runs/a --checkpoint runs/b --out runs/soup
  trainer soup --checkpoint 'runs/seed*' --greedy --out soup.safetensors`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.settle(c); err != nil {
				return usage(err)
			}
			dev, err := openDevice(a.device, a.threads, a.convolution)
			if err != nil {
				return err
			}
			defer dev.Close()
			return a.soup(c.Context(), dev, &o)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&o.checkpoints, "checkpoint", nil, "a run folder, a checkpoint or a file of weights, or a pattern with * for several; repeated")
	f.StringVar(&o.model, "model", "", "the model, where the weights do not tell it")
	f.IntVar(&o.numClasses, "num-classes", 0, "classes of the weights (default: as they tell)")
	f.StringVar(&o.out, "out", "", "the checkpoint folder, or the .safetensors file, to write")
	f.BoolVar(&o.greedy, "greedy", false, "leave out weights with which the average gets worse")
	f.BoolVar(&o.bnUpdate, "bn-update", false, "compute the statistics of batch norms anew, in an epoch of the training data")
	f.StringVar(&o.dir, "data", "", "with --greedy or --bn-update: where the data is (default: as in training)")
	f.StringVar(&o.split, "split", "", "with --greedy: the split to measure on (default: val)")
	_ = c.MarkFlagRequired("checkpoint")
	_ = c.MarkFlagRequired("out")
	a.runFlags(c)
	return c
}

// settle finds the weights and refuses what would not end well.
func (o *soupFlags) settle(c *cobra.Command) (err error) {
	if o.checkpoints, err = expand(o.checkpoints); err != nil {
		return err
	}
	if len(o.checkpoints) < 2 {
		return fmt.Errorf("--checkpoint: an average takes two checkpoints or more, and there is %d", len(o.checkpoints))
	}
	if !o.greedy && c.Flags().Changed("split") {
		return errors.New("--split is for --greedy, which measures on it")
	}
	if !o.greedy && !o.bnUpdate && c.Flags().Changed("data") {
		return errors.New("--data is for --greedy and --bn-update; the average of weights needs no data")
	}
	if filepath.Ext(o.out) == ".safetensors" {
		return nil
	}
	if entries, err := os.ReadDir(o.out); err == nil && len(entries) > 0 && !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "meta.json" }) {
		return fmt.Errorf("--out %s: the folder holds other things than a checkpoint; name a new one", o.out)
	}
	return nil
}

// ingredient is one of the weights with what it reaches alone.
type ingredient struct {
	path  string
	value float64
}

// taster measures averages.
type taster struct {
	*train.Evaluator
	by metric.Choice
	l  *train.Loaded // the network that is measured, and changed for it
}

// taster opens the data that averages are measured on.
func (a *app) taster(o *soupFlags, l *train.Loaded, cfg *configs.Config) (*taster, error) {
	e, err := a.evaluator(l, cfg, &o.evalFlags)
	if err != nil {
		return nil, err
	}
	by, err := metric.Choose(data.TaskOf(e.Loader.Dataset()), cfg.Eval.Metric)
	if err != nil {
		return nil, usage(fmt.Errorf("eval.metric: %w", err))
	}
	return &taster{e, by, l}, nil
}

// taste measures the average of what is in and of what with holds, if anything.
func (t *taster) taste(ctx context.Context, s *train.Soup, with *train.Loaded) (float64, error) {
	if err := s.Pour(t.l, with); err != nil {
		return 0, usage(err)
	}
	return t.measure(ctx)
}

// measure measures the network as it is.
func (t *taster) measure(ctx context.Context) (float64, error) {
	m, err := t.Run(ctx)
	if err != nil {
		return 0, err
	}
	v, ok := m.Figure(t.by.Name)
	if !ok {
		return 0, usage(fmt.Errorf("%s is not defined on these data: choose another eval.metric", t.by.Name))
	}
	return v, nil
}

// soup averages and writes the result.
func (a *app) soup(ctx context.Context, dev graph.Device, o *soupFlags) error {
	var s train.Soup
	own := *o
	own.checkpoint = o.checkpoints[0]
	base, cfg, err := own.load(a, dev) // which becomes the average
	if err != nil {
		return err
	}
	if o.bnUpdate {
		switch gathers, err := base.Network.GathersStatistics(); {
		case err != nil:
			return usage(err)
		case !gathers:
			return usage(fmt.Errorf("--bn-update: %s has no batch norm that takes the statistics of its batches (frozen and estimated ones do not), so there are none to compute: leave it out", base.Model.Name))
		}
	}
	r := map[string]any{"out": o.out, "used": o.checkpoints, "checkpoints": len(o.checkpoints)}
	var t *taster
	if o.greedy {
		if t, err = a.taster(o, base, cfg); err != nil {
			return err
		}
		r["used"], err = a.greedySoup(ctx, dev, &own, &s, t)
	} else {
		err = a.uniformSoup(dev, &own, &s)
	}
	if err != nil {
		return err
	}
	if err := s.Pour(base, nil); err != nil {
		return err
	}
	if o.bnUpdate {
		if err := updateNorms(ctx, base, cfg, o.dir); err != nil {
			return err
		}
	}
	metrics := map[string]float64{}
	if o.greedy {
		v, err := t.measure(ctx)
		if err != nil {
			return err
		}
		metrics[t.by.Name], r[t.by.Name] = v, v
		a.say("the average: %s %.4g", t.by.Name, v)
	}
	if err := writeSoup(o.out, base, metrics); err != nil {
		return err
	}
	a.say("%s: the average of %d of %d checkpoints", o.out, s.Count(), len(o.checkpoints))
	return a.result(r)
}

// updateNorms computes the statistics of batch norms over the training data.
func updateNorms(ctx context.Context, l *train.Loaded, cfg *configs.Config, dir string) error {
	ds, _, err := evalData(l, cfg, dir, cfg.Data.TrainSplit)
	if err != nil {
		return usage(err)
	}
	loader, err := l.TrainLoader(cfg, ds)
	if err != nil {
		return usage(err)
	}
	it := loader.Epoch(ctx, 0, 0)
	defer it.Close()
	return l.Network.MeasureNorms(it)
}

// uniformSoup takes all of the weights.
func (a *app) uniformSoup(dev graph.Device, own *soupFlags, s *train.Soup) error {
	for _, own.checkpoint = range own.checkpoints {
		l, _, err := own.load(a, dev)
		if err != nil {
			return err
		}
		if err := s.Add(l); err != nil {
			return usage(err)
		}
	}
	return nil
}

// greedySoup takes the best of the weights, and then each of the others, the better
// first, with which the average does not fall (Recipe 1 of Wortsman et al. 2022).
func (a *app) greedySoup(ctx context.Context, dev graph.Device, own *soupFlags, s *train.Soup, t *taster) (used []string, err error) {
	list := make([]ingredient, len(own.checkpoints))
	for i, path := range own.checkpoints {
		own.checkpoint = path
		l, _, err := own.load(a, dev)
		if err != nil {
			return nil, err
		}
		var alone train.Soup
		if err := alone.Add(l); err != nil {
			return nil, err
		}
		list[i].path = path
		if list[i].value, err = t.taste(ctx, &alone, nil); err != nil {
			return nil, err
		}
		a.say("%s: %s %.4g alone", path, t.by.Name, list[i].value)
	}
	slices.SortStableFunc(list, func(x, y ingredient) int {
		switch {
		case t.by.Better(x.value, y.value):
			return -1
		case t.by.Better(y.value, x.value):
			return 1
		}
		return 0
	})
	best := list[0].value
	for i, x := range list {
		own.checkpoint = x.path
		l, _, err := own.load(a, dev)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			v, err := t.taste(ctx, s, l)
			if err != nil {
				return nil, err
			}
			if t.by.Better(best, v) {
				a.say("%s: left out, with it %s is %.4g", x.path, t.by.Name, v)
				continue
			}
			best = v
			a.say("%s: taken, %s is %.4g", x.path, t.by.Name, v)
		}
		if err := s.Add(l); err != nil {
			return nil, err
		}
		used = append(used, x.path)
	}
	return used, nil
}

// writeSoup writes weights as a file or a checkpoint.
func writeSoup(out string, l *train.Loaded, metrics map[string]float64) error {
	if filepath.Ext(out) == ".safetensors" {
		_, err := writeSafetensors(out, l)
		return err
	}
	state, err := l.State(metrics)
	if err != nil {
		return err
	}
	state.Meta.TrainerVersion = version
	return checkpoint.Save(out, state)
}
