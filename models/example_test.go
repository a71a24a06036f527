package models_test

import (
	"fmt"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
)

// A network is made by name, placed on a device and compiled for one batch size.
func Example() {
	classify := func() ([]float32, error) {
		dev, err := cpu.New(cpu.Options{})
		if err != nil {
			return nil, err
		}
		defer dev.Close()
		ps := graph.NewParams(42)
		m, err := models.New("cifar_resnet20", ps.Root(), models.Options{NumClasses: 4})
		if err != nil {
			return nil, err
		}
		if err := ps.Place(dev); err != nil {
			return nil, err
		}
		g := graph.New(graph.Eval)
		images := g.Input("images", 2, 32, 32, 3)
		logits := m.Forward(g, images)
		p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 42), graph.Target{Outputs: []*graph.Node{logits}})
		if err != nil {
			return nil, err
		}
		if err := p.Set(images, make([]float32, 2*32*32*3)); err != nil {
			return nil, err
		}
		if err := p.Run(); err != nil {
			return nil, err
		}
		out := make([]float32, 2*m.Classes)
		return out, p.Read(logits, out)
	}
	logits, err := classify()
	fmt.Println(len(logits), err)
	// Output: 8 <nil>
}

func ExampleMeasure() {
	c, err := models.Measure("resnet50", models.Options{})
	fmt.Printf("%d parameters, %.2f G multiply-adds, %.2f M activations, %v\n", c.Params, float64(c.MACs)/1e9, float64(c.Activations)/1e6, err)
	// Output: 25557032 parameters, 4.09 G multiply-adds, 11.11 M activations, <nil>
}

func ExampleInfo() {
	c, err := models.Info("squeezenet1_1")
	fmt.Println(c.InputSize, c.CropPct, c.FirstConv, c.Classifier, err)
	// Output: 224 0.875 [features.0] [classifier.1] <nil>
}

func ExampleNew() {
	_, err := models.New("resnet-81", graph.NewParams(1).Root(), models.Options{})
	fmt.Println(err)
	// Output: there is no model "resnet-81"; did you mean resnet101 or resnet18?
}

func ExampleRegister() {
	err := models.Register(models.Spec{
		Name:   "deep_mlp",
		Config: models.Config{InputSize: 8, InChans: 1, NumClasses: 10, Classifier: []string{"fc3"}},
		Build: func(s graph.Scope, o models.Options) (graph.Module, error) {
			return models.NewMLP(s, []int{64, 64}, op.GELU, o)
		},
	})
	if err != nil {
		fmt.Println(err)
	}
}
