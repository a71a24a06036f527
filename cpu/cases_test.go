package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

// example is one use of an operation, with the kernels of its gradient.
type example struct {
	name   string
	op     op.Op
	shapes []op.Shape
	// valid turns random inputs into valid ones.
	valid func(in [][]float64)
	back  []back
	// large is an example with several pieces for each stage, too slow for
	// central differences.
	large bool
}

// back is a gradient kernel: where its operands come from, and for which input
// of the forward operation each result is the gradient.
type back struct {
	op   op.Op
	from []source
	wrt  []int
}

// source is an input of the forward operation, one of its results (output(i)),
// or the gradient dy of its primary result.
type source int

const dy source = -1

func output(i int) source { return source(100 + i) }

// use is an operation with concrete operands.
type use struct {
	name   string
	op     op.Op
	shapes []op.Shape
	in     [][]float64
}

// uses are the example and its gradients as uses; the operands of the latter
// come from the portable kernels.
func (e example) uses(t testing.TB) []use {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(len(e.name))))
	forward := use{name: e.name, op: e.op, shapes: e.shapes}
	for _, s := range e.shapes {
		forward.in = append(forward.in, random(rng, op.Size(s)))
	}
	if e.valid != nil {
		e.valid(forward.in)
	}
	all := []use{forward}
	if len(e.back) == 0 {
		return all
	}
	c, err := op.NewCall(e.op, op.Float64, e.shapes...)
	if err != nil {
		t.Fatal(err)
	}
	out := results(t, oracle(t), e.op, op.Float64, e.shapes, forward.in)
	grad := random(rng, len(out[0]))
	for _, b := range e.back {
		u := use{name: e.name + " " + b.op.Kind(), op: b.op}
		for _, s := range b.from {
			switch {
			case s == dy:
				u.shapes, u.in = append(u.shapes, c.Out[0]), append(u.in, grad)
			case s >= output(0):
				u.shapes, u.in = append(u.shapes, c.Out[s-output(0)]), append(u.in, out[s-output(0)])
			default:
				u.shapes, u.in = append(u.shapes, e.shapes[s]), append(u.in, forward.in[s])
			}
		}
		all = append(all, u)
	}
	return all
}

// everyUse calls f for each use of each example. It leaves out max_pool_grad: the
// form of its winners is the device's own; TestMaxPoolGrad stands in.
func everyUse(t *testing.T, f func(t *testing.T, u use)) {
	t.Helper()
	for _, e := range examples() {
		for _, u := range e.uses(t) {
			if _, winners := u.op.(op.MaxPoolGrad); !winners {
				t.Run(u.name, func(t *testing.T) { f(t, u) })
			}
		}
	}
}

func examples() []example {
	all := []example{}
	for _, family := range [][]example{convExamples(), linearExamples(), batchNormExamples(), rowNormExamples(), foldNormExamples(), activationExamples(), preluExamples(), normActivationExamples(), arithExamples(),
		poolExamples(), lossExamples(), tokenExamples(), roiExamples(), reduceExamples(), shapeExamples(), randomExamples(), updateExamples()} {
		all = append(all, family...)
	}
	return all
}

// clips are none and one with both bounds.
var clips = []op.Clip{{}, {Lo: -0.5, Hi: 0.75}}

func square(k, stride, pad, dilation int) op.Window {
	w := op.Square(k, stride, pad)
	w.DilationH, w.DilationW = dilation, dilation
	return w
}

func convExamples() []example {
	var all []example
	for _, c := range []struct {
		name          string
		n, h, w, c, k int
		groups        int
		window        op.Window
		large         bool
	}{
		{"1x1", 2, 3, 4, 3, 5, 1, square(1, 1, 0, 1), false},
		{"1x1 map", 1, 1, 1, 3, 2, 1, square(3, 1, 1, 1), false},
		{"3x3", 2, 4, 5, 2, 3, 1, square(3, 1, 1, 1), false},
		{"3x3 one channel", 1, 6, 5, 1, 16, 1, square(3, 1, 1, 1), false},
		{"3x3 stride 2", 1, 5, 6, 3, 2, 1, square(3, 2, 1, 1), false},
		{"1x1 stride 2", 1, 5, 5, 2, 2, 1, square(1, 2, 0, 1), false},
		{"stride above the window", 1, 7, 7, 1, 2, 1, square(2, 3, 0, 1), false},
		{"grouped", 1, 4, 4, 4, 6, 2, square(3, 1, 1, 1), false},
		{"depthwise", 1, 5, 5, 3, 3, 3, square(3, 2, 1, 1), false},
		{"dilated", 1, 6, 7, 2, 2, 1, op.Window{KH: 3, KW: 2, StrideH: 1, StrideW: 2, PadTop: 2, PadBottom: 1, PadRight: 1, DilationH: 2, DilationW: 3}, false},
		{"asymmetric", 1, 4, 5, 1, 1, 1, op.Window{KH: 2, KW: 3, StrideH: 2, StrideW: 1, PadBottom: 1, PadLeft: 2, DilationH: 1, DilationW: 1}, false},
		{"many outputs", 1, 2, 2, 2, 65, 1, square(1, 1, 0, 1), false},
		{"64 to 64", 1, 9, 14, 64, 64, 1, square(3, 1, 1, 1), true},
		{"17 to 33", 1, 9, 11, 17, 33, 1, square(3, 1, 1, 1), true},
		{"16 to 16 dilated", 1, 12, 9, 16, 16, 1, square(3, 1, 2, 2), true},
		{"64 to 17 1x1", 3, 7, 7, 64, 17, 1, square(1, 1, 0, 1), true},
		{"64 to 128 1x1 stride 2", 1, 8, 8, 64, 128, 1, square(1, 2, 0, 1), true},
		{"64 to 96 stride 2", 2, 9, 9, 64, 96, 1, square(3, 2, 1, 1), true},
		{"3 to 64 7x7", 1, 23, 21, 3, 64, 1, square(7, 2, 3, 1), true},
		{"32 groups", 1, 8, 8, 128, 128, 32, square(3, 1, 1, 1), true},
		{"depthwise 64", 2, 9, 9, 64, 64, 64, square(3, 1, 1, 1), true},
		{"depthwise 17 stride 2", 2, 9, 9, 17, 17, 17, square(5, 2, 2, 1), true},
	} {
		x, w := op.Shape{c.n, c.h, c.w, c.c}, op.Shape{c.window.KH, c.window.KW, c.c / c.groups, c.k}
		o := op.Conv2D{Window: c.window, Groups: c.groups}
		backs := []back{
			{op.Conv2DInputGrad{Window: c.window, Groups: c.groups, H: c.h, W: c.w}, []source{dy, 1}, []int{0}},
			{op.Conv2DWeightGrad{Window: c.window, Groups: c.groups}, []source{0, dy}, []int{1}},
			{op.Conv2DInputGrad{Window: c.window, Groups: c.groups, H: c.h, W: c.w, Add: true}, []source{dy, 1, 0}, nil},
		}
		all = append(all, example{name: "conv2d " + c.name, op: o, shapes: []op.Shape{x, w}, back: backs, large: c.large})
		all = append(all, normGradExamples(c.name, op.Conv2DInputGrad{Window: c.window, Groups: c.groups, H: c.h, W: c.w}, o, x, w)...)
		part := o
		part.Part = op.Part{Wide: c.k + 19, Start: 7, Into: true}
		whole := op.Shape{0, 0, 0, c.k + 19}
		copy(whole, resultShape(o, x, w)[:3])
		all = append(all, example{name: "conv2d " + c.name + " part", op: part, shapes: []op.Shape{x, w, whole}, large: true})
		moments := o
		moments.Moments, moments.Trained = true, true
		all = append(all, example{name: "conv2d " + c.name + " moments", op: moments, shapes: []op.Shape{x, w}, large: true})
		for _, clip := range clips {
			o.Bias, o.Clip = true, clip
			all = append(all, example{name: fmt.Sprintf("conv2d %s bias clip=%v", c.name, clip), op: o, shapes: []op.Shape{x, w, {c.k}}, large: c.large})
		}
	}
	return all
}

