package models_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
)

func fresh(t *testing.T, name string, seed uint64) *graph.Params {
	t.Helper()
	ps := graph.NewParams(seed)
	if _, err := models.New(name, ps.Root(), models.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := ps.Place(device(t, cpu.Options{})); err != nil {
		t.Fatal(err)
	}
	return ps
}

func read(t *testing.T, p *graph.Param) []float32 {
	t.Helper()
	v, err := p.Read()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Fresh weights are spread as PyTorch's: constants equal, and mean and standard
// deviation within what samples of that size allow.
func TestInitialisationIsPyTorchs(t *testing.T) {
	golden := readGolden[map[string]map[string][2]float64](t, "init.json")
	maps.Copy(golden, readGolden[map[string]map[string][2]float64](t, "zoo_init.json"))
	for name, want := range golden {
		ps := fresh(t, name, 7)
		for _, p := range ps.All() {
			if p.Role == graph.Counter {
				continue
			}
			w, ok := want[p.Name]
			if !ok {
				t.Fatalf("%s: PyTorch has no %s", name, p.Name)
			}
			mean, std := moments(read(t, p))
			n := math.Sqrt(float64(p.Len()))
			if d := math.Abs(mean - w[0]); d > 6*w[1]*math.Sqrt2/n+1e-5*math.Abs(w[0]) {
				t.Errorf("%s: %s has mean %.4g, PyTorch %.4g", name, p.Name, mean, w[0])
			}
			if d := math.Abs(std - w[1]); d > 5*w[1]/n {
				t.Errorf("%s: %s has standard deviation %.4g, PyTorch %.4g", name, p.Name, std, w[1])
			}
		}
	}
}

func moments(v []float32) (mean, std float64) {
	for _, x := range v {
		mean += float64(x)
	}
	mean /= float64(len(v))
	for _, x := range v {
		std += (float64(x) - mean) * (float64(x) - mean)
	}
	return mean, math.Sqrt(std / float64(len(v)))
}

func TestInitialisationFollowsTheSeed(t *testing.T) {
	a, b, c := fresh(t, "cifar_resnet20", 1), fresh(t, "cifar_resnet20", 1), fresh(t, "cifar_resnet20", 2)
	for i, p := range a.All() {
		if !slices.Equal(read(t, p), read(t, b.All()[i])) {
			t.Errorf("%s differs under one seed", p.Name)
		}
		if p.Role == graph.Weight && slices.Equal(read(t, p), read(t, c.All()[i])) {
			t.Errorf("%s is the same under two seeds", p.Name)
		}
	}
}
