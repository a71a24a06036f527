package cpu

import (
	"github.com/seed52467199/trainer/cpu/gemm"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

func fastLinear(c op.Call, o op.Linear, threads *pool.Pool) (plan, error) {
	n, in := columnsOf(c.In[0])
	return product(gemm.Shape{Op: gemm.NN, M: n, N: c.In[1][1], K: in}, gemm.Options{Bias: o.Bias, Clip: bounds(o.Clip)}, threads)
}

func fastLinearInputGrad(c op.Call, threads *pool.Pool) (plan, error) {
	n, out := columnsOf(c.In[0])
	return product(gemm.Shape{Op: gemm.NT, M: n, N: c.In[1][0], K: out}, gemm.Options{}, threads)
}

func fastLinearWeightGrad(c op.Call, threads *pool.Pool) (plan, error) {
	n, in := columnsOf(c.In[0])
	_, out := columnsOf(c.In[1])
	return product(gemm.Shape{Op: gemm.TN, M: in, N: out, K: n}, gemm.Options{}, threads)
}

// product is the plan of a product of the first two inputs.
func product(s gemm.Shape, o gemm.Options, threads *pool.Pool) (plan, error) {
	g, err := gemm.New(s, o)
	if err != nil {
		return plan{}, err
	}
	return sharing("gemm", g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		a, b, y := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		var row []float32
		if o.Bias {
			row = floats(m.in[2])
		}
		return func() { g.Run(threads, a, b, row, y, scratch) }
	}), nil
}
