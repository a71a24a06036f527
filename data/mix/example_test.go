package mix_test

import (
	"fmt"
	"log"

	"github.com/seed52467199/trainer/data/mix"
)

// Two pictures of one pixel and their targets are blended by the same share.
func Example() {
	m, err := mix.New(mix.Options{Mixup: 0.2, Prob: 1, Mode: "batch", Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	shares := make([]mix.Share, 2)
	m.Draw(shares, 0, 0, 1, 1)
	images, targets := []float32{10, 20}, []float32{1, 0, 0, 1}
	mix.Images(images, shares, 1, 1, 1)
	mix.Targets(targets, shares, 2)
	fmt.Println(shares[0].Own == shares[1].Own, images[0]+images[1], targets[0]+targets[1])
	// Output: true 30 1
}
