package cpu

import (
	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// linearShape is a linear layer of n rows as a 1x1 convolution of maps of one pixel.
func linearShape(n, in, out int) conv.Shape {
	return conv.Shape{
		N: n, H: 1, W: 1, C: in, K: out, KH: 1, KW: 1,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 1,
	}
}

func fastLinear(c op.Call, o op.Linear, method conv.Method, threads *pool.Pool) (plan, error) {
	n, in := columnsOf(c.In[0])
	f, err := conv.NewForward(linearShape(n, in, c.In[1][1]), conv.Epilogue{Bias: o.Bias, Clip: bounds(o.Clip)}, method)
	if err != nil {
		return plan{}, err
	}
	return sharing(f.String(), f.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, w, y := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		var bias []float32
		if o.Bias {
			bias = floats(m.in[2])
		}
		return func() { f.Run(threads, x, w, bias, y, scratch) }
	}), nil
}

func fastLinearInputGrad(c op.Call, method conv.Method, threads *pool.Pool) (plan, error) {
	n, out := columnsOf(c.In[0])
	g, err := conv.NewInputGrad(linearShape(n, c.In[1][0], out), method)
	if err != nil {
		return plan{}, err
	}
	return sharing(g.String(), g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		dy, w, dx := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func() { g.Run(threads, dy, w, dx, scratch) }
	}), nil
}

func fastLinearWeightGrad(c op.Call, method conv.Method, threads *pool.Pool) (plan, error) {
	n, in := columnsOf(c.In[0])
	_, out := columnsOf(c.In[1])
	g, err := conv.NewWeightGrad(linearShape(n, in, out), method)
	if err != nil {
		return plan{}, err
	}
	return sharing(g.String(), g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, dy, dw := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func() { g.Run(threads, x, dy, dw, scratch) }
	}), nil
}
