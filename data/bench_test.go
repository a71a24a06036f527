package data_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/transform"
)

// run measures a loader over endless epochs: images a second, and allocations a
// batch.
func run(b *testing.B, l *data.Loader) {
	b.ReportAllocs()
	images, epoch := 0, uint64(0)
	it := l.Epoch(context.Background(), epoch, 0)
	for b.Loop() {
		for !it.Next() {
			if it.Err() != nil {
				b.Fatal(it.Err())
			}
			epoch++
			it = l.Epoch(context.Background(), epoch, 0)
		}
		images += it.Batch().N
		it.Release(it.Batch())
	}
	it.Close()
	b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
}

func BenchmarkLoaderPadCrop32(b *testing.B) {
	pixels := make([]uint8, 2000*32*32*3)
	for i := range pixels {
		pixels[i] = uint8(i * i)
	}
	ds, err := data.FromPixels("random", pixels, 32, 32, 3, make([]int32, 2000), []string{"x"})
	if err != nil {
		b.Fatal(err)
	}
	p, err := transform.NewTrain(transform.Train{
		Output: transform.Output{Size: 32, Channels: 3, Mean: []float64{0.5}, Std: []float64{0.25}},
		Crop:   "pad4", HFlip: 0.5,
	})
	if err != nil {
		b.Fatal(err)
	}
	run(b, newLoader(b, ds, p, data.LoaderOptions{BatchSize: 128, Shuffle: true, Workers: 2, DropLast: true}))
}

// Photographs of 500x375 pixels from files, to 224x224.
func BenchmarkLoaderPhotographs(b *testing.B) {
	root := filepath.Join(os.Getenv("TRAINER_DATA"), "hymenoptera")
	if os.Getenv("TRAINER_DATA") == "" {
		b.Skip("TRAINER_DATA names no folder with photographs")
	}
	ds := open(b, "folder", root, "train")
	p, err := transform.NewTrain(transform.Train{
		Output: transform.Output{Size: 224, Channels: 3, Mean: []float64{0.5}, Std: []float64{0.25}},
		Crop:   "rrc", HFlip: 0.5, VFlip: 0.5,
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, workers := range []int{1, 2} {
		b.Run(map[int]string{1: "one worker", 2: "two workers"}[workers], func(b *testing.B) {
			run(b, newLoader(b, ds, p, data.LoaderOptions{BatchSize: 16, Shuffle: true, Workers: workers, DropLast: true}))
		})
	}
}
