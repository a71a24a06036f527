package conv

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/internal/pool"
)

// The first convolution of a network reads images of a few channels in float32, but
// writes bfloat16. Its images are first rounded into rows with their padding around
// them, in which the pixels that a row of the filter meets lie side by side: to the
// direct sums they are one pixel of many channels. A value of zero fills up the channels
// of a pixel where positions would not begin on a pair.

// images is the layout of rounded images.
type images struct {
	shape   Shape
	pixel   int // values of a pixel
	step    int // values from position to position
	width   int // values that a row of the filter meets
	rows    int // of an image with its padding
	columns int // pixels of such a row
	pitch   int // values of a row, in which the neighbour of the last position has room

	src []float32 // of a job
	dst []uint16
}

// imageChannels is the largest number of channels that images are worth it for.
const imageChannels = 4

// imagesOf lays images out for s, or gives nil where that does not serve.
func imagesOf(s Shape, set *simd.PairSet) *images {
	if set == nil || s.C > imageChannels || s.Groups > 1 || s.DilationH > 1 || s.DilationW > 1 {
		return nil
	}
	m := &images{shape: s, pixel: s.C, rows: (s.OutH()-1)*s.StrideH + s.KH, columns: (s.OutW()-1)*s.StrideW + s.KW}
	if s.StrideW*s.C%2 != 0 {
		m.pixel++
	}
	m.step, m.width = s.StrideW*m.pixel, s.KW*m.pixel
	m.pitch = roundUp(s.OutW()*m.step+m.channels(colsRows), 2)
	return m
}

// colsRows is the number of a tile's rows in a weight gradient.
const colsRows = 8

// channels is the number of values that a row of the filter meets, rounded up.
func (m *images) channels(to int) int { return roundUp(m.width, to) }

func roundUp(a, to int) int { return (a + to - 1) / to * to }

// floats is the size of all images, in floats.
func (m *images) floats() int { return roundUp(m.shape.N*m.rows*m.pitch, 32) / 2 }

// round rounds x to dst.
func (m *images) round(p *pool.Pool, x []float32, dst []uint16) {
	m.src, m.dst = x, dst
	p.Run(m.shape.N*m.rows, m)
	m.src, m.dst = nil, nil
}

// Do rounds row i of all images' rows.
func (m *images) Do(_, i int) {
	s := &m.shape
	row := m.dst[i*m.pitch:][:m.pitch]
	h := i%m.rows - s.PadTop
	if h < 0 || h >= s.H {
		clear(row)
		return
	}
	src := m.src[(i/m.rows*s.H+h)*s.W*s.C:]
	n := min(s.W, m.columns-s.PadLeft)
	from, to := s.PadLeft*m.pixel, (s.PadLeft+n)*m.pixel
	clear(row[:from])
	clear(row[to:])
	if m.pixel == s.C {
		vec.Narrow(row[from:to], src[:n*s.C])
		return
	}
	for w := range n {
		pixel := row[from+w*m.pixel:][:m.pixel]
		for c, v := range src[w*s.C:][:s.C] {
			pixel[c] = vec.Round(v)
		}
		pixel[s.C] = 0
	}
}

// geometry is how positions read the rounded images, in units of so many values; the
// weights that they meet have this many channels in each row of the filter.
func (m *images) geometry(unit, channels int) (implicit.Geometry, implicit.Weights) {
	s := &m.shape
	one := []int{0}
	return implicit.Geometry{
			Images: s.N, InH: m.rows, InW: m.pitch / unit, InPixel: unit,
			Groups: 1, Channels: channels, Repeat: 1,
			OutH: s.OutH(), OutW: s.OutW(), StepH: s.StrideH, StepW: m.step / unit,
			TapsH: steps(s.KH, 1, 0), TapsW: one,
		}, implicit.Weights{
			TapH: steps(s.KH, channels*s.K, 0), TapW: one, K: s.K, N: 1,
		}
}

// eachPixel calls f with where each pixel of the filter begins in w, and in weights with
// this many channels in each row of the filter.
func (m *images) eachPixel(channels int, f func(at, padded int)) {
	s := &m.shape
	for kh := range s.KH {
		for kw := range s.KW {
			f((kh*s.KW+kw)*s.C*s.K, (kh*channels+kw*m.pixel)*s.K)
		}
	}
}

// halvesOf is memory as bfloat16.
func halvesOf(x []float32) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(x))), 2*len(x))
}

// ImageForward is HalfForward for x in float32, which is rounded.
type ImageForward struct {
	shape    Shape
	ep       Epilogue
	images   *images
	channels int
	alg      pairRows
}

// NewImageForward plans the forward convolution of shape s. It gives none where the
// processor does not multiply bfloat16, or s is not like that of a first layer.
func NewImageForward(s Shape, ep Epilogue) (*ImageForward, error) {
	return newImageForward(s, ep, kernelsOf(isa.Active()))
}

