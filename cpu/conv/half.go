package conv

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/internal/winograd"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// halfRows is rowsAlgorithm for x and y in bfloat16.
type halfRows interface {
	fmt.Stringer
	ScratchFloats(threads int) int
	Run(p *pool.Pool, x []uint16, w, bias []float32, y []uint16, scratch []float32)
}

// halfCols is colsAlgorithm for x and dy in bfloat16.
type halfCols interface {
	fmt.Stringer
	ScratchFloats(threads int) int
	Run(p *pool.Pool, x, dy []uint16, dw, scratch []float32)
}

// Direct sums of products of bfloat16, and minimal filtering in float32 of what is
// read and written in bfloat16.
type (
	pairRows     struct{ *implicit.PairRows }
	pairCols     struct{ *implicit.PairCols }
	filteredRows struct{ *winograd.Rows }
	filteredCols struct{ *winograd.Cols }
)

func (pairRows) String() string { return "implicit gemm of bfloat16" }
func (pairCols) String() string { return "implicit gemm of bfloat16" }

func (f filteredRows) Run(p *pool.Pool, x []uint16, w, bias []float32, y []uint16, scratch []float32) {
	f.RunHalf(p, x, w, bias, y, scratch)
}

func (f filteredCols) Run(p *pool.Pool, x, dy []uint16, dw, scratch []float32) {
	f.RunHalf(p, x, dy, dw, scratch)
}

// halfKernels is the innermost loops of plans for bfloat16. pairs is nil where the
// processor does not multiply it.
type halfKernels struct {
	kernels
	pairs *simd.PairSet
}

func halfKernelsOf(level isa.Level) halfKernels {
	return halfKernels{kernelsOf(level), simd.PairsFor(level)}
}

// halfTile is the tile that computes a convolution or a gradient fastest, nil where
// direct sums do. Of those of bfloat16 that is with fewer than least channels.
func (m Method) halfTile(s Shape, spec winograd.Spec, k halfKernels, least int) *winograd.Tile {
	t := m.tile(s, spec, k.kernels)
	width := k.winograd.Width
	if t == nil || t.Half == nil || spec.Channels%width != 0 || spec.Columns%width != 0 {
		return nil
	}
	if m == Auto && k.pairs != nil && min(spec.Channels, spec.Columns) < least {
		return nil
	}
	return t
}

// Numbers of channels from which on minimal filtering in float32 is faster than direct
// sums of bfloat16, measured: of forward convolutions and input gradients, and of
// weight gradients, for which pairs have to be made.
const (
	filteredRowsFrom = 64
	filteredColsFrom = 16
)

// rows is the direct plan for a lattice, nil where there is none.
func (k halfKernels) rows(s Shape, spec implicit.RowsSpec) halfRows {
	if k.pairs == nil || s.depthwise() || spec.Channels%2 != 0 {
		return nil
	}
	return pairRows{implicit.NewPairRows(spec, k.pairs)}
}

// HalfForward is a plan for y = x * w with x and y in bfloat16, to which w may be
// rounded, too. Sums are float32.
type HalfForward struct {
	shape Shape
	ep    Epilogue
	alg   halfRows
}

// NewHalfForward plans the forward convolution of shape s. It gives none where there is
// no way that beats float32's.
func NewHalfForward(s Shape, ep Epilogue, m Method) (*HalfForward, error) {
	return newHalfForward(s, ep, m, halfKernelsOf(isa.Active()))
}

func newHalfForward(s Shape, ep Epilogue, m Method, k halfKernels) (*HalfForward, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	spec := s.forwardSpec()
	if t := m.halfTile(s, spec, k, filteredRowsFrom); t != nil {
		return &HalfForward{s, ep, filteredRows{winograd.NewRows(spec, ep.Clip, t, k.winograd, k.simd)}}, nil
	}
	if alg := k.rows(s, s.flat().rowsSpec(ep)); alg != nil {
		return &HalfForward{s, ep, alg}, nil
	}
	return nil, nil
}