// resultShape is the shape of a convolution's result.
func resultShape(forward op.Conv2D, x, w op.Shape) op.Shape {
	c, err := op.NewCall(forward, op.Float64, x, w)
	if err != nil {
		panic(err)
	}
	return c.Out[0]
}

// normGradExamples are the forms of a convolution's input gradient for a batch norm.
func normGradExamples(name string, o op.Conv2DInputGrad, forward op.Conv2D, x, w op.Shape) []example {
	ch := op.Shape{x[3]}
	var all []example
	for i, norm := range []op.NormMask{{On: true}, {On: true, Clip: clips[1]}, {On: true, Clip: clips[1], Residual: true}} {
		o.Norm, o.Add = norm, i != 0
		shapes := []op.Shape{resultShape(forward, x, w), w}
		if o.Add {
			shapes = append(shapes, x)
		}
		shapes = append(shapes, [][]op.Shape{{x, ch, ch}, {x, ch, ch, ch, ch}, {x, ch, ch, x}}[i]...)
		all = append(all, example{name: fmt.Sprintf("conv2d_input_grad %s norm %v", name, norm), op: o, shapes: shapes, large: true,
			valid: func(in [][]float64) { // gradients of about 1, so that rounding is small beside what is compared
				for i := range in[1] {
					in[1][i] /= math.Sqrt(float64(len(in[1]) / x[3]))
				}
			}})
	}
	return all
}

func linearExamples() []example {
	var all []example
	for _, s := range []struct{ n, i, o int }{{1, 1, 1}, {3, 5, 2}, {1, 17, 65}, {32, 64, 10}, {33, 130, 200}} {
		all = append(all, example{name: fmt.Sprintf("linear %v", s), op: op.Linear{Bias: true}, shapes: []op.Shape{{s.n, s.i}, {s.i, s.o}, {s.o}}, large: s.o >= 10,
			back: []back{{op.LinearInputGrad{}, []source{dy, 1}, []int{0}}, {op.LinearWeightGrad{}, []source{0, dy}, []int{1}}, {op.ColumnSum{}, []source{dy}, []int{2}}}})
		for _, clip := range clips[1:] {
			all = append(all, example{name: fmt.Sprintf("linear %v clip=%v", s, clip), op: op.Linear{Bias: true, Clip: clip}, shapes: []op.Shape{{s.n, s.i}, {s.i, s.o}, {s.o}}, large: s.o >= 10})
		}
		all = append(all, example{name: fmt.Sprintf("linear %v without bias", s), op: op.Linear{}, shapes: []op.Shape{{s.n, s.i}, {s.i, s.o}}})
	}
	all = append(all, example{name: "linear of tokens", op: op.Linear{Bias: true}, shapes: []op.Shape{{2, 3, 1, 5}, {5, 7}, {7}},
		back: []back{{op.LinearInputGrad{}, []source{dy, 1}, []int{0}}, {op.LinearWeightGrad{}, []source{0, dy}, []int{1}}, {op.ColumnSum{}, []source{dy}, []int{2}}}})
	return all
}

