package gemm

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Op says which operand is transposed.
type Op int

const (
	NN Op = iota // C = A·B, with A M×K and B K×N
	NT           // C = A·Bᵀ, with A M×K and B N×K
	TN           // C = Aᵀ·B, with A K×M and B K×N
)

var opNames = [...]string{"NN", "NT", "TN"}

// String is the operation's name: a letter for each operand.
func (o Op) String() string {
	if o < 0 || int(o) >= len(opNames) {
		return fmt.Sprintf("Op(%d)", int(o))
	}
	return opNames[o]
}

// Shape is a product with an M×N result and K terms in each sum. A leading
// dimension of zero stands for rows without gaps.
type Shape struct {
	Op            Op
	M, N, K       int
	LDA, LDB, LDC int
}

// FLOPs is the number of multiplications and additions.
func (s Shape) FLOPs() int64 { return 2 * int64(s.M) * int64(s.N) * int64(s.K) }

// matrix is an operand as it lies in memory.
type matrix struct{ rows, cols, ld int }

// floats is the length of the slice that holds m.
func (m matrix) floats() int { return (m.rows-1)*m.ld + m.cols }

func newMatrix(rows, cols, ld int) matrix {
	if ld == 0 {
		ld = cols
	}
	return matrix{rows, cols, ld}
}

func (s Shape) matrices() (a, b, c matrix) {
	a, b = newMatrix(s.M, s.K, s.LDA), newMatrix(s.K, s.N, s.LDB)
	switch s.Op {
	case NT:
		b = newMatrix(s.N, s.K, s.LDB)
	case TN:
		a = newMatrix(s.K, s.M, s.LDA)
	}
	return a, b, newMatrix(s.M, s.N, s.LDC)
}

// Options are what a product does beside multiplying.
type Options struct {
	Accumulate bool // the product is added to C; not with Bias or Clip
	Bias       bool // a row of N values is added to every row; not for TN
	simd.Clip       // then values are brought into its range; not for TN
}

// Validate explains the first thing that makes s with o impossible.
func (s Shape) Validate(o Options) error {
	if s.Op < NN || s.Op > TN {
		return fmt.Errorf("matrix product: unknown operation %d; known are NN, NT and TN", int(s.Op))
	}
	if s.M < 1 || s.N < 1 || s.K < 1 {
		return fmt.Errorf("matrix product: M, N and K are %d, %d and %d; each must be at least 1", s.M, s.N, s.K)
	}
	a, b, c := s.matrices()
	for _, m := range []struct {
		name string
		matrix
	}{{"A", a}, {"B", b}, {"C", c}} {
		if m.ld < m.cols {
			return fmt.Errorf("matrix product: the leading dimension of %s is %d, less than its %d columns", m.name, m.ld, m.cols)
		}
	}
	if s.Op == TN && (o.Bias || o.Clip != simd.Clip{}) {
		return fmt.Errorf("matrix product: TN takes neither a bias nor a clip")
	}
	if o.Accumulate && (o.Bias || o.Clip != simd.Clip{}) {
		return fmt.Errorf("matrix product: a product that is added to C takes neither a bias nor a clip")
	}
	return nil
}

// Plan is a product that is ready to run. One goroutine may use it at a time.
type Plan struct {
	a, b, c matrix
	o       Options
	bias    int
	rows    *implicit.Rows // NN, NT
	cols    *implicit.Cols // TN
}

// New plans the product of shape s.
func New(s Shape, o Options) (*Plan, error) { return newPlan(s, o, isa.Active()) }

func newPlan(s Shape, o Options, level isa.Level) (*Plan, error) {
	if err := s.Validate(o); err != nil {
		return nil, err
	}
	p := &Plan{o: o, bias: s.N}
	p.a, p.b, p.c = s.matrices()
	set := simd.For(level)
	once := []int{0} // the only tap
	if s.Op == TN {
		width := divisor(s.K)
		p.cols = implicit.NewCols(implicit.ColsSpec{
			Geometry: pixels(s.K/width, width, s.M, p.a.ld),
			Weights:  implicit.Weights{TapH: once, TapW: once, K: p.c.ld, N: 1},
			Columns:  s.N,
			Pixel:    p.b.ld,
		}, set)
		return p, nil
	}
	w := implicit.Weights{TapH: once, TapW: once, K: p.b.ld, N: 1}
	if s.Op == NT {
		w.K, w.N = 1, p.b.ld
	}
	p.rows = implicit.NewRows(implicit.RowsSpec{
		Geometry: pixels(s.M, 1, s.K, p.a.ld),
		Weights:  w,
		Out:      implicit.Output{Row: p.c.ld, Pixel: p.c.ld, Channels: s.N},
		Clip:     o.Clip,
		Fold:     1,
	}, set)
	return p, nil
}

// pixels is a matrix of height·width rows as an image.
func pixels(height, width, channels, ld int) implicit.Geometry {
	return implicit.Geometry{
		Images: 1, InH: height, InW: width, InPixel: ld,
		Groups: 1, Channels: channels, Repeat: 1,
		OutH: height, OutW: width, StepH: 1, StepW: 1,
		TapsH: []int{0}, TapsW: []int{0},
	}
}

// divisor is the largest divisor of n up to 64.
func divisor(n int) int {
	d := min(n, 64)
	for n%d != 0 {
		d--
	}
	return d
}

// ScratchFloats is the size of the scratch memory that Run needs with a pool
// of the given number of threads, in floats.
func (p *Plan) ScratchFloats(threads int) int {
	if p.cols != nil {
		return p.cols.ScratchFloats(threads)
	}
	return p.rows.ScratchFloats(threads)
}

// Run computes c from a, b and, where the options have one, bias (N values).
// The scratch memory holds nothing between runs.
func (p *Plan) Run(workers *pool.Pool, a, b, bias, c, scratch []float32) {
	check("A", len(a), p.a.floats())
	check("B", len(b), p.b.floats())
	check("C", len(c), p.c.floats())
	check("scratch", len(scratch), p.ScratchFloats(workers.Threads()))
	if p.o.Bias {
		check("bias", len(bias), p.bias)
	} else {
		bias = nil
	}
	if p.cols != nil {
		p.cols.Run(workers, a, b, c, scratch, p.o.Accumulate)
		return
	}
	p.rows.Run(workers, a, b, bias, c, scratch, p.o.Accumulate)
}

// check panics where the caller's memory is too small for the plan: what
// follows writes through pointers.
func check(what string, got, want int) {
	if got < want {
		panic(fmt.Sprintf("gemm: %s has %d floats, the plan needs %d", what, got, want))
	}
}
