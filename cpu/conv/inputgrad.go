package conv

import (
	"github.com/seed52467199/trainer/cpu/internal/depthwise"
	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/internal/winograd"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// InputGrad is a plan for the gradient of a convolution's input.
//
// The input's pixels fall into StrideH·StrideW phases: those of one phase
// meet the same taps, and their gradient is a convolution of stride 1 of dy
// with these taps, turned around. No zeros are put between the pixels of dy.
type InputGrad struct {
	// Accumulate adds the gradient to dx instead of overwriting dx.
	Accumulate bool

	shape  Shape
	phases []rowsAlgorithm
	bare   barePixels
}

// NewInputGrad plans the input gradient of shape s.
func NewInputGrad(s Shape, m Method) (*InputGrad, error) {
	return newInputGrad(s, m, kernelsOf(isa.Active()))
}

func newInputGrad(s Shape, m Method, k kernels) (*InputGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	g := &InputGrad{shape: s}
	spec := s.inputGradSpec()
	if t := m.tile(s, spec, k); t != nil {
		_, g.bare = s.phaseSpecs()
		g.phases = append(g.phases, winograd.NewRows(spec, simd.Clip{}, t, k.winograd, k.simd))
		return g, nil
	}
	if s.single() {
		g.phases = append(g.phases, depthwise.NewRows(s.depthwiseSpec(true), simd.Clip{}, k.depthwise))
		return g, nil
	}
	if m == Auto && s.spreads(k.simd) {
		alg, err := newSpread(s, k.simd)
		g.phases = append(g.phases, alg)
		return g, err
	}
	var specs []implicit.RowsSpec
	specs, g.bare = s.phaseSpecs()
	for _, spec := range specs {
		g.phases = append(g.phases, newRows(spec, m, k.simd))
	}
	return g, nil
}

// phaseSpecs are the phases as package implicit describes them, and the pixels that
// none of them writes.
func (s Shape) phaseSpecs() (specs []implicit.RowsSpec, bare barePixels) {
	f := s.flat()
	bare.shape = f
	var rows, cols []phase
	for i := range min(f.StrideH, f.H) {
		rows = append(rows, phaseOf(i, f.H, f.KH, f.StrideH, f.PadTop, f.DilationH))
		bare.rows = append(bare.rows, len(rows[i].taps) == 0)
	}
	for i := range min(f.StrideW, f.W) {
		cols = append(cols, phaseOf(i, f.W, f.KW, f.StrideW, f.PadLeft, f.DilationW))
		bare.cols = append(bare.cols, len(cols[i].taps) == 0)
	}
	for _, h := range rows {
		for _, w := range cols {
			if len(h.taps) == 0 || len(w.taps) == 0 {
				bare.any = true
				continue
			}
			specs = append(specs, phaseSpec(f, h, w))
		}
	}
	return specs, bare
}

// phase is every stride'th row (or column) of the input, from first on: how
// many there are, and which rows of dy they meet through which taps.
type phase struct {
	first, count int
	offsets      []int // row of dy that the phase's row 0 meets, ascending
	taps         []int // the tap of each
}

func phaseOf(first, size, taps, stride, pad, dilation int) phase {
	p := phase{first: first, count: (size - first + stride - 1) / stride}
	for k := taps - 1; k >= 0; k-- {
		if at := first + pad - k*dilation; at%stride == 0 {
			p.offsets = append(p.offsets, at/stride)
			p.taps = append(p.taps, k)
		}
	}
	return p
}

// weightAt is where the weights of a phase's taps lie, tap 1 at step.
func (p phase) weightAt(step int) []int {
	at := make([]int, len(p.taps))
	for i, k := range p.taps {
		at[i] = k * step
	}
	return at
}

// phaseSpec is one phase.
func phaseSpec(s Shape, h, w phase) implicit.RowsSpec {
	tap := s.C / s.Groups * s.K
	spec := implicit.RowsSpec{
		Geometry: implicit.Geometry{
			Images: s.N, InH: s.OutH(), InW: s.OutW(), InPixel: s.K,
			Groups: s.Groups, Channels: s.K / s.Groups, Repeat: 1,
			OutH: h.count, OutW: w.count, StepH: 1, StepW: 1,
			TapsH: h.offsets, TapsW: w.offsets,
		},
		Weights: implicit.Weights{
			TapH: h.weightAt(s.KW * tap), TapW: w.weightAt(tap),
			Group: s.K / s.Groups, K: 1, N: s.K,
		},
		Out: implicit.Output{
			Image: s.H * s.W * s.C, Row: s.StrideH * s.W * s.C, Pixel: s.StrideW * s.C,
			Origin: (h.first*s.W + w.first) * s.C, Channels: s.C / s.Groups,
		},
		Fold: 1,
	}
	if s.depthwise() {
		spec.Groups, spec.Channels, spec.Out.Channels = 1, s.K, s.K
		spec.Group, spec.N = 0, 1
		spec.Lanes, spec.Fold = true, s.K/s.C
	}
	return spec
}

// ScratchFloats is the size of the scratch memory that Run needs with a pool
// of the given number of threads, in floats.
func (g *InputGrad) ScratchFloats(threads int) int {
	n := 0
	for _, p := range g.phases {
		n = max(n, p.ScratchFloats(threads))
	}
	return n
}

// String tells how the plan computes.
func (g *InputGrad) String() string { return g.phases[0].String() }

// Run computes dx (N, H, W, C) from dy (N, OutH, OutW, K) and w (KH, KW,
// C/Groups, K).
func (g *InputGrad) Run(p *pool.Pool, dy, w, dx, scratch []float32) {
	g.RunThen(p, dy, w, dx, scratch, nil)
}

// Parts is the number of parts that RunThen tells of, 0 where it cannot.
func (g *InputGrad) Parts() int {
	if len(g.phases) > 1 || g.bare.any {
		return 0
	}
	return partsOf(g.phases[0])
}

// RunThen is Run that tells then, unless that is nil, what it has written. Parts must
// not be 0 then.
func (g *InputGrad) RunThen(p *pool.Pool, dy, w, dx, scratch []float32, then *Then) {
	check("dy", len(dy), g.shape.yLen())
	check("w", len(w), g.shape.wLen())
	check("dx", len(dx), g.shape.xLen())
	check("scratch", len(scratch), g.ScratchFloats(p.Threads()))
	if g.bare.any && !g.Accumulate {
		g.bare.dx = dx
		p.Run(g.bare.shape.N*g.bare.shape.H, &g.bare)
		g.bare.dx = nil
	}
	if then != nil {
		g.phases[0].(teller).RunThen(p, dy, w, nil, dx, scratch, g.Accumulate, then)
		return
	}
	for _, phase := range g.phases {
		phase.Run(p, dy, w, nil, dx, scratch, g.Accumulate)
	}
}

// barePixels clears the gradient of pixels that meet no tap, because the
// stride is larger than the filter.
type barePixels struct {
	shape      Shape
	any        bool
	rows, cols []bool // phases without taps
	dx         []float32
	half       []uint16 // in place of dx
}

// Do clears row i of all images' rows.
func (b *barePixels) Do(_, i int) {
	s := &b.shape
	from, to := i*s.W*s.C, (i+1)*s.W*s.C
	if b.rows[i%s.H%s.StrideH] {
		b.clear(from, to)
		return
	}
	for w := range s.W {
		if b.cols[w%s.StrideW] {
			b.clear(from+w*s.C, from+(w+1)*s.C)
		}
	}
}

func (b *barePixels) clear(from, to int) {
	if b.half != nil {
		clear(b.half[from:to])
		return
	}
	clear(b.dx[from:to])
}