func batchNormExamples() []example {
	var all []example
	for _, x := range []op.Shape{{2, 3, 2, 3}, {5, 1}, {1, 1, 1, 4}, {3, 17}, {2, 30, 31, 16}, {1, 9, 9, 64}, {3, 20, 20, 17}, {4, 33, 33, 3}} {
		n, c := columnsOf(x)
		ch := op.Shape{c}
		for form := range 2 * len(clips) {
			residual, clip := form%2 != 0, clips[form/2]
			o := op.BatchNorm{Eps: 1e-3, Momentum: 0.1, Residual: residual, Clip: clip}
			e := example{name: fmt.Sprintf("batch_norm %v residual=%v clip=%v", x, residual, clip), op: o, shapes: []op.Shape{x, ch, ch, ch, ch, {}},
				large: n*c > 100, valid: func(in [][]float64) { positive(in[4]); in[5][0] = 41 }}
			b := back{op.BatchNormGrad{Clip: clip}, []source{0, 1, output(1), output(2), dy}, []int{0, 1, 2}}
			if clip.On() {
				b.from = append(b.from, 2)
			}
			e.back = []back{b}
			if form == 0 {
				all = append(all, example{name: fmt.Sprintf("batch_norm_grad %v given", x), op: op.BatchNormGrad{Given: true}, shapes: []op.Shape{x, ch, ch, ch, x, ch, ch}, large: true})
			}
			if residual {
				e.shapes = append(e.shapes, x)
			}
			given := example{name: e.name + " given", shapes: append(e.shapes[:len(e.shapes):len(e.shapes)], ch, ch), large: true,
				valid: func(in [][]float64) { e.valid(in); positive(in[len(in)-1]) }}
			withGiven := o
			withGiven.Given = true
			given.op = withGiven
			all = append(all, given)
			if residual && clip.On() {
				b.from[5] = output(0)
				b.op = op.BatchNormGrad{Clip: clip, Residual: true}
				shared := b
				shared.op = op.BatchNormGrad{Clip: clip, Residual: true, Share: true}
				shared.wrt = append(b.wrt[:3:3], 6)
				e.back = []back{b, shared}
			}
			all = append(all, e)

			i := example{name: fmt.Sprintf("batch_norm_inference %v residual=%v clip=%v", x, residual, clip), op: op.BatchNormInference{Eps: 1e-5, Residual: residual, Clip: clip},
				shapes: []op.Shape{x, ch, ch, ch, ch}, large: n*c > 100, valid: func(in [][]float64) { positive(in[4]) }}
			if residual {
				i.shapes = append(i.shapes, x)
			}
			if form == 0 {
				i.back = []back{{op.BatchNormInferenceGrad{Eps: 1e-5}, []source{0, 1, 3, 4, dy}, []int{0, 1, 2}}}
			}
			all = append(all, i)
		}
	}
	return all
}

func foldNormExamples() []example {
	var all []example
	for _, w := range []op.Shape{{1, 1, 3, 5}, {3, 3, 17, 33}, {3, 3, 64, 64}, {7, 1}} {
		for _, bias := range []bool{false, true} {
			k := op.Shape{w[len(w)-1]}
			e := example{name: fmt.Sprintf("fold_norm %v bias=%v", w, bias), op: op.FoldNorm{Eps: 1e-3, Bias: bias}, shapes: []op.Shape{w, k, k, k, k},
				large: op.Size(w) > 100, valid: func(in [][]float64) { positive(in[4]) }}
			if bias {
				e.shapes = append(e.shapes, k)
			}
			all = append(all, e)
		}
	}
	return all
}

func rowNormExamples() []example {
	var all []example
	for _, x := range []op.Shape{{2, 3, 2, 3}, {1, 1, 1, 4}, {3, 17}, {2, 30, 31, 16}, {4, 33, 33, 3}} {
		_, c := columnsOf(x)
		all = append(all, example{name: fmt.Sprintf("estimate_moments %v", x), op: op.EstimateMoments{Speed: 0.3}, shapes: []op.Shape{x, {c}, {c}},
			valid: func(in [][]float64) { positive(in[2]) }})
	}
	for _, root := range []bool{false, true} {
		for _, x := range []op.Shape{{1, 3}, {5, 7}, {2, 3, 4, 17}, {3, 64}, {40, 31, 96}, {3, 5000}} {
			ch := x[len(x)-1]
			o := op.LayerNorm{Eps: 1e-3, Root: root}
			e := example{name: fmt.Sprintf("layer_norm %v root=%v", x, root), op: o, shapes: []op.Shape{x, {ch}, {ch}}, large: op.Size(x) > 1000,
				back: []back{{op.LayerNormGrad(o), []source{0, 1, output(1), output(2), dy}, []int{0, 1, 2}}}}
			if root {
				e.shapes, e.back[0].wrt = e.shapes[:2], []int{0, 1}
			}
			all = append(all, e)
		}
		for _, c := range []struct {
			x      op.Shape
			groups int
		}{{op.Shape{1, 2, 3, 4}, 2}, {op.Shape{3, 5, 6}, 1}, {op.Shape{2, 3, 2, 9}, 9}, {op.Shape{2, 4, 3, 15}, 5}, {op.Shape{5, 31, 17, 64}, 32}, {op.Shape{3, 9, 9, 300}, 1}} {
			ch := c.x[len(c.x)-1]
			o := op.GroupNorm{Groups: c.groups, Eps: 1e-3, Root: root}
			all = append(all, example{name: fmt.Sprintf("group_norm %v groups=%d root=%v", c.x, c.groups, root), op: o, shapes: []op.Shape{c.x, {ch}, {ch}}, large: op.Size(c.x) > 1000,
				back: []back{{op.GroupNormGrad(o), []source{0, 1, output(1), output(2), dy}, []int{0, 1, 2}}}})
		}
	}
	return all
}

func positive(x []float64) {
	for i := range x {
		x[i] = 0.5 + math.Abs(x[i])
	}
}

func activationExamples() []example {
	var all []example
	for _, f := range op.Acts {
		for _, n := range []int{1, 37, 40001} {
			o := op.Activation{Func: f, Alpha: 0.7}
			b := back{op.ActivationGrad{Func: f, Alpha: 0.7}, []source{0, dy}, []int{0}}
			if o.FromOutput() {
				b.from[0] = output(0)
			}
			all = append(all, example{name: fmt.Sprintf("%s %d", f, n), op: o, shapes: []op.Shape{{n}}, back: []back{b}, large: n > 100,
				valid: func(in [][]float64) {
					for i := range in[0] {
						in[0][i] *= 3
					}
				}})
		}
	}
	return all
}

func preluExamples() []example {
	var all []example
	for _, x := range []op.Shape{{1, 1}, {2, 3, 5, 3}, {4, 17}, {3, 31, 29, 24}, {5, 1100}} {
		all = append(all, example{name: fmt.Sprintf("prelu %v", x), op: op.PReLU{}, shapes: []op.Shape{x, x[len(x)-1:]}, large: op.Size(x) > 1000,
			back: []back{{op.PReLUGrad{}, []source{0, 1, dy}, []int{0, 1}}}})
	}
	return all
}

func normActivationExamples() []example {
	var all []example
	for _, f := range op.Acts {
		for _, x := range []op.Shape{{2, 3, 5, 3}, {3, 31, 29, 24}, {5, 2100}} {
			ch := x[len(x)-1:]
			if o := (op.Activation{Func: f, Alpha: 0.7}); !o.FromOutput() {
				all = append(all, example{name: fmt.Sprintf("%s_norm_grad %v", f, x), op: op.NormActivationGrad(o), shapes: []op.Shape{x, ch, ch, ch, ch, x}})
			}
		}
	}
	return all
}

