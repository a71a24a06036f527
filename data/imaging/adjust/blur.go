package adjust

import (
	"math"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/pixel"
)

// passes of a box blur make Pillow's Gaussian.
const passes = 3

// Blur writes ImageFilter.GaussianBlur of src to dst, which is not src. radius is
// the standard deviation in pixels. The Gaussian is three boxes with fractional
// ends (Gwosdek et al. 2011), each rounded to bytes.
func (a *Adjuster) Blur(dst, src *imaging.Image, radius float64) {
	b := boxOf(float32(radius))
	if b.radius == 0 && b.Far == 0 {
		dst.CopyFrom(src)
		return
	}
	a.line = grow(a.line, src.Width*src.Channels)
	a.sums = grow(a.sums, src.Width*src.Channels)
	dst.Reset(src.Width, src.Height, src.Channels)
	a.spare.Reset(src.Width, src.Height, src.Channels)
	for y := range src.Height {
		out := a.spare.Row(y)
		b.across(out, src.Row(y), src.Channels)
		b.across(a.line, out, src.Channels)
		b.across(out, a.line, src.Channels)
	}
	b.down(dst, &a.spare, a.sums)
	b.down(&a.spare, dst, a.sums)
	b.down(dst, &a.spare, a.sums)
}

// box is one over 2*radius+1 values. Outside, the edge is repeated.
type box struct {
	radius int
	pixel.Box
}

// boxOf is the box, three of which have the standard deviation sigma.
func boxOf(sigma float32) box {
	variance := float32(sigma*sigma) / passes
	length := float32(math.Sqrt(12*float64(variance) + 1))
	whole := float32(math.Floor((float64(length) - 1) / 2))
	part := float32((2*whole + 1) * (float32(whole*(whole+1)) - 3*variance))
	part /= 6 * (variance - float32((whole+1)*(whole+1)))
	radius := whole + part

	b := box{radius: int(radius)}
	b.Weight = uint32(float32(1<<24) / (float32(radius*2) + 1))
	b.Far = (1<<24 - uint32(2*b.radius+1)*b.Weight) / 2
	return b
}

// across blurs a row of pixels; out is not in.
func (b *box) across(out, in []uint8, channels int) {
	last := len(in)/channels - 1
	// Between the edges nothing is repeated.
	from, to := min(b.radius+1, last+1), max(last-b.radius, 0)
	for c := range channels {
		at := func(x int) uint8 { return in[min(max(x, 0), last)*channels+c] }
		sum := uint32(0)
		for x := -b.radius - 1; x < b.radius; x++ {
			sum += uint32(at(x))
		}
		edge := func(first, end int) {
			for x := first; x < end; x++ {
				sum += uint32(at(x+b.radius)) - uint32(at(x-b.radius-1))
				out[x*channels+c] = b.Mean(sum, at(x-b.radius-1), at(x+b.radius+1))
			}
		}
		edge(0, from)
		if from < to {
			n, start, reach := (to-from)*channels-c, from*channels+c, (b.radius+1)*channels
			left, enters, right := in[start-reach:][:n], in[start+reach-channels:][:n], in[start+reach:][:n]
			means, inner := out[start:][:n], sum
			for i := 0; i < n; i += channels {
				inner += uint32(enters[i]) - uint32(left[i])
				means[i] = b.Mean(inner, left[i], right[i])
			}
			sum = inner
		}
		edge(max(from, to), last+1)
	}
}

// down blurs columns, all at once; dst is not src and as large. sums holds a row.
func (b *box) down(dst, src *imaging.Image, sums []uint32) {
	row := func(y int) []uint8 { return src.Row(min(max(y, 0), src.Height-1))[:len(sums)] }
	clear(sums)
	for y := -b.radius - 1; y < b.radius; y++ {
		for i, v := range row(y) {
			sums[i] += uint32(v)
		}
	}
	for y := range src.Height {
		b.Down(dst.Row(y), sums, row(y-b.radius-1), row(y+b.radius), row(y+b.radius+1))
	}
}

// reach is how many pixels a Gaussian kernel goes to each side: timm's transforms
// have kernels of 23.
const reach = 11

// kernel is a Gaussian as the coefficients of a resampling to the same size.
type kernel struct {
	across, down pixel.Weights
	strip        []uint8
}

// Gaussian writes src to dst, which is not src, convolved with the Gaussian of
// standard deviation sigma in pixels, cut off at 11 to each side and mirrored at
// the edges: torchvision's GaussianBlur of 23 x 23, within a level, since rows are
// rounded to bytes before columns are summed.
func (a *Adjuster) Gaussian(dst, src *imaging.Image, sigma float64) {
	var half [reach + 1]float64
	sum := 0.0
	for i := range half {
		x := float64(i) / sigma
		half[i] = math.Exp(-0.5 * float64(x*x))
		sum += 2 * half[i]
	}
	sum -= half[0]
	var taps [reach + 1]int32
	for i := range taps {
		taps[i] = int32(math.Round(half[i] / sum * (1 << pixel.Precision)))
	}
	k := &a.kernel
	mirrored(&k.across, src.Width, &taps)
	mirrored(&k.down, src.Height, &taps)
	a.spare.Reset(src.Width, src.Height, src.Channels)
	pixel.Rows(a.spare.Pix, a.spare.Stride, src.Pix, src.Stride, src.Height, src.Channels, &k.across, &k.strip)
	dst.Reset(src.Width, src.Height, src.Channels)
	for y, first := range k.down.First {
		pixel.ResampleBytes(dst.Row(y), a.spare.Pix[first*a.spare.Stride:], a.spare.Stride, k.down.Taps[y*k.down.Size:][:k.down.Count[y]])
	}
}

// mirrored plans n outputs of n inputs with the kernel of which taps is one half.
func mirrored(w *pixel.Weights, n int, taps *[reach + 1]int32) {
	w.Size = 2*reach + 1
	w.First, w.Count, w.Taps = grow(w.First, n), grow(w.Count, n), grow(w.Taps, n*w.Size)
	clear(w.Taps)
	for i := range n {
		first, last := max(i-reach, 0), min(i+reach, n-1)
		w.First[i], w.Count[i] = first, last-first+1
		for k := -reach; k <= reach; k++ {
			w.Taps[i*w.Size+imaging.Mirror(i+k, n)-first] += taps[max(k, -k)]
		}
	}
}
