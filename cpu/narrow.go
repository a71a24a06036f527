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
	if o, ok := c.Op.(op.Conv2DInputGrad); ok && o.Norm.On && c.Narrow.Result(0) {
		return d.narrowNormGrad(c, o)
	}
	wide := c
	wide.Narrow = op.Operands{}
	p, err := d.plan(wide)
	return widened(c, p), err
}

// narrowNormGrad masks the gradient that is stored, and takes the sums that the
// batch norm behind it wants, in a stage of its own.
func (d *Device) narrowNormGrad(c op.Call, o op.Conv2DInputGrad) (plan, error) {
	plain, inputs := c, 2
	if o.Add {
		inputs = 3
	}
	bare := o
	bare.Norm = op.NormMask{}
	plain.Op, plain.In, plain.Out = bare, c.In[:inputs], c.Out[:1]
	plain.Narrow.In &= 1<<inputs - 1
	p, err := d.plan(plain)
	if err != nil {
		return plan{}, err
	}
	if c.Narrow.Input(inputs) && (!o.Norm.Residual || c.Narrow.Input(inputs+3)) && vec.Halves() {
		return maskedAfter[uint16](c, o, p, inputs, d.Threads()), nil
	}
	return maskedAfter[float32](c, o, p, inputs, d.Threads()), nil
}

// maskedAfter is a plan p of an input gradient with that many inputs, and after it the
// mask and the sums.
func maskedAfter[E vec.Element](c op.Call, o op.Conv2DInputGrad, p plan, inputs, workers int) plan {
	n, ch := columnsOf(c.Out[0])
	sums, windows := sumColumns(n, ch, 2*ch), streaming[E](c, ch, workers)
	own := round(p.scratch, alignment)
	return plan{name: p.name, scratch: own + 8*sums.size() + windows.scratch(3) + 2*4*ch, bind: func(m operands) []stage {
		inner := operands{ctx: m.ctx, in: m.in[:inputs], out: m.out[:1], scratch: m.scratch[:p.scratch]}
		m.scratch = m.scratch[own:]
		parts := cut[float64](&m.scratch, sums.size())
		mask := newChannelMask(o, m.in[inputs+1:], &m.scratch, ch)
		g, x := windows.result(&m, 0), windows.input(&m, inputs)
		var y *stream[E]
		if o.Norm.Residual {
			y = windows.input(&m, inputs+3)
		}
		stages := append(p.bind(inner), mask.stages()...)
		return append(stages, windows.sum(sums, parts, func(sums []float64, w, lo, hi int) {
			var behind []E
			if y != nil {
				behind = y.take(w, lo, hi)
			}
			vec.MaskMoments(sums[:ch], sums[ch:], g.take(w, lo, hi), x.take(w, lo, hi), behind, mask.mean, mask.of(0, ch), (hi-lo)/ch, ch)
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