func arithExamples() []example {
	all := []example{{name: "scale", op: op.Scale{Factor: -0.3}, shapes: []op.Shape{{3, 5}}, back: []back{{op.Scale{Factor: -0.3}, []source{dy}, []int{0}}}}}
	for _, n := range []int{1, 37, 40001} {
		all = append(all, example{name: fmt.Sprintf("exp %d", n), op: op.Exp{}, shapes: []op.Shape{{n}}})
	}
	for _, exponent := range []float64{-1.5, -1, -0.5, 0, 0.5, 1, 2, 3} {
		all = append(all, example{name: fmt.Sprintf("power %v", exponent), op: op.Power{Exponent: exponent, Shift: 0.25}, shapes: []op.Shape{{3, 7}}, valid: func(in [][]float64) { positive(in[0]) }})
	}
	for _, s := range [][2]op.Shape{
		{{3, 5}, {3, 5}}, {{2, 3, 4}, {4}}, {{4}, {2, 3, 4}}, {{2, 3, 4, 5}, {2, 1, 1, 5}}, {{2, 1, 4, 1}, {3, 1, 5}}, {{2, 3}, {}}, {{}, {}}, {{1, 1}, {1}},
		{{7, 31, 17, 16}, {7, 31, 17, 16}}, {{7, 31, 17, 16}, {16}}, {{7, 31, 17, 16}, {7, 1, 1, 16}}, {{40001}, {1}},
	} {
		c, _ := op.NewCall(op.Add{}, op.Float64, s[:]...)
		for _, clip := range clips {
			e := example{name: fmt.Sprintf("add %v %v clip=%v", s[0], s[1], clip), op: op.Add{Clip: clip}, shapes: s[:], large: op.Size(s[0]) > 200}
			if !clip.On() {
				e.back = []back{{op.SumTo{Shape: s[0]}, []source{dy}, []int{0}}, {op.SumTo{Shape: s[1]}, []source{dy}, []int{1}}}
			}
			all = append(all, e)
		}
		all = append(all, example{name: fmt.Sprintf("mul %v %v", s[0], s[1]), op: op.Mul{}, shapes: s[:]},
			example{name: fmt.Sprintf("broadcast_to %v %v", s[1], c.Out[0]), op: op.BroadcastTo{Shape: c.Out[0]}, shapes: []op.Shape{s[1]}, large: op.Size(s[0]) > 200,
				back: []back{{op.SumTo{Shape: s[1]}, []source{dy}, []int{0}}}})
	}
	return all
}

func poolExamples() []example {
	var all []example
	for _, c := range []struct {
		x      op.Shape
		window op.Window
		ceil   bool
	}{
		{op.Shape{2, 4, 5, 3}, square(2, 2, 0, 1), false},
		{op.Shape{1, 7, 6, 2}, square(3, 2, 1, 1), false},
		{op.Shape{1, 7, 6, 2}, square(3, 2, 1, 1), true},
		{op.Shape{1, 1, 1, 5}, square(3, 1, 1, 1), false},
		{op.Shape{1, 8, 7, 1}, square(3, 1, 1, 2), false},
		{op.Shape{1, 6, 5, 3}, op.Window{KH: 2, KW: 3, StrideH: 1, StrideW: 2, PadBottom: 1, PadLeft: 1, DilationH: 1, DilationW: 1}, true},
		{op.Shape{1, 5, 5, 2}, square(2, 3, 0, 1), true},
		{op.Shape{3, 30, 31, 16}, square(3, 2, 1, 1), false},
		{op.Shape{2, 17, 19, 64}, square(2, 2, 0, 1), true},
		{op.Shape{2, 17, 19, 17}, square(3, 1, 1, 1), false},
	} {
		size := op.Size(c.x) > 200
		all = append(all, example{name: fmt.Sprintf("max_pool %v %v ceil=%v", c.x, c.window, c.ceil), op: op.MaxPool{Window: c.window, Ceil: c.ceil}, shapes: []op.Shape{c.x}, large: size,
			back: []back{{op.MaxPoolGrad{Window: c.window, H: c.x[1], W: c.x[2]}, []source{output(1), dy}, []int{0}}}})
		for _, count := range []bool{false, true} {
			all = append(all, example{name: fmt.Sprintf("avg_pool %v %v ceil=%v count=%v", c.x, c.window, c.ceil, count), op: op.AvgPool{Window: c.window, Ceil: c.ceil, CountPad: count},
				shapes: []op.Shape{c.x}, large: size, back: []back{{op.AvgPoolGrad{Window: c.window, CountPad: count, H: c.x[1], W: c.x[2]}, []source{dy}, []int{0}}}})
		}
	}
	for _, x := range []op.Shape{{1, 1, 1, 3}, {2, 3, 4, 5}, {3, 7, 7, 64}, {2, 20, 9, 17}, {6, 32, 32, 16}} {
		all = append(all, example{name: fmt.Sprintf("global_avg_pool %v", x), op: op.GlobalAvgPool{}, shapes: []op.Shape{x}, large: op.Size(x) > 200,
			back: []back{{op.GlobalAvgPoolGrad{H: x[1], W: x[2]}, []source{dy}, []int{0}}}})
	}
	return all
}

