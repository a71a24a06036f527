package conv

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/internal/winograd"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// halfRows is a teller for maps in bfloat16. Of what is added to y, the sum is rounded.
type halfRows interface {
	fmt.Stringer
	ScratchFloats(threads int) int
	Parts() int
	RunHalf(p *pool.Pool, x []uint16, w, bias []float32, y []uint16, scratch []float32, accumulate bool, then *Then)
}

// halfCols is a colsAlgorithm for maps in bfloat16.
type halfCols interface {
	fmt.Stringer
	ScratchFloats(threads int) int
	RunHalf(p *pool.Pool, x, dy []uint16, dw, scratch []float32)
}

// HalfForward is a plan for y = x * w with x and y in bfloat16. Direct sums round w to
// that, too. Sums are float32.
type HalfForward struct {
	shape Shape
	ep    Epilogue
	alg   halfRows
}

// NewHalfForward plans the forward convolution of shape s. It gives none where that has
// no minimal filtering, and the processor does not multiply bfloat16 or s has other than
// pairs of source channels.
func NewHalfForward(s Shape, ep Epilogue, m Method) (*HalfForward, error) {
	return newHalfForward(s, ep, m, kernelsOf(isa.Active()))
}

func newHalfForward(s Shape, ep Epilogue, m Method, k kernels) (*HalfForward, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	spec := s.forwardSpec()
	coarse := m == Auto && ep.Trained && k.pairable(spec)
	if t := m.halfTile(s, spec, k, leastRows(coarse)); t != nil {
		return &HalfForward{s, ep, k.filtered(spec, ep.Clip, t, coarse)}, nil
	}
	if k.pairs == nil || s.depthwise() || s.C/s.Groups%2 != 0 {
		return nil, nil
	}
	return &HalfForward{s, ep, pairRows{implicit.NewPairRows(s.flat().rowsSpec(ep), k.pairs, k.simd)}}, nil
}

// pairable tells whether minimal filtering of s can multiply bfloat16.
func (k kernels) pairable(s winograd.Spec) bool {
	return k.pairs != nil && s.Channels%winograd.PairChannels == 0
}

// filtered plans minimal filtering of maps in bfloat16; where it is coarse the products
// are of bfloat16, too.
func (k kernels) filtered(s winograd.Spec, c simd.Clip, t *winograd.Tile, coarse bool) *winograd.Rows {
	s.Half = true
	if coarse {
		return winograd.NewPairRows(s, c, t, k.winograd, k.simd, k.pairs)
	}
	return winograd.NewRows(s, c, t, k.winograd, k.simd)
}

// String tells how the plan computes.
func (f *HalfForward) String() string { return f.alg.String() }

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (f *HalfForward) ScratchFloats(threads int) int { return f.alg.ScratchFloats(threads) }

// Parts is the number of parts that RunThen tells of, 0 where it cannot.
func (f *HalfForward) Parts() int { return f.alg.Parts() }

// RunThen computes y (N, OutH, OutW, K) from x (N, H, W, C), w (KH, KW, C/Groups, K) and,
// where the epilogue has one, bias (K). It tells then, unless that is nil, what it has
// written. The scratch memory holds nothing between runs.
func (f *HalfForward) RunThen(p *pool.Pool, x []uint16, w, bias []float32, y []uint16, scratch []float32, then *Then) {
	check("x", len(x), f.shape.xLen())
	check("w", len(w), f.shape.wLen())
	check("y", len(y), f.shape.yLen())
	check("scratch", len(scratch), f.ScratchFloats(p.Threads()))
	if f.ep.Bias {
		check("bias", len(bias), f.shape.K)
	} else {
		bias = nil
	}
	f.alg.RunHalf(p, x, w, bias, y, scratch, false, then)
}

// HalfInputGrad is a plan for the gradient of a convolution's input, with dy and dx in
// bfloat16. Direct sums round w to that, too. Sums are float32.
type HalfInputGrad struct {
	// Accumulate adds the gradient to dx instead of overwriting dx.
	Accumulate bool

	shape  Shape
	phases []halfRows
	bare   barePixels
}

// NewHalfInputGrad plans the input gradient of shape s. It gives none where
// NewHalfForward does, for pairs of output channels.
func NewHalfInputGrad(s Shape, m Method) (*HalfInputGrad, error) {
	return newHalfInputGrad(s, m, kernelsOf(isa.Active()))
}

