package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

var sizes = []struct{ m, n, k int }{
	{1, 1, 1}, {1, 10, 64}, {6, 16, 4}, {7, 17, 5}, {5, 3, 97}, {64, 64, 64}, {13, 100, 700},
	{130, 33, 31}, {128, 10, 512}, {300, 48, 1024}, {37, 200, 128}, {1000, 8, 12},
}

func random(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 2*r.Float32() - 1
	}
	return v
}

func dirty(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(math.NaN())
	}
	return v
}

// cases calls f with every operation, size, level and some leading dimensions.
func cases(t *testing.T, f func(t *testing.T, s Shape, l isa.Level)) {
	for l := isa.Generic; l <= isa.AVX512; l++ {
		if l > isa.Best() {
			t.Logf("%v is not tried: this processor has no more than %v", l, isa.Best())
			continue
		}
		for _, op := range []Op{NN, NT, TN} {
			for _, z := range sizes {
				for _, gap := range []int{0, 3} {
					s := Shape{Op: op, M: z.m, N: z.n, K: z.k}
					if gap > 0 {
						a, b, c := s.matrices()
						s.LDA, s.LDB, s.LDC = a.ld+gap, b.ld+gap+1, c.ld+gap+2
					}
					t.Run(fmt.Sprintf("%v %dx%dx%d +%d %v", op, z.m, z.n, z.k, gap, l), func(t *testing.T) { f(t, s, l) })
				}
			}
		}
	}
}

// product is element (i, j) as the definition says, and the sum of its
// terms' magnitudes.
func product(s Shape, a, b []float32, i, j int) (sum, size float64) {
	ma, mb, _ := s.matrices()
	for k := range s.K {
		ai, bi := i*ma.ld+k, k*mb.ld+j
		switch s.Op {
		case NT:
			bi = j*mb.ld + k
		case TN:
			ai = k*ma.ld + i
		}
		v := float64(a[ai]) * float64(b[bi])
		sum += v
		size += math.Abs(v)
	}
	return sum, size
}

func TestAgainstDefinition(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	cases(t, func(t *testing.T, s Shape, l isa.Level) {
		rnd := rand.New(rand.NewPCG(1, 2))
		ma, mb, mc := s.matrices()
		a, b, bias := random(rnd, ma.floats()), random(rnd, mb.floats()), random(rnd, s.N)
		options := []Options{{}, {Accumulate: true}}
		if s.Op != TN {
			options = append(options, Options{Bias: true}, Options{Bias: true, Clip: simd.Clip{Lo: -0.5, Hi: 0.75}})
		}
		for _, o := range options {
			g, err := newPlan(s, o, l)
			if err != nil {
				t.Fatal(err)
			}
			c := dirty(mc.floats())
			if o.Accumulate {
				c = random(rnd, mc.floats())
			}
			before := append([]float32(nil), c...)
			g.Run(p, a, b, bias, c, dirty(g.ScratchFloats(2)))
			for i := range s.M {
				for j := range mc.ld {
					at := i*mc.ld + j
					if at >= len(c) {
						break
					}
					if j >= s.N {
						if math.Float32bits(c[at]) != math.Float32bits(before[at]) {
							t.Fatalf("%+v: the gap after row %d was written to", o, i)
						}
						continue
					}
					want, size := product(s, a, b, i, j)
					if o.Accumulate {
						want += float64(before[at])
					}
					if o.Bias {
						want += float64(bias[j])
					}
					lo, hi := o.Clip.Bounds()
					want = min(max(want, float64(lo)), float64(hi))
					if d := math.Abs(float64(c[at]) - want); !(d <= 3e-6*(size+1)) {
						t.Fatalf("%+v: C[%d,%d] = %g, want %g", o, i, j, c[at], want)
					}
				}
			}
		}
	})
}

func TestSameBitsOnAnyPool(t *testing.T) {
	pools := []*pool.Pool{pool.New(1), pool.New(2), pool.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	cases(t, func(t *testing.T, s Shape, l isa.Level) {
		rnd := rand.New(rand.NewPCG(3, 4))
		ma, mb, mc := s.matrices()
		a, b := random(rnd, ma.floats()), random(rnd, mb.floats())
		g, _ := newPlan(s, Options{}, l)
		var first []float32
		for _, p := range pools {
			c := make([]float32, mc.floats())
			g.Run(p, a, b, nil, c, dirty(g.ScratchFloats(p.Threads())))
			if first == nil {
				first = c
			}
			for i := range c {
				if math.Float32bits(c[i]) != math.Float32bits(first[i]) {
					t.Fatalf("value %d is %g with %d threads, %g with 1", i, c[i], p.Threads(), first[i])
				}
			}
		}
	})
}

func TestRunAllocatesNothing(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	for _, op := range []Op{NN, NT, TN} {
		g, _ := New(Shape{Op: op, M: 60, N: 20, K: 30}, Options{})
		a, b, c, scratch := make([]float32, 1800), make([]float32, 600), make([]float32, 1200), make([]float32, g.ScratchFloats(2))
		if n := testing.AllocsPerRun(10, func() { g.Run(p, a, b, nil, c, scratch) }); n != 0 {
			t.Errorf("%v allocates %v times", op, n)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		s    Shape
		o    Options
		want string
	}{
		{Shape{Op: 3, M: 1, N: 1, K: 1}, Options{}, "matrix product: unknown operation 3; known are NN, NT and TN"},
		{Shape{M: 2, N: 0, K: 1}, Options{}, "matrix product: M, N and K are 2, 0 and 1; each must be at least 1"},
		{Shape{Op: TN, M: 4, N: 2, K: 1, LDA: 3}, Options{}, "matrix product: the leading dimension of A is 3, less than its 4 columns"},
		{Shape{Op: NT, M: 4, N: 2, K: 5, LDB: 4}, Options{}, "matrix product: the leading dimension of B is 4, less than its 5 columns"},
		{Shape{Op: TN, M: 1, N: 1, K: 1}, Options{Bias: true}, "matrix product: TN takes neither a bias nor a clip"},
		{Shape{M: 1, N: 1, K: 1}, Options{Accumulate: true, Clip: simd.Clip{Hi: 1}}, "matrix product: a product that is added to C takes neither a bias nor a clip"},
	} {
		if _, err := New(c.s, c.o); err == nil || err.Error() != c.want {
			t.Errorf("New(%+v, %+v): %v; want %s", c.s, c.o, err, c.want)
		}
	}
}

func BenchmarkGemm(b *testing.B) {
	p := pool.New(0)
	defer p.Close()
	for _, s := range []Shape{
		{Op: NN, M: 1024, N: 1024, K: 1024}, {Op: NT, M: 1024, N: 1024, K: 1024}, {Op: TN, M: 1024, N: 1024, K: 1024},
		{Op: NN, M: 128, N: 1000, K: 512}, {Op: NT, M: 128, N: 512, K: 1000}, {Op: TN, M: 512, N: 1000, K: 128},
	} {
		b.Run(fmt.Sprintf("%v_%dx%dx%d", s.Op, s.M, s.N, s.K), func(b *testing.B) {
			g, _ := New(s, Options{})
			ma, mb, mc := s.matrices()
			x, y, z := make([]float32, ma.floats()), make([]float32, mb.floats()), make([]float32, mc.floats())
			scratch := make([]float32, g.ScratchFloats(p.Threads()))
			b.ReportAllocs()
			for b.Loop() {
				g.Run(p, x, y, nil, z, scratch)
			}
			b.ReportMetric(float64(s.FLOPs())*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GF/s")
		})
	}
}
