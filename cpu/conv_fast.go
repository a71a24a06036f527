package cpu

import (
	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/cpu/vec"
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

func fastConv2D(c op.Call, o op.Conv2D, method conv.Method, threads *pool.Pool) (plan, error) {
	f, err := conv.NewForward(convShape(o.Window, o.Groups, c.In[0], c.Out[0]), conv.Epilogue{Bias: o.Bias, Clip: bounds(o.Clip)}, method)
	if err != nil {
		return plan{}, err
	}
	if o.Moments {
		return convMoments(c, o, f, threads), nil
	}
	return sharing(f.String(), f.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, w, bias, y := forwardOperands(m, o)
		return func() { f.Run(threads, x, w, bias, y, scratch) }
	}), nil
}

func forwardOperands(m operands, o op.Conv2D) (x, w, bias, y []float32) {
	if o.Bias {
		bias = floats(m.in[2])
	}
	return floats(m.in[0]), floats(m.in[1]), bias, floats(m.out[0])
}

// convMoments makes mean and variance, too: from sums that the convolution makes
// while it writes or, where its algorithm makes none, from a stage that reads y.
func convMoments(c op.Call, o op.Conv2D, f *conv.Forward, threads *pool.Pool) plan {
	n, ch := columnsOf(c.Out[0])
	sums := sumColumns(n, ch, 2*ch)
	own := f.Parts() > 0
	if own {
		sums.split = split{f.Parts(), 1}
	}
	return plan{name: f.String(), scratch: 8*sums.size() + 4*f.ScratchFloats(threads.Threads()), bind: func(m operands) []stage {
		x, w, bias, y := forwardOperands(m, o)
		mean, variance := floats(m.out[1]), floats(m.out[2])
		parts := cut[float64](&m.scratch, sums.size())
		scratch := floats(m.scratch)
		total := sums.momentsStage(parts, mean, variance, ch, n)
		if own {
			return []stage{{shared: func() { f.RunMoments(threads, x, w, bias, y, scratch, parts) }}, total}
		}
		read := sums.stage(parts, func(sums []float64, lo, hi int) {
			vec.ChannelMoments(sums[:ch], sums[ch:], y[lo*ch:hi*ch])
		})
		return []stage{{shared: func() { f.Run(threads, x, w, bias, y, scratch) }}, read, total}
	}}
}

// bounds is a clip as the kernels take it.
func bounds(c op.Clip) simd.Clip { return simd.Clip{Lo: float32(c.Lo), Hi: float32(c.Hi)} }

func fastConv2DInputGrad(c op.Call, o op.Conv2DInputGrad, m conv.Method, threads *pool.Pool) (plan, error) {
	g, err := conv.NewInputGrad(convShape(o.Window, o.Groups, c.Out[0], c.In[0]), m)
	if err != nil {
		return plan{}, err
	}
	g.Accumulate = o.Add
	n := op.Size(c.Out[0])
	return plan{name: g.String(), scratch: 4 * g.ScratchFloats(threads.Threads()), bind: func(m operands) []stage {
		dy, w, dx, scratch := floats(m.in[0]), floats(m.in[1]), floats(m.out[0]), floats(m.scratch)
		run := stage{shared: func() { g.Run(threads, dy, w, dx, scratch) }}
		if !o.Add || &m.in[2][0] == &m.out[0][0] {
			return []stage{run}
		}
		before := floats(m.in[2])
		return []stage{elements(n).stage(func(lo, hi int) { copy(dx[lo:hi], before[lo:hi]) }), run}
	}}, nil
}

func fastConv2DWeightGrad(c op.Call, o op.Conv2DWeightGrad, m conv.Method, threads *pool.Pool) (plan, error) {
	return fastWeightGrad(convShape(o.Window, o.Groups, c.In[0], c.In[1]), m, threads)
}

func fastWeightGrad(s conv.Shape, m conv.Method, threads *pool.Pool) (plan, error) {
	g, err := conv.NewWeightGrad(s, m)
	if err != nil {
		return plan{}, err
	}
	return sharing(g.String(), g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, dy, dw := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func() { g.Run(threads, x, dy, dw, scratch) }
	}), nil
}

// sharing is the plan, by its name, of work that shares itself out among the
// threads, with scratch memory of this many float32s.
func sharing(name string, scratch int, over func(m operands, scratch []float32) func()) plan {
	return plan{name: name, scratch: 4 * scratch, bind: func(m operands) []stage {
		return []stage{{shared: over(m, floats(m.scratch))}}
	}}
}
