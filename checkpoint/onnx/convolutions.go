package onnx

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// window is the attributes of a kernel that slides.
func window(w op.Window) attributes {
	return attributes{
		"kernel_shape": []int{w.KH, w.KW}, "strides": []int{w.StrideH, w.StrideW},
		"pads": []int{w.PadTop, w.PadLeft, w.PadBottom, w.PadRight}, "dilations": []int{w.DilationH, w.DilationW},
	}
}

// conv writes a convolution and, where that is the only one to read its result and norms
// are not kept, the batch norm behind it as part of the weights.
func (t *translation) conv(i int, s graph.Traced, o op.Conv2D) error {
	weight := s.In[1]
	if !t.isConstant(weight) {
		return fmt.Errorf("a convolution whose weights depend on the image has no translation")
	}
	w := t.weights(i, s, o.Bias, weight.Shape)
	in := []string{t.use(s.In[0], channelsFirst), w.weight}
	if w.bias != "" {
		in = append(in, w.bias)
	}
	a := window(o.Window)
	a["group"] = max(1, o.Groups)
	t.made(w.out, channelsFirst, t.add("Conv", w.name, in, "", a))
	return nil
}

// deformed writes a sampling and the convolution of a single pixel behind it, which alone
// reads the samples, as one deformable convolution.
func (t *translation) deformed(i int, s graph.Traced, o op.DeformSample) error {
	k := t.reader(i, s)
	if k < 0 {
		return fmt.Errorf("samples of a deformable convolution that several layers read have no translation")
	}
	step := t.trace[k]
	conv, ok := step.Op.(op.Conv2D)
	if !ok || !t.isConstant(step.In[1]) || conv.Window != op.Square(1, 1, 0) {
		return fmt.Errorf("samples of a deformable convolution that no convolution of a pixel with constant weights reads have no translation")
	}
	taps, filters := step.In[1].Shape[2], step.In[1].Shape[3] // taps of all channels of a group
	w := t.weights(k, step, conv.Bias, graph.Shape{o.KH, o.KW, taps / o.Taps(), filters})
	t.skip[k] = true
	in := []string{t.use(s.In[0], channelsFirst), w.weight, t.use(s.In[1], channelsFirst), w.bias}
	if o.Mask {
		in = append(in, t.use(s.In[2], channelsFirst))
	}
	for in[len(in)-1] == "" {
		in = in[:len(in)-1]
	}
	a := window(o.Window)
	a["group"], a["offset_group"] = max(1, o.Groups), o.OffsetGroups
	t.made(w.out, channelsFirst, t.add("DeformConv", w.name, in, "", a))
	return nil
}

// convWeights are the constants of a convolution in the file, and where its result goes.
type convWeights struct {
	name, weight, bias string // bias is "" where there is none
	out                graph.Operand
}

// weights writes those of the convolution in step i, taken as of the shape (KH, KW,
// C/groups, K), with the norm behind it if that is folded.
func (t *translation) weights(i int, s graph.Traced, biased bool, shape graph.Shape) convWeights {
	weight := s.In[1]
	data := moved(t.values[weight.ID], shape, []int{3, 2, 0, 1})
	w := convWeights{name: t.layerName(weight), out: s.Out[0]}
	var bias []float32
	if biased {
		bias = t.values[s.In[2].ID]
	}
	if k, ok := t.foldable(i, s); ok {
		norm := t.trace[k]
		data, bias = t.folded(data, bias, shape[3], norm)
		t.skip[k] = true
		w.out = norm.Out[0]
	}
	w.weight = t.floats(w.name+".weight", []int{shape[3], shape[2], shape[0], shape[1]}, data)
	if bias != nil {
		w.bias = t.floats(w.name+".bias", []int{len(bias)}, bias)
	}
	return w
}

// layerName is the name of the layer that a weight belongs to.
func (t *translation) layerName(weight graph.Operand) string {
	if weight.Param == nil {
		return fmt.Sprintf("layer %d", weight.ID)
	}
	return cmp.Or(weight.Param.Layer(), weight.Param.Name)
}

// foldable finds the batch norm that alone reads the result of step i.
func (t *translation) foldable(i int, s graph.Traced) (int, bool) {
	k := t.reader(i, s)
	if t.options.KeepNorms || k < 0 {
		return 0, false
	}
	_, norm := t.trace[k].Op.(op.BatchNormInference)
	return k, norm && t.trace[k].In[0].ID == s.Out[0].ID
}

// reader is the only step that reads the result of step i, -1 where there is not just one.
func (t *translation) reader(i int, s graph.Traced) int {
	out := s.Out[0].ID
	if t.uses[out] != 1 {
		return -1
	}
	return i + 1 + slices.IndexFunc(t.trace[i+1:], func(later graph.Traced) bool {
		return slices.ContainsFunc(later.In, func(v graph.Operand) bool { return v.ID == out })
	})
}

// folded is a weight (K, ...) and bias with a batch norm by constants taken in.
func (t *translation) folded(weight, bias []float32, k int, norm graph.Traced) (w, b []float32) {
	scale, shift := t.affine(norm)
	w, b = make([]float32, len(weight)), make([]float32, k)
	each := len(weight) / k
	for i, v := range weight {
		w[i] = float32(float64(v) * scale[i/each])
	}
	for i := range b {
		if bias != nil {
			shift[i] += float64(bias[i]) * scale[i]
		}
		b[i] = float32(shift[i])
	}
	return w, b
}

