package cpu

import (
	"math"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// lines are the steps along channels that sampling is made of.
type lines[T number] struct {
	addScaled func(y, x []T, by T)   // y += by*x
	dot       func(a, b []T) float64 // sum of a*b
}

func portableLines[T number]() lines[T] {
	return lines[T]{
		addScaled: func(y, x []T, by T) {
			for i, v := range x {
				y[i] += by * v
			}
		},
		dot: func(a, b []T) (sum float64) {
			for i, v := range a {
				sum += float64(v) * float64(b[i])
			}
			return sum
		},
	}
}

var fastLines = lines[float32]{addScaled: vec.Axpy, dot: vec.Dot}

// sampling is the shapes of a deform_sample.
type sampling[T number] struct {
	op.DeformSample
	lines[T]
	h, w, c, oh, ow int
}

func samplingOf[T number](o op.DeformSample, x, y op.Shape, l lines[T]) *sampling[T] {
	return &sampling[T]{o, l, x[1], x[2], x[3], y[1], y[2]}
}

// corner is one of the four pixels around a sample, how much of it the sample is, and how
// that changes with the sample's row and column. A pixel outside is -1.
type corner struct {
	pixel                   int
	weight, byRow, byColumn float64
}

// corners are those of a tap of one group of offsets at a position (i, j), whose offsets
// are given.
func (s *sampling[T]) corners(i, j, tap int, dy, dx T) (all [4]corner, inside bool) {
	y := float64(i*s.StrideH-s.PadTop+tap/s.KW*s.DilationH) + float64(dy)
	x := float64(j*s.StrideW-s.PadLeft+tap%s.KW*s.DilationW) + float64(dx)
	if !(y > -1 && y < float64(s.h) && x > -1 && x < float64(s.w)) {
		return all, false
	}
	top, left := math.Floor(y), math.Floor(x)
	fy, fx := y-top, x-left
	for k := range all {
		row, column := int(top)+k/2, int(left)+k%2
		wy, wx, sy, sx := 1-fy, 1-fx, -1.0, -1.0
		if k/2 == 1 {
			wy, sy = fy, 1
		}
		if k%2 == 1 {
			wx, sx = fx, 1
		}
		all[k] = corner{-1, wy * wx, sy * wx, wy * sx}
		if row >= 0 && row < s.h && column >= 0 && column < s.w {
			all[k].pixel = row*s.w + column
		}
	}
	return all, true
}

// eachRun calls f for each piece of a tap's samples of one group of offsets that lies
// together: with its first channel, the number, and where it begins in the result's pixel.
func (s *sampling[T]) eachRun(offsetGroup, tap int, f func(channel, n, at int)) {
	width, each := s.c/s.Groups, s.c/s.OffsetGroups
	for c := offsetGroup * each; c < (offsetGroup+1)*each; {
		g := c / width
		n := min((g+1)*width, (offsetGroup+1)*each) - c
		f(c, n, (g*s.Taps()+tap)*width+c-g*width)
		c += n
	}
}

// eachSample calls f for each tap and group of offsets of position p of all images: with
// its place among the offsets' pairs.
func (s *sampling[T]) eachSample(p int, f func(image, i, j, group, tap, place int)) {
	image, i, j := p/(s.oh*s.ow), p/s.ow%s.oh, p%s.ow
	for g := range s.OffsetGroups {
		for tap := range s.Taps() {
			f(image, i, j, g, tap, p*s.OffsetGroups*s.Taps()+g*s.Taps()+tap)
		}
	}
}

// factor is what a sample is multiplied by, 1 without a mask.
func factor[T number](mask []T, place int) float64 {
	if mask == nil {
		return 1
	}
	return float64(mask[place])
}

func deformSample[T number](c op.Call, o op.DeformSample, l lines[T]) plan {
	s := samplingOf(o, c.In[0], c.Out[0], l)
	positions, width := columnsOf(c.Out[0])
	return overRows(rows(positions, width), func(m operands) func(lo, hi int) {
		x, offsets, y := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		var mask []T
		if o.Mask {
			mask = as[T](m.in[2])
		}
		return func(lo, hi int) {
			clear(y[lo*width : hi*width])
			for p := lo; p < hi; p++ {
				s.eachSample(p, func(image, i, j, group, tap, place int) {
					all, inside := s.corners(i, j, tap, offsets[2*place], offsets[2*place+1])
					if !inside {
						return
					}
					by := factor(mask, place)
					for _, k := range all {
						if k.pixel < 0 {
							continue
						}
						from := x[(image*s.h*s.w+k.pixel)*s.c:]
						s.eachRun(group, tap, func(channel, n, at int) {
							s.addScaled(y[p*width+at:][:n], from[channel:][:n], T(by*k.weight))
						})
					}
				})
			}
		}
	})
}

// deformSampleGrad has two stages: the gradients of offsets and mask, position by
// position; and dx, image by image in blocks of channels, of which each has its sums to
// itself.
func deformSampleGrad[T number](c op.Call, o op.DeformSampleGrad, l lines[T]) plan {
	last := len(c.In) - 1
	s := samplingOf(op.DeformSample(o), c.In[0], c.In[last], l)
	positions, width := columnsOf(c.In[last])
	blocks := channels(s.c)
	return plan{bind: func(m operands) []stage {
		x, offsets, dy := as[T](m.in[0]), as[T](m.in[1]), as[T](m.in[last])
		dx, onOffsets := as[T](m.out[0]), as[T](m.out[1])
		var mask, onMask []T
		if o.Mask {
			mask, onMask = as[T](m.in[2]), as[T](m.out[2])
		}
		return []stage{
			rows(positions, width).stage(func(lo, hi int) {
				for p := lo; p < hi; p++ {
					s.eachSample(p, func(image, i, j, group, tap, place int) {
						all, inside := s.corners(i, j, tap, offsets[2*place], offsets[2*place+1])
						var onRow, onColumn, onFactor float64
						for _, k := range all {
							if !inside || k.pixel < 0 {
								continue
							}
							from, product := x[(image*s.h*s.w+k.pixel)*s.c:], 0.0
							s.eachRun(group, tap, func(channel, n, at int) {
								product += s.dot(from[channel:][:n], dy[p*width+at:][:n])
							})
							onRow += k.byRow * product
							onColumn += k.byColumn * product
							onFactor += k.weight * product
						}
						by := factor(mask, place)
						onOffsets[2*place], onOffsets[2*place+1] = T(by*onRow), T(by*onColumn)
						if onMask != nil {
							onMask[place] = T(onFactor)
						}
					})
				}
			}),
			each(c.In[0][0] * blocks.pieces()).stage(func(lo, hi int) {
				for piece := lo; piece < hi; piece++ {
					image := piece / blocks.pieces()
					first, end := blocks.bounds(piece % blocks.pieces())
					for pixel := range s.h * s.w {
						clear(dx[(image*s.h*s.w+pixel)*s.c+first:][:end-first])
					}
					for p := image * s.oh * s.ow; p < (image+1)*s.oh*s.ow; p++ {
						s.eachSample(p, func(image, i, j, group, tap, place int) {
							all, inside := s.corners(i, j, tap, offsets[2*place], offsets[2*place+1])
							if !inside {
								return
							}
							by := factor(mask, place)
							s.eachRun(group, tap, func(channel, n, at int) {
								from, to := max(channel, first), min(channel+n, end)
								if from >= to {
									return
								}
								d := dy[p*width+at+from-channel:][:to-from]
								for _, k := range all {
									if k.pixel >= 0 {
										s.addScaled(dx[(image*s.h*s.w+k.pixel)*s.c+from:][:to-from], d, T(by*k.weight))
									}
								}
							})
						})
					}
				}
			}),
		}
	}}
}
