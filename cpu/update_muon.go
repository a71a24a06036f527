package cpu

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/cpu/gemm"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// muonLeast is the least norm that momentum is divided by.
const muonLeast = 1e-7

// multiplier is the plan of a matrix product.
type multiplier[T number] struct {
	scratch int // elements
	stage   func(a, b, c, scratch []T) stage
}

// portableProduct is a product in plain Go.
func portableProduct[T number](s gemm.Shape) (multiplier[T], error) {
	return multiplier[T]{stage: func(a, b, c, _ []T) stage {
		return rows(s.M, s.N*s.K).stage(func(lo, hi int) {
			for i := lo; i < hi; i++ {
				for j := range s.N {
					var sum float64
					for k := range s.K {
						atA, atB := i*s.K+k, k*s.N+j
						if s.Op == gemm.TN {
							atA = k*s.M + i
						}
						if s.Op == gemm.NT {
							atB = j*s.K + k
						}
						sum += float64(a[atA]) * float64(b[atB])
					}
					c[i*s.N+j] = T(sum)
				}
			}
		})
	}}, nil
}

// fastProduct makes products that all threads share.
func fastProduct(threads *pool.Pool) func(gemm.Shape) (multiplier[float32], error) {
	return func(s gemm.Shape) (multiplier[float32], error) {
		g, err := gemm.New(s, gemm.Options{})
		if err != nil {
			return multiplier[float32]{}, err
		}
		n := g.ScratchFloats(threads.Threads())
		return multiplier[float32]{scratch: n, stage: func(a, b, c, scratch []float32) stage {
			return stage{shared: func() { g.Run(threads, a, b, nil, c, scratch[:n]) }}
		}}, nil
	}
}

// orthogonal makes a matrix orthogonal by Newton-Schulz steps, on its smaller side.
type orthogonal[T number] struct {
	op.Matrix
	op.Segment
	side                 int
	gram, square, update multiplier[T]
}

func newOrthogonal[T number](m op.Matrix, s op.Segment, product func(gemm.Shape) (multiplier[T], error)) (o orthogonal[T], err error) {
	o = orthogonal[T]{Matrix: m, Segment: s, side: min(m.Rows, m.Cols)}
	gram, update := gemm.Shape{Op: gemm.NT, M: m.Rows, N: m.Rows, K: m.Cols}, gemm.Shape{M: m.Rows, N: m.Cols, K: m.Rows}
	if m.Rows > m.Cols {
		gram, update = gemm.Shape{Op: gemm.TN, M: m.Cols, N: m.Cols, K: m.Rows}, gemm.Shape{M: m.Rows, N: m.Cols, K: m.Cols}
	}
	for _, p := range []struct {
		to *multiplier[T]
		s  gemm.Shape
	}{{&o.gram, gram}, {&o.square, gemm.Shape{M: o.side, N: o.side, K: o.side}}, {&o.update, update}} {
		if *p.to, err = product(p.s); err != nil {
			return o, err
		}
	}
	return o, nil
}

// elements is the scratch memory wanted.
func (o *orthogonal[T]) elements() int {
	return 2*round(o.Len, alignment) + 2*round(o.side*o.side, alignment) + max(o.gram.scratch, o.square.scratch, o.update.scratch)
}

// stages does all of a matrix's update.
func (o *orthogonal[T]) stages(r op.Muon, u updated[T], sums []float64, scratch []byte, move func(lo, hi int)) []stage {
	m, w, g := u.state[0][o.MomentAt:][:o.Len], u.w[o.Offset:][:o.Len], u.g[o.Offset:][:o.Len]
	spaced := func(n int) []T { return cut[T](&scratch, round(n, alignment))[:n] }
	x, y := spaced(o.Len), spaced(o.Len)
	a, b := spaced(o.side*o.side), spaced(o.side*o.side)
	rest := cut[T](&scratch, max(o.gram.scratch, o.square.scratch, o.update.scratch))
	all := elements(o.Len)
	n := all.pieces()
	parts, norm, weightParts, weights := sums[:n], &sums[n], sums[n+1:][:n], &sums[2*n+1]

	list := []stage{
		{pieces: all.pieces(), do: func(_, piece int) {
			lo, hi := all.bounds(piece)
			for i := lo; i < hi; i++ {
				d := u.hyper.gradScale() * float64(g[i])
				v := float64(m[i]) + (1-r.Momentum)*(d-float64(m[i]))
				m[i] = T(v)
				if r.Nesterov {
					v = d + r.Momentum*(v-d)
				}
				x[i] = T(v)
			}
			parts[piece] = squares(x[lo:hi])
			if o.Norm > 0 {
				weightParts[piece] = squares(w[lo:hi])
			}
		}},
		{pieces: 1, do: func(_, _ int) {
			*norm, *weights = rootOfSum(parts), 1
			if o.Norm > 0 {
				*weights = o.Norm / rootOfSum(weightParts)
			}
		}},
		all.stage(func(lo, hi int) {
			for i := lo; i < hi; i++ {
				x[i] = T(float64(x[i]) / *norm)
			}
		}),
	}
	for _, c := range r.Steps {
		list = append(list, o.gram.stage(x, x, a, rest), o.square.stage(a, a, b, rest),
			combine(a, b, T(c[1]), T(c[2])))
		if o.Rows > o.Cols {
			list = append(list, o.update.stage(x, a, y, rest))
		} else {
			list = append(list, o.update.stage(a, x, y, rest))
		}
		list = append(list, combine(x, y, T(c[0]), 1))
	}
	return append(list, all.stage(func(lo, hi int) {
		lr, decay := u.hyper.group(o.Group)
		keep := *weights * (1 - lr*decay)
		for i := lo; i < hi; i++ {
			w[i] = T(float64(w[i])*keep - lr*o.Scale*float64(x[i]))
		}
		move(o.Offset+lo, o.Offset+hi)
	}))
}

