package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
)

func profileCommand(a *app) *cobra.Command {
	var model, mode, precision, memory string
	var batch, size, steps int
	var w weightFlags
	var dir, split string
	c := &cobra.Command{
		Use:   "profile --model NAME | --checkpoint P [--data DIR]",
		Short: "Time each step of a model on random data, or tell how a checkpoint uses its channels on real data",
		Example: `  trainer profile --model resnet50
  trainer profile --checkpoint runs/flowers --data flowers`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if w.checkpoint != "" || w.weights != "" {
				w.model = model
				return w.with(a, func(_ graph.Device, l *train.Loaded, cfg *configs.Config) error {
					return a.profileChannels(c, l, cfg, dir, split)
				})
			}
			if model == "" {
				return usage(errors.New("no model: name it with --model NAME, or weights with --checkpoint P"))
			}
			r, err := a.newBenchRig(model, mode, precision, batch, size, memory)
			if err != nil {
				return err
			}
			defer r.dev.Close()
			return a.profile(r, max(steps, 1))
		},
	}
	f := c.Flags()
	f.StringVar(&model, "model", "", "the model's name")
	f.StringVar(&w.checkpoint, "checkpoint", "", "a run folder, a checkpoint or a file of weights, of which channels are looked at")
	f.StringVar(&w.weights, "weights", "", "a file of weights that carries no configuration; then with --model")
	f.IntVar(&w.numClasses, "num-classes", 0, "classes of the weights (default: as they tell)")
	f.StringVar(&dir, "data", "", "with weights: where the data is (default: as in training)")
	f.StringVar(&split, "split", "", "with weights: the split to look at (default: val)")
	c.MarkFlagsMutuallyExclusive("checkpoint", "weights")
	f.IntVar(&batch, "batch", 0, "images a step (default: the model's usual)")
	f.IntVar(&size, "size", 0, "height and width of an image (default: the model's)")
	f.IntVar(&steps, "steps", 5, "timed steps, after one that is not")
	f.StringVar(&mode, "mode", "train", "train or eval")
	f.StringVar(&precision, "precision", "f32", "f32 or bf16")
	f.StringVar(&memory, "memory", "0", "memory that training may take, such as 2GiB (train.memory); 0 for any")
	a.runFlags(c)
	return c
}

// profile prints what each step costs.
func (a *app) profile(r *benchRig, steps int) error {
	if err := r.step(); err != nil {
		return err
	}
	p, err := r.network.Program(r.batch, r.training)
	if err != nil {
		return err
	}
	infos := p.Steps()
	times := make([]time.Duration, len(infos))
	for range steps {
		if err := p.RunTimed(times); err != nil {
			return err
		}
	}
	var total time.Duration
	for i := range times {
		times[i] /= time.Duration(steps)
		total += times[i]
	}
	var rows []map[string]any
	for i, s := range infos {
		seconds := times[i].Seconds()
		row := map[string]any{"op": s.Call.Op.Kind(), "again": s.Again, "param": s.Param, "in": s.Call.In, "out": s.Call.Out, "kernel": s.Kernel,
			"ms": ms(times[i]), "share": 100 * seconds / total.Seconds(), "flops": s.Work.FLOPs, "gflops": float64(s.Work.FLOPs) / seconds / 1e9,
			"gb_per_s": float64(s.Work.Bytes) / seconds / 1e9}
		rows = append(rows, row)
		if !a.json {
			fmt.Fprintf(a.stdout, "%-24s %-36s %9.3f ms %5.1f%% %8.1f GF/s %7.1f GB/s  %s\n", s.Call.Op.Kind(), s.Param, ms(times[i]),
				row["share"], row["gflops"], row["gb_per_s"], s.Kernel)
		}
	}
	a.say("%.2f ms in %d steps, %d MiB of working memory", ms(total), len(infos), p.ArenaBytes()>>20)
	return a.result(map[string]any{"steps": rows, "ms": ms(total), "arena_bytes": p.ArenaBytes()})
}

// profileChannels tells of each activation which channels are dead and how much alike they
// are.
func (a *app) profileChannels(c *cobra.Command, l *train.Loaded, cfg *configs.Config, dir, split string) error {
	ds, loader, err := evalData(l, cfg, dir, split)
	if err != nil {
		return usage(err)
	}
	stats, err := train.Channels(c.Context(), l.Network, loader, uint64(cfg.Train.Seed))
	if err != nil {
		return err
	}
	var rows []map[string]any
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	if !a.json {
		fmt.Fprintln(t, "layer\tactivation\tchannels\tdead\tmean |correlation|")
	}
	dead, channels := 0, 0
	for _, s := range stats {
		dead, channels = dead+len(s.Dead), channels+s.Channels
		rows = append(rows, map[string]any{"layer": s.Layer, "activation": s.Activation, "channels": s.Channels, "dead": s.Dead, "correlation": s.Correlation})
		if !a.json {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.3f\n", s.Layer, s.Activation, s.Channels, len(s.Dead), s.Correlation)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	a.say("%d of %d channels are zero on all %d images", dead, channels, ds.Len())
	return a.result(map[string]any{"layers": rows, "dead": dead, "channels": channels, "images": ds.Len()})
}
