package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// regions are the shapes of a roi_align.
type regions[T number] struct {
	op.RoIAlign
	lines[T]
	n, h, w, c int
}

func regionsOf[T number](o op.RoIAlign, x op.Shape, l lines[T]) *regions[T] {
	return &regions[T]{o, l, x[0], x[1], x[2], x[3]}
}

// bins is the number of those of a region.
func (s *regions[T]) bins() int { return s.PooledH * s.PooledW }

// share is what the samples of a bin take from one axis of the map, on average: the weights
// of the pixels [first, end), and how these change as the bin moves.
type share struct {
	first, end    int
	weight, slope []float64 // of all pixels
}

// bin is where one bin lies: the sides of its region in pixels and, as samples on a grid
// are a product, what it is of rows and of columns.
type bin struct {
	height, width float64
	rows, columns share
}

// size is the number of float64s that a bin's weights take.
func (s *regions[T]) size() int { return 2 * (s.h + s.w) }

// bin is one whose weights lie in memory.
func (s *regions[T]) bin(memory []float64) bin {
	h, w := s.h, s.w
	return bin{rows: share{weight: memory[:h], slope: memory[h : 2*h]}, columns: share{weight: memory[2*h : 2*h+w], slope: memory[2*h+w : 2*(h+w)]}}
}

// sample finds what samples at equal distances in a bin from start over this length make
// of an axis of n pixels: count samples, or with 0 as many as the bin has pixels.
func (s *share) sample(start, length float64, count, n int) {
	s.first, s.end = 0, 0
	number := float64(count)
	if count == 0 {
		number = math.Ceil(length)
	}
	if end := start + length; number < 1 || math.IsNaN(end) || math.IsInf(end, 0) {
		return
	}
	// Of a bin that is larger than the map, only samples near it are looked at.
	step, from, to := length/number, 0.0, number
	if step > 0 {
		from = max(from, math.Floor((-1-start)/step-0.5))
		to = min(to, math.Ceil((float64(n)-start)/step+0.5))
	}
	for i := range int(to - from) {
		at := start + (from+float64(i)+0.5)*step
		if !(at >= -1 && at <= float64(n)) {
			continue
		}
		slope := 1 / number
		if at < 0 {
			at, slope = 0, 0
		}
		low := min(int(at), n-1)
		high, part := min(low+1, n-1), at-float64(low) // on the last pixel they are one
		s.widen(low, high+1)
		s.weight[low] += (1 - part) / number
		s.weight[high] += part / number
		s.slope[low] -= slope
		s.slope[high] += slope
	}
}

// widen makes it reach over [first, end), too.
func (s *share) widen(first, end int) {
	if s.first == s.end {
		s.first, s.end = first, first
	}
	for ; s.end < end; s.end++ {
		s.weight[s.end], s.slope[s.end] = 0, 0
	}
	for ; s.first > first; s.first-- {
		s.weight[s.first-1], s.slope[s.first-1] = 0, 0
	}
}

// image is the number of the image that a region lies in, -1 for one that there is not and
// for a region whose sides are no numbers.
func (s *regions[T]) image(roi []T) int {
	sides := float64(roi[1]) + float64(roi[2]) + float64(roi[3]) + float64(roi[4])
	if at := float64(roi[0]); at > -1 && at < float64(s.n) && !math.IsNaN(sides-sides) {
		return int(at)
	}
	return -1
}

// place finds where bin p of the bins of all regions lies, of which it keeps what is in the
// map's rows [lo, hi); it tells whether there is anything. offsets may be nil.
func (s *regions[T]) place(b *bin, p int, roi, offsets []T, lo, hi int) bool {
	half, least := 0.0, 1.0
	if s.Aligned {
		half, least = 0.5, math.Inf(-1)
	}
	left, top := float64(roi[1])*s.Scale-half, float64(roi[2])*s.Scale-half
	b.width = max(float64(roi[3])*s.Scale-half-left, least)
	b.height = max(float64(roi[4])*s.Scale-half-top, least)
	bins := s.bins()
	k, i, j := p/bins, p%bins/s.PooledW, p%s.PooledW
	if offsets != nil {
		left += s.Gamma * b.width * float64(offsets[2*k*bins+p%bins])
		top += s.Gamma * b.height * float64(offsets[(2*k+1)*bins+p%bins])
	}
	high, wide := b.height/float64(s.PooledH), b.width/float64(s.PooledW)
	b.rows.sample(top+float64(i)*high, high, s.Samples, s.h)
	if b.rows.first, b.rows.end = max(b.rows.first, lo), min(b.rows.end, hi); b.rows.first >= b.rows.end {
		return false
	}
	b.columns.sample(left+float64(j)*wide, wide, s.Samples, s.w)
	return true
}

// further are the inputs of an operation behind its regions, or the results behind dx:
// offsets and mask, nil where there are none.
func further[T number](o op.RoIAlign, m [][]byte) (offsets, mask []T) {
	if o.Offsets {
		offsets, m = as[T](m[0]), m[1:]
	}
	if o.Mask {
		mask = as[T](m[0])
	}
	return offsets, mask
}