func newHalfInputGrad(s Shape, m Method, k kernels) (*HalfInputGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	g := &HalfInputGrad{shape: s}
	spec := s.inputGradSpec()
	coarse := m == Auto && k.pairable(spec)
	if t := m.halfTile(s, spec, k, leastRows(coarse)); t != nil {
		g.phases = append(g.phases, k.filtered(spec, simd.Clip{}, t, coarse))
		return g, nil
	}
	if k.pairs == nil || s.depthwise() || s.K/s.Groups%2 != 0 {
		return nil, nil
	}
	var specs []implicit.RowsSpec
	specs, g.bare = s.phaseSpecs()
	for _, spec := range specs {
		g.phases = append(g.phases, pairRows{implicit.NewPairRows(spec, k.pairs, k.simd)})
	}
	return g, nil
}

// String tells how the plan computes.
func (g *HalfInputGrad) String() string { return g.phases[0].String() }

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (g *HalfInputGrad) ScratchFloats(threads int) int {
	n := 0
	for _, p := range g.phases {
		n = max(n, p.ScratchFloats(threads))
	}
	return n
}

// Parts is the number of parts that RunThen tells of, 0 where it cannot.
func (g *HalfInputGrad) Parts() int {
	if len(g.phases) > 1 || g.bare.any {
		return 0
	}
	return g.phases[0].Parts()
}

// RunThen computes dx (N, H, W, C) from dy (N, OutH, OutW, K) and w (KH, KW, C/Groups, K). It
// tells then, unless that is nil, what it has written; Parts must not be 0 then.
func (g *HalfInputGrad) RunThen(p *pool.Pool, dy []uint16, w []float32, dx []uint16, scratch []float32, then *Then) {
	check("dy", len(dy), g.shape.yLen())
	check("w", len(w), g.shape.wLen())
	check("dx", len(dx), g.shape.xLen())
	check("scratch", len(scratch), g.ScratchFloats(p.Threads()))
	if g.bare.any && !g.Accumulate {
		g.bare.half = dx
		p.Run(g.bare.shape.N*g.bare.shape.H, &g.bare)
		g.bare.half = nil
	}
	for _, phase := range g.phases {
		phase.RunHalf(p, dy, w, nil, dx, scratch, g.Accumulate, then)
	}
}

// HalfWeightGrad is a plan for the gradient of a convolution's weights, with x and dy
// in bfloat16. Sums and dw are float32.
type HalfWeightGrad struct {
	shape Shape
	alg   halfCols
}

// NewHalfWeightGrad plans the weight gradient of shape s. It gives none where that has
// no minimal filtering, and the processor does not multiply bfloat16 or s is depthwise.
func NewHalfWeightGrad(s Shape, m Method) (*HalfWeightGrad, error) {
	return newHalfWeightGrad(s, m, kernelsOf(isa.Active()))
}

func newHalfWeightGrad(s Shape, m Method, k kernels) (*HalfWeightGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	spec := s.forwardSpec()
	if t := m.halfTile(s, spec, k, filteredCols); t != nil {
		spec.Half = true
		if m == Auto && k.pairable(spec) && s.K%winograd.PairChannels == 0 {
			return &HalfWeightGrad{s, winograd.NewPairCols(spec, t, k.winograd, k.simd, k.pairs)}, nil
		}
		return &HalfWeightGrad{s, winograd.NewCols(spec, t, k.winograd, k.simd)}, nil
	}
	if k.pairs == nil || s.depthwise() {
		return nil, nil
	}
	f := s.flat()
	if f.pointwise() && f.W%2 != 0 && f.H%2 == 0 {
		f.W, f.H = 2*f.W, f.H/2 // no pair lacks its second
	}
	return &HalfWeightGrad{s, pairCols{implicit.NewPairCols(f.colsSpec(), k.pairs, k.simd)}}, nil
}

// String tells how the plan computes.
func (g *HalfWeightGrad) String() string { return g.alg.String() }

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (g *HalfWeightGrad) ScratchFloats(threads int) int { return g.alg.ScratchFloats(threads) }

// Run computes dw (KH, KW, C/Groups, K) from x (N, H, W, C) and dy (N, OutH, OutW, K).
func (g *HalfWeightGrad) Run(p *pool.Pool, x, dy []uint16, dw, scratch []float32) {
	check("x", len(x), g.shape.xLen())
	check("dy", len(dy), g.shape.yLen())
	check("dw", len(dw), g.shape.wLen())
	check("scratch", len(scratch), g.ScratchFloats(p.Threads()))
	g.alg.RunHalf(p, x[:g.shape.xLen()], dy[:g.shape.yLen()], dw, scratch)
}
