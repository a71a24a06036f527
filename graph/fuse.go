package graph

import (
	"slices"

	"github.com/seed52467199/trainer/graph/op"
)

// fusion rewrites a list of steps into fewer. A fused step saves the passes over
// memory between its parts; its result is the same up to rounding.
type fusion struct {
	producer map[*value]*step
	readers  map[*value][]*step
	dropped  map[*step]bool
	replaced map[*step][]*step
	place    map[*step]int // in the list
}

// fuse applies the patterns: batch norm, residual add and clip, which is relu or
// its like; convolution, linear layer or add and clip; layers and the batch norm by
// constants behind them; convolution and the moments of its result; the gradient of
// an activation and the batch norm made again; the gradient of clip and of batch norm or bias; a sum of gradients and the convolution's in it; that
// and the sums of a batch norm's gradient; convolutions and the concatenation of their
// results. kept are the values that must exist after the run; narrow says that others
// may be kept in bfloat16.
func fuse(steps []*step, kept map[*value]bool, narrow bool) []*step {
	patterns := []func(*fusion, *step){(*fusion).clip, (*fusion).residual, (*fusion).foldNorm, (*fusion).moments, (*fusion).normActGrad, (*fusion).normGrad,
		(*fusion).biasGrad, (*fusion).sumGrad, (*fusion).normSums}
	if !narrow { // parts are for float32 kernels
		patterns = append(patterns, (*fusion).concat)
	}
	for _, pattern := range patterns {
		countUses(steps, kept)
		f := &fusion{producer: map[*value]*step{}, readers: map[*value][]*step{}, dropped: map[*step]bool{}, replaced: map[*step][]*step{}, place: map[*step]int{}}
		for i, s := range steps {
			f.place[s] = i
			for _, v := range s.out {
				f.producer[v] = s
			}
			for _, v := range s.in {
				f.readers[v] = append(f.readers[v], s)
			}
		}
		for _, s := range steps {
			if !f.dropped[s] {
				pattern(f, s)
			}
		}
		next := steps[:0:0]
		for _, s := range steps {
			if r := f.replaced[s]; r != nil {
				next = append(next, r...)
			} else if !f.dropped[s] {
				next = append(next, s)
			}
		}
		steps = next
	}
	return steps
}

// maker is the step that made v, if nothing but one operand reads v.
func (f *fusion) maker(v *value) *step {
	if s := f.producer[v]; v.uses == 1 && s != nil && s.out[0] == v && !f.dropped[s] && f.replaced[s] == nil {
		return s
	}
	return nil
}

// merge puts a step in the place of at and drops the others.
func (f *fusion) merge(at *step, fused *step, others ...*step) {
	f.replaced[at] = []*step{fused}
	for _, s := range others {
		f.dropped[s] = true
	}
}

// clip merges a relu or its like into what it clips.
func (f *fusion) clip(s *step) {
	a, ok := s.op.(op.Activation)
	clip := a.Func.Clip()
	if !ok || !clip.On() {
		return
	}
	m := f.maker(s.in[0])
	if m == nil {
		return
	}
	switch o := m.op.(type) {
	case op.Conv2D:
		o.Clip = clip
		f.merge(s, &step{op: o, in: m.in, out: s.out}, m)
	case op.Linear:
		o.Clip = clip
		f.merge(s, &step{op: o, in: m.in, out: s.out}, m)
	case op.BatchNorm, op.BatchNormInference:
		f.merge(s, normWith(m, nil, clip, s.out[0]), m)
	case op.Add:
		if norm, other := f.normOperand(m); norm != nil {
			f.merge(s, normWith(norm, other, clip, s.out[0]), m, norm)
			return
		}
		o.Clip = clip
		f.merge(s, &step{op: o, in: m.in, out: s.out}, m)
	}
}

