package conv

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/internal/depthwise"
	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/internal/winograd"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/internal/pool"
)

// colsAlgorithm is a way to compute a weight gradient.
type colsAlgorithm interface {
	fmt.Stringer
	ScratchFloats(threads int) int
	Run(p *pool.Pool, x, dy, dw, scratch []float32, accumulate bool)
}

// WeightGrad is a plan for the gradient of a convolution's weights.
type WeightGrad struct {
	// Accumulate adds the gradient to dw instead of overwriting dw.
	Accumulate bool

	shape Shape
	alg   colsAlgorithm
}

// NewWeightGrad plans the weight gradient of shape s.
func NewWeightGrad(s Shape, m Method) (*WeightGrad, error) {
	return newWeightGrad(s, m, kernelsOf(isa.Active()))
}

func newWeightGrad(s Shape, m Method, k kernels) (*WeightGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &WeightGrad{shape: s, alg: weightGradAlgorithm(s, m, k)}, nil
}

// weightGradAlgorithm chooses how to compute s.
func weightGradAlgorithm(s Shape, m Method, k kernels) colsAlgorithm {
	if t := m.colsTile(s, k); t != nil {
		return winograd.NewCols(s.forwardSpec(), t, k.winograd, k.simd)
	}
	if s.single() {
		return depthwise.NewCols(s.depthwiseSpec(false), k.depthwise, k.simd.Sum)
	}
	return newCols(s.flat().colsSpec(), m, k.simd)
}

// colsSpec is the weight gradient as package implicit describes it.
func (f Shape) colsSpec() implicit.ColsSpec {
	return implicit.ColsSpec{
		Geometry: f.geometry(),
		Weights:  f.weights(),
		Columns:  f.outputs(),
		Pixel:    f.K,
		Lanes:    f.depthwise(),
	}
}

// ScratchFloats is the size of the scratch memory that Run needs with a pool
// of the given number of threads, in floats.
func (g *WeightGrad) ScratchFloats(threads int) int { return g.alg.ScratchFloats(threads) }

// String tells how the plan computes.
func (g *WeightGrad) String() string { return g.alg.String() }

// Run computes dw (KH, KW, C/Groups, K) from x (N, H, W, C) and dy (N, OutH,
// OutW, K).
func (g *WeightGrad) Run(p *pool.Pool, x, dy, dw, scratch []float32) {
	check("x", len(x), g.shape.xLen())
	check("dy", len(dy), g.shape.yLen())
	check("dw", len(dw), g.shape.wLen())
	check("scratch", len(scratch), g.ScratchFloats(p.Threads()))
	g.alg.Run(p, x, dy, dw, scratch, g.Accumulate)
}
