package op

import "fmt"

// DeformSample samples a map where the taps of a deformable convolution look (Dai et al.,
// arXiv 1703.06211; with a mask Zhu et al., arXiv 1811.11168): x (N, H, W, C), offsets (N,
// OH, OW, 2*OffsetGroups*taps), which hold for each group of channels and tap how far down
// and to the right of its place it looks, and with Mask a third input (N, OH, OW,
// OffsetGroups*taps) by which samples are multiplied. Between pixels it interpolates
// bilinearly; what lies outside counts as zero. The result (N, OH, OW, taps*C) is ordered
// by Groups of the convolution that follows, then taps, then channels, so that this is one
// of a single pixel.
type DeformSample struct {
	Window
	Groups, OffsetGroups int
	Mask                 bool
}

// Kind implements Op.
func (DeformSample) Kind() string { return "deform_sample" }

// Taps is the number of places that a position looks at.
func (o DeformSample) Taps() int { return o.KH * o.KW }

// Infer implements Op.
func (o DeformSample) Infer(in []Shape) ([]Shape, error) {
	if want := 2 + b2i(o.Mask); len(in) != want {
		return nil, fmt.Errorf("deform_sample: %d inputs, want %d", len(in), want)
	}
	n, h, w, c, err := nhwc("deform_sample", in[0])
	if err != nil {
		return nil, err
	}
	if o.Groups < 1 || o.OffsetGroups < 1 || c%o.Groups != 0 || c%o.OffsetGroups != 0 {
		return nil, fmt.Errorf("deform_sample: %d channels in %d groups and %d groups of offsets; both should divide the number of channels", c, o.Groups, o.OffsetGroups)
	}
	oh, ow, err := o.Out(h, w, false)
	if err != nil {
		return nil, fmt.Errorf("deform_sample: %w", err)
	}
	places := o.OffsetGroups * o.Taps()
	for i, s := range in[1:] {
		if want := (Shape{n, oh, ow, places * (2 - i)}); !s.Eq(want) {
			return nil, fmt.Errorf("deform_sample: input %d is %v, want %v", i+1, s, want)
		}
	}
	return []Shape{{n, oh, ow, o.Taps() * c}}, nil
}

// Work implements Op.
func (o DeformSample) Work(in, out []Shape) Work { return traffic(8*int64(Size(out[0])), in, out) }

// Diff implements Differentiable.
func (o DeformSample) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	return applyAll(DeformSampleGrad(o), len(in), append(in[:len(in):len(in)], dy)...)
}

// DeformSampleGrad is the gradient of a DeformSample: from its inputs and dy it gives dx,
// that of the offsets and, with Mask, that of the mask. Where a sample lies on a pixel, the
// offset's gradient is the difference to the next one.
type DeformSampleGrad struct {
	Window
	Groups, OffsetGroups int
	Mask                 bool
}

// Kind implements Op.
func (DeformSampleGrad) Kind() string { return "deform_sample_grad" }

// Infer implements Op.
func (o DeformSampleGrad) Infer(in []Shape) ([]Shape, error) {
	if want := 3 + b2i(o.Mask); len(in) != want {
		return nil, fmt.Errorf("deform_sample_grad: %d inputs, want %d", len(in), want)
	}
	return in[: len(in)-1 : len(in)-1], nil
}

// Work implements Op.
func (o DeformSampleGrad) Work(in, out []Shape) Work {
	return traffic(20*int64(Size(in[len(in)-1])), in, out)
}
