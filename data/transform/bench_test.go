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
