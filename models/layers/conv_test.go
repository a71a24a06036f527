package layers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// convolution reads the name of an entry of conv.json: a spec, in which groups and
// dilation are the convolution's.
func convolution(spec string) (layer, error) {
	if build := resampling[spec]; build != nil {
		return build, nil
	}
	c, out := graph.ConvConfig{Stride: 2, Pad: 1, Bias: true}, 7
	if strings.HasPrefix(spec, "grouped") {
		out = 8
	}
	name, options, _ := strings.Cut(spec, ":")
	var own []string
	for _, o := range strings.Split(options, ",") {
		switch o {
		case "":
		case "groups=4":
			c.Groups, out = 4, 8
		case "dilation=2":
			c.Dilation, c.Stride, c.Pad, out = 2, 1, 2, 8
		default:
			own = append(own, o)
		}
	}
	if len(own) > 0 {
		name += ":" + strings.Join(own, ",")
	}
	conv, err := layers.ParseConv(name)
	return func(s graph.Scope, channels int) graph.Module {
		for _, f := range []layers.ConvFunc{conv.Spatial, conv.Every} {
			if f != nil {
				return f(s, channels, out, 3, c)
			}
		}
		return layers.Conv(s, channels, out, 3, c)
	}, err
}

// resampling are layers of conv.json that are not chosen by a spec.
var resampling = map[string]layer{
	"transposed": func(s graph.Scope, channels int) graph.Module {
		return layers.NewTransposedConv(s, channels, 7, 3, layers.TransposedConfig{Stride: 2, Pad: 1, OutputPad: 1})
	},
	"transposed-groups": func(s graph.Scope, channels int) graph.Module {
		return layers.NewTransposedConv(s, channels, 8, 3, layers.TransposedConfig{Stride: 2, Pad: 2, Dilation: 2, Groups: 4, NoBias: true})
	},
	"shuffle":   func(graph.Scope, int) graph.Module { return layers.PixelShuffle(2) },
	"unshuffle": func(graph.Scope, int) graph.Module { return layers.PixelUnshuffle(2) },
	"blur":      func(graph.Scope, int) graph.Module { return layers.BlurPool(3, 2) },
	"blur-5":    func(graph.Scope, int) graph.Module { return layers.BlurPool(5, 2) },
}

func TestConvolutionsEqualPyTorch(t *testing.T) { compareGolden(t, "conv.json", convolution) }

// The values that mmcv publishes for its modulated deformable convolution: a kernel of
// ones over whole pixels, with a mask of a half.
func TestDeformableGivesTheReference(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParams(1)
	x := ps.Root().Param("x", graph.Shape{1, 3, 3, 1}, graph.Layout{}, graph.Weight, graph.Zeros)
	m := layers.Deformable(1, true)(ps.Root(), 1, 1, 2, graph.ConvConfig{Pad: 1, Init: graph.Ones})
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	if err := x.Write([]float32{1, 2, 3, 1, 2, 3, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Train)
	y := m.Forward(g, g.Param(x))
	p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Outputs: []*graph.Node{y}, Loss: g.Scale(g.Mean(y), 16)})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	got := make([]float32, op.Size(y.Shape()))
	if err := p.Read(y, got); err != nil {
		t.Fatal(err)
	}
	outer, inner := []float32{0.5, 1.5, 2.5, 1.5}, []float32{1, 3, 5, 3}
	if want := slices.Concat(outer, inner, inner, outer); !slices.Equal(got, want) {
		t.Errorf("the result is %v, want %v", got, want)
	}
	for name, want := range map[string][]float32{
		"x": {2, 2, 2, 2, 2, 2, 2, 2, 2}, "weight": {9, 9, 9, 9},
		"conv_offset.bias": {-3, -1.5, -3, -1.5, -3, -1.5, -3, -1.5, 4.5, 4.5, 4.5, 4.5},
	} {
		got, err := ps.Lookup(name).ReadFrom(ps.Grads())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the gradient of %s is %v, want %v", name, got, want)
		}
	}
}

// In training, drop block takes squares away and keeps the mean of what it is given; in
// evaluation it does nothing.
func TestDropBlock(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	shape := []int{8, 20, 24, 16}
	x := make([]float32, op.Size(shape))
	for i := range x {
		x[i] = 1
	}
	run := func(mode graph.Mode) []float32 {
		ps := graph.NewParams(1)
		w := ps.Root().Param("w", graph.Shape{1}, graph.Layout{}, graph.Weight, graph.Ones)
		if err := ps.Place(dev); err != nil {
			t.Fatal(err)
		}
		g := graph.New(mode)
		in := g.Input("x", shape...)
		out := g.Mul(layers.DropBlock(0.2, 5, 1).Forward(g, in), g.Param(w))
		target := graph.Target{Outputs: []*graph.Node{out}}
		if mode == graph.Train {
			target.Loss = g.Mean(out)
		}
		p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), target)
		if err != nil {
			t.Fatal(err)
		}
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
		return y
	}
	if y := run(graph.Eval); !slices.Equal(y, x) {
		t.Error("evaluation changes the map")
	}
	y := run(graph.Train)
	lost, sum, alone := 0, 0.0, 0
	for i, v := range y {
		sum += float64(v)
		if v == 0 {
			lost++
			// A square of 5 x 5 has a neighbour in each row.
			if i >= 16 && i+16 < len(y) && y[i-16] != 0 && y[i+16] != 0 {
				alone++
			}
		}
	}
	if part := float64(lost) / float64(len(y)); part < 0.14 || part > 0.28 {
		t.Errorf("%.3f of the map is lost, want about 0.2", part)
	}
	if mean := sum / float64(len(y)); mean < 0.999 || mean > 1.001 {
		t.Errorf("the mean is %v, want 1", mean)
	}
	if alone > lost/100 {
		t.Errorf("%d of %d lost pixels have no neighbour", alone, lost)
	}
	if again := run(graph.Train); !slices.Equal(again, y) {
		t.Error("the same seed gives other squares")
	}
}
