package data_test

import (
	"context"
	"fmt"

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
