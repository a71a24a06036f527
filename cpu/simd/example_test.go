package simd_test

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
)

// One tile of a matrix product: every row of a has the factors 1, 2, 3.
func ExampleRows() {
	k := simd.For(isa.Active()).Rows[0]
	a := []float32{1, 2, 3}
	b := make([]float32, 3*k.NR)
	for i := range b {
		b[i] = float32(i / k.NR) // rows of 0, 1 and 2
	}
	c := make([]float32, k.MR*k.NR)
	rowA, rowC := make([]int, k.MR), make([]int, k.MR)
	for i := range rowC {
		rowC[i] = i * k.NR
	}
	tap := 0
	k.Run(&a[0], &rowA[0], &rowC[0], 1, &tap, 1, len(a), &b[0], &c[0], nil, 0, 10)
	fmt.Println(c[0], c[len(c)-1])
	// Output: 8 8
}
