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
	ep := conv.Epilogue{Bias: o.Bias, Clip: bounds(o.Clip), Wide: o.Part.Wide, Start: o.Part.Start}
	f, err := conv.NewForward(convShape(o.Window, o.Groups, c.In[0], partOf(c, o)), ep, method)
	if err != nil {
		return plan{}, err
	}
	if o.Moments {
		return convMoments(c, o, f, threads), nil
	}
	return into(c, o, sharing(f.String(), f.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		x, w, bias, y := forwardOperands(m, o)
		return func() { f.Run(threads, x, w, bias, y, scratch) }
	})), nil
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
			then := momentsTold(y, parts, ch)
			return []stage{sums.cleared(parts), {shared: func() { f.RunThen(threads, x, w, bias, y, scratch, then) }}, total}
		}
		read := sums.stage(parts, func(sums []float64, lo, hi int) {
			vec.ChannelMoments(sums[:ch], sums[ch:], y[lo*ch:hi*ch])
		})
		return []stage{{shared: func() { f.Run(threads, x, w, bias, y, scratch) }}, read, total}
	}}
}

// momentsTold adds what is told of y to the sums of its ch channels, and of their squares,
// in parts.
func momentsTold[E vec.Element](y []E, parts []float64, ch int) *conv.Then {
	return &conv.Then{Told: func(part, at, pixels, n int) {
		k := at % ch
		sum, squares := parts[2*part*ch+k:][:n], parts[(2*part+1)*ch+k:][:n]
		vec.StridedMoments(sum, squares, y[at:], pixels, ch)
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
	return inputGradOf(c, o, g, threads), nil
}

// inputGradPlan is the plans of package conv for maps of an element.
type inputGradPlan[E vec.Element] interface {
	forwardPlan
	RunThen(p *pool.Pool, dy []E, w []float32, dx []E, scratch []float32, then *conv.Then)
}

func inputGradOf[E vec.Element](c op.Call, o op.Conv2DInputGrad, g inputGradPlan[E], threads *pool.Pool) plan {
	if o.Norm.On {
		return convNormGrad(c, o, g, threads)
	}
	return plan{name: g.String(), scratch: 4 * g.ScratchFloats(threads.Threads()), bind: func(m operands) []stage {
		return inputGradStages(m, o, g, floats(m.scratch), threads, nil)
	}}
}

// inputGradStages are the stages of an input gradient; then is told of its values
// unless it is nil.
func inputGradStages[E vec.Element](m operands, o op.Conv2DInputGrad, g inputGradPlan[E], scratch []float32, threads *pool.Pool, then *conv.Then) []stage {
	dy, w, dx := as[E](m.in[0]), floats(m.in[1]), as[E](m.out[0])
	run := stage{shared: func() { g.RunThen(threads, dy, w, dx, scratch, then) }}
	if !o.Add || &m.in[2][0] == &m.out[0][0] {
		return []stage{run}
	}
	before := as[E](m.in[2])
	return []stage{elements(len(dx)).stage(func(lo, hi int) { copy(dx[lo:hi], before[lo:hi]) }), run}
}

// convNormGrad masks the gradient and sums up what the batch norm behind it wants:
// as the convolution writes or, where its algorithm does not tell, in a stage of
// their own.
func convNormGrad[E vec.Element](c op.Call, o op.Conv2DInputGrad, g inputGradPlan[E], threads *pool.Pool) plan {
	n, ch := columnsOf(c.Out[0])
	sums := sumColumns(n, ch, 2*ch)
	own := g.Parts() > 0
	if own {
		sums.split = split{g.Parts(), 1}
	}
	at := 2
	if o.Add {
		at = 3
	}
	return plan{name: g.String(), scratch: 8*sums.size() + 2*4*ch + 4*g.ScratchFloats(threads.Threads()), bind: func(m operands) []stage {
		dx, x := as[E](m.out[0]), as[E](m.in[at])
		parts := cut[float64](&m.scratch, sums.size())
		mask := newChannelMask(o, m.in[at+1:], &m.scratch, ch)
		beside := [][]byte{m.in[at]}
		var y []E
		if o.Norm.Residual {
			y = as[E](m.in[at+3])
			beside = append(beside, m.in[at+3])
		}
		add := func(sum, product []float64, at, pixels, n int) {
			k := at % ch
			var behind []E
			if y != nil {
				behind = y[at:]
			}
			vec.MaskMoments(sum, product, dx[at:], x[at:], behind, mask.mean[k:k+n], mask.of(k, n), pixels, ch)
		}
		stages, total := mask.stages(), mask.total(sums, parts, floats(m.out[1]), floats(m.out[2]))
		scratch := floats(m.scratch)
		if own {
			stages = append(stages, sums.cleared(parts))
			then := &conv.Then{Beside: beside, Told: func(part, at, pixels, n int) {
				k := at % ch
				add(parts[2*part*ch+k:][:n], parts[(2*part+1)*ch+k:][:n], at, pixels, n)
			}}
			return append(append(stages, inputGradStages(m, o, g, scratch, threads, then)...), total)
		}
		stages = append(stages, inputGradStages(m, o, g, scratch, threads, nil)...)
		return append(stages, sums.stage(parts, func(s []float64, lo, hi int) { add(s[:ch], s[ch:], lo*ch, hi-lo, ch) }), total)
	}}
}

// channelMask is the channels' part of a vec.Mask, for an op.NormMask.
type channelMask struct {
	mean, invStd  []float32
	gamma, beta   []float32 // where the clip is made again
	scale, shift  []float32
	least, most   float32
	channelNumber int
}

// newChannelMask takes a mask's inputs from the mean on, and memory for scale and
// shift from scratch.
func newChannelMask(o op.Conv2DInputGrad, in [][]byte, scratch *[]byte, ch int) *channelMask {
	m := &channelMask{mean: floats(in[0]), invStd: floats(in[1]), channelNumber: ch}
	m.scale, m.shift = cut[float32](scratch, ch), cut[float32](scratch, ch)
	m.least, m.most = bounds(o.Norm.Clip).Bounds()
	if o.Norm.Clip.On() && !o.Norm.Residual {
		m.gamma, m.beta = floats(in[2]), floats(in[3])
	}
	return m
}

// stages make scale and shift, where they are wanted.
func (m *channelMask) stages() []stage {
	if m.gamma == nil {
		return nil
	}
	return []stage{channels(m.channelNumber).stage(func(lo, hi int) {
		for k := lo; k < hi; k++ {
			m.scale[k], m.shift[k] = affine(m.gamma[k], m.beta[k], float64(m.mean[k]), float64(m.invStd[k]))
		}
	})}
}

// of is the mask of n channels from k on.
func (m *channelMask) of(k, n int) vec.Mask {
	v := vec.Mask{Lo: m.least, Hi: m.most}
	if m.gamma != nil {
		v.Scale, v.Shift = m.scale[k:k+n], m.shift[k:k+n]
	}
	return v
}

// total makes dgamma and dbeta of the sums.
func (m *channelMask) total(sums columnSums, parts []float64, dgamma, dbeta []float32) stage {
	ch := m.channelNumber
	return channels(ch).stage(func(lo, hi int) {
		for k := lo; k < hi; k++ {
			dbeta[k], dgamma[k] = float32(sums.total(parts, k)), float32(sums.total(parts, ch+k)*float64(m.invStd[k]))
		}
	})
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
