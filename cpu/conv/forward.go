package conv

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu/internal/depthwise"
	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/internal/winograd"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Epilogue is what happens to a value of the output before it is stored: first
// the bias, then the clip.
type Epilogue struct {
	Bias bool // a value for each output channel is added
	simd.Clip
	// Trained lets transforms be rounded to bfloat16 where maps are, as for the gradients.
	Trained bool
	// Wide, where it is not 0, is the number of channels of the pixels into which
	// the output's go, from Start on; the others stay as they are.
	Wide, Start int
}

// pixel is the number of channels of a pixel of the output of shape s.
func (e Epilogue) pixel(s Shape) int { return max(e.Wide, s.K) }

// rowsAlgorithm is a way to compute a forward convolution, or the part of an
// input gradient that one phase of the stride makes up.
type rowsAlgorithm interface {
	fmt.Stringer
	ScratchFloats(threads int) int
	Run(p *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool)
}

// teller is a rowsAlgorithm that can tell what it has written.
type teller interface {
	rowsAlgorithm
	// Parts is the number of parts that it tells of, 0 where it cannot.
	Parts() int
	// RunThen is Run that tells then.
	RunThen(p *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool, then *Then)
}

// partsOf is the number of parts that an algorithm tells of, 0 where it cannot.
func partsOf(a rowsAlgorithm) int {
	if t, ok := a.(teller); ok {
		return t.Parts()
	}
	return 0
}

// Then is told what a plan has written and is still in cache: of everything, by parts.
// Calls for one part and one channel follow each other, in an order that is always the
// same; others may run at the same time.
type Then = implicit.Then

// Forward is a plan for y = x * w.
type Forward struct {
	shape Shape
	ep    Epilogue
	alg   rowsAlgorithm
}

// NewForward plans the forward convolution of shape s.
func NewForward(s Shape, ep Epilogue, m Method) (*Forward, error) {
	return newForward(s, ep, m, kernelsOf(isa.Active()))
}

func newForward(s Shape, ep Epilogue, m Method, k kernels) (*Forward, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if ep.Wide > 0 && (ep.Start < 0 || ep.Start+s.K > ep.Wide) {
		return nil, fmt.Errorf("convolution: %d output channels from %d on do not fit into pixels of %d", s.K, ep.Start, ep.Wide)
	}
	return &Forward{s, ep, forwardAlgorithm(s, ep, m, k)}, nil
}

// forwardAlgorithm chooses how to compute s.
func forwardAlgorithm(s Shape, ep Epilogue, m Method, k kernels) rowsAlgorithm {
	spec := s.forwardSpec()
	spec.Pixel, spec.Origin = ep.pixel(s), ep.Start
	if t := m.tile(s, spec, k); t != nil {
		return winograd.NewRows(spec, ep.Clip, t, k.winograd, k.simd)
	}
	if s.single() && ep.Wide == 0 {
		return depthwise.NewRows(s.depthwiseSpec(false), ep.Clip, k.depthwise)
	}
	return newRows(s.flat().rowsSpec(ep), m, k.simd)
}

// rowsSpec is the forward direction as package implicit describes it.
func (f Shape) rowsSpec(ep Epilogue) implicit.RowsSpec {
	return implicit.RowsSpec{
		Geometry: f.geometry(),
		Weights:  f.weights(),
		Out: implicit.Output{
			Image:    f.OutH() * f.OutW() * ep.pixel(f),
			Row:      f.OutW() * ep.pixel(f),
			Pixel:    ep.pixel(f),
			Origin:   ep.Start,
			Channels: f.outputs(),
		},
		Clip:  ep.Clip,
		Lanes: f.depthwise(),
		Fold:  1,
	}
}

// geometry is how the output's pixels read the input's.
func (s Shape) geometry() implicit.Geometry {
	g := implicit.Geometry{
		Images: s.N, InH: s.H, InW: s.W, InPixel: s.C,
		Groups: s.Groups, Channels: s.C / s.Groups, Repeat: 1,
		OutH: s.OutH(), OutW: s.OutW(),
		StepH: s.StrideH, StepW: s.StrideW,
		TapsH: steps(s.KH, s.DilationH, -s.PadTop),
		TapsW: steps(s.KW, s.DilationW, -s.PadLeft),
	}
	if s.depthwise() {
		g.Groups, g.Channels, g.Repeat = 1, s.C, s.K/s.C
	}
	return g
}

// weights is where the forward direction finds its weights.
func (s Shape) weights() implicit.Weights {
	tap := s.C / s.Groups * s.K
	return implicit.Weights{
		TapH: steps(s.KH, s.KW*tap, 0), TapW: steps(s.KW, tap, 0),
		Group: s.outputs(), K: s.K, N: 1,
	}
}

// outputs is the number of output channels in one of the geometry's groups.
func (s Shape) outputs() int {
	if s.depthwise() {
		return s.K
	}
	return s.K / s.Groups
}

// steps is n numbers that begin with first and lie step apart.
func steps(n, step, first int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = first + i*step
	}
	return v
}

// ScratchFloats is the size of the scratch memory that Run needs with a pool
// of the given number of threads, in floats.
func (f *Forward) ScratchFloats(threads int) int { return f.alg.ScratchFloats(threads) }

// String tells how the plan computes.
func (f *Forward) String() string { return f.alg.String() }

// Run computes y (N, OutH, OutW, K) from x (N, H, W, C), w (KH, KW, C/Groups,
// K) and, where the epilogue has one, bias (K). The scratch memory holds
// nothing between runs.
func (f *Forward) Run(p *pool.Pool, x, w, bias, y, scratch []float32) {
	f.alg.Run(p, x, w, f.checked(p, x, w, bias, y, scratch), y, scratch, false)
}

// Parts is the number of parts that RunThen tells of, 0 where it cannot.
func (f *Forward) Parts() int { return partsOf(f.alg) }

// RunThen is Run that tells then what it has written. Parts must not be 0.
func (f *Forward) RunThen(p *pool.Pool, x, w, bias, y, scratch []float32, then *Then) {
	f.alg.(teller).RunThen(p, x, w, f.checked(p, x, w, bias, y, scratch), y, scratch, false, then)
}

// checked is the bias, if there is one, once all memory is large enough.
func (f *Forward) checked(p *pool.Pool, x, w, bias, y, scratch []float32) []float32 {
	check("x", len(x), f.shape.xLen())
	check("w", len(w), f.shape.wLen())
	check("y", len(y), f.shape.yLen()/f.shape.K*f.ep.pixel(f.shape))
	check("scratch", len(scratch), f.ScratchFloats(p.Threads()))
	if !f.ep.Bias {
		return nil
	}
	check("bias", len(bias), f.shape.K)
	return bias
}