func lossExamples() []example {
	var all []example
	for _, x := range []op.Shape{{1, 1}, {3, 5}, {1, 17}, {19, 1000}, {130, 10}} {
		large := op.Size(x) > 200
		n, k := x[0], x[1]
		all = append(all, example{name: fmt.Sprintf("softmax %v", x), op: op.Softmax{}, shapes: []op.Shape{x}, large: large,
			back: []back{{op.SoftmaxGrad{}, []source{output(0), dy}, []int{0}}}})
		for _, smoothing := range []float64{0, 0.1} {
			all = append(all,
				example{name: fmt.Sprintf("cross_entropy %v smoothing=%v", x, smoothing), op: op.CrossEntropy{Smoothing: smoothing}, shapes: []op.Shape{x, {n}}, large: large,
					valid: func(in [][]float64) {
						for i := range in[1] {
							in[1][i] = float64(7 * i % k)
						}
					}},
				example{name: fmt.Sprintf("cross_entropy soft %v smoothing=%v", x, smoothing), op: op.CrossEntropy{Soft: true, Smoothing: smoothing}, shapes: []op.Shape{x, x}, large: large,
					valid: func(in [][]float64) { positive(in[1]) }})
		}
		all = append(all, example{name: fmt.Sprintf("bce_with_logits %v", x), op: op.BCEWithLogits{}, shapes: []op.Shape{x, x}, large: large},
			example{name: fmt.Sprintf("bce_with_logits sum %v", x), op: op.BCEWithLogits{SumClasses: true}, shapes: []op.Shape{x, x}, large: large},
			example{name: fmt.Sprintf("mse %v", x), op: op.MSE{}, shapes: []op.Shape{x, x}, large: large},
			example{name: fmt.Sprintf("mae %v", x), op: op.MAE{}, shapes: []op.Shape{x, x}, large: large},
			example{name: fmt.Sprintf("huber %v", x), op: op.Huber{Delta: 0.7}, shapes: []op.Shape{x, x}, large: large})
		shares := func(in [][]float64) {
			for i, v := range in[1] { // among them ones and zeros
				in[1][i] = min(1, max(0, v+0.5))
			}
		}
		weights, more := make([]float64, k), make([]float64, k)
		for i := range weights {
			weights[i], more[i] = 0.5+float64(i%3), 2-float64(i%4)/3
		}
		for _, o := range []op.Op{
			op.BCEWithLogits{Weight: weights}, op.BCEWithLogits{PosWeight: more, SumClasses: true}, op.BCEWithLogits{Weight: weights, PosWeight: more},
			op.SigmoidFocal{Alpha: 0.25, Gamma: 2}, op.SigmoidFocal{Alpha: -1, Gamma: 0.5, SumClasses: true, Weight: weights}, op.SigmoidFocal{Alpha: 0.6, Gamma: 1},
			op.SoftmaxFocal{Gamma: 2}, op.SoftmaxFocal{}, op.SoftmaxFocal{Gamma: 1.5},
			op.Asymmetric{GammaPos: 1, GammaNeg: 4, Clip: 0.05}, op.Asymmetric{GammaPos: 0, GammaNeg: 2.5, Weight: weights, PosWeight: more}, op.Asymmetric{},
			op.SoftmaxAsymmetric{GammaPos: 1, GammaNeg: 4, Smoothing: 0.1}, op.SoftmaxAsymmetric{GammaPos: 0, GammaNeg: 2},
		} {
			all = append(all, example{name: fmt.Sprintf("%s %v %+v", o.Kind(), x, o), op: o, shapes: []op.Shape{x, x}, large: large, valid: shares})
		}
		for _, splits := range []int{2, 3} {
			all = append(all, example{name: fmt.Sprintf("jensen_shannon %v splits=%d", x, splits), op: op.JensenShannon{Splits: splits}, shapes: []op.Shape{{splits * n, k}}, large: large})
		}
	}
	return all
}

// offPixels moves offsets away from whole pixels, where interpolation has a kink.
func offPixels(x []float64) {
	for i, v := range x {
		x[i] = math.Floor(v) + 0.1 + 0.8*(v-math.Floor(v))
	}
}

// placeRegions makes regions of interest of rows (image, x1, y1, x2, y2) for n maps of h x w,
// which a scale makes of their units: inside a map and partly or wholly outside, larger
// than it, empty, turned round, of images that there are not, and not numbers.
func placeRegions(rois []float64, n, h, w int, scale float64) {
	places := [][4]float64{{0.1, 0.2, 0.83, 0.94}, {-0.37, 0.31, 0.62, 1.43}, {0.45, 0.43, 0.52, 0.56}, {-2, -1.7, 3.1, 2.9}, {1.6, 0.2, 2.4, 0.7},
		{0.31, 0.17, 0.31, 0.57}, {0.9, 0.8, 0.2, 0.1}, {0.2, 0.2, 0.9, 0.8}, {0.2, 0.2, 0.9, 0.8}, {math.NaN(), 0, 1, 1}, {-10, 0.13, 30, 0.77}, {0, 0.2, math.Inf(1), 0.9}}
	images := []int{0, n - 1, 0, n - 1, 0, n - 1, 0, -1, n, 0, n - 1, 0}
	for k := range len(rois) / 5 {
		i := k % len(places)
		rois[5*k] = float64(images[i])
		for j, v := range places[i] {
			rois[5*k+1+j] = v * float64([2]int{w, h}[j%2]) / scale
		}
	}
}

func roiExamples() []example {
	var all []example
	for _, c := range []struct {
		x op.Shape
		k int
		o op.RoIAlign
	}{
		{op.Shape{2, 5, 7, 3}, 12, op.RoIAlign{PooledH: 2, PooledW: 3, Scale: 0.5, Aligned: true, Gamma: 0.1}},
		{op.Shape{2, 6, 4, 2}, 12, op.RoIAlign{PooledH: 3, PooledW: 2, Scale: 1, Samples: 2, Aligned: true, Gamma: 0.9}},
		{op.Shape{3, 4, 5, 1}, 12, op.RoIAlign{PooledH: 2, PooledW: 2, Scale: 0.25, Samples: 3, Gamma: 0.3}},
		{op.Shape{1, 1, 9, 5}, 9, op.RoIAlign{PooledH: 1, PooledW: 3, Scale: 1, Gamma: 0.1}},
		{op.Shape{2, 17, 19, 37}, 60, op.RoIAlign{PooledH: 7, PooledW: 5, Scale: 0.25, Aligned: true, Gamma: 0.1}},
	} {
		for form := range 4 {
			o := c.o
			o.Offsets, o.Mask = form%2 != 0, form/2 != 0
			e := example{name: fmt.Sprintf("roi_align %v %+v", c.x, o), op: o, large: op.Size(c.x) > 1000, shapes: []op.Shape{c.x, {c.k, 5}},
				valid: func(in [][]float64) { placeRegions(in[1], c.x[0], c.x[1], c.x[2], o.Scale) }}
			b := back{op.RoIAlignGrad(o), []source{0, 1}, []int{0}}
			if o.Offsets {
				e.shapes = append(e.shapes, op.Shape{c.k, 2, o.PooledH, o.PooledW})
			}
			if o.Mask {
				e.shapes = append(e.shapes, op.Shape{c.k, o.PooledH, o.PooledW})
			}
			for i := 2; i < len(e.shapes); i++ {
				b.from, b.wrt = append(b.from, source(i)), append(b.wrt, i)
			}
			b.from = append(b.from, dy)
			e.back = []back{b}
			all = append(all, e)
		}
	}
	return all
}