func newImageForward(s Shape, ep Epilogue, k kernels) (*ImageForward, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	m := imagesOf(s, k.pairs)
	if m == nil {
		return nil, nil
	}
	f := &ImageForward{shape: s, ep: ep, images: m, channels: m.channels(2)}
	spec := s.rowsSpec(ep)
	spec.Geometry, spec.Weights = m.geometry(2, f.channels)
	f.alg = pairRows{implicit.NewPairRows(spec, k.pairs, k.simd)}
	return f, nil
}

// String tells how the plan computes.
func (f *ImageForward) String() string { return f.alg.String() }

func (f *ImageForward) weights() int { return f.shape.KH * f.channels * f.shape.K }

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (f *ImageForward) ScratchFloats(threads int) int {
	return f.images.floats() + f.weights() + f.alg.ScratchFloats(threads)
}

// Parts is the number of parts that RunThen tells of.
func (f *ImageForward) Parts() int { return f.alg.Parts() }

// RunThen computes y (N, OutH, OutW, K) from x (N, H, W, C), w (KH, KW, C, K) and, where
// the epilogue has one, bias (K). It tells then, unless that is nil, what it has written.
// The scratch memory holds nothing between runs.
func (f *ImageForward) RunThen(p *pool.Pool, x, w, bias []float32, y []uint16, scratch []float32, then *Then) {
	check("x", len(x), f.shape.xLen())
	check("w", len(w), f.shape.wLen())
	check("y", len(y), f.shape.yLen())
	check("scratch", len(scratch), f.ScratchFloats(p.Threads()))
	if f.ep.Bias {
		check("bias", len(bias), f.shape.K)
	} else {
		bias = nil
	}
	rounded, scratch := halvesOf(scratch[:f.images.floats()]), scratch[f.images.floats():]
	weights, scratch := scratch[:f.weights()], scratch[f.weights():]
	f.images.round(p, x, rounded)
	clear(weights)
	n := f.shape.C * f.shape.K
	f.images.eachPixel(f.channels, func(at, padded int) { copy(weights[padded:][:n], w[at:]) })
	f.alg.RunHalf(p, rounded, weights, bias, y, scratch, false, then)
}

// ImageWeightGrad is HalfWeightGrad for x in float32, which is rounded.
type ImageWeightGrad struct {
	shape    Shape
	images   *images
	channels int
	alg      pairCols
}

// NewImageWeightGrad plans the weight gradient of shape s. It gives none where
// NewImageForward does.
func NewImageWeightGrad(s Shape) (*ImageWeightGrad, error) {
	return newImageWeightGrad(s, kernelsOf(isa.Active()))
}

func newImageWeightGrad(s Shape, k kernels) (*ImageWeightGrad, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	m := imagesOf(s, k.pairs)
	if m == nil {
		return nil, nil
	}
	g := &ImageWeightGrad{shape: s, images: m, channels: m.channels(colsRows)}
	spec := implicit.ColsSpec{Columns: s.K, Pixel: s.K}
	spec.Geometry, spec.Weights = m.geometry(1, g.channels)
	g.alg = pairCols{implicit.NewPairCols(spec, k.pairs, k.simd)}
	return g, nil
}

// String tells how the plan computes.
func (g *ImageWeightGrad) String() string { return g.alg.String() }

func (g *ImageWeightGrad) weights() int { return g.shape.KH * g.channels * g.shape.K }

// ScratchFloats is the size of the scratch memory that Run needs with a pool of the
// given number of threads, in floats.
func (g *ImageWeightGrad) ScratchFloats(threads int) int {
	return g.images.floats() + g.weights() + g.alg.ScratchFloats(threads)
}

// Run computes dw (KH, KW, C, K) from x (N, H, W, C) and dy (N, OutH, OutW, K).
func (g *ImageWeightGrad) Run(p *pool.Pool, x []float32, dy []uint16, dw, scratch []float32) {
	check("x", len(x), g.shape.xLen())
	check("dy", len(dy), g.shape.yLen())
	check("dw", len(dw), g.shape.wLen())
	check("scratch", len(scratch), g.ScratchFloats(p.Threads()))
	rounded, scratch := halvesOf(scratch[:g.images.floats()]), scratch[g.images.floats():]
	weights, scratch := scratch[:g.weights()], scratch[g.weights():]
	g.images.round(p, x, rounded)
	g.alg.RunHalf(p, rounded[:g.shape.N*g.images.rows*g.images.pitch], dy[:g.shape.yLen()], weights, scratch)
	n := g.shape.C * g.shape.K
	g.images.eachPixel(g.channels, func(at, padded int) { copy(dw[at:][:n], weights[padded:]) })
}
