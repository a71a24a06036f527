package graph_test

import (
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
)

// The arena of known networks, with all that it needs and under a limit, has hardly
// a gap at its fullest step, and the limit costs little.
func TestArenaOfNetworks(t *testing.T) {
	dev := device(t, cpu.Options{})
	for _, c := range []struct {
		name    string
		batch   int
		percent int
		extra   float64 // most time
	}{{"resnet18", 32, 60, 0.06}, {"squeezenet1_1", 32, 60, 0.06}, {"cifar_resnet20", 128, 60, 0.06}, {"lenet5", 128, 90, 0.1}} {
		info, err := models.Info(c.name)
		if err != nil {
			t.Fatal(err)
		}
		ps := graph.NewParams(5)
		m, err := models.New(c.name, ps.Root(), models.Options{NumClasses: info.NumClasses, InChans: info.InChans, ImageSize: info.InputSize})
		if err != nil {
			t.Fatal(err)
		}
		if err := ps.Place(dev); err != nil {
			t.Fatal(err)
		}
		limit := 0
		for range 2 {
			g := graph.New(graph.Train)
			x, labels := g.Input("x", c.batch, info.InputSize, info.InputSize, info.InChans), g.Input("labels", c.batch)
			loss := g.CrossEntropy(m.Forward(g, x), labels, 0)
			p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 9), graph.Target{Loss: loss, Memory: limit})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			plan := p.MemoryPlan()
			arena, peak := p.ArenaAndPeak()
			t.Logf("%-14s arena %6.1f MiB, %6.1f at its fullest, %2d steps repeated, %.1f%% more time", c.name, float64(arena)/(1<<20), float64(peak)/(1<<20), plan.Repeated, 100*plan.ExtraTime)
			if float64(arena) > 1.03*float64(peak) {
				t.Errorf("%s, limit %d: the arena has %d bytes, of which %d are needed at once", c.name, limit, arena, peak)
			}
			if limit > 0 && plan.Bytes > limit || plan.ExtraTime > c.extra || limit == 0 && plan.ExtraTime > 0.005 {
				t.Errorf("%s, limit %d: %+v", c.name, limit, plan)
			}
			limit = plan.Whole * c.percent / 100
		}
	}
}
