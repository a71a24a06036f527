package gemm_test

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/gemm"
	"github.com/seed52467199/trainer/internal/pool"
)

// A linear layer's three products: y = x·wᵀ + bias, dx = dy·w, dw = dyᵀ·x.
func Example() {
	p := pool.New(2)
	defer p.Close()
	x := []float32{1, 2, 3, 4, 5, 6} // 2 samples of 3 features
	w := []float32{1, 0, 1, 0, 2, 0} // 2 outputs of 3 features
	y := make([]float32, 4)
	g, err := gemm.New(gemm.Shape{Op: gemm.NT, M: 2, N: 2, K: 3}, gemm.Options{Bias: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	g.Run(p, x, w, []float32{10, 20}, y, make([]float32, g.ScratchFloats(p.Threads())))
	fmt.Println(y)
	// Output: [14 24 20 30]
}