// residual merges an add into the batch norm of one operand.
func (f *fusion) residual(s *step) {
	if o, ok := s.op.(op.Add); !ok || o.Clip.On() {
		return
	}
	if norm, other := f.normOperand(s); norm != nil {
		f.merge(s, normWith(norm, other, op.Clip{}, s.out[0]), norm)
	}
}

// normOperand finds an operand of an add that is a plain batch norm which nothing
// else reads, and gives the norm and the other operand.
func (f *fusion) normOperand(add *step) (norm *step, other *value) {
	if !add.in[0].shape.Eq(add.in[1].shape) {
		return nil, nil
	}
	for i, v := range add.in {
		m := f.maker(v)
		if m == nil {
			continue
		}
		switch o := m.op.(type) {
		case op.BatchNorm:
			if !o.Clip.On() && !o.Residual {
				return m, add.in[1-i]
			}
		case op.BatchNormInference:
			if !o.Clip.On() && !o.Residual {
				return m, add.in[1-i]
			}
		}
	}
	return nil, nil
}

// normWith is a batch norm with a residual, unless nil, and a clip added.
func normWith(norm *step, residual *value, clip op.Clip, y *value) *step {
	fused := &step{in: norm.in, out: append([]*value{y}, norm.out[1:]...)}
	if residual != nil {
		fused.in = append(norm.in[:len(norm.in):len(norm.in)], residual)
	}
	switch o := norm.op.(type) {
	case op.BatchNorm:
		o.Residual, o.Clip = residual != nil, clip
		fused.op = o
	case op.BatchNormInference:
		o.Residual, o.Clip = residual != nil, clip
		fused.op = o
	}
	return fused
}

// foldNorm makes a batch norm by running statistics part of the convolution or linear
// layer that it follows. A residual is added after that, in the memory of the sum.
func (f *fusion) foldNorm(s *step) {
	norm, ok := s.op.(op.BatchNormInference)
	m := f.maker(s.in[0])
	if !ok || m == nil {
		return
	}
	clip := norm.Clip
	if norm.Residual {
		clip = op.Clip{}
	}
	layer := &step{out: s.out}
	fold := op.FoldNorm{Eps: norm.Eps}
	switch o := m.op.(type) {
	case op.Conv2D:
		if o.Clip.On() {
			return
		}
		fold.Bias, o.Bias, o.Clip = o.Bias, true, clip
		layer.op = o
	case op.Linear:
		if o.Clip.On() {
			return
		}
		fold.Bias, o.Bias, o.Clip = o.Bias, true, clip
		layer.op = o
	default:
		return
	}
	weight, bias := &value{name: "weight", shape: m.in[1].shape}, &value{name: "bias", shape: s.in[1].shape}
	folding := &step{op: fold, in: append([]*value{m.in[1]}, append(s.in[1:5:5], m.in[2:]...)...), out: []*value{weight, bias}}
	layer.in = append([]*value{m.in[0]}, weight, bias)
	steps := []*step{folding, layer}
	if norm.Residual {
		sum := &value{name: "conv2d", shape: s.out[0].shape}
		layer.out = []*value{sum}
		steps = append(steps, &step{op: op.Add{Clip: norm.Clip}, in: []*value{sum, s.in[5]}, out: s.out})
	}
	f.replaced[s] = steps
	f.dropped[m] = true
}

// moments lets a convolution take the moments of its result for the batch norm that
// reads it.
func (f *fusion) moments(s *step) {
	norm, ok := s.op.(op.BatchNorm)
	if !ok || norm.Given {
		return
	}
	m := f.producer[s.in[0]]
	if m == nil || f.replaced[m] != nil {
		return
	}
	conv, ok := m.op.(op.Conv2D)
	if !ok {
		return
	}
	channels := s.out[1].shape
	mean, variance := &value{name: "mean", shape: channels}, &value{name: "variance", shape: channels}
	conv.Moments, norm.Given = true, true
	f.merge(m, &step{op: conv, in: m.in, out: []*value{m.out[0], mean, variance}})
	f.merge(s, &step{op: norm, in: append(s.in[:len(s.in):len(s.in)], mean, variance), out: s.out})
}