func roiAlign[T number](c op.Call, o op.RoIAlign, l lines[T]) plan {
	s := regionsOf(o, c.In[0], l)
	cut := rows(c.In[1][0]*s.bins(), s.c)
	return plan{scratch: 8 * cut.pieces() * s.size(), bind: func(m operands) []stage {
		x, rois, y := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		offsets, mask := further[T](o, m.in[2:])
		return []stage{s.stage(cut, m.scratch, func(b *bin, lo, hi int) {
			for p := lo; p < hi; p++ {
				to, roi := y[p*s.c:][:s.c], rois[p/s.bins()*5:][:5]
				clear(to)
				image := s.image(roi)
				if image < 0 || !s.place(b, p, roi, offsets, 0, s.h) {
					continue
				}
				b.each(factor(mask, p), func(row, column int, weight float64) {
					s.addScaled(to, x[((image*s.h+row)*s.w+column)*s.c:][:s.c], T(weight))
				})
			}
		})}
	}}
}

// bands is into how many pieces a map's gradient is cut.
const bands = 8

// roiAlignGrad has two stages: where there are these, the gradients of offsets and mask,
// bin by bin; and dx, image by image in bands of rows, of which each has its sums to
// itself.
func roiAlignGrad[T number](c op.Call, o op.RoIAlignGrad, l lines[T]) plan {
	last := len(c.In) - 1
	s := regionsOf(op.RoIAlign(o), c.In[0], l)
	all := c.In[1][0] * s.bins()
	byBin, byBand := rows(all, s.c), each(s.n*bands)
	return plan{scratch: 8 * max(byBin.pieces(), byBand.pieces()) * s.size(), bind: func(m operands) []stage {
		x, rois, dy, dx := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[last]), as[T](m.out[0])
		offsets, mask := further[T](s.RoIAlign, m.in[2:])
		onOffsets, onMask := further[T](s.RoIAlign, m.out[1:])
		onMap := s.stage(byBand, m.scratch, func(b *bin, band, _ int) {
			image, lo, hi := band/bands, band%bands*s.h/bands, (band%bands+1)*s.h/bands
			mine := dx[image*s.h*s.w*s.c:][:s.h*s.w*s.c]
			clear(mine[lo*s.w*s.c : hi*s.w*s.c])
			for p := range all {
				roi := rois[p/s.bins()*5:][:5]
				if s.image(roi) != image || !s.place(b, p, roi, offsets, lo, hi) {
					continue
				}
				from := dy[p*s.c:][:s.c]
				b.each(factor(mask, p), func(row, column int, weight float64) {
					s.addScaled(mine[(row*s.w+column)*s.c:][:s.c], from, T(weight))
				})
			}
		})
		if onOffsets == nil && onMask == nil {
			return []stage{onMap}
		}
		return []stage{onMap, s.stage(byBin, m.scratch, func(b *bin, lo, hi int) {
			for p := lo; p < hi; p++ {
				roi := rois[p/s.bins()*5:][:5]
				var onRow, onColumn, product float64
				if image := s.image(roi); image >= 0 && s.place(b, p, roi, offsets, 0, s.h) {
					onRow, onColumn, product = s.moved(b, x[image*s.h*s.w*s.c:], dy[p*s.c:][:s.c])
				}
				if onOffsets != nil {
					at, by := p/s.bins()*2*s.bins()+p%s.bins(), s.Gamma*factor(mask, p)
					onOffsets[at], onOffsets[at+s.bins()] = T(by*b.width*onColumn), T(by*b.height*onRow)
				}
				if onMask != nil {
					onMask[p] = T(product)
				}
			}
		})}
	}}
}

// stage does the rows of a split with a bin for each piece, whose weights lie in scratch
// memory.
func (s *regions[T]) stage(cut split, scratch []byte, do func(b *bin, lo, hi int)) stage {
	memory := as[float64](scratch)
	return stage{pieces: cut.pieces(), do: func(_, piece int) {
		b := s.bin(memory[piece*s.size():][:s.size()])
		lo, hi := cut.bounds(piece)
		do(&b, lo, hi)
	}}
}

// each calls f for the pixels that a bin takes something of, with how much times by.
func (b *bin) each(by float64, f func(row, column int, weight float64)) {
	for i := b.rows.first; i < b.rows.end; i++ {
		for j := b.columns.first; j < b.columns.end; j++ {
			if weight := by * b.rows.weight[i] * b.columns.weight[j]; weight != 0 {
				f(i, j, weight)
			}
		}
	}
}

// moved is how the product of a bin of an image with d changes with the bin's row and
// column, and the product itself.
func (s *regions[T]) moved(b *bin, image, d []T) (onRow, onColumn, product float64) {
	for i := b.rows.first; i < b.rows.end; i++ {
		weight, slope := b.rows.weight[i], b.rows.slope[i]
		if weight == 0 && slope == 0 {
			continue
		}
		for j := b.columns.first; j < b.columns.end; j++ {
			if b.columns.weight[j] == 0 && b.columns.slope[j] == 0 {
				continue
			}
			v := s.dot(image[(i*s.w+j)*s.c:][:s.c], d)
			onRow += slope * b.columns.weight[j] * v
			onColumn += weight * b.columns.slope[j] * v
			product += weight * b.columns.weight[j] * v
		}
	}
	return onRow, onColumn, product
}
