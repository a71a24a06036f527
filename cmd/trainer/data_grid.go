package main

import (
	"context"
	"fmt"
	"image/png"
	"io"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/sheet"
	"github.com/seed52467199/trainer/internal/atomicfile"
	"github.com/seed52467199/trainer/train"
)

// grid is a picture of training images as the network sees them.
type grid struct {
	file           string
	samples, draws int
}

// draw writes the grid of a configuration's training pipeline: a row for each of
// some samples, and in it an epoch a column.
func (g grid) draw(ctx context.Context, a *app, cfg *configs.Config) error {
	if g.samples < 1 || g.draws < 1 || g.samples > 100 || g.draws > 100 {
		return usage(fmt.Errorf("--samples %d --draws %d: each must be from 1 to 100", g.samples, g.draws))
	}
	job, err := train.OpenPreview(*cfg)
	if err != nil {
		return usage(err)
	}
	n := min(g.samples, job.TrainData.Len())
	job.TrainData = data.Spaced(job.TrainData, n)
	job.Config.Data.Shuffle, job.Config.Train.BatchSize, job.Config.Train.OnBadImage = false, n, "stop"
	job.Config.Data.Sampler, job.Config.Augment.Repeats, job.Config.Augment.Splits = "shuffle", 1, 1 // each once
	loader, err := job.TrainLoader()
	if err != nil {
		return usage(err)
	}
	names := make([]string, n)
	for i := range names {
		if data.TaskOf(job.TrainData) == data.Classify {
			names[i] = job.Classes[job.TrainData.Label(i)]
		}
	}
	look := sheet.Look{Mean: job.Preprocessing.Mean, Std: job.Preprocessing.Std}
	look.Height, look.Width, look.Channels = loader.Shape()
	s := sheet.New(look, names, g.draws)
	for epoch := range g.draws {
		if err := paintEpoch(ctx, s, loader, epoch); err != nil {
			return err
		}
	}
	if err := atomicfile.Write(g.file, func(w io.Writer) error { return png.Encode(w, s) }); err != nil {
		return fmt.Errorf("writing the grid: %w", err)
	}
	a.say("%s: %d samples of %s, %d draws of each", g.file, n, cfg.Data.TrainSplit, g.draws)
	return a.result(map[string]any{"grid": g.file, "samples": n, "draws": g.draws, "size": look.Height, "channels": look.Channels})
}

// paintEpoch makes a column of an epoch's only batch.
func paintEpoch(ctx context.Context, s *sheet.Sheet, l *data.Loader, epoch int) error {
	it := l.Epoch(ctx, uint64(epoch), 0)
	defer it.Close()
	for it.Next() {
		b := it.Batch()
		size := b.Height * b.Width * b.Channels
		for i := range b.N {
			s.Paint(i, epoch, b.Images[i*size:(i+1)*size])
		}
		it.Release(b)
	}
	return it.Err()
}
