package cpu

import (
	"github.com/seed52467199/trainer/cpu/gemm"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/pool"
)

// matrices is products of m rows, n columns and k terms, of which each operand has
// one for all or one for each.
type matrices struct {
	op.MatMul
	m, n, k, products int
	stepA, stepB      int // from product to product, 0 where one serves all
}

func matricesOf(c op.Call, o op.MatMul) matrices {
	m, n, k, products := o.Sizes(c.In[0], c.In[1])
	s := matrices{o, m, n, k, products, m * k, k * n}
	if len(c.In[0]) == 2 {
		s.stepA = 0
	}
	if len(c.In[1]) == 2 {
		s.stepB = 0
	}
	return s
}

func matMul[T number](c op.Call, o op.MatMul) plan {
	s := matricesOf(c, o)
	return overRows(each(s.products*s.m), func(mem operands) func(lo, hi int) {
		a, b, y := as[T](mem.in[0]), as[T](mem.in[1]), as[T](mem.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				p, row := i/s.m, i%s.m
				left, right := a[p*s.stepA:], b[p*s.stepB:]
				for col := range s.n {
					var sum float64
					for k := range s.k {
						atA, atB := row*s.k+k, k*s.n+col
						if o.TransA {
							atA = k*s.m + row
						}
						if o.TransB {
							atB = col*s.k + k
						}
						sum += float64(left[atA]) * float64(right[atB])
					}
					y[i*s.n+col] = T(sum)
				}
			}
		}
	})
}

// fastMatMul gives each thread whole products; a single one is shared.
func fastMatMul(c op.Call, o op.MatMul, threads *pool.Pool) (plan, error) {
	s := matricesOf(c, o)
	if o.TransA && o.TransB {
		return plan{}, nil
	}
	shape := gemm.Shape{M: s.m, N: s.n, K: s.k}
	switch {
	case o.TransA:
		shape.Op = gemm.TN
	case o.TransB:
		shape.Op = gemm.NT
	}
	if s.products == 1 {
		return product(shape, threads)
	}
	all, err := newProducts(shape, gemm.Options{}, threads.Threads())
	if err != nil {
		return plan{}, err
	}
	return plan{name: "gemm", scratch: 4 * all.scratch * len(all.plans), bind: func(m operands) []stage {
		a, b, y, scratch := floats(m.in[0]), floats(m.in[1]), floats(m.out[0]), floats(m.scratch)
		return []stage{{pieces: s.products, do: func(worker, i int) {
			all.run(worker, a[i*s.stepA:], b[i*s.stepB:], y[i*s.m*s.n:], scratch[worker*all.scratch:])
		}}}
	}}, nil
}

// product is the plan of a product of both inputs.
func product(s gemm.Shape, threads *pool.Pool) (plan, error) {
	g, err := gemm.New(s, gemm.Options{})
	if err != nil {
		return plan{}, err
	}
	return sharing("gemm", g.ScratchFloats(threads.Threads()), func(m operands, scratch []float32) func() {
		a, b, y := floats(m.in[0]), floats(m.in[1]), floats(m.out[0])
		return func() { g.Run(threads, a, b, nil, y, scratch) }
	}), nil
}

// products is one product's plan for each thread, which works alone.
type products struct {
	plans   []*gemm.Plan
	alone   []*pool.Pool
	scratch int // floats for each thread
}

func newProducts(s gemm.Shape, o gemm.Options, threads int) (*products, error) {
	p := &products{}
	for range threads {
		g, err := gemm.New(s, o)
		if err != nil {
			return nil, err
		}
		p.plans, p.alone = append(p.plans, g), append(p.alone, pool.New(1))
		p.scratch = round(g.ScratchFloats(1), alignment)
	}
	return p, nil
}

// run multiplies on a thread, with scratch memory of its own.
func (p *products) run(worker int, a, b, y, scratch []float32) {
	p.plans[worker].Run(p.alone[worker], a, b, nil, y, scratch)
}
