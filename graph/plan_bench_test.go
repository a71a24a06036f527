package graph_test

import (
	"fmt"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
)

// BenchmarkPlan compiles resnet50 under limits in percent of its working memory;
// below about 30 nothing is possible, and the least that is is searched for.
func BenchmarkPlan(b *testing.B) {
	dev := device(b, cpu.Options{})
	ps := graph.NewParams(5)
	m, err := models.New("resnet50", ps.Root(), models.Options{NumClasses: 1000, InChans: 3, ImageSize: 224})
	if err != nil {
		b.Fatal(err)
	}
	if err := ps.Place(dev); err != nil {
		b.Fatal(err)
	}
	whole := 0
	for _, percent := range []int{100, 70, 50, 35, 25} {
		b.Run(fmt.Sprint(percent), func(b *testing.B) {
			for b.Loop() {
				g := graph.New(graph.Train)
				x, labels := g.Input("x", 16, 224, 224, 3), g.Input("labels", 16)
				y := m.Forward(g, x)
				p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 9), graph.Target{Loss: g.CrossEntropy(y, labels, 0), Memory: whole * percent / 100})
				if err == nil && whole == 0 {
					whole = p.ArenaBytes()
				}
			}
		})
	}
}
