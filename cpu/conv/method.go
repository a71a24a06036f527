package conv

import (
	"github.com/seed52467199/trainer/cpu/internal/depthwise"
	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/internal/winograd"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
)

// Method says how a plan may compute.
type Method int

const (
	// Auto takes what is fastest: direct sums, or Winograd's minimal filtering or
	// Strassen's algorithm where a model of these expects one to win. Their results are
	// rounded more coarsely; package winograd says how much.
	Auto Method = iota
	// Direct sums the products that the definition of a convolution names.
	Direct

	// Tests take these wherever they are possible.
	winograd2
	winograd4
	strided
	quartered
)

// kernels is the innermost loops that plans are made of.
type kernels struct {
	simd      *simd.Set
	winograd  *winograd.Kernels
	depthwise *depthwise.Kernels
	pairs     *simd.PairSet // nil where the processor does not multiply bfloat16
}

func kernelsOf(level isa.Level) kernels {
	return kernels{simd.For(level), winograd.For(level), depthwise.For(level), simd.PairsFor(level)}
}

// Direct sums, and their name.
type (
	directRows struct{ *implicit.Rows }
	directCols struct{ *implicit.Cols }
	pairRows   struct{ *implicit.PairRows }
	pairCols   struct{ *implicit.PairCols }
)

func (directRows) String() string { return "implicit gemm" }
func (directCols) String() string { return "implicit gemm" }
func (pairRows) String() string   { return "implicit gemm of bfloat16" }
func (pairCols) String() string   { return "implicit gemm of bfloat16" }

// filtered tells whether minimal filtering of a stride can compute s.
func (s Shape) filtered(stride int) bool {
	return s.KH == 3 && s.KW == 3 && s.StrideH == stride && s.StrideW == stride &&
		s.DilationH == 1 && s.DilationW == 1 && s.Groups == 1
}

// quarterable tells whether Strassen's algorithm can compute s, as far as the filter goes.
func (s Shape) quarterable() bool {
	return s.KH == 1 && s.KW == 1 && s.Groups == 1 && s.StrideH == s.StrideW &&
		s.PadTop == 0 && s.PadBottom == 0 && s.PadLeft == 0 && s.PadRight == 0
}

// The number of channels, the harmonic mean of both sides' halved, and of pixels from
// which on Strassen's algorithm is faster than direct sums; measured.
const (
	quarteredChannels = 200
	quarteredPixels   = 256
)

// quarters tells whether Strassen's algorithm is expected to be faster than direct sums.
func quarters(s winograd.Spec) bool {
	pixels := s.Images * min(s.InH, s.OutH) * min(s.InW, s.OutW)
	return s.Channels*s.Columns >= quarteredChannels*(s.Channels+s.Columns) && pixels >= quarteredPixels
}

// forwardSpec is s as package winograd describes it.
func (s Shape) forwardSpec() winograd.Spec {
	return winograd.Spec{
		Images: s.N, InH: s.H, InW: s.W, Channels: s.C,
		OutH: s.OutH(), OutW: s.OutW(), Columns: s.K,
		PadTop: s.PadTop, PadLeft: s.PadLeft, Stride: s.StrideH,
	}
}

// inputGradSpec is the input gradient of s.
func (s Shape) inputGradSpec() winograd.Spec {
	return winograd.Spec{
		Images: s.N, InH: s.OutH(), InW: s.OutW(), Channels: s.K,
		OutH: s.H, OutW: s.W, Columns: s.C,
		PadTop: 2 - s.PadTop, PadLeft: 2 - s.PadLeft, Turned: true, Stride: s.StrideH,
	}
}

// single tells whether package depthwise can compute s: every channel is by itself.
func (s Shape) single() bool { return s.depthwise() && s.K == s.C }

// depthwiseSpec is s, or its input gradient where turned is set, as package
// depthwise describes it.
func (s Shape) depthwiseSpec(turned bool) depthwise.Spec {
	d := depthwise.Spec{Images: s.N, Channels: s.C, KH: s.KH, KW: s.KW}
	if turned {
		d.H = depthwise.Turned(s.H, s.OutH(), s.KH, s.StrideH, s.PadTop, s.DilationH)
		d.W = depthwise.Turned(s.W, s.OutW(), s.KW, s.StrideW, s.PadLeft, s.DilationW)
		return d
	}
	d.H = depthwise.Forward(s.OutH(), s.H, s.KH, s.StrideH, s.PadTop, s.DilationH)
	d.W = depthwise.Forward(s.OutW(), s.W, s.KW, s.StrideW, s.PadLeft, s.DilationW)
	return d
}

// tile is the tile that computes a forward convolution or input gradient
// fastest, nil where direct sums do.
func (m Method) tile(s Shape, spec winograd.Spec, k kernels) *winograd.Tile {
	switch {
	case m == Direct:
	case s.quarterable() && spec.Quarterable():
		if m == quartered || m == Auto && quarters(spec) {
			return &k.winograd.Quartered
		}
	case s.filtered(2) && (m == strided || m == Auto && large(s.OutH(), spec)):
		switch {
		case !spec.Turned:
			return &k.winograd.Strided
		case s.PadTop == 1 && s.PadLeft == 1:
			return &k.winograd.Turned
		}
	case !s.filtered(1):
	case m == winograd2:
		return &k.winograd.F2
	case m == winograd4 || large(spec.OutH, spec):
		return &k.winograd.F4
	}
	return nil
}

// large tells whether minimal filtering is expected to be faster than direct sums for
// maps of so many rows.
func large(rows int, s winograd.Spec) bool {
	return s.Channels >= 16 && s.Columns >= 16 && rows >= 3
}

// colsTile is tile for a weight gradient. With stride 2 its sums outgrow the caches.
func (m Method) colsTile(s Shape, k kernels) *winograd.Tile {
	if m == Auto && s.filtered(2) && (min(s.C, s.K) < 32 || s.C*s.K > stridedSums) {
		return nil
	}
	return m.tile(s, s.forwardSpec(), k)
}

// stridedSums is the largest number of pairs of channels for which minimal filtering of
// stride 2 computes a weight gradient faster than direct sums; measured.
const stridedSums = 128 * 128

// halfTile is tile for maps in bfloat16. Direct sums multiply that twice as fast as
// minimal filtering of float32, whose result is rounded no more than any; they win for
// fewer channels than least.
func (m Method) halfTile(s Shape, spec winograd.Spec, k kernels, least int) *winograd.Tile {
	if !s.filtered(1) {
		return nil
	}
	if m == Auto && k.pairs != nil && min(spec.Channels, spec.Columns) < least {
		return nil
	}
	return m.tile(s, spec, k)
}

// The number of channels from which on minimal filtering is the faster one; measured.
const (
	filteredRows = 32 // forward and for the input gradient
	coarseRows   = 24 // so, of bfloat16
	filteredCols = 16 // for the weight gradient
)

func leastRows(coarse bool) int {
	if coarse {
		return coarseRows
	}
	return filteredRows
}