func tokenExamples() []example {
	var all []example
	for _, x := range []op.Shape{{2, 3, 4, 6}, {1, 1, 1, 2}, {3, 14, 15, 64}} {
		o := op.SpectralPool{Frequencies: [][2]int{{0, 0}, {1, 2}}, Grid: 7}
		all = append(all, example{name: fmt.Sprintf("spectral_pool %v", x), op: o, shapes: []op.Shape{x}, large: op.Size(x) > 1000,
			back: []back{{op.SpectralPoolGrad{SpectralPool: o, H: x[1], W: x[2]}, []source{dy}, []int{0}}}})
	}
	for _, c := range []struct {
		x                    op.Shape
		window               op.Window
		groups, offsetGroups int
	}{{op.Shape{2, 4, 3, 4}, square(3, 1, 1, 1), 1, 1}, {op.Shape{1, 5, 6, 6}, square(3, 2, 2, 2), 2, 3}, {op.Shape{2, 3, 4, 2}, square(1, 1, 0, 1), 1, 2}, {op.Shape{3, 17, 19, 36}, square(3, 1, 1, 1), 1, 2}} {
		for _, mask := range []bool{false, true} {
			o := op.DeformSample{Window: c.window, Groups: c.groups, OffsetGroups: c.offsetGroups, Mask: mask}
			oh, ow, _ := c.window.Out(c.x[1], c.x[2], false)
			places := o.Taps() * c.offsetGroups
			e := example{name: fmt.Sprintf("deform_sample %v groups=%d,%d mask=%v", c.x, c.groups, c.offsetGroups, mask), op: o, large: op.Size(c.x) > 1000,
				shapes: []op.Shape{c.x, {c.x[0], oh, ow, 2 * places}}, valid: func(in [][]float64) { offPixels(in[1]) }}
			b := back{op.DeformSampleGrad(o), []source{0, 1}, []int{0, 1}}
			if mask {
				e.shapes = append(e.shapes, op.Shape{c.x[0], oh, ow, places})
				b.from, b.wrt = append(b.from, 2), []int{0, 1, 2}
			}
			b.from = append(b.from, dy)
			e.back = []back{b}
			all = append(all, e)
		}
	}
	for _, c := range []struct {
		x    op.Shape
		axes []int
	}{{op.Shape{3, 4}, []int{1, 0}}, {op.Shape{2, 3, 4, 5}, []int{0, 2, 1, 3}}, {op.Shape{2, 3, 4, 5}, []int{3, 1, 0, 2}}, {op.Shape{2, 3, 4}, []int{0, 1, 2}}, {op.Shape{5, 97, 130}, []int{0, 2, 1}}, {op.Shape{1, 1}, []int{1, 0}}} {
		back0 := make([]int, len(c.axes))
		for i, a := range c.axes {
			back0[a] = i
		}
		all = append(all, example{name: fmt.Sprintf("permute %v %v", c.x, c.axes), op: op.Permute{Axes: c.axes}, shapes: []op.Shape{c.x}, large: op.Size(c.x) > 1000,
			back: []back{{op.Permute{Axes: back0}, []source{dy}, []int{0}}}})
	}
	for _, c := range []struct {
		x     op.Shape
		index []int
	}{{op.Shape{3, 4}, []int{2, 0, 2, -1}}, {op.Shape{2, 3, 5}, []int{1, 1, 1, 2}}, {op.Shape{2, 2, 4, 1}, []int{3, 2, 1, 0}}} {
		all = append(all, example{name: fmt.Sprintf("gather %v %v", c.x, c.index), op: op.Gather{Index: c.index}, shapes: []op.Shape{c.x},
			back: []back{{op.GatherGrad{Index: c.index, Rows: c.x[len(c.x)-2]}, []source{dy}, []int{0}}}})
	}
	for turned := range 4 {
		o := op.MatMul{TransA: turned%2 != 0, TransB: turned/2 != 0}
		for _, s := range []struct {
			leading op.Shape
			m, n, k int
			one     int // which operand has no leading axes, -1 for none
		}{{op.Shape{}, 3, 4, 5, -1}, {op.Shape{2, 3}, 4, 2, 3, -1}, {op.Shape{5}, 33, 17, 40, -1}, {op.Shape{3}, 2, 3, 4, 0}, {op.Shape{3}, 2, 3, 4, 1}} {
			a, b := op.Shape{s.m, s.k}, op.Shape{s.k, s.n}
			if o.TransA {
				a = op.Shape{s.k, s.m}
			}
			if o.TransB {
				b = op.Shape{s.n, s.k}
			}
			if s.one != 0 {
				a = append(s.leading.Clone(), a...)
			}
			if s.one != 1 {
				b = append(s.leading.Clone(), b...)
			}
			all = append(all, example{name: fmt.Sprintf("matmul %v %v %v", o, a, b), op: o, shapes: []op.Shape{a, b}})
		}
	}
	for _, s := range []struct{ n, l, heads, depth int }{{1, 1, 1, 1}, {2, 5, 2, 3}, {4, 4, 1, 8}, {3, 50, 3, 32}} {
		for form := range 3 {
			o := op.Attention{Heads: s.heads, Scale: 0.4, Bias: form > 0}
			e := example{shapes: []op.Shape{{s.n, s.l, 3 * s.heads * s.depth}}, large: s.l > 10}
			if o.Bias {
				e.shapes = append(e.shapes, op.Shape{s.heads, s.l, s.l})
			}
			if form > 1 && s.n%2 == 0 {
				o.Regions = [][]int{make([]int, s.l), make([]int, s.l)}
				o.Regions[1][0] = 1
			}
			e.name, e.op = fmt.Sprintf("attention %v bias=%v regions=%d", s, o.Bias, len(o.Regions)), o
			b := back{op.AttentionGrad(o), []source{0, output(0), output(1), dy}, []int{0}}
			if o.Bias {
				b.from, b.wrt = append(b.from, 1), []int{0, 1}
			}
			e.back = []back{b}
			all = append(all, e)
		}
	}
	return all
}