// String tells how the plan computes.
func (f *HalfForward) String() string { return f.alg.String() }

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (f *HalfForward) ScratchFloats(threads int) int { return f.alg.ScratchFloats(threads) }

// Run computes y (N, OutH, OutW, K) from x (N, H, W, C), w (KH, KW, C/Groups, K) and,
// where the epilogue has one, bias (K). The scratch memory holds nothing between runs.
func (f *HalfForward) Run(p *pool.Pool, x []uint16, w, bias []float32, y []uint16, scratch []float32) {
	check("x", len(x), f.shape.xLen())
	check("w", len(w), f.shape.wLen())
	check("y", len(y), f.shape.yLen())
	check("scratch", len(scratch), f.ScratchFloats(p.Threads()))
	if f.ep.Bias {
		check("bias", len(bias), f.shape.K)
	} else {
		bias = nil
	}
	f.alg.Run(p, x, w, bias, y, scratch)
}

// HalfInputGrad is a plan for the gradient of a convolution's input, with dy and dx in
// bfloat16, to which w may be rounded, too. Sums are float32.
type HalfInputGrad struct {
	shape  Shape
	phases []halfRows
	bare   barePixels
}

// NewHalfInputGrad plans the input gradient of shape s. It gives none where there is no
// way that beats float32's.
func NewHalfInputGrad(s Shape, m Method) (*HalfInputGrad, error) {
	return newHalfInputGrad(s, m, halfKernelsOf(isa.Active()))
}

func newHalfInputGrad(s Shape, m Method, k halfKernels) (*HalfInputGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	g := &HalfInputGrad{shape: s}
	spec := s.inputGradSpec()
	if t := m.halfTile(s, spec, k, filteredRowsFrom); t != nil {
		g.phases = append(g.phases, filteredRows{winograd.NewRows(spec, simd.Clip{}, t, k.winograd, k.simd)})
		return g, nil
	}
	var specs []implicit.RowsSpec
	specs, g.bare = s.phaseSpecs()
	for _, spec := range specs {
		alg := k.rows(s, spec)
		if alg == nil {
			return nil, nil
		}
		g.phases = append(g.phases, alg)
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

// Run computes dx (N, H, W, C) from dy (N, OutH, OutW, K) and w (KH, KW, C/Groups, K).
func (g *HalfInputGrad) Run(p *pool.Pool, dy []uint16, w []float32, dx []uint16, scratch []float32) {
	check("dy", len(dy), g.shape.yLen())
	check("w", len(w), g.shape.wLen())
	check("dx", len(dx), g.shape.xLen())
	check("scratch", len(scratch), g.ScratchFloats(p.Threads()))
	if g.bare.any {
		g.bare.half = dx
		p.Run(g.bare.shape.N*g.bare.shape.H, &g.bare)
		g.bare.half = nil
	}
	for _, phase := range g.phases {
		phase.Run(p, dy, w, nil, dx, scratch)
	}
}

// HalfWeightGrad is a plan for the gradient of a convolution's weights, with x and dy
// in bfloat16. Sums and dw are float32.
type HalfWeightGrad struct {
	shape Shape
	alg   halfCols
}

// NewHalfWeightGrad plans the weight gradient of shape s. It gives none where there is
// no way that beats float32's.
func NewHalfWeightGrad(s Shape, m Method) (*HalfWeightGrad, error) {
	return newHalfWeightGrad(s, m, halfKernelsOf(isa.Active()))
}

func newHalfWeightGrad(s Shape, m Method, k halfKernels) (*HalfWeightGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	spec := s.forwardSpec()
	if t := m.halfTile(s, spec, k, filteredColsFrom); t != nil {
		return &HalfWeightGrad{s, filteredCols{winograd.NewCols(spec, t, k.winograd, k.simd)}}, nil
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
	g.alg.Run(p, x[:g.shape.xLen()], dy[:g.shape.yLen()], dw, scratch)
}
