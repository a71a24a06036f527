package cpu

import (
	"github.com/seed52467199/trainer/cpu/conv"
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// The convolutions whose factors are in bfloat16 and multiplied so. Where there is no
// such plan, the plans have no bind.

func narrowConv2D(c op.Call, o op.Conv2D, m conv.Method, threads *pool.Pool) (plan, error) {
	shape, ep := convShape(o.Window, o.Groups, c.In[0], c.Out[0]), conv.Epilogue{Bias: o.Bias, Clip: bounds(o.Clip), Trained: o.Trained}
	switch c.Narrow {
	case op.Operands{Out: 1}:
		f, err := conv.NewImageForward(shape, ep)
		if f == nil {
			return plan{}, err
		}
		return narrowForward(c, o, f, threads, func(m operands, w, bias []float32, y []uint16, scratch []float32, then *conv.Then) func() {
			x := floats(m.in[0])
			return func() { f.RunThen(threads, x, w, bias, y, scratch, then) }
		}), nil
	case op.Operands{In: 1, Out: 1}:
		f, err := conv.NewHalfForward(shape, ep, m)
		if f == nil {
			return plan{}, err
		}
		return narrowForward(c, o, f, threads, func(m operands, w, bias []float32, y []uint16, scratch []float32, then *conv.Then) func() {
			x := as[uint16](m.in[0])
			return func() { f.RunThen(threads, x, w, bias, y, scratch, then) }
		}), nil
	}
	return plan{}, nil
}

// forwardPlan is what the plans of package conv have in common.
type forwardPlan interface {
	String() string
	ScratchFloats(threads int) int
	Parts() int
}

// narrowForward is the plan that run makes of f, and where they are wanted the moments
// from its parts.
func narrowForward(c op.Call, o op.Conv2D, f forwardPlan, threads *pool.Pool,
	run func(m operands, w, bias []float32, y []uint16, scratch []float32, then *conv.Then) func()) plan {
	n, ch := columnsOf(c.Out[0])
	sums := columnSums{split{0, 1}, 2 * ch}
	if o.Moments {
		sums.n = f.Parts()
	}
	return plan{name: f.String(), scratch: 8*sums.size() + 4*f.ScratchFloats(threads.Threads()), bind: func(m operands) []stage {
		var bias []float32
		if o.Bias {
			bias = floats(m.in[2])
		}
		y := as[uint16](m.out[0])
		if !o.Moments {
			return []stage{{shared: run(m, floats(m.in[1]), bias, y, floats(m.scratch), nil)}}
		}
		parts := cut[float64](&m.scratch, sums.size())
		work := run(m, floats(m.in[1]), bias, y, floats(m.scratch), momentsTold(y, parts, ch))
		return []stage{sums.cleared(parts), {shared: work}, sums.momentsStage(parts, floats(m.out[1]), floats(m.out[2]), ch, n)}
	}}
}

func narrowConv2DWeightGrad(c op.Call, o op.Conv2DWeightGrad, m conv.Method, threads *pool.Pool) (plan, error) {
	if c.Narrow == (op.Operands{In: 2}) {
		g, err := conv.NewImageWeightGrad(convShape(o.Window, o.Groups, c.In[0], c.In[1]))
		if g == nil {
			return plan{}, err
		}
		return sharing(g.String(), g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
			x, dy, dw := floats(m.in[0]), as[uint16](m.in[1]), floats(m.out[0])
			return func() { g.Run(threads, x, dy, dw, scratch) }
		}), nil
	}
	if c.Narrow != (op.Operands{In: 3}) {
		return plan{}, nil
	}
	g, err := conv.NewHalfWeightGrad(convShape(o.Window, o.Groups, c.In[0], c.In[1]), m)
	if g == nil {
		return plan{}, err
	}
	return sharing(g.String(), g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, dy, dw := as[uint16](m.in[0]), as[uint16](m.in[1]), floats(m.out[0])
		return func() { g.Run(threads, x, dy, dw, scratch) }
	}), nil
}

// narrowConv2DInputGrad gives no plan where what is to be done after the gradient cannot be
// done while that is written.
func narrowConv2DInputGrad(c op.Call, o op.Conv2DInputGrad, m conv.Method, threads *pool.Pool) (plan, error) {
	if !c.Narrow.Result(0) {
		return plan{}, nil
	}
	for i := range c.In {
		if isMap := i != 1 && len(c.In[i]) > 1; isMap != c.Narrow.Input(i) {
			return plan{}, nil
		}
	}
	g, err := conv.NewHalfInputGrad(convShape(o.Window, o.Groups, c.Out[0], c.In[0]), m)
	if g == nil || o.Norm.On && (g.Parts() == 0 || !vec.Halves()) {
		return plan{}, err
	}
	g.Accumulate = o.Add
	return inputGradOf(c, o, g, threads), nil
}
