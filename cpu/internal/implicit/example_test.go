package implicit_test

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Differences of neighbours in a row of five pixels: taps 0 and 1, weights
// -1 and 1, and a last position whose right neighbour counts as zero.
func ExampleRows() {
	p := pool.New(1)
	defer p.Close()
	r := implicit.NewRows(implicit.RowsSpec{
		Geometry: implicit.Geometry{
			Images: 1, InH: 1, InW: 5, InPixel: 1, Groups: 1, Channels: 1, Repeat: 1,
			OutH: 1, OutW: 5, StepH: 1, StepW: 1,
			TapsH: []int{0}, TapsW: []int{0, 1},
		},
		Weights: implicit.Weights{TapH: []int{0}, TapW: []int{0, 1}, K: 1, N: 1},
		Out:     implicit.Output{Image: 5, Row: 5, Pixel: 1, Channels: 1},
		Fold:    1,
	}, simd.For(isa.Active()))
	y := make([]float32, 5)
	r.Run(p, []float32{1, 4, 9, 16, 25}, []float32{-1, 1}, nil, y, make([]float32, r.ScratchFloats(1)), false)
	fmt.Println(y)
	// Output: [3 5 7 9 -25]
}
