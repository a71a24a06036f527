package op_test

import (
	"fmt"
	"log"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/seed52467199/trainer/graph/op"
)

func input(g *gorgonia.ExprGraph, name string, shape ...int) *op.Node {
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

// A convolution and its gradients, as shapes.
func Example() {
	g := gorgonia.NewGraph()
	x, w := input(g, "x", 8, 32, 32, 3), input(g, "w", 3, 3, 3, 16)
	y, err := op.Apply(op.Conv2D{Window: op.Square(3, 2, 1), Groups: 1}, x, w)
	if err != nil {
		log.Fatal(err)
	}
	loss, err := op.Apply(op.Mean{}, y)
	if err != nil {
		log.Fatal(err)
	}
	grads, err := gorgonia.Grad(loss, x, w)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Shape(), grads[0].Shape(), grads[1].Shape())
	// Output: (8, 16, 16, 16) (8, 32, 32, 3) (3, 3, 3, 16)
}

// Shapes that do not fit are refused in words that name the operation and both.
func TestInferRefuses(t *testing.T) {
	conv := op.Conv2D{Window: op.Square(3, 1, 0), Groups: 1}
	for _, c := range []struct {
		o    op.Op
		in   []op.Shape
		want string
	}{
		{conv, []op.Shape{{1, 8, 8, 3}, {3, 3, 4, 5}}, "the input has 3 channels"},
		{conv, []op.Shape{{1, 8, 8, 3}, {5, 5, 3, 5}}, "its weight is (5, 5, 3, 5)"},
		{conv, []op.Shape{{1, 2, 8, 3}, {3, 3, 3, 5}}, "smaller than the 3x3 window"},
		{conv, []op.Shape{{8, 8, 3}, {3, 3, 3, 5}}, "want (N, H, W, C)"},
		{op.Conv2D{Window: op.Square(1, 1, 0), Groups: 2}, []op.Shape{{1, 8, 8, 3}, {1, 1, 1, 4}}, "2 groups do not divide"},
		{op.Linear{}, []op.Shape{{4, 5}, {6, 7}}, "does not fit"},
		{op.Add{}, []op.Shape{{4, 5}, {4, 6}}, "do not fit"},
		{op.Concat{Axis: 1}, []op.Shape{{4, 5}, {3, 5}}, "differ outside axis 1"},
		{op.Slice{Axis: 1, Start: 2, End: 9}, []op.Shape{{4, 5}}, "[2, 9) of axis 1"},
		{op.Reshape{To: op.Shape{3}}, []op.Shape{{4}}, "has 4 elements"},
		{op.CrossEntropy{}, []op.Shape{{4, 10}, {5}}, "its target is (5)"},
		{op.MaxPool{Window: op.Square(2, 2, 2)}, []op.Shape{{1, 8, 8, 3}}, "more than half"},
		{op.RoIAlign{PooledH: 2, PooledW: 2, Scale: 1}, []op.Shape{{1, 8, 8, 3}, {4, 4}}, "its regions are (4, 4), want (K, 5)"},
		{op.RoIAlign{PooledH: 2, PooledW: 0, Scale: 1}, []op.Shape{{1, 8, 8, 3}, {4, 5}}, "2x0 bins"},
		{op.RoIAlign{PooledH: 2, PooledW: 2}, []op.Shape{{1, 8, 8, 3}, {4, 5}}, "a scale of 0"},
		{op.RoIAlign{PooledH: 2, PooledW: 2, Scale: 1, Samples: -1}, []op.Shape{{1, 8, 8, 3}, {4, 5}}, "-1 samples"},
		{op.RoIAlign{PooledH: 2, PooledW: 3, Scale: 1, Offsets: true}, []op.Shape{{1, 8, 8, 3}, {4, 5}, {4, 2, 3, 3}}, "its offsets are (4, 2, 3, 3), want (4, 2, 2, 3)"},
		{op.RoIAlign{PooledH: 2, PooledW: 3, Scale: 1, Mask: true}, []op.Shape{{1, 8, 8, 3}, {4, 5}, {5, 2, 3}}, "its mask is (5, 2, 3), want (4, 2, 3)"},
		{op.Dropout{P: 1}, []op.Shape{{4}}, "want 0 <= p < 1"},
		{op.Activation{Func: "swoosh"}, []op.Shape{{4}}, "unknown"},
		{op.BatchNorm{}, []op.Shape{{4, 6}, {6}, {5}, {6}, {6}, {}}, "its beta is (5)"},
	} {
		_, err := op.NewCall(c.o, op.Float32, c.in...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s%v: error %v, want one with %q", c.o.Kind(), c.in, err, c.want)
		}
	}
}

// The extents are those of PyTorch, with and without ceil_mode.
func TestWindowOut(t *testing.T) {
	for _, c := range []struct {
		w    op.Window
		in   int
		ceil bool
		want int
	}{
		{op.Square(3, 2, 0), 111, true, 55},
		{op.Square(3, 2, 0), 54, true, 27},
		{op.Square(3, 2, 0), 54, false, 26},
		{op.Square(2, 2, 0), 5, true, 3},
		{op.Square(2, 2, 1), 3, true, 2}, // a third window would start in the padding
		{op.Square(7, 2, 3), 224, false, 112},
	} {
		got, _, err := c.w.Out(c.in, c.in, c.ceil)
		if err != nil || got != c.want {
			t.Errorf("%+v over %d, ceil %v: %d, %v; want %d", c.w, c.in, c.ceil, got, err, c.want)
		}
	}
}

// Two operations alike in everything stay two nodes.
func TestEqualOperationsStayApart(t *testing.T) {
	g := gorgonia.NewGraph()
	x := input(g, "x", 4)
	a, err := op.Apply(op.Scale{Factor: 2}, x)
	if err != nil {
		t.Fatal(err)
	}
	b, err := op.Apply(op.Scale{Factor: 2}, x)
	if err != nil {
		t.Fatal(err)
	}
	if a == b {
		t.Error("the graph merged them")
	}
}
