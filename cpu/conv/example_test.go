package conv_test

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/internal/pool"
)

// A 3×3 box filter over a 4×4 image, with the padding that keeps its size.
func Example() {
	p := pool.New(2)
	defer p.Close()
	s := conv.Shape{
		N: 1, H: 4, W: 4, C: 1, K: 1, KH: 3, KW: 3,
		StrideH: 1, StrideW: 1,
		PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1,
		DilationH: 1, DilationW: 1, Groups: 1,
	}
	f, err := conv.NewForward(s, conv.Epilogue{}, conv.Auto)
	if err != nil {
		fmt.Println(err)
		return
	}
	x := []float32{
		1, 1, 1, 1,
		1, 1, 1, 1,
		1, 1, 1, 1,
		1, 1, 1, 1,
	}
	w := []float32{1, 1, 1, 1, 1, 1, 1, 1, 1}
	y := make([]float32, s.OutH()*s.OutW())
	f.Run(p, x, w, nil, y, make([]float32, f.ScratchFloats(p.Threads())))
	for len(y) > 0 {
		fmt.Println(y[:4])
		y = y[4:]
	}
	// Output:
	// [4 6 6 4]
	// [6 9 9 6]
	// [6 9 9 6]
	// [4 6 6 4]
}
