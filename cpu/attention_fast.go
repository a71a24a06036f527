package cpu

import (
	"github.com/seed52467199/trainer/cpu/gemm"
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// headProducts are the products of one head, which read and write the packed values in
// place. A thread does a whole head of a sample, whose probabilities are in its scratch
// memory and nowhere else.
type headProducts struct {
	heads
	plans            []*products
	area             int // of a square of tokens, in floats
	squares, scratch int // of each thread: squares, and floats for the products
}

func newHeadProducts(s heads, squares int, shapes []gemm.Shape, threads int) (*headProducts, error) {
	h := &headProducts{heads: s, area: round(s.tokens*s.tokens, alignment), squares: squares}
	for _, shape := range shapes {
		p, err := newProducts(shape, gemm.Options{}, threads)
		if err != nil {
			return nil, err
		}
		h.plans, h.scratch = append(h.plans, p), max(h.scratch, p.scratch)
	}
	return h, nil
}

// own is a thread's part of the scratch memory: its squares, and what its products need.
func (s *headProducts) own(worker int, scratch []float32) (squares, rest []float32) {
	size := s.squares*s.area + s.scratch
	part := scratch[worker*size:][:size]
	return part[:s.squares*s.area], part[s.squares*s.area:]
}

// scaled adds bias and penalties to the products of the queries and keys of one head, in
// place, and multiplies by the scale before.
func (s *headProducts) scaled(p, bias []float32, n, h int) {
	vec.Scale(p, p, float32(s.scale))
	if bias != nil {
		vec.Add(p, p, bias[h*s.tokens*s.tokens:][:s.tokens*s.tokens])
	}
	if len(s.regions) == 0 {
		return
	}
	r := s.regions[n%len(s.regions)]
	for t, own := range r {
		row := p[t*s.tokens:][:s.tokens]
		for b, other := range r {
			if other != own {
				row[b] -= op.RegionPenalty
			}
		}
	}
}

func fastAttention(c op.Call, o op.Attention, threads int) (plan, error) {
	layout := headsOf(c.In[0], o)
	l, d, packed := layout.tokens, layout.depth, 3*layout.channels
	s, err := newHeadProducts(layout, 1, []gemm.Shape{
		{Op: gemm.NT, M: l, N: l, K: d, LDA: packed, LDB: packed},
		{Op: gemm.NN, M: l, N: d, K: l, LDB: packed, LDC: layout.channels},
	}, threads)
	if err != nil {
		return plan{}, err
	}
	return plan{name: "gemm by head", scratch: 4 * threads * (s.area + s.scratch), bind: func(m operands) []stage {
		x, y, logs, scratch := floats(m.in[0]), floats(m.out[0]), floats(m.out[1]), floats(m.scratch)
		var bias []float32
		if o.Bias {
			bias = floats(m.in[1])
		}
		return []stage{{pieces: s.samples * s.number, do: func(worker, i int) {
			n, h := i/s.number, i%s.number
			p, own := s.own(worker, scratch)
			p = p[:l*l]
			s.plans[0].run(worker, x[s.query(n, 0, h):], x[s.key(n, 0, h):], p, own)
			s.scaled(p, bias, n, h)
			vec.SoftmaxSums(p, p, logs[i*l:][:l], l)
			s.plans[1].run(worker, p, x[s.value(n, 0, h):], y[s.result(n, 0, h):], own)
		}}}
	}}, nil
}

// fastAttentionGrad gives a thread one head of a sample or, where the bias's gradient is
// summed over samples, of all samples in turn.
func fastAttentionGrad(c op.Call, o op.AttentionGrad, threads int) (plan, error) {
	layout := headsOf(c.In[0], op.Attention(o))
	l, d, packed, width := layout.tokens, layout.depth, 3*layout.channels, layout.channels
	s, err := newHeadProducts(layout, 2, []gemm.Shape{
		{Op: gemm.NT, M: l, N: l, K: d, LDA: packed, LDB: packed}, // q * k'
		{Op: gemm.NT, M: l, N: l, K: d, LDA: width, LDB: packed},  // dy * v'
		{Op: gemm.TN, M: l, N: d, K: l, LDB: width, LDC: packed},  // dv = p' * dy
		{Op: gemm.NN, M: l, N: d, K: l, LDB: packed, LDC: packed}, // dq = dlogits * k
		{Op: gemm.TN, M: l, N: d, K: l, LDB: packed, LDC: packed}, // dk = dlogits' * q
	}, threads)
	if err != nil {
		return plan{}, err
	}
	return plan{name: "gemm by head", scratch: 4 * threads * (2*s.area + s.scratch), bind: func(m operands) []stage {
		x, y, logs, dy, dx := floats(m.in[0]), floats(m.in[1]), floats(m.in[2]), floats(m.in[3]), floats(m.out[0])
		var bias, dbias []float32
		if o.Bias {
			bias, dbias = floats(m.in[4]), floats(m.out[1])
		}
		scratch := floats(m.scratch)
		head := func(worker, n, h int) {
			squares, own := s.own(worker, scratch)
			p, dp := squares[:l*l], squares[s.area:][:l*l]
			s.plans[0].run(worker, x[s.query(n, 0, h):], x[s.key(n, 0, h):], p, own)
			s.scaled(p, bias, n, h)
			s.plans[1].run(worker, dy[s.result(n, 0, h):], x[s.value(n, 0, h):], dp, own)
			for t := range l {
				at, row, onRow := s.result(n, t, h), p[t*l:][:l], dp[t*l:][:l]
				vec.Affine(row, row, 1, -logs[(n*s.number+h)*l+t])
				vec.Affine(onRow, onRow, 1, -float32(vec.Dot(dy[at:at+d], y[at:at+d])))
			}
			vec.Exp(p, p)
			s.plans[2].run(worker, p, dy[s.result(n, 0, h):], dx[s.value(n, 0, h):], own)
			vec.Mul(dp, dp, p)
			if dbias != nil {
				to := dbias[h*l*l:][:l*l]
				vec.Add(to, to, dp)
			}
			vec.Scale(dp, dp, float32(s.scale))
			s.plans[3].run(worker, dp, x[s.key(n, 0, h):], dx[s.query(n, 0, h):], own)
			s.plans[4].run(worker, dp, x[s.query(n, 0, h):], dx[s.key(n, 0, h):], own)
		}
		if dbias == nil {
			return []stage{{pieces: s.samples * s.number, do: func(worker, i int) { head(worker, i/s.number, i%s.number) }}}
		}
		return []stage{{pieces: s.number, do: func(worker, h int) {
			clear(dbias[h*l*l:][:l*l])
			for n := range s.samples {
				head(worker, n, h)
			}
		}}}
	}}, nil
}