func reduceExamples() []example {
	var all []example
	for _, x := range []op.Shape{{}, {1}, {3, 5}, {7, 1, 17}, {40001}, {30, 31, 64}, {5, 2000}} {
		all = append(all, example{name: fmt.Sprintf("mean %v", x), op: op.Mean{}, shapes: []op.Shape{x}},
			example{name: fmt.Sprintf("squared_norm %v", x), op: op.SquaredNorm{}, shapes: []op.Shape{x}})
		if len(x) > 0 {
			all = append(all, example{name: fmt.Sprintf("column_sum %v", x), op: op.ColumnSum{}, shapes: []op.Shape{x}})
		}
	}
	for _, x := range []op.Shape{{1, 1}, {5, 3}, {2, 3, 4, 17}, {9, 31, 64}, {3, 1100}, {4, 33, 33, 6}} {
		wide := x.Clone()
		wide[len(x)-1] += 19
		all = append(all, example{name: fmt.Sprintf("clip_grad %v", x), op: op.ClipGrad{Clip: clips[1]}, shapes: []op.Shape{x, x}},
			example{name: fmt.Sprintf("clip_grad %v part", x), op: op.ClipGrad{Clip: clips[1], Start: 7}, shapes: []op.Shape{x, wide}})
	}
	for _, s := range [][2]op.Shape{{{3, 4, 5, 6}, {4, 1, 6}}, {{3, 4, 5, 6}, {3, 1, 5, 1}}, {{9, 20, 20, 17}, {9, 1, 1, 17}}, {{9, 20, 20, 17}, {9, 20, 20, 1}}, {{9, 20, 20, 17}, {17}}, {{9, 400, 17}, {}}} {
		all = append(all, example{name: fmt.Sprintf("sum_to %v %v", s[0], s[1]), op: op.SumTo{Shape: s[1]}, shapes: s[:1], large: op.Size(s[0]) > 1000,
			back: []back{{op.BroadcastTo{Shape: s[0]}, []source{dy}, []int{0}}}},
			example{name: fmt.Sprintf("dot_to %v %v", s[0], s[1]), op: op.DotTo{Shape: s[1]}, shapes: []op.Shape{s[0], s[0]}, large: op.Size(s[0]) > 1000},
			example{name: fmt.Sprintf("max_to %v %v", s[0], s[1]), op: op.MaxTo{Shape: s[1]}, shapes: s[:1], large: op.Size(s[0]) > 1000,
				back: []back{{op.MaxToGrad{}, []source{0, output(0), dy}, []int{0}}}})
	}
	return all
}

func shapeExamples() []example {
	all := []example{
		{name: "reshape", op: op.Reshape{To: op.Shape{6, 2}}, shapes: []op.Shape{{3, 4}}},
		{name: "copy", op: op.Copy{}, shapes: []op.Shape{{40001}}},
	}
	for _, x := range []op.Shape{{3, 4, 5}, {1, 4, 1}, {5, 33, 120}} {
		for axis := range x {
			y := x.Clone()
			y[axis] += 2
			all = append(all, example{name: fmt.Sprintf("concat %v axis %d", x, axis), op: op.Concat{Axis: axis}, shapes: []op.Shape{x, y, x}, large: op.Size(x) > 200,
				back: []back{
					{op.Slice{Axis: axis, End: x[axis]}, []source{dy}, []int{0}},
					{op.Slice{Axis: axis, Start: x[axis], End: x[axis] + y[axis]}, []source{dy}, []int{1}},
				}})
			for stride := range 3 {
				o := op.Slice{Axis: axis, Start: 1, End: y[axis], Stride: stride}
				all = append(all, example{name: fmt.Sprintf("slice %v axis %d stride %d", y, axis, stride), op: o, shapes: []op.Shape{y}, large: op.Size(x) > 200,
					back: []back{{op.SliceGrad{Slice: o, Size: y[axis]}, []source{dy}, []int{0}}}})
			}
		}
	}
	return all
}

func randomExamples() []example {
	var all []example
	for _, x := range []op.Shape{{3, 5, 4}, {100, 333}, {1}} {
		for _, o := range []op.Op{op.Dropout{P: 0.3, Stream: 5}, op.DropPath{P: 0.3, Stream: 6}, op.Dropout{}} {
			all = append(all, example{name: fmt.Sprintf("%s %v %v", o.Kind(), o, x), op: o, shapes: []op.Shape{x}, large: op.Size(x) > 200,
				back: []back{{o, []source{dy}, []int{0}}}})
		}
	}
	return all
}

