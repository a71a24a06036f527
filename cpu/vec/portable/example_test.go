package portable_test

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

func ExampleGELU() {
	x := []float64{-1, 0, 1}
	y := make([]float64, len(x))
	portable.GELU(y, x)
	fmt.Printf("%.6f\n", y)
	// Output: [-0.158655 0.000000 0.841345]
}

func ExampleCrossEntropy() {
	grad := make([]float32, 3)
	loss := portable.CrossEntropy(grad, []float32{0, 0, 0}, 1, 0, 1)
	fmt.Printf("%.4f %.4f\n", loss, grad)
	// Output: 1.0986 [0.3333 -0.6667 0.3333]
}
