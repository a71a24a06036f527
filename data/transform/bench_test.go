package transform_test

import (
	"testing"

	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/internal/rng"
)

// The fused pass alone: the picture has the size already.
func BenchmarkNormalize224(b *testing.B) {
	b.ReportAllocs()
	p, err := transform.NewTrain(transform.Train{Output: plain(224, 3), HFlip: 0.5})
	if err != nil {
		b.Fatal(err)
	}
	src := counting(224, 224, 3)
	out := make([]float32, 224*224*3)
	var w transform.Workspace
	s := rng.New(1, "bench")
	for b.Loop() {
		if err := p.Apply(out, src, &w, s); err != nil {
			b.Fatal(err)
		}
	}
}

// What automatic augmentation costs beside the crop, on average over its draws.
func BenchmarkAuto224(b *testing.B) {
	src := counting(280, 260, 3)
	out := make([]float32, 224*224*3)
	for _, auto := range autos {
		b.Run(auto, func(b *testing.B) {
			b.ReportAllocs()
			p, err := transform.NewTrain(transform.Train{Output: plain(224, 3), Crop: "rrc", HFlip: 0.5, Auto: auto})
			if err != nil {
				b.Fatal(err)
			}
			var w transform.Workspace
			s := rng.New(1, "bench")
			for b.Loop() {
				if err := p.Apply(out, src, &w, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
