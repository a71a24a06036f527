package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// narrow plans a call with operands in bfloat16: with a kernel made for them or,
// where there is none, with the float32 one.
func (d *Device) narrow(c op.Call) (plan, error) {
	if !d.strict {
		if p, err := fastNarrow(c, d.method, d.threads); err != nil || p.bind != nil {
			return p, err
		}
	}
	if o, ok := c.Op.(op.Conv2D); ok && o.Moments && c.Narrow.Result(0) {
		return d.narrowMoments(c, o)
	}
	if o, ok := c.Op.(op.Conv2DInputGrad); ok && (o.Norm.On || o.Add) && c.Narrow.Result(0) {
		return d.narrowInputGrad(c, o)
	}
	wide := c
	wide.Narrow = op.Operands{}
	p, err := d.plan(wide)
	return widened(c, p), err
}

// narrowInputGrad adds what is to be added to the gradient that is stored, masks it,
// and takes the sums that the batch norm behind it wants, in a stage of its own.
func (d *Device) narrowInputGrad(c op.Call, o op.Conv2DInputGrad) (plan, error) {
	bare, plain := o, c
	bare.Norm, bare.Add = op.NormMask{}, false
	plain.Op, plain.In, plain.Out = bare, c.In[:2], c.Out[:1]
	plain.Narrow.In &= 1<<2 - 1
	p, err := d.plan(plain)
	if err != nil {
		return plan{}, err
	}
	for i := 2; i < len(c.In); i++ {
		if len(c.In[i]) > 1 && !c.Narrow.Input(i) || !vec.Halves() {
			return inputGradAfter[float32](c, o, p, d.Threads()), nil
		}
	}
	return inputGradAfter[uint16](c, o, p, d.Threads()), nil
}

// inputGradAfter is a plan p of an input gradient and, after it, the addition, the mask
// and the sums. The result may lie where the addend does, so that with an addition p's
// lies in scratch memory.
func inputGradAfter[E vec.Element](c op.Call, o op.Conv2DInputGrad, p plan, workers int) plan {
	n, ch := columnsOf(c.Out[0])
	sums, windows := sumColumns(n, ch, 2*ch), streaming[E](c, ch, workers)
	own, bare := round(p.scratch, alignment), 0
	if o.Add {
		bare = round(2*n*ch, alignment)
	}
	return plan{name: p.name, scratch: own + bare + 8*sums.size() + windows.scratch(5) + 2*4*ch, bind: func(m operands) []stage {
		inner := operands{ctx: m.ctx, in: m.in[:2], out: m.out[:1], scratch: m.scratch[:p.scratch]}
		m.scratch = m.scratch[own:]
		g, at := windows.result(&m, 0), 2
		gradient := func(w, lo, hi int) []E { return g.take(w, lo, hi) }
		if o.Add {
			inner.out = [][]byte{cut[byte](&m.scratch, bare)[:2*n*ch]}
			made := windows.of(&m, inner.out[0], true)
			other := windows.input(&m, at)
			gradient = func(w, lo, hi int) []E {
				dx := g.room(w, lo, hi)
				vec.Add(dx, made.take(w, lo, hi), other.take(w, lo, hi))
				return dx
			}
			at++
		}
		stages := p.bind(inner)
		if !o.Norm.On {
			return append(stages, windows.over(rows(n, ch), func(w, lo, hi int) {
				gradient(w, lo, hi)
				g.put(w, lo, hi)
			}))
		}
		parts := cut[float64](&m.scratch, sums.size())
		x, mask := windows.input(&m, at), newChannelMask(o, m.in[at+1:], &m.scratch, ch)
		var y *stream[E]
		if o.Norm.Residual {
			y = windows.input(&m, at+3)
		}
		return append(append(stages, mask.stages()...), windows.sum(sums, parts, func(sums []float64, w, lo, hi int) {
			var behind []E
			if y != nil {
				behind = y.take(w, lo, hi)
			}
			vec.MaskMoments(sums[:ch], sums[ch:], gradient(w, lo, hi), x.take(w, lo, hi), behind, mask.mean, mask.of(0, ch), (hi-lo)/ch, ch)
			g.put(w, lo, hi)
		}), mask.total(sums, parts, floats(m.out[1]), floats(m.out[2])))
	}}
}

// narrowMoments has the moments of the values that are stored, not of those before
// rounding: they are what the batch norm reads.
func (d *Device) narrowMoments(c op.Call, o op.Conv2D) (plan, error) {
	o.Moments = false
	plain := c
	plain.Op, plain.Out = o, c.Out[:1]
	p, err := d.plan(plain)
	if err != nil {
		return plan{}, err
	}
	n, ch := columnsOf(c.Out[0])
	sums, windows := sumColumns(n, ch, 2*ch), streaming[float32](c, ch, d.Threads())
	own := round(p.scratch, alignment)
	return plan{name: p.name, scratch: own + 8*sums.size() + windows.scratch(1), bind: func(m operands) []stage {
		inner := operands{ctx: m.ctx, in: m.in, out: m.out[:1], scratch: m.scratch[:p.scratch]}
		m.scratch = m.scratch[own:]
		parts := cut[float64](&m.scratch, sums.size())
		y, mean, variance := windows.result(&m, 0), floats(m.out[1]), floats(m.out[2])
		return append(p.bind(inner), windows.sum(sums, parts, func(sums []float64, w, lo, hi int) {
			vec.ChannelMoments(sums[:ch], sums[ch:], y.take(w, lo, hi))
		}), sums.momentsStage(parts, mean, variance, ch, n))
	}}, nil
}

// widened is the plan for operands in bfloat16 of a kernel p for float32: its
// narrow operands are copied to and from scratch memory.
func widened(c op.Call, p plan) plan {
	if p.bind == nil {
		return p
	}
	scratch := round(p.scratch, alignment)
	size := func(s op.Shape) int { return round(4*op.Size(s), alignment) }
	total := scratch
	for i, s := range c.In {
		if c.Narrow.Input(i) {
			total += size(s)
		}
	}
	for i, s := range c.Out {
		if c.Narrow.Result(i) {
			total += size(s)
		}
	}
	return plan{name: p.name, scratch: total, bind: func(m operands) []stage {
		rest := m.scratch[scratch:]
		inner := operands{ctx: m.ctx, in: append([][]byte(nil), m.in...), out: append([][]byte(nil), m.out...), scratch: m.scratch[:p.scratch]}
		take := func(s op.Shape) []byte {
			b := rest[:4*op.Size(s)]
			rest = rest[size(s):]
			return b
		}
		var before, after []stage
		for i, s := range c.In {
			if !c.Narrow.Input(i) {
				continue
			}
			inner.in[i] = take(s)
			x, y := as[uint16](m.in[i]), floats(inner.in[i])
			before = append(before, elements(len(y)).stage(func(lo, hi int) { vec.Widen(y[lo:hi], x[lo:hi]) }))
		}
		for i, s := range c.Out {
			if !c.Narrow.Result(i) {
				continue
			}
			inner.out[i] = take(s)
			x, y := floats(inner.out[i]), as[uint16](m.out[i])
			after = append(after, elements(len(y)).stage(func(lo, hi int) { vec.Narrow(y[lo:hi], x[lo:hi]) }))
		}
		return append(append(before, p.bind(inner)...), after...)
	}}
}

// round is n rounded up to a multiple of to.
func round(n, to int) int { return (n + to - 1) / to * to }