// normActGrad lets the gradient of an activation make the batch norm before it again,
// whose input the norm's own gradient reads in any case.
func (f *fusion) normActGrad(s *step) {
	a, ok := s.op.(op.ActivationGrad)
	if !ok || op.Activation(a).FromOutput() {
		return
	}
	norm := f.producer[s.in[0]]
	if norm == nil || norm.out[0] != s.in[0] {
		return
	}
	if o, ok := norm.op.(op.BatchNorm); !ok || o.Residual || o.Clip.On() {
		return
	}
	in := append(norm.in[:3:3], norm.out[1], norm.out[2], s.in[1])
	f.merge(s, &step{op: op.NormActivationGrad(a), in: in, out: s.out})
}

// normGrad merges the gradient of a clip into that of the batch norm before it.
// Where others read the clip's gradient too, it becomes one more result.
func (f *fusion) normGrad(s *step) {
	a, ok := s.op.(op.ActivationGrad)
	clip := a.Func.Clip()
	if !ok || !clip.On() {
		return
	}
	y, dy, masked := s.in[0], s.in[1], s.out[0]
	for _, r := range f.readers[masked] {
		o, ok := r.op.(op.BatchNormGrad)
		if !ok || o.Clip.On() || f.dropped[r] || r.in[4] != masked {
			continue
		}
		o.Clip, o.Share = clip, masked.uses > 1
		mask := f.shiftOf(y, r)
		if mask == nil || o.Share {
			mask, o.Residual = y, true
		}
		fused := &step{op: o, in: append(r.in[:4:4], dy, mask), out: r.out}
		if o.Share {
			fused.out = append(r.out[:3:3], masked)
		}
		f.merge(s, fused, r)
		return
	}
}

// biasGrad merges the gradient of a clip with that of the bias before it, and with
// the slicing of its gradient from that of a concatenation.
func (f *fusion) biasGrad(s *step) {
	a, ok := s.op.(op.ActivationGrad)
	clip := a.Func.Clip()
	if !ok || !clip.On() {
		return
	}
	y, dy, dx := s.in[0], s.in[1], s.out[0]
	for _, r := range f.readers[dx] {
		if _, ok := r.op.(op.ColumnSum); !ok {
			continue
		}
		fused, others := op.ClipGrad{Clip: clip}, []*step{r}
		if m := f.maker(dy); m != nil {
			if part, ok := m.op.(op.Slice); ok && part.Axis == len(dy.shape)-1 && part.Stride <= 1 {
				fused.Start, dy, others = part.Start, m.in[0], append(others, m)
			}
		}
		f.merge(s, &step{op: fused, in: []*value{y, dy}, out: []*value{dx, r.out[0]}}, others...)
		return
	}
}

// concat lets convolutions write their results where a concatenation wants them, one
// after the other, where nothing else reads them.
func (f *fusion) concat(s *step) {
	if o, ok := s.op.(op.Concat); !ok || len(s.out[0].shape) != 4 || o.Axis != 3 {
		return
	}
	var makers []*step
	for _, v := range s.in {
		m := f.maker(v)
		if m == nil || v.home != inArena {
			return
		}
		if o, ok := m.op.(op.Conv2D); !ok || o.Moments || o.Part.Wide > 0 {
			return
		}
		makers = append(makers, m)
	}
	f.dropped[s] = true
	slices.SortFunc(makers, func(a, b *step) int { return f.place[a] - f.place[b] })
	whole := s.out[0]
	var before *value
	for i, m := range makers {
		o := m.op.(op.Conv2D)
		o.Part = op.Part{Wide: whole.shape[3], Start: startIn(s.in, m.out[0]), Into: i > 0}
		made := &step{op: o, in: m.in, out: []*value{{name: "part", shape: whole.shape}}}
		if i > 0 {
			made.in = append(m.in[:len(m.in):len(m.in)], before)
		}
		if i == len(makers)-1 {
			made.out[0] = whole
		}
		before = made.out[0]
		f.merge(m, made)
	}
}

