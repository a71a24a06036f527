package conv

import (
	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// PairForward is a plan for y = x * w with x and y in bfloat16, to which w is rounded,
// too. Sums are float32.
type PairForward struct {
	shape Shape
	ep    Epilogue
	alg   *implicit.PairRows
}

// NewPairForward plans the forward convolution of shape s. It gives none where the
// processor does not multiply bfloat16, or s has other than pairs of source channels.
func NewPairForward(s Shape, ep Epilogue) (*PairForward, error) {
	return newPairForward(s, ep, simd.PairsFor(isa.Active()))
}

func newPairForward(s Shape, ep Epilogue, set *simd.PairSet) (*PairForward, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if set == nil || s.depthwise() || s.C/s.Groups%2 != 0 {
		return nil, nil
	}
	return &PairForward{s, ep, implicit.NewPairRows(s.flat().rowsSpec(ep), set)}, nil
}

// String tells how the plan computes.
func (f *PairForward) String() string { return pairsName }

const pairsName = "implicit gemm of bfloat16"

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (f *PairForward) ScratchFloats(threads int) int { return f.alg.ScratchFloats(threads) }

// Run computes y (N, OutH, OutW, K) from x (N, H, W, C), w (KH, KW, C/Groups, K) and,
// where the epilogue has one, bias (K). The scratch memory holds nothing between runs.
func (f *PairForward) Run(p *pool.Pool, x []uint16, w, bias []float32, y []uint16, scratch []float32) {
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

// PairInputGrad is a plan for the gradient of a convolution's input, with dy and dx in
// bfloat16, to which w is rounded, too. Sums are float32.
type PairInputGrad struct {
	shape  Shape
	phases []*implicit.PairRows
	bare   barePixels
}

// NewPairInputGrad plans the input gradient of shape s. It gives none where the
// processor does not multiply bfloat16, or s has other than pairs of output channels.
func NewPairInputGrad(s Shape) (*PairInputGrad, error) {
	return newPairInputGrad(s, simd.PairsFor(isa.Active()))
}

func newPairInputGrad(s Shape, set *simd.PairSet) (*PairInputGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if set == nil || s.depthwise() || s.K/s.Groups%2 != 0 {
		return nil, nil
	}
	g := &PairInputGrad{shape: s}
	var specs []implicit.RowsSpec
	specs, g.bare = s.phaseSpecs()
	for _, spec := range specs {
		g.phases = append(g.phases, implicit.NewPairRows(spec, set))
	}
	return g, nil
}

// String tells how the plan computes.
func (g *PairInputGrad) String() string { return pairsName }

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (g *PairInputGrad) ScratchFloats(threads int) int {
	n := 0
	for _, p := range g.phases {
		n = max(n, p.ScratchFloats(threads))
	}
	return n
}

// Run computes dx (N, H, W, C) from dy (N, OutH, OutW, K) and w (KH, KW, C/Groups, K).
func (g *PairInputGrad) Run(p *pool.Pool, dy []uint16, w []float32, dx []uint16, scratch []float32) {
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

// PairWeightGrad is a plan for the gradient of a convolution's weights, with x and dy
// in bfloat16. Sums and dw are float32.
type PairWeightGrad struct {
	shape Shape
	alg   *implicit.PairCols
}

// NewPairWeightGrad plans the weight gradient of shape s. It gives none where the
// processor does not multiply bfloat16, or s is depthwise.
func NewPairWeightGrad(s Shape) (*PairWeightGrad, error) {
	return newPairWeightGrad(s, simd.PairsFor(isa.Active()))
}

func newPairWeightGrad(s Shape, set *simd.PairSet) (*PairWeightGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if set == nil || s.depthwise() {
		return nil, nil
	}
	f := s.flat()
	if f.pointwise() && f.W%2 != 0 && f.H%2 == 0 {
		f.W, f.H = 2*f.W, f.H/2 // no pair lacks its second
	}
	return &PairWeightGrad{s, implicit.NewPairCols(f.colsSpec(), set, simd.For(isa.AVX512))}, nil
}

// String tells how the plan computes.
func (g *PairWeightGrad) String() string { return pairsName }

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (g *PairWeightGrad) ScratchFloats(threads int) int { return g.alg.ScratchFloats(threads) }

// Run computes dw (KH, KW, C/Groups, K) from x (N, H, W, C) and dy (N, OutH, OutW, K).
func (g *PairWeightGrad) Run(p *pool.Pool, x, dy []uint16, dw, scratch []float32) {
	check("x", len(x), g.shape.xLen())
	check("dy", len(dy), g.shape.yLen())
	check("dw", len(dw), g.shape.wLen())
	check("scratch", len(scratch), g.ScratchFloats(p.Threads()))
	g.alg.Run(p, x[:g.shape.xLen()], dy[:g.shape.yLen()], dw, scratch)
}
