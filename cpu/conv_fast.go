package cpu

import (
	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

func convShape(w op.Window, groups int, x, y op.Shape) conv.Shape {
	return conv.Shape{
		N: x[0], H: x[1], W: x[2], C: x[3], K: y[3], KH: w.KH, KW: w.KW,
		StrideH: w.StrideH, StrideW: w.StrideW,
		PadTop: w.PadTop, PadBottom: w.PadBottom, PadLeft: w.PadLeft, PadRight: w.PadRight,
		DilationH: w.DilationH, DilationW: w.DilationW,
		Groups: groups,
	}
}

func fastConv2D(c op.Call, o op.Conv2D, threads *pool.Pool) (plan, error) {
	return fastForward(convShape(o.Window, o.Groups, c.In[0], c.Out[0]), conv.Epilogue{Bias: o.Bias, Clip: bounds(o.Clip)}, threads)
}

// bounds is a clip as the kernels take it.
func bounds(c op.Clip) simd.Clip { return simd.Clip{Lo: float32(c.Lo), Hi: float32(c.Hi)} }

func fastConv2DInputGrad(c op.Call, o op.Conv2DInputGrad, threads *pool.Pool) (plan, error) {
	return fastInputGrad(convShape(o.Window, o.Groups, c.Out[0], c.In[0]), threads)
}

func fastConv2DWeightGrad(c op.Call, o op.Conv2DWeightGrad, threads *pool.Pool) (plan, error) {
	return fastWeightGrad(convShape(o.Window, o.Groups, c.In[0], c.In[1]), threads)
}

func fastForward(s conv.Shape, ep conv.Epilogue, threads *pool.Pool) (plan, error) {
	f, err := conv.NewForward(s, ep)
	if err != nil {
		return plan{}, err
	}
	return sharing(f.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, w, y := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		var bias []float32
		if ep.Bias {
			bias = floats(m.in[2])
		}
		return func() { f.Run(threads, x, w, bias, y, scratch) }
	}), nil
}

func fastInputGrad(s conv.Shape, threads *pool.Pool) (plan, error) {
	g, err := conv.NewInputGrad(s)
	if err != nil {
		return plan{}, err
	}
	return sharing(g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		dy, w, dx := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func() { g.Run(threads, dy, w, dx, scratch) }
	}), nil
}

func fastWeightGrad(s conv.Shape, threads *pool.Pool) (plan, error) {
	g, err := conv.NewWeightGrad(s)
	if err != nil {
		return plan{}, err
	}
	return sharing(g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, dy, dw := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func() { g.Run(threads, x, dy, dw, scratch) }
	}), nil
}

// sharing is the plan of work that shares itself out among the threads, with
// scratch memory of this many float32s.
func sharing(scratch int, over func(m operands, scratch []float32) func()) plan {
	return plan{scratch: 4 * scratch, bind: func(m operands) []stage {
		return []stage{{shared: over(m, floats(m.scratch))}}
	}}
}