// startIn is the first channel of v among those of several values side by side.
func startIn(values []*value, v *value) int {
	start := 0
	for _, w := range values {
		if w == v {
			break
		}
		start += w.shape[3]
	}
	return start
}

// sumGrad lets a convolution's input gradient add to the other term of a sum. Where
// both terms are such gradients it is the one with the larger stride, which touches
// fewer pixels; but before a batch norm's gradient that with the smaller, which can take
// the sums for that while it writes every pixel. Of equal ones it is the later.
func (f *fusion) sumGrad(s *step) {
	if o, ok := s.op.(op.Add); !ok || o.Clip.On() || !s.in[0].shape.Eq(s.in[1].shape) {
		return
	}
	summed := slices.ContainsFunc(f.readers[s.out[0]], func(r *step) bool {
		_, ok := r.op.(op.BatchNormGrad)
		return ok && r.in[4] == s.out[0]
	})
	before := func(a, b *step) bool {
		m, n := a.op.(op.Conv2DInputGrad), b.op.(op.Conv2DInputGrad)
		if d := m.StrideH*m.StrideW - n.StrideH*n.StrideW; d != 0 {
			return d > 0 != summed
		}
		return f.place[a] > f.place[b]
	}
	var best *step
	var other *value
	for i, v := range s.in {
		m, to := f.maker(v), s.in[1-i]
		if m == nil || to.uses > 1 || to.home != inArena || f.producer[to] == nil {
			continue
		}
		if o, ok := m.op.(op.Conv2DInputGrad); !ok || o.Add {
			continue
		}
		if best == nil || before(m, best) {
			best, other = m, to
		}
	}
	if best == nil {
		return
	}
	o := best.op.(op.Conv2DInputGrad)
	o.Add = true
	f.merge(s, &step{op: o, in: append(best.in[:2:2], other), out: s.out}, best)
}

// normSums lets the convolution that makes the gradient of a batch norm's result take
// the sums that the norm's own gradient needs.
func (f *fusion) normSums(s *step) {
	norm, ok := s.op.(op.BatchNormGrad)
	if !ok || norm.Given {
		return
	}
	x, gamma, mean, invStd, dy := s.in[0], s.in[1], s.in[2], s.in[3], s.in[4]
	m := f.maker(dy)
	if m == nil {
		return
	}
	conv, ok := m.op.(op.Conv2DInputGrad)
	if !ok || conv.Norm.On {
		return
	}
	conv.Norm = op.NormMask{On: true, Clip: norm.Clip, Residual: norm.Residual}
	in := append(m.in[:len(m.in):len(m.in)], x, mean, invStd)
	g := dy
	switch {
	case norm.Share:
		g = s.out[3]
		in = append(in, s.in[5])
	case norm.Residual:
		in = append(in, s.in[5])
	case norm.Clip.On():
		in = append(in, gamma, s.in[5])
	}
	f.merge(m, &step{op: conv, in: in, out: []*value{g, s.out[1], s.out[2]}})
	f.merge(s, &step{op: op.BatchNormGrad{Given: true}, in: []*value{x, gamma, mean, invStd, g, s.out[1], s.out[2]}, out: s.out[:1]})
}

// shiftOf is beta of the batch norm that made y by itself, without a residual, and
// of which grad is the gradient; nil if there is none.
func (f *fusion) shiftOf(y *value, grad *step) *value {
	norm := f.producer[y]
	if norm == nil || norm.in[0] != grad.in[0] {
		return nil
	}
	if o, ok := norm.op.(op.BatchNorm); !ok || o.Residual {
		return nil
	}
	return norm.in[2]
}
