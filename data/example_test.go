package data_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/transform"
)

// One epoch over the embedded digits, augmented.
func Example() {
	train, err := data.Open("digits", "", "train", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	augment, err := transform.NewTrain(transform.Train{
		Output: transform.Output{Size: 8, Channels: 1, Mean: []float64{0.305}, Std: []float64{0.376}},
		Crop:   "pad1",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	loader, err := data.NewLoader(train, augment, data.LoaderOptions{
		BatchSize: 128, Shuffle: true, DropLast: true, Workers: 2, Seed: 42,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	it := loader.Epoch(context.Background(), 0, 0)
	defer it.Close()
	batches, samples := 0, 0
	for it.Next() {
		b := it.Batch()
		batches++
		samples += b.N
		it.Release(b)
	}
	fmt.Println(batches, "batches,", samples, "samples, error:", it.Err())
	// Output: 11 batches, 1408 samples, error: <nil>
}

// A table of measurements: its features are standardised as they are measured, and
// its values come with the batches.
func ExampleOpen_table() {
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "cars.csv")
	table := "weight,cylinders,target\n1000,4,14.5\n1400,6,10.25\n1800,8,7.5\n"
	if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	cars, err := data.Open("csv", path, "all", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	mean, std, err := data.MeanStd(cars, cars.Channels(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	standardize, err := data.NewStandardize(mean, std)
	if err != nil {
		fmt.Println(err)
		return
	}
	loader, err := data.NewLoader(cars, standardize, data.LoaderOptions{BatchSize: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	it := loader.Epoch(context.Background(), 0, 0)
	defer it.Close()
	for it.Next() {
		b := it.Batch()
		fmt.Printf("%s: %.2f to %v\n", data.TaskOf(cars), b.Images, b.Targets)
		it.Release(b)
	}
	// Output: regress: [-1.22 -1.22 0.00 0.00 1.22 1.22] to [14.5 10.25 7.5]
}
