package op

import (
	"fmt"
	"math"
)

// RoIAlign pools regions of a map bilinearly (He et al., arXiv 1703.06870, as
// torchvision's roi_align): x (N, H, W, C) and rois (K, 5), each the number of its image
// and x1, y1, x2, y2, give (K, PooledH, PooledW, C). A region is cut into bins, and a bin
// is the mean of samples that lie evenly in it. Samples up to a pixel outside of the map
// count as on its border, others as zero, as does a region of an image that there is not.
//
// With Offsets a third input (K, 2, PooledH, PooledW) moves each bin to the right and then
// down, in parts of the region's width and height times Gamma (deformable pooling, Dai et
// al., arXiv 1703.06211); with Mask the last input (K, PooledH, PooledW) multiplies the
// bins (modulated, Zhu et al., arXiv 1811.11168). Both are as mmcv's deform_roi_pool,
// which is Aligned. Regions have no gradient.
type RoIAlign struct {
	PooledH, PooledW int
	// Scale makes pixels of the map of the regions' units.
	Scale float64
	// Samples is their number each way in a bin; with 0 it is the bin's size in pixels,
	// rounded up.
	Samples int
	// Aligned says that a pixel's middle, and not its corner, has whole coordinates once
	// half a pixel is taken from them; without it, regions are at least a pixel wide and
	// high.
	Aligned       bool
	Offsets, Mask bool
	Gamma         float64
}

// Kind implements Op.
func (RoIAlign) Kind() string { return "roi_align" }

// Infer implements Op.
func (o RoIAlign) Infer(in []Shape) ([]Shape, error) {
	if want := 2 + b2i(o.Offsets) + b2i(o.Mask); len(in) != want {
		return nil, fmt.Errorf("roi_align: %d inputs, want %d", len(in), want)
	}
	_, _, _, c, err := nhwc("roi_align", in[0])
	if err != nil {
		return nil, err
	}
	if len(in[1]) != 2 || in[1][1] != 5 {
		return nil, fmt.Errorf("roi_align: its regions are %v, want (K, 5): image, x1, y1, x2, y2", in[1])
	}
	switch {
	case o.PooledH < 1 || o.PooledW < 1:
		return nil, fmt.Errorf("roi_align: %dx%d bins; there should be at least one each way", o.PooledH, o.PooledW)
	case !(o.Scale > 0) || math.IsInf(o.Scale, 0):
		return nil, fmt.Errorf("roi_align: a scale of %v; it should be a number above 0", o.Scale)
	case o.Samples < 0:
		return nil, fmt.Errorf("roi_align: %d samples each way in a bin; it should be a number, or 0 for the bin's size", o.Samples)
	}
	k, at := in[1][0], 2
	if o.Offsets {
		if want := (Shape{k, 2, o.PooledH, o.PooledW}); !in[at].Eq(want) {
			return nil, fmt.Errorf("roi_align: its offsets are %v, want %v", in[at], want)
		}
		at++
	}
	if o.Mask {
		if want := (Shape{k, o.PooledH, o.PooledW}); !in[at].Eq(want) {
			return nil, fmt.Errorf("roi_align: its mask is %v, want %v", in[at], want)
		}
	}
	return []Shape{{k, o.PooledH, o.PooledW, c}}, nil
}

// perBin is the number of samples in a bin; where the regions decide it, two each way are
// supposed.
func (o RoIAlign) perBin() int64 {
	if o.Samples == 0 {
		return 4
	}
	return int64(o.Samples * o.Samples)
}

// Work implements Op.
func (o RoIAlign) Work(in, out []Shape) Work {
	return traffic(8*o.perBin()*int64(Size(out[0])), in, out)
}

// Constants implements Constants: the regions.
func (RoIAlign) Constants() []int { return []int{1} }

// Diff implements Differentiable.
func (o RoIAlign) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	all, err := applyAll(RoIAlignGrad(o), len(in)-1, append(in[:len(in):len(in)], dy)...)
	if err != nil {
		return nil, err
	}
	return append([]*Node{all[0], nil}, all[1:]...), nil
}

// RoIAlignGrad is the gradient of a RoIAlign: from its inputs and dy it gives dx and, where
// there are these, the gradients of the offsets and of the mask. That of an offset is the
// result's own, so that samples on the border, which do not change, add nothing to it;
// mmcv's counts them as if the map went on. Where a sample lies on a pixel, it is the
// difference to the next one.
type RoIAlignGrad RoIAlign

// Kind implements Op.
func (RoIAlignGrad) Kind() string { return "roi_align_grad" }

// Infer implements Op.
func (o RoIAlignGrad) Infer(in []Shape) ([]Shape, error) {
	if want := 3 + b2i(o.Offsets) + b2i(o.Mask); len(in) != want {
		return nil, fmt.Errorf("roi_align_grad: %d inputs, want %d", len(in), want)
	}
	return append([]Shape{in[0]}, in[2:len(in)-1]...), nil
}

// Work implements Op.
func (o RoIAlignGrad) Work(in, out []Shape) Work {
	return traffic(int64(8+12*b2i(o.Offsets || o.Mask))*RoIAlign(o).perBin()*int64(Size(in[len(in)-1])), in, out)
}
