package layers_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/internal/formula"
)

// golden is what testdata's scripts write of a layer, in float64: its result in
// evaluation, then, of one pass of training, its result, the gradients of the sum
// of the result times the series "dy", and the statistics afterwards.
type golden struct {
	Input      []int                      `json:"input"` // (N, C, H, W), or (N, L, C)
	Shape      []int                      `json:"shape"` // of the result
	Eval       formula.Summary            `json:"eval"`
	Train      formula.Summary            `json:"train"`
	InputGrad  formula.Summary            `json:"input_grad"`
	Gradients  map[string]formula.Summary `json:"gradients"`
	Statistics map[string]formula.Summary `json:"statistics"`
	RoIs       []float32                  `json:"rois"` // of the layer, a parameter of this name
}

// layer declares a layer for so many input channels.
type layer func(s graph.Scope, channels int) graph.Module

// compareGolden runs layers against a file of testdata, by the names of its
// entries: a layer's spec, which may be followed by a space and a remark.
func compareGolden(t *testing.T, file string, parse func(spec string) (layer, error)) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var entries map[string]golden
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for name, want := range entries {
		spec, _, _ := strings.Cut(name, " ")
		build, err := parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name+"/float64", func(t *testing.T) {
			want.compare(t, build, op.Float64, cpu.Options{Strict: true}, 1e-9)
		})
		t.Run(name+"/float32", func(t *testing.T) { want.compare(t, build, op.Float32, cpu.Options{}, 3e-4) })
	}
}

// channelsLast turns the order of a golden file's tensor into that of the graph,
// which differs for maps.
func channelsLast(v []float64, shape []int) []float32 {
	if len(shape) == 4 {
		return formula.ChannelsLast(v, shape)
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// channelsFirst is the way back, from a value of the graph in this shape (N, H, W, C).
func channelsFirst(v []float32, shape []int) []float32 {
	if len(shape) != 4 {
		return v
	}
	n, area, c := shape[0], shape[1]*shape[2], shape[3]
	out := make([]float32, len(v))
	for b := range n {
		for p := range area {
			for ch := range c {
				out[(b*c+ch)*area+p] = v[(b*area+p)*c+ch]
			}
		}
	}
	return out
}

// graphShape is a golden file's shape as the graph has it.
func graphShape(shape []int) []int {
	if len(shape) != 4 {
		return shape
	}
	return []int{shape[0], shape[2], shape[3], shape[1]}
}

// compare runs the layer once in evaluation and once in training. Differences are
// relative to the norms.
func (want golden) compare(t *testing.T, build layer, dtype op.DType, o cpu.Options, tolerance float64) {
	t.Helper()
	dev, err := cpu.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParamsOf(dtype, 1)
	in := graphShape(want.Input)
	channels := in[len(in)-1]
	// As a parameter the input gets its gradient.
	x := ps.Root().Param("x", in, graph.Layout{}, graph.Weight, graph.Zeros)
	m := build(ps.Root(), channels)
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	if err := formula.Fill(ps); err != nil {
		t.Fatal(err)
	}
	values := formula.Uniform("x", op.Size(in))
	for i := range values {
		values[i] *= math.Sqrt(3)
	}
	if err := x.Write(channelsLast(values, want.Input)); err != nil {
		t.Fatal(err)
	}
	if want.RoIs != nil {
		if err := ps.Lookup("rois").Write(want.RoIs); err != nil {
			t.Fatal(err)
		}
	}
	ws := graph.NewWorkspace(dev, 1)
	run := func(mode graph.Mode) []float32 {
		g := graph.NewOf(dtype, mode)
		y := m.Forward(g, g.Param(x))
		if g.Err() != nil {
			t.Fatal(g.Err())
		}
		if !slices.Equal(y.Shape(), graphShape(want.Shape)) {
			t.Fatalf("the result is %v, want %v", y.Shape(), graphShape(want.Shape))
		}
		target, dy := graph.Target{Outputs: []*graph.Node{y}}, g.Input("dy", y.Shape()...)
		if mode == graph.Train {
			target.Loss = g.Scale(g.Mean(g.Mul(y, dy)), float64(op.Size(y.Shape())))
		}
		p, err := graph.Compile(g, ps, ws, target)
		if err != nil {
			t.Fatal(err)
		}
		if mode == graph.Train {
			if err := p.Set(dy, channelsLast(formula.Uniform("dy", op.Size(want.Shape)), want.Shape)); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		got := make([]float32, op.Size(y.Shape()))
		if err := p.Read(y, got); err != nil {
			t.Fatal(err)
		}
		return channelsFirst(got, y.Shape())
	}
	if dtype == op.Float64 {
		// Values are read as float32.
		tolerance = max(tolerance, 2e-7)
	}
	// A bias that a batch norm follows has the gradient zero: what is computed for it
	// counts beside the largest.
	largest := want.InputGrad.Norm
	for _, g := range want.Gradients {
		largest = max(largest, g.Norm)
	}
	rounding := 1e-2 * largest
	check := func(what, name string, got []float32, w formula.Summary, least float64) {
		t.Helper()
		norm := max(w.Norm, least)
		s := formula.Summarize(name, got)
		d := s.Distance(w) / norm
		for i, v := range w.Head {
			d = max(d, math.Abs(s.Head[i]-v)/norm)
		}
		if !(d <= tolerance) {
			t.Errorf("%s differs by %.2g of its norm", what, d)
		}
	}
	check("the result in evaluation", "y", run(graph.Eval), want.Eval, 0)
	check("the result in training", "y", run(graph.Train), want.Train, 0)
	trained := 0
	for _, p := range ps.All() {
		if s, ok := want.Statistics[p.Name]; ok {
			got, err := p.Read()
			if err != nil {
				t.Fatal(err)
			}
			check("the statistic "+p.Name, p.Name, got, s, 0)
		}
		if !p.Role.Trained() {
			continue
		}
		got, err := p.ReadFrom(ps.Grads())
		if err != nil {
			t.Fatal(err)
		}
		if p == x {
			check("the gradient of the input", "x", channelsFirst(got, in), want.InputGrad, rounding)
			continue
		}
		w, ok := want.Gradients[p.Name]
		if !ok {
			t.Errorf("PyTorch has no parameter %s", p.Name)
			continue
		}
		trained++
		check("the gradient of "+p.Name, p.Name, got, w, rounding)
	}
	if trained != len(want.Gradients) {
		t.Errorf("%d parameters are trained, in PyTorch %d", trained, len(want.Gradients))
	}
}
