package implicit

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Results written past the caches are the same, in maps whose last band and tile are
// not full.
func TestPastCaches(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	const images, size, channels = 3, 13, 20
	for level := isa.Generic; level <= isa.Best(); level++ {
		for _, columns := range []int{16, 32, 96} {
			t.Run(fmt.Sprintf("%s of %d", level, columns), func(t *testing.T) {
				p := NewRows(RowsSpec{
					Geometry: Geometry{Images: images, InH: size, InW: size, InPixel: channels, Groups: 1, Channels: channels, Repeat: 1,
						OutH: size, OutW: size, StepH: 1, StepW: 1, TapsH: []int{0}, TapsW: []int{0}},
					Weights: Weights{TapH: []int{0}, TapW: []int{0}, K: columns, N: 1},
					Out:     Output{Image: size * size * columns, Row: size * columns, Pixel: columns, Channels: columns},
					Clip:    simd.Clip{Lo: -1, Hi: 2}, Fold: 1,
				}, simd.For(level))
				if p.past {
					t.Fatal("a small result is written past the caches")
				}
				x, w := numbers(images*size*size*channels), numbers(channels*columns)
				y := [2][]float32{}
				for i := range y {
					n := images * size * size * columns
					y[i] = align(make([]float32, n+alignment))[:n]
					p.past = i > 0
					p.Run(workers, x, w, nil, y[i], make([]float32, p.ScratchFloats(2)), false)
				}
				if !slices.Equal(y[0], y[1]) {
					t.Error("the results differ")
				}
			})
		}
	}
}

func numbers(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*7919%1009)/500 - 1
	}
	return x
}
