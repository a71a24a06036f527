package onnx

import (
	"fmt"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// order is how a value of four axes lies in the file.
type order uint8

const (
	asIs          order = iota // as in the graph: (N, H, W, C)
	channelsFirst              // (N, C, H, W)
)

// translation is a trace on its way into a file.
type translation struct {
	trace    []graph.Traced
	options  Options
	constant map[int]bool       // values that depend on parameters alone
	values   map[int][]float32  // their elements, in the graph's order
	skip     map[int]bool       // steps that an earlier one has taken in
	uses     map[int]int        // how often a value is read
	names    map[int]*[2]string // of each value in each order, "" where it is not there
	named    map[string]bool    // constants that are written
	layers   map[string]int     // how many nodes have a layer's name
	file     model
	next     int
}

func newTranslation(trace []graph.Traced, o Options) *translation {
	t := &translation{
		trace: trace, options: o, constant: map[int]bool{}, values: map[int][]float32{}, skip: map[int]bool{},
		uses: map[int]int{}, names: map[int]*[2]string{}, named: map[string]bool{}, layers: map[string]int{},
	}
	t.file = model{name: o.Name, producer: o.Producer, version: o.Version, metadata: o.Metadata}
	for _, step := range trace {
		for _, v := range step.In {
			t.uses[v.ID]++
		}
	}
	return t
}

func (t *translation) input(shape graph.Shape) {
	const name = "input"
	t.file.input = port{name, []int{0, shape[3], shape[1], shape[2]}}
	for _, step := range t.trace {
		for _, v := range step.In {
			if v.Input {
				t.names[v.ID] = &[2]string{channelsFirst: name}
			}
		}
	}
}

// output makes a value the network's result.
func (t *translation) output(v graph.Operand) error {
	if len(v.Shape) != 2 {
		return fmt.Errorf("the network's result is %v, want logits (N, classes)", v.Shape)
	}
	const name = "logits"
	t.add("Identity", "", []string{t.use(v, asIs)}, name, nil)
	t.file.output = port{name, []int{0, v.Shape[1]}}
	return nil
}

// fresh is a name that no value has yet.
func (t *translation) fresh() string {
	t.next++
	return fmt.Sprintf("v%d", t.next)
}

// add writes a node with one result and gives that result's name, a fresh one for "".
func (t *translation) add(kind, name string, in []string, out string, a attributes) string {
	if out == "" {
		out = t.fresh()
	}
	if name == "" {
		name = fmt.Sprintf("%s %d", kind, len(t.file.nodes))
	} else if t.layers[name]++; t.layers[name] > 1 {
		name = fmt.Sprintf("%s again %d", name, t.layers[name])
	}
	t.file.nodes = append(t.file.nodes, node{kind: kind, name: name, in: in, out: []string{out}, attrs: a})
	return out
}

// floats writes a constant of floats under a name, "" for a fresh one.
func (t *translation) floats(name string, dims []int, data []float32) string {
	if name == "" {
		name = t.fresh()
	}
	if !t.named[name] {
		t.named[name] = true
		t.file.constants = append(t.file.constants, tensor{name: name, dims: dims, floats: data})
	}
	return name
}

// scalar is a constant number.
func (t *translation) scalar(v float64) string {
	return t.floats(fmt.Sprintf("number %v", float32(v)), nil, []float32{float32(v)})
}

// ints writes a constant list of whole numbers.
func (t *translation) ints(v ...int) string {
	name := fmt.Sprintf("ints %v", v)
	if !t.named[name] {
		t.named[name] = true
		list := make([]int64, len(v))
		for i, x := range v {
			list[i] = int64(x)
		}
		t.file.constants = append(t.file.constants, tensor{name: name, dims: []int{len(v)}, ints: list})
	}
	return name
}

// firstAxes lists an NHWC value's axes in the order of NCHW, lastAxes the way back.
var (
	firstAxes = []int{0, 3, 1, 2}
	lastAxes  = []int{0, 2, 3, 1}
)

// first is a shape (N, H, W, C) as (N, C, H, W).
func first(s graph.Shape) []int { return []int{s[0], s[3], s[1], s[2]} }

// use is the name of a value in an order, which only values of four axes have two of.
func (t *translation) use(v graph.Operand, o order) string {
	if t.isConstant(v) {
		return t.useConstant(v, o)
	}
	names := t.names[v.ID]
	if len(v.Shape) != 4 {
		return names[asIs]
	}
	if names[o] == "" {
		axes, from := firstAxes, asIs
		if o == asIs {
			axes, from = lastAxes, channelsFirst
		}
		if v.Shape[1]*v.Shape[2] == 1 {
			// Nothing moves where the map is one pixel.
			names[o] = t.reshaped(names[from], permuted(v.Shape, o))
		} else {
			names[o] = t.add("Transpose", "", []string{names[from]}, "", attributes{"perm": axes})
		}
	}
	return names[o]
}

// permuted is a shape of the graph in an order of the file.
func permuted(s graph.Shape, to order) []int {
	if to == channelsFirst {
		return first(s)
	}
	return s
}

// reshaped gives a value another shape, whose first axis is the batch, or part of it.
func (t *translation) reshaped(x string, shape []int) string {
	to := slices.Clone(shape)
	to[0] = -1
	return t.add("Reshape", "", []string{x, t.ints(to...)}, "", nil)
}

func (t *translation) isConstant(v graph.Operand) bool { return v.Param != nil || t.constant[v.ID] }

// useConstant writes a constant, transposed for channels first.
func (t *translation) useConstant(v graph.Operand, o order) string {
	name := fmt.Sprintf("constant %d", v.ID)
	if v.Param != nil {
		name = v.Param.Name
	}
	data, dims := t.values[v.ID], []int(v.Shape)
	if len(v.Shape) == 4 && o == channelsFirst {
		name += " channels first"
		data, dims = moved(data, v.Shape, firstAxes), first(v.Shape)
	}
	return t.floats(name, dims, data)
}

// moved is data of this shape with its axes in another order.
func moved(data []float32, shape graph.Shape, axes []int) []float32 {
	steps := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		steps[i] = n
		n *= shape[i]
	}
	out := make([]float32, 0, len(data))
	index := make([]int, len(axes))
	for range len(data) {
		at := 0
		for i, a := range axes {
			at += index[i] * steps[a]
		}
		out = append(out, data[at])
		for i := len(axes) - 1; i >= 0; i-- {
			if index[i]++; index[i] < shape[axes[i]] {
				break
			}
			index[i] = 0
		}
	}
	return out
}

