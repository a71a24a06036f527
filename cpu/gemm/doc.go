// Package gemm multiplies float32 matrices on the CPU. Matrices are row-major
// with a leading dimension, the distance in floats from one row to the next.
//
// Like a convolution's, a product's shape becomes a plan once ([New]), and
// the plan runs with scratch memory of the caller's, allocates nothing and
// gives the same bits whatever the number of threads:
//
//	g, err := gemm.New(gemm.Shape{Op: gemm.NN, M: 128, N: 10, K: 64}, gemm.Options{Bias: true})
//	scratch := make([]float32, g.ScratchFloats(p.Threads()))
//	g.Run(p, a, b, bias, c, scratch)
//
// A matrix product is a convolution of 1×1 filters, whose pixels are the rows
// of A; it shares that engine, and its micro-kernels.
package gemm
