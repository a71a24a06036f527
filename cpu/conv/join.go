package conv

import (
	"slices"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// Few output channels leave most of a vector empty. There several neighbouring pixels of
// a row are one pixel of as many times the channels, which meets the taps of all of them;
// where a tap is not a pixel's own, its weight is zero. Of 16 lanes a pixel of 6 channels
// leaves 10 empty; two leave 4, and of the taps of a 5x5 filter a fifth more are met.

// mostPixels is the largest number of pixels that become one.
const mostPixels = 16

// joined is how pixels become one.
type joined struct {
	pixels   int   // of the output
	taps     []int // columns of the source that they meet, ascending
	place    []int // of tap b of pixel i among them, at b*pixels+i
	channels int   // source channels
	columns  int   // output channels of one pixel
	narrow   implicit.Weights
	tapsH    int
}

// join makes one of so many pixels of g, with its weights.
func join(g *implicit.Geometry, w implicit.Weights, columns, pixels int) joined {
	v := joined{pixels: pixels, channels: g.Channels, columns: columns, narrow: w, tapsH: len(g.TapsH)}
	for i := range pixels {
		for _, b := range g.TapsW {
			v.taps = append(v.taps, b+i*g.StepW)
		}
	}
	slices.Sort(v.taps)
	v.taps = slices.Compact(v.taps)
	for _, b := range g.TapsW {
		for i := range pixels {
			at, _ := slices.BinarySearch(v.taps, b+i*g.StepW)
			v.place = append(v.place, at)
		}
	}
	return v
}

// joinBest is the way that costs least, where that is clearly less than pixel by pixel,
// and its part of that; cost is that of one pixel with so many taps, source channels and
// output channels.
func joinBest(g *implicit.Geometry, w implicit.Weights, columns int, cost func(taps, channels, columns int) int) (best joined, part float64) {
	one := float64(cost(len(g.TapsW), g.Channels, columns))
	part = 0.8
	for n := 2; n <= min(mostPixels, g.OutW); n++ {
		if g.OutW%n > 0 {
			continue
		}
		v := join(g, w, columns, n)
		if c := float64(cost(len(v.taps), g.Channels, n*columns)) / float64(n); c < part*one {
			best, part = v, c/one
		}
	}
	if best.pixels == 0 {
		part = 1
	}
	return best, part
}

// geometry is g of the joined pixels.
func (v *joined) geometry(g implicit.Geometry) implicit.Geometry {
	g.OutW /= v.pixels
	g.StepW *= v.pixels
	g.TapsW = v.taps
	return g
}

// weights is where the weights of joined pixels lie: (rows of taps, taps, source channels,
// output channels).
func (v *joined) weights() implicit.Weights {
	tap := v.channels * v.pixels * v.columns
	return implicit.Weights{TapH: steps(v.tapsH, len(v.taps)*tap, 0), TapW: steps(len(v.taps), tap, 0), K: v.pixels * v.columns, N: 1}
}

// floats is their number.
func (v *joined) floats() int { return v.tapsH * len(v.taps) * v.channels * v.pixels * v.columns }

// each calls f with where the output channels of each weight's places begin, and
// with where the channels of the weight itself do.
func (v *joined) each(f func(spread, weight int)) {
	row := v.pixels * v.columns
	for a, h := range v.narrow.TapH {
		for b, t := range v.narrow.TapW {
			for i := range v.pixels {
				at := (a*len(v.taps) + v.place[b*v.pixels+i]) * v.channels * row
				for k := range v.channels {
					f(at+k*row+i*v.columns, h+t+k*v.narrow.K)
				}
			}
		}
	}
}

// joinedRows sums directly over joined pixels.
type joinedRows struct {
	*implicit.Rows
	joined
}

// joinRows is joinBest of s; pixels is 0 where none should be joined.
func joinRows(s *implicit.RowsSpec, set *simd.Set) (joined, float64) {
	if s.Groups > 1 || s.Lanes || s.Fold > 1 || s.Out.Pixel != s.Out.Channels {
		return joined{}, 1
	}
	return joinBest(&s.Geometry, s.Weights, s.Out.Channels, func(taps, channels, columns int) int {
		return taps * channels * roundUp(columns, set.RowsFor(columns).NR)
	})
}

// newRows plans s, over joined pixels where that is faster.
func newRows(s implicit.RowsSpec, m Method, set *simd.Set) rowsAlgorithm {
	if m != Auto {
		return directRows{implicit.NewRows(s, set)}
	}
	v, _ := joinRows(&s, set)
	if v.pixels == 0 {
		return directRows{implicit.NewRows(s, set)}
	}
	s.Geometry, s.Weights = v.geometry(s.Geometry), v.weights()
	s.Out.Pixel *= v.pixels
	s.Out.Channels *= v.pixels
	return &joinedRows{implicit.NewRows(s, set), v}
}

func (r *joinedRows) String() string { return "implicit gemm of several pixels" }

// ScratchFloats implements rowsAlgorithm.
func (r *joinedRows) ScratchFloats(threads int) int {
	return r.floats() + r.pixels*r.columns + r.Rows.ScratchFloats(threads)
}

// Parts hides that of Rows: who is told wants pixels of their own.
func (r *joinedRows) Parts() int { return 0 }

// Run implements rowsAlgorithm.
func (r *joinedRows) Run(p *pool.Pool, x, w, bias, y, scratch []float32, accumulate bool) {
	weights, start := scratch[:r.floats()], scratch[r.floats():][:r.pixels*r.columns]
	clear(weights)
	step := r.narrow.N
	r.each(func(spread, weight int) {
		if step == 1 {
			copy(weights[spread:][:r.columns], w[weight:])
			return
		}
		for n := range r.columns {
			weights[spread+n] = w[weight+n*step]
		}
	})
	if bias != nil {
		for i := range r.pixels {
			copy(start[i*r.columns:], bias)
		}
		bias = start
	}
	r.Rows.Run(p, x, weights, bias, y, scratch[r.floats()+r.pixels*r.columns:], accumulate)
}

// joinedCols is the weight gradient by joined pixels.
type joinedCols struct {
	*implicit.Cols
	joined
}

// newCols plans s, by joined pixels where that is faster.
func newCols(s implicit.ColsSpec, m Method, set *simd.Set) colsAlgorithm {
	if m != Auto || s.Groups > 1 || s.Lanes || s.Pixel != s.Columns {
		return directCols{implicit.NewCols(s, set)}
	}
	v, _ := joinBest(&s.Geometry, s.Weights, s.Columns, func(taps, channels, columns int) int {
		k := set.ColsFor(columns)
		return roundUp(taps*channels, k.MR) * roundUp(columns, k.NR)
	})
	if v.pixels == 0 {
		return directCols{implicit.NewCols(s, set)}
	}
	s.Geometry, s.Weights = v.geometry(s.Geometry), v.weights()
	s.Columns *= v.pixels
	s.Pixel *= v.pixels
	return &joinedCols{implicit.NewCols(s, set), v}
}

func (c *joinedCols) String() string { return "implicit gemm of several pixels" }

// ScratchFloats implements colsAlgorithm.
func (c *joinedCols) ScratchFloats(threads int) int {
	return c.floats() + c.Cols.ScratchFloats(threads)
}

// Run implements colsAlgorithm.
func (c *joinedCols) Run(p *pool.Pool, x, dy, dw, scratch []float32, accumulate bool) {
	weights := scratch[:c.floats()]
	c.Cols.Run(p, x, dy, weights, scratch[c.floats():], false)
	if !accumulate {
		clear(dw)
	}
	c.each(func(spread, weight int) {
		d := dw[weight:][:c.columns]
		for n, g := range weights[spread:][:c.columns] {
			d[n] += g
		}
	})
}
