package graph_test

import (
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
)

// The gradient of the mean of w*w with one factor detached is half that of the square,
// and a parameter that is only reached through what is detached has none.
func TestDetachStopsTheGradient(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	ps := graph.NewParams(1)
	w := ps.Root().Param("w", graph.Shape{4}, graph.Layout{}, graph.Weight, graph.Normal(1))
	v := ps.Root().Param("v", graph.Shape{4}, graph.Layout{}, graph.Weight, graph.Zeros)
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Train)
	x := g.Param(w)
	p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Loss: g.Mean(g.Mul(x, g.Detach(g.Add(x, g.Param(v)))))})
	if err != nil {
		t.Fatal(err)
	}
	if trained := p.Trained(); len(trained) != 1 || trained[0] != w {
		t.Errorf("%d parameters are trained, want w alone", len(trained))
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	grad, err := w.ReadFrom(ps.Grads())
	if err != nil {
		t.Fatal(err)
	}
	vals, err := w.Read()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vals {
		if want := v / 4; grad[i] != want {
			t.Errorf("element %d: gradient %v, want %v", i, grad[i], want)
		}
	}
}
