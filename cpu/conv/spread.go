package conv

import (
	"github.com/seed52467199/trainer/cpu/gemm"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// spread computes an input gradient from the other side: a matrix product gives, for
// every pixel of dy, what it adds to each tap's pixel of dx, and these are added up
// (im2col's transpose). Where dx has few channels the product fills vectors that a
// sum over taps for each pixel of dx would leave half empty, and no taps fall on the
// padding.
type spread struct {
	shape      Shape
	set        *simd.Set
	full, last *gemm.Plan // of a chunk of images, and of the last chunk
	images     int        // in a chunk
	row        int        // values for one pixel of dy
	runs       []run      // of the columns of dy

	job spreadJob
}

// run is neighbouring columns of dy of which the same taps lie on the map.
type run struct {
	from        int   // the first of them
	first, taps int   // the first such tap, and their number
	to          []int // where the first tap of each falls in a row of dx
	// The same for every row of taps of each, from the first row's place on. The rows of
	// one pixel stand between two pixels that add to the same values: the second need
	// not wait for what the first has just stored.
	rows []int
}

// spreadFloats is the size of the products of a chunk of images: little enough to
// stay in cache until they are added up.
const spreadFloats = 1 << 20

// newSpread plans s, whose taps of a row are neighbours.
func newSpread(s Shape, set *simd.Set) (*spread, error) {
	pixels := s.OutH() * s.OutW()
	g := &spread{shape: s, set: set, row: s.KH * s.KW * s.C}
	g.images = max(1, min(s.N, spreadFloats/(pixels*g.row)))
	var err error
	if g.full, err = g.product(g.images * pixels); err != nil {
		return nil, err
	}
	if g.last, err = g.product(((s.N-1)%g.images + 1) * pixels); err != nil {
		return nil, err
	}
	for j := range s.OutW() {
		left := j*s.StrideW - s.PadLeft
		first := min(max(0, -left), s.KW)
		taps := max(0, min(s.KW, s.W-left)-first)
		if n := len(g.runs); n == 0 || g.runs[n-1].first != first || g.runs[n-1].taps != taps {
			g.runs = append(g.runs, run{from: j, first: first, taps: taps})
		}
		r := &g.runs[len(g.runs)-1]
		r.to = append(r.to, (left+first)*s.C)
		for kh := range s.KH {
			r.rows = append(r.rows, (kh*s.DilationH*s.W+left+first)*s.C)
		}
	}
	g.job.spread = g
	return g, nil
}

func (g *spread) product(pixels int) (*gemm.Plan, error) {
	return gemm.New(gemm.Shape{Op: gemm.NT, M: pixels, N: g.row, K: g.shape.K}, gemm.Options{})
}

// spreads tells whether newSpread is expected to be faster than the phases of an
// input gradient, in multiplications whose vectors are full. An addition in memory
// is worth about eight of them.
func (s Shape) spreads(set *simd.Set) bool {
	if s.Groups > 1 || s.DilationW > 1 && s.KW > 1 || s.pointwise() {
		return false
	}
	padded := func(n int) float64 {
		nr := set.RowsFor(n).NR
		return float64((n + nr - 1) / nr * nr)
	}
	taps := s.KH * s.KW
	phases := float64(s.N*s.H*s.W*s.K) * float64(taps) / float64(s.StrideH*s.StrideW) * padded(s.C)
	if specs, _ := s.phaseSpecs(); len(specs) == 1 {
		_, part := joinRows(&specs[0], set)
		phases *= part
	}
	products := float64(s.N*s.OutH()*s.OutW()) * (float64(s.K)*padded(taps*s.C) + 8*float64(taps*s.C))
	return products < 0.9*phases
}

// String implements rowsAlgorithm.
func (g *spread) String() string { return "gemm and col2im" }

// ScratchFloats implements rowsAlgorithm.
func (g *spread) ScratchFloats(threads int) int {
	return g.images*g.shape.OutH()*g.shape.OutW()*g.row + max(g.full.ScratchFloats(threads), g.last.ScratchFloats(threads))
}

// spreadJob is what a Run works on: one chunk of images.
type spreadJob struct {
	*spread
	products, dx []float32
	accumulate   bool
}

// Run implements rowsAlgorithm; there is no bias.
func (g *spread) Run(p *pool.Pool, dy, w, _, dx, scratch []float32, accumulate bool) {
	s := &g.shape
	pixels := s.OutH() * s.OutW()
	products, scratch := scratch[:g.images*pixels*g.row], scratch[g.images*pixels*g.row:]
	j := &g.job
	j.products, j.accumulate = products, accumulate
	for first := 0; first < s.N; first += g.images {
		n, plan := g.images, g.full
		if s.N-first < n {
			n, plan = s.N-first, g.last
		}
		plan.Run(p, dy[first*pixels*s.K:], w, nil, products, scratch)
		j.dx = dx[first*s.H*s.W*s.C:]
		p.Run(n, j)
	}
	j.products, j.dx = nil, nil
}

// Do adds up image i of the chunk.
func (j *spreadJob) Do(_, i int) {
	s := &j.shape
	size := s.H * s.W * s.C
	dx := j.dx[i*size:][:size]
	if !j.accumulate {
		clear(dx)
	}
	for oh := range s.OutH() {
		top := oh*s.StrideH - s.PadTop
		row := j.products[(i*s.OutH()+oh)*s.OutW()*j.row:]
		if top >= 0 && top+(s.KH-1)*s.DilationH < s.H {
			for r := range j.runs {
				if r := &j.runs[r]; r.taps > 0 {
					j.set.Scatter(&dx[top*s.W*s.C], &r.rows[0], &row[r.from*j.row+r.first*s.C], len(r.rows), s.KW*s.C, r.taps*s.C, 1)
				}
			}
			continue
		}
		for kh := range s.KH {
			h := top + kh*s.DilationH
			if h < 0 || h >= s.H {
				continue
			}
			for r := range j.runs {
				if r := &j.runs[r]; r.taps > 0 {
					j.set.Scatter(&dx[h*s.W*s.C], &r.to[0], &row[r.from*j.row+(kh*s.KW+r.first)*s.C], len(r.to), j.row, r.taps*s.C, 1)
				}
			}
		}
	}
}
