package cpu

import "github.com/seed52467199/trainer/graph/op"

// A linear layer is a 1x1 convolution of a map of one pixel.

func linear[T number](c op.Call, o op.Linear) plan {
	return convForward[T](pointwise(c.In[0], c.Out[0]), o.Bias, limitsOf[T](o.Clip), c.In[1][1], 0)
}

func linearInputGrad[T number](c op.Call) plan {
	return convInputGrad[T](pointwise(c.Out[0], c.In[0]), false)
}

func linearWeightGrad[T number](c op.Call) plan {
	return convWeightGrad[T](pointwise(c.In[0], c.In[1]))
}

// pointwise is the convolution that takes x (..., I) to y (..., O).
func pointwise(x, y op.Shape) convolution {
	n, in := columnsOf(x)
	_, out := columnsOf(y)
	return newConvolution(op.Square(1, 1, 0), 1, op.Shape{n, 1, 1, in}, op.Shape{n, 1, 1, out})
}