// affine is a batch norm by constants as x*scale + shift.
func (t *translation) affine(norm graph.Traced) (scale, shift []float64) {
	gamma, beta := t.values[norm.In[1].ID], t.values[norm.In[2].ID]
	mean, variance := t.values[norm.In[3].ID], t.values[norm.In[4].ID]
	eps := norm.Op.(op.BatchNormInference).Eps
	for i := range gamma {
		f := float64(gamma[i]) / math.Sqrt(float64(variance[i])+eps)
		scale, shift = append(scale, f), append(shift, float64(beta[i])-float64(mean[i])*f)
	}
	return scale, shift
}

// batchNorm writes a norm of maps as such, and one of other values as a product and a sum.
func (t *translation) batchNorm(s graph.Traced, o op.BatchNormInference) error {
	for _, v := range s.In[1:] {
		if !t.isConstant(v) {
			return fmt.Errorf("a batch norm by statistics of the batch has no translation")
		}
	}
	if len(s.In[0].Shape) == 4 {
		in := []string{t.use(s.In[0], channelsFirst)}
		for _, v := range s.In[1:] {
			in = append(in, t.use(v, asIs))
		}
		t.made(s.Out[0], channelsFirst, t.add("BatchNormalization", "", in, "", attributes{"epsilon": o.Eps}))
		return nil
	}
	scale, shift := t.affine(s)
	c := len(scale)
	factors, offsets := make([]float32, c), make([]float32, c)
	for i := range scale {
		factors[i], offsets[i] = float32(scale[i]), float32(shift[i])
	}
	x := t.add("Mul", "", []string{t.use(s.In[0], asIs), t.floats("", []int{c}, factors)}, "", nil)
	t.made(s.Out[0], asIs, t.add("Add", "", []string{x, t.floats("", []int{c}, offsets)}, "", nil))
	return nil
}

// linear writes rows of numbers as Gemm, other values as MatMul.
func (t *translation) linear(s graph.Traced, o op.Linear) error {
	weight := s.In[1]
	if !t.isConstant(weight) {
		return fmt.Errorf("a linear layer whose weights depend on the image has no translation")
	}
	x, name := t.use(s.In[0], asIs), t.layerName(weight)
	in, out := weight.Shape[0], weight.Shape[1]
	if len(s.In[0].Shape) == 2 {
		operands := []string{x, t.floats(name+".weight", []int{out, in}, moved(t.values[weight.ID], weight.Shape, []int{1, 0}))}
		if o.Bias {
			operands = append(operands, t.use(s.In[2], asIs))
		}
		t.made(s.Out[0], asIs, t.add("Gemm", name, operands, "", attributes{"transB": 1}))
		return nil
	}
	y := t.add("MatMul", name, []string{x, t.floats(name+".weight transposed", []int{in, out}, t.values[weight.ID])}, "", nil)
	if o.Bias {
		y = t.add("Add", "", []string{y, t.use(s.In[2], asIs)}, "", nil)
	}
	t.made(s.Out[0], asIs, y)
	return nil
}

func (t *translation) pool(s graph.Traced, kind string, w op.Window, ceil bool, more attributes) {
	a := window(w)
	if kind == "AveragePool" {
		delete(a, "dilations")
	}
	if ceil {
		a["ceil_mode"] = 1
	}
	maps.Copy(a, more)
	t.made(s.Out[0], channelsFirst, t.add(kind, "", []string{t.use(s.In[0], channelsFirst)}, "", a))
}

func (t *translation) avgPool(s graph.Traced, o op.AvgPool) error {
	if o.DilationH != 1 || o.DilationW != 1 {
		return fmt.Errorf("a mean over windows with holes has no translation")
	}
	more := attributes{}
	if o.CountPad {
		more["count_include_pad"] = 1
	}
	t.pool(s, "AveragePool", o.Window, o.Ceil, more)
	return nil
}

// roiAlign writes the pooling of regions, whose images' numbers ONNX has apart from their
// sides.
func (t *translation) roiAlign(s graph.Traced, o op.RoIAlign) error {
	if o.Offsets || o.Mask {
		return fmt.Errorf("deformable pooling of regions has no translation: ONNX pools them without offsets and masks only, as layers.NewRoIAlign does")
	}
	rois := t.use(s.In[1], asIs)
	images := t.add("Slice", "", []string{rois, t.ints(0), t.ints(1), t.ints(1)}, "", nil)
	images = t.add("Cast", "", []string{t.add("Reshape", "", []string{images, t.ints(-1)}, "", nil)}, "", attributes{"to": typeInt64})
	sides := t.add("Slice", "", []string{rois, t.ints(1), t.ints(5), t.ints(1)}, "", nil)
	a := attributes{
		"coordinate_transformation_mode": "half_pixel", "mode": "avg", "output_height": o.PooledH, "output_width": o.PooledW,
		"sampling_ratio": o.Samples, "spatial_scale": o.Scale,
	}
	if !o.Aligned {
		a["coordinate_transformation_mode"] = "output_half_pixel"
	}
	t.made(s.Out[0], channelsFirst, t.add("RoiAlign", "", []string{t.use(s.In[0], channelsFirst), sides, images}, "", a))
	return nil
}
