package cpu

import (
	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// The convolutions with activations in bfloat16. Where package conv has no plan for
// them, the plans have no bind.

func narrowConv2D(c op.Call, o op.Conv2D, method conv.Method, threads *pool.Pool) (plan, error) {
	if o.Moments || c.Narrow != (op.Operands{In: 1, Out: 1}) {
		return plan{}, nil
	}
	f, err := conv.NewHalfForward(convShape(o.Window, o.Groups, c.In[0], c.Out[0]), conv.Epilogue{Bias: o.Bias, Clip: bounds(o.Clip)}, method)
	if f == nil {
		return plan{}, err
	}
	return sharing(f.String(), f.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, w, y := as[uint16](m.in[0]), floats(m.in[1]), as[uint16](m.out[0])
		var bias []float32
		if o.Bias {
			bias = floats(m.in[2])
		}
		return func() { f.Run(threads, x, w, bias, y, scratch) }
	}), nil
}

func narrowConv2DWeightGrad(c op.Call, o op.Conv2DWeightGrad, method conv.Method, threads *pool.Pool) (plan, error) {
	if c.Narrow != (op.Operands{In: 3}) {
		return plan{}, nil
	}
	g, err := conv.NewHalfWeightGrad(convShape(o.Window, o.Groups, c.In[0], c.In[1]), method)
	if g == nil {
		return plan{}, err
	}
	return sharing(g.String(), g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, dy, dw := as[uint16](m.in[0]), as[uint16](m.in[1]), floats(m.out[0])
		return func() { g.Run(threads, x, dy, dw, scratch) }
	}), nil
}

func narrowConv2DInputGrad(c op.Call, o op.Conv2DInputGrad, method conv.Method, threads *pool.Pool) (plan, error) {
	if o.Add || c.Narrow != (op.Operands{In: 1, Out: 1}) {
		return plan{}, nil
	}
	g, err := conv.NewHalfInputGrad(convShape(o.Window, o.Groups, c.Out[0], c.In[0]), method)
	if g == nil {
		return plan{}, err
	}
	return sharing(g.String(), g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		dy, w, dx := as[uint16](m.in[0]), floats(m.in[1]), as[uint16](m.out[0])
		return func() { g.Run(threads, dy, w, dx, scratch) }
	}), nil
}
