package main

import (
	"cmp"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/train"
)

// benchDataFlags are what times the loader alone: no network runs.
type benchDataFlags struct {
	dir     string
	workers int
}

func (b *benchDataFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&b.dir, "data", "", "where the data of --mode data is")
	f.IntVar(&b.workers, "workers", 0, "goroutines that make images in --mode data, 0 for one a core")
}

// The pipeline that is timed, unless --set says otherwise: ImageNet's.
var benchPipeline = []string{"augment.crop=rrc", "augment.interpolation=bicubic", "augment.hflip=0.5"}

// benchDataSteps are the batches that are timed, unless --steps says otherwise: a
// batch takes milliseconds.
const benchDataSteps = 100

// benchData times the loader of a training run: reading, decoding, cropping,
// resizing, flipping, normalising.
func (a *app) benchData(c *cobra.Command, b benchDataFlags, model string, batch, size, steps int) error {
	if !c.Flags().Changed("steps") {
		steps = benchDataSteps
	}
	batch = cmp.Or(batch, 32)
	if batch < 1 || size < 0 || steps < 1 || b.workers < 0 || a.threads < 0 {
		return usage(fmt.Errorf("--batch %d --size %d --steps %d --workers %d --threads %d: batch and steps must be at least 1, the others not below 0",
			batch, size, steps, b.workers, a.threads))
	}
	cfg, err := configs.Load("", configs.Options{Set: append(benchPipeline[:len(benchPipeline):len(benchPipeline)], a.set...), CheckModel: checkModel, CheckAuto: transform.CheckAuto})
	if err != nil {
		return usage(err)
	}
	cfg.Data.Root = cmp.Or(b.dir, cfg.Data.Root)
	size = cmp.Or(size, cfg.Data.Size)
	if model = cmp.Or(model, cfg.Model.Name); model != "" {
		info, err := models.Info(model)
		if err != nil {
			return usage(err)
		}
		size = cmp.Or(size, info.InputSize)
	}
	// Threads are cores here: what Go may use for the loader and its own needs.
	if a.threads > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(a.threads))
	}
	l, err := a.benchLoader(cfg, cmp.Or(b.workers, cfg.Data.Workers, runtime.GOMAXPROCS(0)), batch, cmp.Or(size, 224))
	if err != nil {
		return err
	}
	return a.timeLoader(c, l, steps)
}

// benchLoader opens the training data.
func (a *app) benchLoader(cfg *configs.Config, workers, batch, size int) (*data.Loader, error) {
	if _, err := cfg.Data.Dir(); err != nil {
		return nil, usage(fmt.Errorf("%w; name the data with --data DIR", err))
	}
	ds, err := train.OpenData(cfg.Data, cfg.Data.TrainSplit, nil)
	if err != nil {
		return nil, usage(err)
	}
	channels := cmp.Or(cfg.Model.InChans, ds.Channels())
	out := transform.Output{Size: size, Channels: channels, Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}
	if channels == 1 {
		out.Mean, out.Std = []float64{0.449}, []float64{0.226}
	}
	t, err := train.TrainTransform(cfg.Augment, out)
	if err != nil {
		return nil, usage(err)
	}
	mixer, err := train.NewMixer(cfg.Augment, uint64(a.seed))
	if err != nil {
		return nil, usage(err)
	}
	l, err := data.NewLoader(ds, t, data.LoaderOptions{BatchSize: batch, Shuffle: cfg.Data.Shuffle, Sampler: cfg.Data.Sampler,
		Repeats: cfg.Augment.Repeats, Spread: cfg.Train.GradAccum, DropLast: true, Workers: workers, Seed: uint64(a.seed), OnError: data.Replace, Mix: mixer, Splits: cfg.Augment.Splits, Timed: true})
	return l, usage(err)
}

// timeLoader takes batches as fast as they come, from one epoch to the next.
func (a *app) timeLoader(c *cobra.Command, l *data.Loader, steps int) error {
	epoch := uint64(0)
	take := func(n int) error {
		it := l.Epoch(c.Context(), epoch, 0)
		defer func() { it.Close() }()
		for range n {
			for !it.Next() {
				if err := it.Err(); err != nil {
					return err
				}
				epoch++
				it = l.Epoch(c.Context(), epoch, 0)
			}
			it.Release(it.Batch())
		}
		return nil
	}
	if err := take(3); err != nil { // buffers grow
		return err
	}
	// Every batch that counts is made from here on. Those that the workers are
	// ahead with at the end do not count.
	before, start := l.Times(), time.Now()
	if err := take(steps); err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	o := l.Options()
	height, width, channels := l.Shape()
	cores := min(o.Workers, runtime.GOMAXPROCS(0))
	rate := float64(steps*o.BatchSize) / took
	times := l.Times()
	all := float64(times.All - before.All)
	decode, resize := 100*float64(times.Decode-before.Decode)/all, 100*float64(times.Resize-before.Resize)/all
	rest := max(100-decode-resize, 0)
	a.say("data, batch %d of %dx%dx%d, %d workers on %d cores: %.0f images/s, %.0f a core; decode %.0f%%, resize and normalise %.0f%%, rest %.0f%%",
		o.BatchSize, height, width, channels, o.Workers, cores, rate, rate/float64(cores), decode, resize, rest)
	return a.result(map[string]any{"mode": "data", "images_per_s": rate, "images_per_s_per_core": rate / float64(cores), "workers": o.Workers,
		"cores": cores, "threads": runtime.GOMAXPROCS(0), "batch": o.BatchSize, "size": height, "channels": channels,
		"decode_share": decode, "resize_share": resize, "rest_share": rest, "peak_rss_mb": peakRSS()})
}
