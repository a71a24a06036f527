package vec_test

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/cpu/vec"
)

// Batch norm with ReLU over four pixels of two channels.
func Example() {
	x := []float32{1, 10, 2, 20, 3, 30, 4, 40}
	const channels, rows = 2, 4

	var sum, squares [channels]float64
	vec.ChannelMoments(sum[:], squares[:], x)

	var scale, shift [channels]float32
	for c := range channels {
		mean := sum[c] / rows
		variance := squares[c]/rows - mean*mean
		scale[c] = float32(1 / math.Sqrt(variance))
		shift[c] = float32(-mean / math.Sqrt(variance))
	}
	y := make([]float32, len(x))
	vec.Normalize(y, x, scale[:], shift[:], 0, float32(math.Inf(1)))
	fmt.Printf("mean %.1f, y %.2f\n", sum[0]/rows, y)
	// Output: mean 2.5, y [0.00 0.00 0.00 0.00 0.45 0.45 1.34 1.34]
}