func updateExamples() []example {
	var all []example
	const n = 17003
	p := op.Shape{n}
	segments := []op.Segment{{Offset: 0, Len: 7, Group: 1}, {Offset: 7, Len: n - 20, Group: 0}, {Offset: n - 13, Len: 13, Group: 1}}
	hyper := op.Shape{op.HyperLen(2)}
	for _, step := range []float64{1, 2, 1000} {
		for _, r := range []op.Rule{
			op.SGD{}, op.SGD{Momentum: 0.9}, op.SGD{Momentum: 0.9, Dampening: 0.1}, op.SGD{Momentum: 0.9, Nesterov: true},
			op.Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8}, op.Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decoupled: true},
			op.Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decoupled: true, Nesterov: true}, op.Adam{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Rectified: true},
			op.Adamax{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8},
			op.RMSProp{Alpha: 0.9, Eps: 1e-3}, op.RMSProp{Alpha: 0.9, Eps: 1e-3, Momentum: 0.9}, op.RMSProp{Alpha: 0.9, Eps: 1e-3, TF: true},
			op.RMSProp{Alpha: 0.9, Eps: 1e-3, TF: true, Momentum: 0.9},
			op.Lion{Beta1: 0.9, Beta2: 0.99}, op.Adan{Beta1: 0.98, Beta2: 0.92, Beta3: 0.99, Eps: 1e-8},
			op.MADGRAD{Eps: 1e-6}, op.MADGRAD{Eps: 1e-6, Momentum: 0.9},
			op.LAMB{Beta1: 0.9, Beta2: 0.99, Eps: 1e-6}, op.LAMB{Beta1: 0.9, Beta2: 0.99, Eps: 1e-6, TrustClip: true, AlwaysAdapt: true},
			op.LARS{SGD: op.SGD{Momentum: 0.9}, TrustCoeff: 0.1, Eps: 1e-8}, op.LARS{TrustCoeff: 0.1, Eps: 1e-8, TrustClip: true, AlwaysAdapt: true},
		} {
			shapes := []op.Shape{p, p}
			for range r.States() {
				shapes = append(shapes, p)
			}
			all = append(all, example{name: fmt.Sprintf("%s %+v step %v", r.RuleName(), r, step), op: op.Update{Rule: r, Segments: segments},
				shapes: append(shapes, hyper), valid: func(in [][]float64) {
					for _, state := range in[2 : 2+r.States()] { // most have a mean square, and at the first update none
						if step == 1 {
							clear(state)
						}
						positive(state)
					}
					copy(in[2+r.States()], []float64{0.5, step, 0.1, 0.01, 0.02, 0})
				}})
		}
	}
	for _, e := range all[:len(all):len(all)] { // the same with an average
		e.name, e.shapes = e.name+" average", append(e.shapes[:len(e.shapes):len(e.shapes)], p, op.Shape{1})
		valid := e.valid
		e.valid = func(in [][]float64) { valid(in[:len(in)-2]); in[len(in)-1][0] = 0.99 }
		o := e.op.(op.Update)
		o.Average = true
		e.op = o
		all = append(all, e)
	}
	return append(all, wholeUpdates()...)
}

// wholeUpdates are those of rules with state of another size than the parameters, and
// what is done to parameters and gradients besides.
func wholeUpdates() []example {
	const n = 40 * 24
	p := op.Shape{n + 5}
	segments := []op.Segment{{Len: n}, {Offset: n, Len: 5, Group: 1}}
	hyper := op.Shape{op.HyperLen(2)}
	var all []example
	for _, axes := range [][]int{{40, 24}, {2, 3, 8, 20}} {
		row, col, mean := []int{1, 0}, []int{0, 1}, []int{0, 0}
		if len(axes) == 4 {
			row, col, mean = []int{60, 20, 0, 1}, []int{24, 8, 1, 0}, []int{3, 1, 0, 0}
		}
		for _, beta1 := range []float64{0, 0.9} {
			all = append(all, example{name: fmt.Sprintf("adafactor %v beta1=%v", axes, beta1), op: op.Update{Segments: segments, Rule: op.Adafactor{DecayRate: -0.8, ClipThreshold: 1, Beta1: beta1,
				Factors: []op.Factors{{Axes: axes, Row: row, Col: col, Mean: mean, ColAt: 200, MomentAt: 400}, {Axes: []int{5}, SquareAt: 400 + n, MomentAt: 410 + n}}}},
				shapes: []op.Shape{p, p, {420 + n}, hyper}, valid: func(in [][]float64) {
					positive(in[2])
					copy(in[3], []float64{0.5, 3, 0.1, 0.01, 0.02, 0})
				}})
		}
	}
	for _, m := range []op.Matrix{{Rows: 40, Cols: 24, Scale: 1.3}, {Rows: 24, Cols: 40, Scale: 1}, {Rows: 5, Cols: 192, Scale: 0.7, Norm: 2}} {
		for _, nesterov := range []bool{false, true} {
			rest := op.Rule(op.Adam{Beta1: 0.9, Beta2: 0.95, Eps: 1e-7, Decoupled: true, Nesterov: nesterov})
			if m.Norm > 0 {
				rest = op.SGD{Momentum: 0.9, Nesterov: nesterov}
			}
			all = append(all, example{name: fmt.Sprintf("muon %v nesterov=%v", m, nesterov), op: op.Update{Segments: segments, Average: nesterov, Rule: op.Muon{Momentum: 0.95, Nesterov: nesterov,
				Rest: rest, Steps: [][3]float64{{4.0848, -6.8946, 2.9270}, {2.8366, -3.0525, 1.2012}}, Matrices: []op.Matrix{m, {MomentAt: n, SquareAt: n + 5}}}},
				shapes: append([]op.Shape{p, p, {n + 10}, hyper}, []op.Shape{p, {1}}[:2*b2i(nesterov)]...), valid: func(in [][]float64) {
					positive(in[2])
					copy(in[3], []float64{0.5, 3, 0.1, 0.01, 0.02, 0})
					if nesterov {
						in[5][0] = 0.99
					}
				}})
		}
	}
	return append(all,
		example{name: "clamp_grads", op: op.ClampGrads{}, shapes: []op.Shape{p, {2}}, valid: func(in [][]float64) { copy(in[1], []float64{0.5, 0.3}) }},
		example{name: "adaptive_clip", op: op.AdaptiveClip{Units: []op.Units{{Count: 24, Stride: 1, Len: 40, Step: 24}, {Offset: n, Count: 1, Len: 5, Step: 1}}},
			shapes: []op.Shape{p, p, {2}}, valid: func(in [][]float64) { copy(in[2], []float64{0.5, 0.3}) }},
		example{name: "perturb", op: op.Perturb{}, shapes: []op.Shape{p, p, p, {1}}, valid: func(in [][]float64) { in[3][0] = 0.3 }},
		example{name: "perturb adaptive", op: op.Perturb{Adaptive: true}, shapes: []op.Shape{p, p, p, {1}}, valid: func(in [][]float64) { in[3][0] = 0.3 }},
		example{name: "lookahead", op: op.Lookahead{}, shapes: []op.Shape{p, p, {2}}, valid: func(in [][]float64) { copy(in[2], []float64{0.3, 0}) }},
		example{name: "ema_update", op: op.EMAUpdate{}, shapes: []op.Shape{p, p, {1}}, valid: func(in [][]float64) { in[2][0] = 0.99 }},
		example{name: "accumulate", op: op.Accumulate{}, shapes: []op.Shape{p, p}})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
