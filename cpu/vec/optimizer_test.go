package vec

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
)

// TestOptimizersAgainstPyTorch repeats four updates of testdata/optimizers.py.
func TestOptimizersAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/optimizers.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Start                                []float32
		Grads                                [][]float32
		SGD, Momentum, Nesterov, Adam, AdamW []float32
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	n := len(golden.Start)
	sgd := func(s SGD) []float32 {
		s.LR, s.WeightDecay, s.GradScale = 0.1, 0.01, 1
		w := slices.Clone(golden.Start)
		var buf []float32
		if s.Momentum > 0 {
			buf = make([]float32, n)
		}
		for i, g := range golden.Grads {
			s.First = i == 0
			SGDStep(s, w, buf, g)
		}
		return w
	}
	adam := func(decoupled bool) []float32 {
		a := Adam{LR: 0.01, WeightDecay: 0.1, GradScale: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decoupled: decoupled}
		w, m, v := slices.Clone(golden.Start), make([]float32, n), make([]float32, n)
		for i, g := range golden.Grads {
			a.Step = i + 1
			AdamStep(a, w, m, v, g)
		}
		return w
	}
	check := func(t *testing.T) {
		for _, c := range []struct {
			name      string
			got, want []float32
		}{
			{"sgd", sgd(SGD{}), golden.SGD},
			{"momentum", sgd(SGD{Momentum: 0.9, Dampening: 0.3}), golden.Momentum},
			{"nesterov", sgd(SGD{Momentum: 0.9, Nesterov: true}), golden.Nesterov},
			{"adam", adam(false), golden.Adam},
			{"adamw", adam(true), golden.AdamW},
		} {
			var worst float64
			for i, w := range c.want {
				worst = max(worst, math.Abs(float64(c.got[i]-w)))
			}
			t.Logf("%s: largest difference %.2g", c.name, worst)
			if !(worst < 2e-7) {
				t.Errorf("%s: largest difference %.3g, want below 2e-7", c.name, worst)
			}
		}
	}
	t.Run("generic", func(t *testing.T) {
		use(t, isa.Generic)
		check(t)
	})
	eachLevel(t, check)
}
