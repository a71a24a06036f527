package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

// differences compares a gradient kernel's result with central differences of
// the forward kernel in float64. The loss is the primary result's product with
// dy. wrt is the input that is moved.
func differences(t *testing.T, d *Device, forward op.Op, shapes []op.Shape, in [][]float64, wrt int, dy, grad []float64) {
	t.Helper()
	const h, tolerance = 1e-5, 1e-6
	b := bind(t, d, forward, op.Float64, shapes, in)
	loss := func() (sum float64) {
		for i, s := range in { // the kernel may have updated them
			if i != wrt {
				set(b.in[i], inputType(b.call, i), s)
			}
		}
		b.run()
		for i, y := range as[float64](b.out[0].Host()) {
			sum += y * dy[i]
		}
		return sum
	}
	x := as[float64](b.in[wrt].Host())
	numeric := make([]float64, len(x))
	for i, v := range in[wrt] {
		x[i] = v + h
		above := loss()
		x[i] = v - h
		below := loss()
		x[i] = v
		numeric[i] = (above - below) / (2 * h)
	}
	if worst, at := farthest(grad, numeric); worst > tolerance {
		t.Errorf("gradient for input %d, element %d: %v, central difference %v", wrt, at, grad[at], numeric[at])
	}
}

// TestConvolutionGradients checks both gradients of convolutions and linear
// layers.
func TestConvolutionGradients(t *testing.T) {
	d := oracle(t)
	for _, c := range convolutions {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			shapes := c.shapes()
			in := [][]float64{random(rng, op.Size(shapes[0])), random(rng, op.Size(shapes[1]))}
			o := op.Conv2D{Window: c.window, Groups: c.groups}
			call, err := op.NewCall(o, op.Float64, shapes...)
			if err != nil {
				t.Fatal(err)
			}
			y := call.Out[0]
			dy := random(rng, op.Size(y))
			dx := results(t, d, op.Conv2DInputGrad{Window: c.window, Groups: c.groups, H: c.h, W: c.w}, op.Float64,
				[]op.Shape{y, shapes[1]}, [][]float64{dy, in[1]})
			differences(t, d, o, shapes, in, 0, dy, dx[0])
			dw := results(t, d, op.Conv2DWeightGrad{Window: c.window, Groups: c.groups}, op.Float64,
				[]op.Shape{shapes[0], y}, [][]float64{in[0], dy})
			differences(t, d, o, shapes, in, 1, dy, dw[0])
		})
	}
}

// convCase is a convolution of x (n, h, w, c) to k channels.
type convCase struct {
	name          string
	n, h, w, c, k int
	groups        int
	window        op.Window
}

func (c convCase) shapes() []op.Shape {
	return []op.Shape{{c.n, c.h, c.w, c.c}, {c.window.KH, c.window.KW, c.c / c.groups, c.k}}
}

var convolutions = []convCase{
	{"1x1", 2, 3, 4, 3, 5, 1, op.Square(1, 1, 0)},
	{"1x1 map", 1, 1, 1, 3, 2, 1, op.Square(3, 1, 1)},
	{"3x3", 2, 4, 5, 2, 3, 1, op.Square(3, 1, 1)},
	{"3x3 stride 2", 1, 5, 6, 3, 2, 1, op.Square(3, 2, 1)},
	{"1x1 stride 2", 1, 5, 5, 2, 2, 1, op.Square(1, 2, 0)},
	{"stride above the window", 1, 7, 7, 1, 2, 1, op.Square(2, 3, 0)},
	{"grouped", 1, 4, 4, 4, 6, 2, op.Square(3, 1, 1)},
	{"depthwise", 1, 5, 5, 3, 3, 3, op.Square(3, 2, 1)},
	{"dilated", 1, 6, 7, 2, 2, 1, op.Window{KH: 3, KW: 2, StrideH: 1, StrideW: 2, PadTop: 2, PadBottom: 1, PadLeft: 0, PadRight: 1, DilationH: 2, DilationW: 3}},
	{"asymmetric", 1, 4, 5, 1, 1, 1, op.Window{KH: 2, KW: 3, StrideH: 2, StrideW: 1, PadTop: 0, PadBottom: 1, PadLeft: 2, PadRight: 0, DilationH: 1, DilationW: 1}},
	{"many outputs", 1, 2, 2, 2, 65, 1, op.Square(1, 1, 0)},
}
