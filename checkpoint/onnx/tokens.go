package onnx

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

func (t *translation) matMul(s graph.Traced, o op.MatMul) error {
	names := make([]string, 2)
	for i, turned := range []bool{o.TransA, o.TransB} {
		names[i] = t.use(s.In[i], asIs)
		if turned {
			names[i] = t.add("Transpose", "", []string{names[i]}, "", attributes{"perm": turnedAxes(len(s.In[i].Shape))})
		}
	}
	t.made(s.Out[0], asIs, t.add("MatMul", "", names, "", nil))
	return nil
}

// turnedAxes are so many axes, of which the last two have changed places.
func turnedAxes(n int) []int {
	axes := make([]int, n)
	for i := range axes {
		axes[i] = i
	}
	axes[n-1], axes[n-2] = n-2, n-1
	return axes
}

// attention writes the logits, the softmax and the values of all heads.
func (t *translation) attention(s graph.Traced, o op.Attention) error {
	l, c := s.Out[0].Shape[1], s.Out[0].Shape[2]
	depth := c / o.Heads
	x := t.reshaped(t.use(s.In[0], asIs), []int{0, l, 3, o.Heads, depth})
	x = t.add("Transpose", "", []string{x}, "", attributes{"perm": []int{2, 0, 3, 1, 4}})
	part := func(i int) string {
		y := t.add("Slice", "", []string{x, t.ints(i), t.ints(i + 1), t.ints(0)}, "", nil)
		return t.add("Squeeze", "", []string{y, t.ints(0)}, "", nil)
	}
	keys := t.add("Transpose", "", []string{part(1)}, "", attributes{"perm": turnedAxes(4)})
	logits := t.add("MatMul", "", []string{part(0), keys}, "", nil)
	logits = t.add("Mul", "", []string{logits, t.scalar(o.Scale)}, "", nil)
	if o.Bias {
		logits = t.add("Add", "", []string{logits, t.use(s.In[1], asIs)}, "", nil)
	}
	if n := len(o.Regions); n > 0 {
		logits = t.reshaped(logits, []int{0, n, o.Heads, l, l})
		logits = t.add("Sub", "", []string{logits, t.floats("", []int{n, 1, l, l}, penalties(o.Regions, l))}, "", nil)
		logits = t.reshaped(logits, []int{0, o.Heads, l, l})
	}
	p := t.add("Softmax", "", []string{logits}, "", attributes{"axis": -1})
	y := t.add("MatMul", "", []string{p, part(2)}, "", nil)
	y = t.add("Transpose", "", []string{y}, "", attributes{"perm": []int{0, 2, 1, 3}})
	t.made(s.Out[0], asIs, t.reshaped(y, []int{0, l, c}))
	return nil
}

// penalties are what the logits of tokens of different regions are lower by.
func penalties(regions [][]int, l int) []float32 {
	out := make([]float32, 0, len(regions)*l*l)
	for _, r := range regions {
		for _, a := range r {
			for _, b := range r {
				v := float32(0)
				if a != b {
					v = op.RegionPenalty
				}
				out = append(out, v)
			}
		}
	}
	return out
}

func (t *translation) layerNorm(s graph.Traced, o op.LayerNorm) error {
	x, gamma := t.use(s.In[0], asIs), t.use(s.In[1], asIs)
	if !o.Root {
		t.made(s.Out[0], asIs, t.add("LayerNormalization", "", []string{x, gamma, t.use(s.In[2], asIs)}, "", attributes{"axis": -1, "epsilon": o.Eps}))
		return nil
	}
	root := t.rootMeanSquare(x, -1, o.Eps)
	t.made(s.Out[0], asIs, t.add("Mul", "", []string{t.add("Div", "", []string{x, root}, "", nil), gamma}, "", nil))
	return nil
}

// rootMeanSquare is sqrt(mean of x^2 over an axis + eps).
func (t *translation) rootMeanSquare(x string, axis int, eps float64) string {
	square := t.add("Mul", "", []string{x, x}, "", nil)
	mean := t.reduced("ReduceMean", square, []int{axis})
	return t.add("Sqrt", "", []string{t.add("Add", "", []string{mean, t.scalar(eps)}, "", nil)}, "", nil)
}

// groupNorm writes the norm of each group as an instance norm of one long channel.
func (t *translation) groupNorm(s graph.Traced, o op.GroupNorm) error {
	shape := s.In[0].Shape
	if len(shape) != 4 {
		return fmt.Errorf("group_norm of %v has no translation", shape)
	}
	x := t.add("Reshape", "", []string{t.use(s.In[0], channelsFirst), t.ints(0, o.Groups, -1)}, "", nil)
	if o.Root {
		x = t.add("Div", "", []string{x, t.rootMeanSquare(x, 2, o.Eps)}, "", nil)
	} else {
		ones, zeros := make([]float32, o.Groups), make([]float32, o.Groups)
		for i := range ones {
			ones[i] = 1
		}
		x = t.add("InstanceNormalization", "", []string{x, t.floats(fmt.Sprintf("ones %d", o.Groups), []int{o.Groups}, ones),
			t.floats(fmt.Sprintf("zeros %d", o.Groups), []int{o.Groups}, zeros)}, "", attributes{"epsilon": o.Eps})
	}
	x = t.reshaped(x, first(shape))
	for i, kind := range []string{"Mul", "Add"} {
		name, err := t.aligned(s.In[1+i], channelsFirst, 4)
		if err != nil {
			return err
		}
		x = t.add(kind, "", []string{x, name}, "", nil)
	}
	t.made(s.Out[0], channelsFirst, x)
	return nil
}
