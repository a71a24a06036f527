package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/optim"
)

// A momentum that moves does as PyTorch's does when its group's is changed before each
// step; testdata/momentum.py made the numbers. So it does where an average moves too.
func TestMovingMomentum(t *testing.T) {
	text, err := os.ReadFile("testdata/momentum.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Grads, Momenta, SGD, Nesterov, Adam, AdamW []float64 }
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	betas := []float64{0.9, 0.999}
	largest := 0.0
	for _, c := range []struct {
		config optim.Config
		decay  float64
		want   []float64
	}{
		{optim.Config{Name: "sgd", Momentum: 0.9}, 0, golden.SGD},
		{optim.Config{Name: "sgd", Momentum: 0.9, Nesterov: true}, 0, golden.Nesterov},
		{optim.Config{Name: "adam", Betas: betas, Eps: 1e-8}, 0, golden.Adam},
		{optim.Config{Name: "adamw", Betas: betas, Eps: 1e-8}, 0.2, golden.AdamW},
	} {
		c.config.MovingMomentum = true
		for _, averaged := range []bool{false, true} {
			ps := params(t)
			o, err := optim.New(ps, c.config, optim.GroupBy(trained(ps), optim.DecayWeights(c.decay)))
			if err != nil {
				t.Fatal(err)
			}
			e, err := optim.NewEMA(ps)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range c.want {
				setGrads(t, ps, float32(golden.Grads[i]))
				o.SetMomentum(golden.Momenta[i])
				if averaged {
					_, err = o.StepAveraged(0.1, 1, e, 0.9)
				} else {
					_, err = o.Step(0.1, 1)
				}
				if err != nil {
					t.Fatal(err)
				}
				gap := math.Abs(first(t, ps.All()[0]) - want)
				largest = max(largest, gap)
				if !(gap < 1e-5) {
					t.Errorf("%+v, averaged %v: %g after step %d, want %g", c.config, averaged, first(t, ps.All()[0]), i+1, want)
				}
			}
		}
	}
	t.Logf("largest difference %.2g", largest)
	if _, err := optim.New(params(t), optim.Config{Name: "sgd", MovingMomentum: true}, nil); err == nil || !strings.Contains(err.Error(), "above 0") {
		t.Errorf("a momentum that moves without one: %v", err)
	}
}
