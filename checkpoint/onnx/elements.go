package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// unary writes an operation on each element, in whatever order the value lies.
func (t *translation) unary(s graph.Traced, write func(x string) string) error {
	o := t.preferred(s.In[:1])
	t.made(s.Out[0], o, write(t.use(s.In[0], o)))
	return nil
}

// elementwise writes an operation on two values that stretch to each other.
func (t *translation) elementwise(s graph.Traced, kind string) error {
	o, axes := t.preferred(s.In), len(s.Out[0].Shape)
	names := make([]string, 2)
	for i, v := range s.In {
		var err error
		if names[i], err = t.aligned(v, o, axes); err != nil {
			return err
		}
	}
	t.made(s.Out[0], o, t.add(kind, "", names, "", nil))
	return nil
}

// power is (x + shift)^exponent by the operations that are exact where there are some.
func (t *translation) power(x string, o op.Power) string {
	if o.Shift != 0 {
		x = t.add("Add", "", []string{x, t.scalar(o.Shift)}, "", nil)
	}
	switch o.Exponent {
	case 1:
		return x
	case 2:
		return t.add("Mul", "", []string{x, x}, "", nil)
	case 0.5, -0.5:
		x = t.add("Sqrt", "", []string{x}, "", nil)
	case -1:
	default:
		return t.add("Pow", "", []string{x, t.scalar(o.Exponent)}, "", nil)
	}
	if o.Exponent < 0 {
		return t.add("Reciprocal", "", []string{x}, "", nil)
	}
	return x
}

// reduce writes a reduction over the axes that the result has stretched.
func (t *translation) reduce(s graph.Traced, kind string, to graph.Shape) error {
	x := s.In[0]
	if len(to) != len(x.Shape) {
		return fmt.Errorf("%s from %v to %v has no translation", s.Op.Kind(), x.Shape, to)
	}
	o := t.preferred(s.In[:1])
	var over []int
	for i := range to {
		if to[i] != x.Shape[i] {
			over = append(over, axis(i, len(to), o))
		}
	}
	slices.Sort(over)
	name := t.use(x, o)
	switch {
	case len(over) == 0:
	default:
		name = t.reduced(kind, name, over)
	}
	t.made(s.Out[0], o, name)
	return nil
}

// reduced writes a reduction over axes, which became an input in opset 13 for sums and in
// 18 for others.
func (t *translation) reduced(kind, x string, axes []int) string {
	if kind == "ReduceSum" || t.file.opset >= 18 {
		return t.add(kind, "", []string{x, t.ints(axes...)}, "", nil)
	}
	return t.add(kind, "", []string{x}, "", attributes{"axes": axes})
}

// activation writes functions that ONNX has by name and puts the others together.
func (t *translation) activation(s graph.Traced, o op.Activation) error {
	one := func(kind string, a attributes) func(x string) string {
		return func(x string) string { return t.add(kind, "", []string{x}, "", a) }
	}
	times := func(gate func(x string) string) func(x string) string {
		return func(x string) string { return t.add("Mul", "", []string{x, gate(x)}, "", nil) }
	}
	scaled := func(x string, f float64) string { return t.add("Mul", "", []string{x, t.scalar(f)}, "", nil) }
	shifted := func(x string, f float64) string { return t.add("Add", "", []string{x, t.scalar(f)}, "", nil) }
	clip := func(lo, hi float64) func(x string) string {
		return func(x string) string { return t.add("Clip", "", []string{x, t.scalar(lo), t.scalar(hi)}, "", nil) }
	}
	write, ok := map[op.Act]func(x string) string{
		op.ReLU:        one("Relu", nil),
		op.ReLU6:       clip(0, 6),
		op.LeakyReLU:   one("LeakyRelu", attributes{"alpha": o.Alpha}),
		op.ELU:         one("Elu", attributes{"alpha": o.Alpha}),
		op.CELU:        one("Celu", attributes{"alpha": o.Alpha}),
		op.SELU:        one("Selu", nil),
		op.Sigmoid:     one("Sigmoid", nil),
		op.Tanh:        one("Tanh", nil),
		op.Softplus:    one("Softplus", nil),
		op.HardSigmoid: one("HardSigmoid", attributes{"alpha": 1. / 6, "beta": 0.5}),
		op.HardSwish:   one("HardSwish", nil),
		op.HardTanh:    clip(-1, 1),
		op.SiLU:        times(one("Sigmoid", nil)),
		op.Swish:       times(func(x string) string { return one("Sigmoid", nil)(scaled(x, o.Alpha)) }),
		op.Mish:        times(func(x string) string { return one("Tanh", nil)(one("Softplus", nil)(x)) }),
		op.QuickGELU:   times(func(x string) string { return one("Sigmoid", nil)(scaled(x, 1.702)) }),
		op.HardMish:    times(func(x string) string { return scaled(clip(0, 2)(shifted(x, 2)), 0.5) }),
		op.GELU: times(func(x string) string {
			return scaled(shifted(one("Erf", nil)(scaled(x, 1/math.Sqrt2)), 1), 0.5)
		}),
		op.GELUTanh: times(func(x string) string {
			cubed := t.add("Mul", "", []string{t.add("Mul", "", []string{x, x}, "", nil), x}, "", nil)
			inner := scaled(t.add("Add", "", []string{x, scaled(cubed, 0.044715)}, "", nil), math.Sqrt(2/math.Pi))
			return scaled(shifted(one("Tanh", nil)(inner), 1), 0.5)
		}),
	}[o.Func]
	if !ok {
		return fmt.Errorf("the activation %s has no translation", o.Func)
	}
	return t.unary(s, write)
}

// spectralPool writes the products with the basis and their sum.
func (t *translation) spectralPool(s graph.Traced, o op.SpectralPool) {
	shape := s.In[0].Shape
	basis := o.Basis(shape[1], shape[2], shape[3])
	data := make([]float32, len(basis))
	for i, v := range basis {
		data[i] = float32(v)
	}
	one := graph.Shape{1, shape[1], shape[2], shape[3]}
	x := t.add("Mul", "", []string{t.use(s.In[0], channelsFirst), t.floats("", first(one), moved(data, one, firstAxes))}, "", nil)
	t.made(s.Out[0], asIs, t.add("ReduceSum", "", []string{x, t.ints(2, 3)}, "", attributes{"keepdims": 0}))
}