// made names a step's result, which lies in this order.
func (t *translation) made(v graph.Operand, o order, name string) {
	names := &[2]string{}
	names[o] = name
	t.names[v.ID] = names
}

// preferred is the order in which an operation that minds none reads its inputs: that in
// which the first map that is not constant is there already.
func (t *translation) preferred(in []graph.Operand) order {
	for _, v := range in {
		if len(v.Shape) == 4 && !t.isConstant(v) && t.names[v.ID][channelsFirst] != "" {
			return channelsFirst
		}
	}
	return asIs
}

// aligned is the name of an input of an elementwise operation on values of four axes in
// this order: fewer axes are those of channels.
func (t *translation) aligned(v graph.Operand, o order, axes int) (string, error) {
	if axes != 4 || o == asIs || len(v.Shape) == 4 {
		return t.use(v, o), nil
	}
	switch {
	case len(v.Shape) == 0:
		return t.use(v, asIs), nil
	case !t.isConstant(v):
		return "", fmt.Errorf("a value %v beside a map has no translation", v.Shape)
	}
	name := fmt.Sprintf("constant %d beside maps", v.ID)
	if v.Param != nil {
		name = v.Param.Name + " beside maps"
	}
	shape := graph.Shape{1, 1, 1, 1}
	copy(shape[4-len(v.Shape):], v.Shape)
	return t.floats(name, first(shape), moved(t.values[v.ID], shape, firstAxes)), nil
}

// axis is an axis of a value of so many axes in an order.
func axis(a, axes int, o order) int {
	if axes != 4 || o == asIs {
		return a
	}
	return slices.Index(firstAxes, a)
}

// translate writes one step.
func (t *translation) translate(i int, s graph.Traced) error {
	switch o := s.Op.(type) {
	case op.Conv2D:
		return t.conv(i, s, o)
	case op.DeformSample:
		return t.deformed(i, s, o)
	case op.Linear:
		return t.linear(s, o)
	case op.BatchNormInference:
		return t.batchNorm(s, o)
	case op.MaxPool:
		t.pool(s, "MaxPool", o.Window, o.Ceil, nil)
		return nil
	case op.AvgPool:
		return t.avgPool(s, o)
	case op.RoIAlign:
		return t.roiAlign(s, o)
	case op.GlobalAvgPool:
		x := t.add("GlobalAveragePool", "", []string{t.use(s.In[0], channelsFirst)}, "", nil)
		t.made(s.Out[0], asIs, t.reshaped(x, s.Out[0].Shape))
		return nil
	case op.Activation:
		return t.activation(s, o)
	case op.PReLU:
		return t.elementwise(s, "PRelu")
	case op.Add:
		return t.elementwise(s, "Add")
	case op.Mul:
		return t.elementwise(s, "Mul")
	case op.Scale:
		return t.unary(s, func(x string) string { return t.add("Mul", "", []string{x, t.scalar(o.Factor)}, "", nil) })
	case op.Power:
		return t.unary(s, func(x string) string { return t.power(x, o) })
	case op.Exp:
		return t.unary(s, func(x string) string { return t.add("Exp", "", []string{x}, "", nil) })
	case op.SumTo:
		return t.reduce(s, "ReduceSum", o.Shape)
	case op.MaxTo:
		return t.reduce(s, "ReduceMax", o.Shape)
	case op.Softmax:
		t.made(s.Out[0], asIs, t.add("Softmax", "", []string{t.use(s.In[0], asIs)}, "", attributes{"axis": -1}))
		return nil
	case op.SpectralPool:
		t.spectralPool(s, o)
		return nil
	case op.Concat:
		return t.concat(s, o)
	case op.Slice:
		return t.slice(s, o)
	case op.SliceGrad:
		return t.pad(s, o)
	case op.Reshape:
		t.made(s.Out[0], asIs, t.reshaped(t.use(s.In[0], asIs), s.Out[0].Shape))
		return nil
	case op.BroadcastTo:
		return t.broadcast(s, o)
	case op.Permute:
		t.made(s.Out[0], asIs, t.add("Transpose", "", []string{t.use(s.In[0], asIs)}, "", attributes{"perm": o.Axes}))
		return nil
	case op.Gather:
		return t.gather(s, o)
	case op.MatMul:
		return t.matMul(s, o)
	case op.Attention:
		return t.attention(s, o)
	case op.LayerNorm:
		return t.layerNorm(s, o)
	case op.GroupNorm:
		return t.groupNorm(s, o)
	case op.Copy:
		return t.unary(s, func(x string) string { return x })
	}
	return fmt.Errorf("the operation %s (%T) has no translation", s.Op.Kind(), s.Op)
}