// rootOfSum is a norm by the sums of the squares of its parts, not too small to divide by.
func rootOfSum(parts []float64) float64 {
	total := 0.0
	for _, v := range parts {
		total += v
	}
	return max(math.Sqrt(total), muonLeast)
}

// combine is a = byA*a + byB*b.
func combine[T number](a, b []T, byA, byB T) stage {
	return elements(len(a)).stage(func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a[i] = byA*a[i] + byB*b[i]
		}
	})
}

// muon does one matrix after the other, each on all threads, and then what is no matrix,
// by rest.
func muon[T number](c op.Call, o op.Update, r op.Muon, rest func(updated[T], span),
	product func(gemm.Shape) (multiplier[T], error), average averaging) (plan, error) {
	if _, _, err := spansOf(c, o); err != nil {
		return plan{}, err
	}
	if len(r.Matrices) != len(o.Segments) {
		return plan{}, fmt.Errorf("%d matrices for %d segments", len(r.Matrices), len(o.Segments))
	}
	if rest == nil || r.Rest.States() > 2 {
		return plan{}, fmt.Errorf("what is no matrix cannot be updated by %T", r.Rest)
	}
	plans := map[[2]int]orthogonal[T]{}
	var list []orthogonal[T]
	var others []int
	most, parts := 0, 0
	for i, m := range r.Matrices {
		s := o.Segments[i]
		if end := max(m.MomentAt, m.SquareAt) + s.Len; end > op.Size(c.In[2]) {
			return plan{}, fmt.Errorf("segment %d keeps state up to element %d of %d", i, end, op.Size(c.In[2]))
		}
		if m.Rows == 0 {
			others = append(others, i)
			continue
		}
		if m.Rows*m.Cols != s.Len {
			return plan{}, fmt.Errorf("segment %d has %d elements, and its matrix is %dx%d", i, s.Len, m.Rows, m.Cols)
		}
		p, ok := plans[[2]int{m.Rows, m.Cols}]
		if !ok {
			var err error
			if p, err = newOrthogonal(m, s, product); err != nil {
				return plan{}, err
			}
			plans[[2]int{m.Rows, m.Cols}] = p
		}
		p.Matrix, p.Segment = m, s
		list = append(list, p)
		most, parts = max(most, p.elements()), max(parts, 2*elements(s.Len).pieces()+2)
	}
	return plan{scratch: 8 * (parts + most + alignment), bind: func(m operands) []stage {
		u, move, scratch := updatedBy[T](m, o), averageOf(m, o, average), m.scratch
		sums := cut[float64](&scratch, round(parts, alignment))
		var stages []stage
		for i := range list {
			stages = append(stages, list[i].stages(r, u, sums, scratch, move)...)
		}
		alone := make([]updated[T], len(others)) // each with its state beside it
		for k, i := range others {
			s, at := o.Segments[i], r.Matrices[i]
			lo, hi := s.Offset, s.Offset+s.Len
			alone[k] = updated[T]{w: u.w[lo:hi], g: u.g[lo:hi], hyper: u.hyper, state: [][]T{u.state[0][at.MomentAt:][:s.Len], u.state[0][at.SquareAt:][:s.Len]}}
		}
		return append(stages, stage{pieces: len(others), do: func(_, k int) {
			s := o.Segments[others[k]]
			rest(alone[k], span{0, s.Len, s.Group})
			move(s.Offset, s.Offset+s.Len)
		}})
	}}, nil
}
