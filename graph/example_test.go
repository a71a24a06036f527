package graph_test

import (
	"fmt"
	"log"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
)

// A linear classifier, its loss, and the gradient of its weight.
func Example() {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dev.Close()

	params := graph.NewParams(1)
	fc := graph.NewLinear(params.Root().Sub("fc"), 2, 2, graph.LinearConfig{Init: graph.Zeros, BiasInit: graph.Zeros})
	if err := params.Place(dev); err != nil {
		log.Fatal(err)
	}

	g := graph.New(graph.Train)
	x, label := g.Input("x", 1, 2), g.Input("label", 1)
	loss := g.CrossEntropy(fc.Forward(g, x), label, 0)
	p, err := graph.Compile(g, params, graph.NewWorkspace(dev, 1), graph.Target{Loss: loss})
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Set(x, []float32{1, -2}); err != nil {
		log.Fatal(err)
	}
	if err := p.Set(label, []float32{1}); err != nil {
		log.Fatal(err)
	}
	if err := p.Run(); err != nil {
		log.Fatal(err)
	}
	value, err := p.Loss()
	if err != nil {
		log.Fatal(err)
	}
	gradient, err := fc.Weight.ReadFrom(params.Grads())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f %.1f\n", value, gradient)
	// Output: 0.6931 [0.5 -1.0 -0.5 1.0]
}
