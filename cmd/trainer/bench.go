package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/train"
)

// benchBatch is the usual batch for timing a model: large maps come in small
// batches, and in smaller ones where the network is deep.
func benchBatch(name string, c models.Config) int {
	switch {
	case name == "resnet50":
		return 16
	case c.InputSize <= 64:
		return 128
	}
	return 32
}

// benchRig is a network on random data.
type benchRig struct {
	dev      *cpu.Device
	network  *train.Network
	opt      *optim.Optimizer // of training
	examples data.Batch
	logits   []float32
	batch    int
	size     int
	memory   train.MemoryPlan // of training

	training bool
}

func (a *app) newBenchRig(name, mode, precision string, batch, size int, memory string) (*benchRig, error) {
	dtype, err := op.ParsePrecision(precision)
	if err != nil {
		return nil, usage(fmt.Errorf("--precision: %w", err))
	}
	if mode != "train" && mode != "eval" {
		return nil, usage(fmt.Errorf("--mode %s: it must be train, eval or, in bench, data", mode))
	}
	info, err := models.Info(name)
	if err != nil {
		return nil, usage(err)
	}
	r := &benchRig{training: mode == "train", batch: cmp.Or(batch, benchBatch(name, info)), size: cmp.Or(size, info.InputSize)}
	limit, err := configs.ParseBytes(memory)
	if err != nil {
		return nil, usage(fmt.Errorf("--memory %w", err))
	}
	if r.batch < 1 || r.size < 1 {
		return nil, usage(fmt.Errorf("--batch %d --size %d: both must be at least 1", r.batch, r.size))
	}
	if r.dev, err = openDevice(a.device, a.threads, a.convolution); err != nil {
		return nil, err
	}
	ps := graph.NewParams(uint64(a.seed))
	chans := info.InChans
	m, err := models.New(name, ps.Root(), models.Options{NumClasses: info.NumClasses, InChans: chans, ImageSize: r.size})
	if err != nil {
		return nil, usage(err)
	}
	if err := ps.Place(r.dev); err != nil {
		return nil, err
	}
	r.network, err = train.NewNetwork(train.Network{Module: m, Params: ps, Height: r.size, Width: r.size, Channels: chans,
		Classes: info.NumClasses, Objective: train.Objective{Name: "cross_entropy"}, Precision: dtype}, uint64(a.seed))
	if err != nil {
		return nil, err
	}
	if r.training {
		r.opt, err = optim.New(ps, optim.Config{Name: "sgd", Momentum: 0.9}, optim.GroupBy(trainedParams(ps), optim.DecayWeights(0)))
		if err != nil {
			return nil, err
		}
	}
	s := rng.New(uint64(a.seed), "bench")
	r.examples = data.Batch{N: r.batch, Images: make([]float32, r.batch*r.size*r.size*chans), Labels: make([]int32, r.batch)}
	for i := range r.examples.Images {
		r.examples.Images[i] = float32(s.Norm())
	}
	for i := range r.examples.Labels {
		r.examples.Labels[i] = int32(s.IntN(info.NumClasses))
	}
	r.logits = make([]float32, r.batch*info.NumClasses)
	if r.training {
		r.memory, err = r.network.PlanMemory(int(limit), r.batch, false, train.Holding{Copies: 1})
		if err != nil {
			return nil, usage(fmt.Errorf("--memory: %w", err))
		}
		if m := r.memory.Activations; m.Repeated > 0 {
			a.say("%d MiB for activations, %d MiB saved by recomputing %d layers, about %.1f %% more time", m.Bytes>>20, (m.Whole-m.Bytes)>>20, m.Repeated, 100*m.ExtraTime)
		}
	}
	return r, nil
}

func trainedParams(ps *graph.Params) []*graph.Param {
	return slices.DeleteFunc(slices.Clone(ps.All()), func(p *graph.Param) bool { return !p.Role.Trained() })
}

// step is one training step or one evaluation of the batch.
func (r *benchRig) step() error {
	if !r.training {
		return r.network.Logits(r.logits, r.examples.Images, r.batch)
	}
	if _, err := r.network.Backward(&r.examples, false); err != nil {
		return err
	}
	_, err := r.opt.Step(0.01, 1)
	return err
}

func benchCommand(a *app) *cobra.Command {
	var model, mode, precision, memory string
	var batch, size, steps int
	var loader benchDataFlags
	c := &cobra.Command{
		Use:   "bench --model NAME",
		Short: "Time a model on random data, or the loader on real data",
		Example: `  trainer bench --model resnet18 --mode train --json
  trainer bench --mode data --data DIR --threads 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if mode == "data" {
				return a.benchData(c, loader, model, batch, size, steps)
			}
			if model == "" {
				return usage(errors.New("--model is missing: it names the model to time"))
			}
			if steps < 1 {
				return usage(fmt.Errorf("--steps %d: at least 1", steps))
			}
			r, err := a.newBenchRig(model, mode, precision, batch, size, memory)
			if err != nil {
				return err
			}
			defer r.dev.Close()
			return a.bench(c, r, model, mode, precision, steps)
		},
	}
	f := c.Flags()
	f.StringVar(&model, "model", "", "the model's name")
	f.IntVar(&batch, "batch", 0, "images a step (default: the model's usual)")
	f.IntVar(&size, "size", 0, "height and width of an image (default: the model's)")
	f.IntVar(&steps, "steps", 8, "timed steps, after three that are not")
	f.StringVar(&mode, "mode", "train", "train (forward, loss, backward, SGD with momentum), eval, or data (the loader alone)")
	f.StringVar(&precision, "precision", "f32", "f32 or bf16")
	loader.add(c)
	f.StringVar(&memory, "memory", "0", "memory that training may take, such as 2GiB (train.memory); 0 for any")
	a.runFlags(c)
	return c
}

func (a *app) bench(c *cobra.Command, r *benchRig, model, mode, precision string, steps int) error {
	var times []time.Duration
	var first time.Duration // from the program's start to the end of the first step
	for i := range 3 + steps {
		if err := c.Context().Err(); err != nil {
			return err
		}
		start := time.Now()
		if err := r.step(); err != nil {
			return err
		}
		switch {
		case i == 0:
			first = time.Since(a.started)
		case i >= 3:
			times = append(times, time.Since(start))
		}
	}
	slices.Sort(times)
	median := (times[(steps-1)/2] + times[steps/2]) / 2
	p, err := r.network.Program(r.batch, r.training)
	if err != nil {
		return err
	}
	flops := int64(0)
	for _, s := range p.Steps() {
		if !s.Again {
			flops += s.Work.FLOPs
		}
	}
	rate := float64(r.batch) / median.Seconds()
	gflops := float64(flops) / median.Seconds() / 1e9
	rss := peakRSS()
	a.say("%s %s %s, batch %d of %dx%d, %d threads: %.1f images/s, step %.1f ms (least %.1f), %.0f GF/s, peak %d MB, first step after %.2f s", model, mode, precision,
		r.batch, r.size, r.size, r.dev.Threads(), rate, ms(median), ms(times[0]), gflops, rss, first.Seconds())
	return a.result(map[string]any{"images_per_s": rate, "step_ms_median": ms(median), "step_ms_min": ms(times[0]), "first_step_s": first.Seconds(), "gflops": gflops,
		"peak_rss_mb": rss, "arena_mb": p.ArenaBytes() >> 20, "recomputed": p.MemoryPlan().Repeated, "batch": r.batch, "size": r.size, "threads": r.dev.Threads(), "model": model, "mode": mode, "precision": precision})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
