package layers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
	"github.com/seed52467199/trainer/models/layers"
)

// A residual block of one's own: the names of its parameters are those of the scopes.
func ExampleResidual() {
	ps := graph.NewParams(1)
	s := ps.Root().Sub("layer1.0")
	st := layers.Style{Norm: layers.BatchNorm, Act: layers.Act(op.SiLU)}
	block := &layers.Residual{
		Branch: graph.Sequential{
			st.ConvNormAct(s.Sub("conv1"), s.Sub("bn1"), 16, 32, 3, 2),
			st.LastConvNorm(s.Sub("conv2"), s.Sub("bn2"), 32, 32, 3, 1),
		},
		Shortcut: layers.OptionA{Stride: 2, Channels: 32},
		Act:      st.Act(s.Sub("act"), 32),
	}
	g := graph.New(graph.Train)
	y := block.Forward(g, g.Input("x", 8, 15, 15, 16))
	fmt.Println(y.Shape(), ps.Lookup("layer1.0.conv2.weight").FileShape(), g.Err())
	// Output: (8, 8, 8, 32) (32, 32, 3, 3) <nil>
}

// run computes a module without parameters.
func run(t *testing.T, m graph.Module, shape graph.Shape, x []float32) (y []float32) {
	t.Helper()
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParams(1)
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Eval)
	in := g.Input("x", shape...)
	out := m.Forward(g, in)
	p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Outputs: []*graph.Node{out}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Set(in, x); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	y = make([]float32, op.Size(out.Shape()))
	if err := p.Read(out, y); err != nil {
		t.Fatal(err)
	}
	return y
}

func noise(n int) []float32 {
	r := rng.New(1, "noise")
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.Norm())
	}
	return x
}

func TestOptionA(t *testing.T) {
	for _, c := range []struct{ n, h, w, in, stride, out int }{
		{2, 4, 4, 2, 2, 4},
		{1, 5, 7, 3, 2, 6}, // odd map, odd number of new channels
		{3, 3, 2, 2, 1, 4},
		{1, 4, 4, 3, 2, 3},
		{1, 1, 1, 1, 1, 1},
		{2, 7, 5, 4, 3, 9},
	} {
		x := noise(c.n * c.h * c.w * c.in)
		got := run(t, layers.OptionA{Stride: c.stride, Channels: c.out}, graph.Shape{c.n, c.h, c.w, c.in}, x)
		var want []float32
		before := (c.out - c.in) / 2
		for n := range c.n {
			for h := 0; h < c.h; h += c.stride {
				for w := 0; w < c.w; w += c.stride {
					row := make([]float32, c.out)
					copy(row[before:], x[((n*c.h+h)*c.w+w)*c.in:][:c.in])
					want = append(want, row...)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v, want %v", c, got, want)
		}
	}
}

func TestOptionARefusesFewerChannels(t *testing.T) {
	g := graph.New(graph.Eval)
	layers.OptionA{Stride: 1, Channels: 2}.Forward(g, g.Input("x", 1, 4, 4, 3))
	if err := g.Err(); err == nil || !strings.Contains(err.Error(), "(1, 4, 4, 3), want (N, H, W, C) with at most 2 channels") {
		t.Errorf("error %v, want one that names the shape", err)
	}
}

// With ZeroLast a fresh block gives its shortcut.
func TestZeroLastStartsAtTheShortcut(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	for _, zero := range []bool{true, false} {
		ps := graph.NewParams(1)
		st := layers.Style{Norm: layers.BatchNorm, Act: layers.Act(op.ReLU), ZeroLast: zero}
		s := ps.Root()
		block := &layers.Residual{Branch: st.LastConvNorm(s.Sub("conv"), s.Sub("bn"), 2, 2, 3, 1), Act: graph.Activate(op.ReLU)}
		if err := ps.Place(dev); err != nil {
			t.Fatal(err)
		}
		g := graph.New(graph.Train)
		in := g.Input("x", 2, 3, 3, 2)
		out := block.Forward(g, in)
		p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Outputs: []*graph.Node{out}})
		if err != nil {
			t.Fatal(err)
		}
		x := noise(2 * 3 * 3 * 2)
		if err := p.Set(in, x); err != nil {
			t.Fatal(err)
		}
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		y := make([]float32, len(x))
		if err := p.Read(out, y); err != nil {
			t.Fatal(err)
		}
		for i := range x {
			x[i] = max(x[i], 0)
		}
		if slices.Equal(x, y) != zero {
			t.Errorf("ZeroLast %v: the block gives %v for a shortcut of %v", zero, y, x)
		}
	}
}

func TestDropPathRate(t *testing.T) {
	for _, c := range []struct {
		i, n int
		want float64
	}{{0, 5, 0}, {2, 5, 0.1}, {4, 5, 0.2}, {0, 1, 0.2}} {
		if got := layers.DropPathRate(0.2, c.i, c.n); got != c.want {
			t.Errorf("block %d of %d: %v, want %v", c.i, c.n, got, c.want)
		}
	}
}
