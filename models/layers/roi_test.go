package layers_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/layers"
)

// regional are the pools of roi.json.
var regional = map[string]func(s graph.Scope, channels int) *layers.RoIPool{
	"align": func(graph.Scope, int) *layers.RoIPool { return layers.NewRoIAlign(layers.RoIConfig{H: 2, W: 3}) },
	"align-unaligned": func(graph.Scope, int) *layers.RoIPool {
		return layers.NewRoIAlign(layers.RoIConfig{H: 3, W: 2, Scale: 0.5, Samples: 2, Unaligned: true})
	},
	"deform": func(s graph.Scope, channels int) *layers.RoIPool {
		return layers.NewDeformRoIPool(s, channels, layers.DeformRoIConfig{RoIConfig: layers.RoIConfig{H: 2, W: 3}, Hidden: 8})
	},
	"modulated": func(s graph.Scope, channels int) *layers.RoIPool {
		return layers.NewModulatedDeformRoIPool(s, channels, layers.DeformRoIConfig{RoIConfig: layers.RoIConfig{H: 3, W: 2, Scale: 0.5, Samples: 2}, Gamma: 0.3, Hidden: 6})
	},
}

func TestRegionsEqualPyTorch(t *testing.T) {
	compareGolden(t, "roi.json", func(spec string) (layer, error) {
		build := regional[spec]
		if build == nil {
			return nil, fmt.Errorf("roi.json has the layer %q, which this test does not know", spec)
		}
		return func(s graph.Scope, channels int) graph.Module {
			rois := s.Param("rois", graph.Shape{8, 5}, graph.Layout{}, graph.Statistic, graph.Zeros)
			m := build(s, channels)
			return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return m.Forward(g, x, g.Param(rois)) })
		}, nil
	})
}

// The values that mmcv's tests hold for its deformable pooling as it starts: the result and
// the map's gradient for a gradient of ones. With a mask, that starts at a half.
func TestDeformRoIPoolGivesTheReference(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	for _, c := range []struct {
		x      graph.Shape
		values []float32 // (N, H, W, C)
		side   float32   // of the region
		y, dx  []float32
	}{
		{graph.Shape{1, 2, 2, 1}, []float32{1, 2, 3, 4}, 1, []float32{1, 1.25, 1.5, 1.75}, []float32{3.0625, 0.4375, 0.4375, 0.0625}},
		{graph.Shape{1, 2, 2, 2}, []float32{1, 4, 2, 3, 3, 2, 4, 1}, 1, []float32{1, 4, 1.25, 3.75, 1.5, 3.5, 1.75, 3.25},
			[]float32{3.0625, 3.0625, 0.4375, 0.4375, 0.4375, 0.4375, 0.0625, 0.0625}},
		{graph.Shape{1, 4, 4, 1}, []float32{1, 2, 5, 6, 3, 4, 7, 8, 9, 10, 13, 14, 11, 12, 15, 16}, 3, []float32{1.9375, 4.75, 7.5625, 10.375},
			[]float32{0.47265625, 0.4296875, 0.4296875, 0.04296875, 0.4296875, 0.390625, 0.390625, 0.0390625,
				0.4296875, 0.390625, 0.390625, 0.0390625, 0.04296875, 0.0390625, 0.0390625, 0.00390625}},
	} {
		for mask, scale := range []float32{1, 0.5} {
			ps := graph.NewParams(1)
			x := ps.Root().Param("x", c.x, graph.Layout{}, graph.Weight, graph.Zeros)
			config := layers.DeformRoIConfig{RoIConfig: layers.RoIConfig{H: 2, W: 2, Samples: 2}, Hidden: 5}
			m := layers.NewDeformRoIPool(ps.Root(), c.x[3], config)
			if mask == 1 {
				ps = graph.NewParams(1)
				x = ps.Root().Param("x", c.x, graph.Layout{}, graph.Weight, graph.Zeros)
				m = layers.NewModulatedDeformRoIPool(ps.Root(), c.x[3], config)
			}
			if err := ps.Place(dev); err != nil {
				t.Fatal(err)
			}
			if err := x.Write(c.values); err != nil {
				t.Fatal(err)
			}
			g := graph.New(graph.Train)
			rois := g.Input("rois", 1, 5)
			y := m.Forward(g, g.Param(x), rois)
			p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Outputs: []*graph.Node{y}, Loss: g.Scale(g.Mean(y), float64(op.Size(y.Shape())))})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Set(rois, []float32{0, 0, 0, c.side, c.side}); err != nil {
				t.Fatal(err)
			}
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, op.Size(y.Shape()))
			if err := p.Read(y, got); err != nil {
				t.Fatal(err)
			}
			dx, err := x.ReadFrom(ps.Grads())
			if err != nil {
				t.Fatal(err)
			}
			for what, pair := range map[string][2][]float32{"result": {got, c.y}, "gradient": {dx, c.dx}} {
				for i, want := range pair[1] {
					if want *= scale; math.Abs(float64(pair[0][i]-want)) > 1e-6 {
						t.Errorf("map %v, mask %v: element %d of the %s is %v, want %v", c.x, mask == 1, i, what, pair[0][i], want)
					}
				}
			}
		}
	}
}

// Pools that cannot be are refused in words.
func TestRegionsThatCannotBe(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParams(1)
	layers.NewModulatedDeformRoIPool(ps.Root().Sub("head"), 4, layers.DeformRoIConfig{RoIConfig: layers.RoIConfig{H: 7}})
	if err := ps.Place(dev); err == nil || !strings.Contains(err.Error(), "head.offset_fc: regions of 7x0 bins") {
		t.Errorf("error %v, want one that names the layer and its 7x0 bins", err)
	}
	g := graph.New(graph.Eval)
	layers.NewRoIAlign(layers.RoIConfig{H: 7, W: 7}).Forward(g, g.Input("x", 1, 8, 8, 3), g.Input("rois", 6, 4))
	if err := g.Err(); err == nil || !strings.Contains(err.Error(), "its regions are (6, 4), want (K, 5)") {
		t.Errorf("error %v, want one that says what regions are", err)
	}
}
