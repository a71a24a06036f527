package cpu

import (
	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

func fastLinear(c op.Call, o op.Linear, threads *pool.Pool) (plan, error) {
	return fastForward(pointwiseShape(c.In[0], c.Out[0]), conv.Epilogue{Bias: o.Bias}, threads)
}

func fastLinearInputGrad(c op.Call, threads *pool.Pool) (plan, error) {
	return fastInputGrad(pointwiseShape(c.Out[0], c.In[0]), threads)
}

func fastLinearWeightGrad(c op.Call, threads *pool.Pool) (plan, error) {
	return fastWeightGrad(pointwiseShape(c.In[0], c.In[1]), threads)
}

// pointwiseShape is the 1x1 convolution that takes x (N, I) to y (N, O), each a
// map of N pixels in a row.
func pointwiseShape(x, y op.Shape) conv.Shape {
	return convShape(op.Square(1, 1, 0), 1, op.Shape{1, 1, x[0], x[1]}, op.Shape{1, 1, y[0], y[1]})
}
