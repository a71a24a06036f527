package models_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/optim"
)

func trainedOf(t *testing.T, name string) (*models.Model, []*graph.Param) {
	t.Helper()
	ps := graph.NewParams(1)
	m, err := models.New(name, ps.Root(), models.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var trained []*graph.Param
	for _, p := range ps.All() {
		if p.Role.Trained() {
			trained = append(trained, p)
		}
	}
	return m, trained
}

// Depths are timm's, and so is what follows of them for the groups of an optimizer.
func TestDepthsAsInTimm(t *testing.T) {
	text, err := os.ReadFile("testdata/depths.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]map[string][3]float64 // depth, factor, weight decay
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	for name, want := range golden {
		m, params := trainedOf(t, name)
		depth, n := m.Depths(params)
		if len(params) != len(want) {
			t.Errorf("%s has %d parameters, timm %d", name, len(params), len(want))
		}
		most := 0
		for i, p := range params {
			at := want[p.Name]
			if depth[i] != int(at[0]) {
				t.Errorf("%s: %s is at depth %d, with timm at %v", name, p.Name, depth[i], at[0])
			}
			if scale := math.Pow(0.75, float64(n-1-depth[i])); math.Abs(scale/at[1]-1) > 1e-5 {
				t.Errorf("%s: the factor of %s is %v, with timm %v", name, p.Name, scale, at[1])
			}
			if _, decay := optim.DecayWeights(1)(p); decay != at[2] {
				t.Errorf("%s: the weight decay of %s is times %v, with timm %v", name, p.Name, decay, at[2])
			}
			most = max(most, int(at[0]))
		}
		if n != most+1 {
			t.Errorf("%s has %d depths, with timm %d", name, n, most+1)
		}
	}
}

// In every model depths rise from 0 to the classifier, and none is left out.
func TestDepthsOfAllModels(t *testing.T) {
	for _, name := range models.Names() {
		m, params := trainedOf(t, name)
		depth, n := m.Depths(params)
		seen := make([]bool, n)
		for _, d := range depth {
			seen[d] = true
		}
		for d, ok := range seen {
			if !ok {
				t.Errorf("%s: nothing is at depth %d of %d", name, d, n)
			}
		}
		if n < 3 && name != "mlp" || depth[0] != 0 || depth[len(depth)-1] != n-1 {
			t.Errorf("%s: depths %d to %d of %d", name, depth[0], depth[len(depth)-1], n)
		}
	}
}
