package schedule_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/schedule"
)

// TestAgainstPyTorch compares with testdata/torch_schedules.json, which
// testdata/torch_schedules.py made.
func TestAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/torch_schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Base  float64
		Cases []struct {
			Schedule        json.RawMessage
			Epochs          int
			UpdatesPerEpoch int `json:"updates_per_epoch"`
			LR, Momentum    []float64
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	const tolerance = 1e-13 // of the base rate; PyTorch computes some rates from the one before
	largest := 0.0
	for _, g := range golden.Cases {
		c := configs.Default().Schedule
		if err := json.Unmarshal(g.Schedule, &c); err != nil {
			t.Fatal(err)
		}
		s, err := schedule.New(c, schedule.Span{Epochs: g.Epochs, UpdatesPerEpoch: g.UpdatesPerEpoch})
		if err != nil {
			t.Fatal(err)
		}
		if len(g.LR) != g.Epochs*g.UpdatesPerEpoch {
			t.Fatalf("%s: %d rates for %d updates", g.Schedule, len(g.LR), g.Epochs*g.UpdatesPerEpoch)
		}
		for u, want := range g.LR {
			d := math.Abs(s.LR(golden.Base, u)-want) / golden.Base
			largest = max(largest, d)
			if !(d <= tolerance) {
				t.Errorf("%s: update %d: got %g, want %g", g.Schedule, u, s.LR(golden.Base, u), want)
			}
		}
		for u, want := range g.Momentum {
			d := math.Abs(s.Momentum(0.5, u) - want)
			largest = max(largest, d)
			if !(d <= tolerance) {
				t.Errorf("%s: update %d: momentum %g, want %g", g.Schedule, u, s.Momentum(0.5, u), want)
			}
		}
	}
	t.Logf("%d schedules, largest difference %.2g of the base rate", len(golden.Cases), largest)
}

// TestWarmup checks by hand timm's rules: the cosine runs on beneath the
// warm-up, and per epoch the rate is constant inside an epoch.
func TestWarmup(t *testing.T) {
	half := func(share float64) float64 { return (1 + math.Cos(math.Pi*share)) / 2 }
	tests := []struct {
		name string
		set  func(*configs.Schedule)
		span schedule.Span
		want []float64
	}{
		{"cosine per epoch", func(c *configs.Schedule) { c.WarmupEpochs, c.WarmupLR, c.Per = 2, 0.1, "epoch" },
			schedule.Span{Epochs: 5, UpdatesPerEpoch: 2},
			[]float64{0.1, 0.1, 0.55, 0.55, half(0.4), half(0.4), half(0.6), half(0.6), half(0.8), half(0.8), 0, 0}},
		{"cosine per update", func(c *configs.Schedule) { c.WarmupEpochs, c.WarmupLR = 2, 0.2 },
			schedule.Span{Epochs: 4, UpdatesPerEpoch: 2},
			[]float64{0.2, 0.4, 0.6, 0.8, half(0.5), half(0.625), half(0.75), half(0.875), 0}},
		{"a fraction of an epoch", func(c *configs.Schedule) { c.Name, c.WarmupEpochs, c.WarmupLR = "constant", 0.75, 0 },
			schedule.Span{Epochs: 2, UpdatesPerEpoch: 4},
			[]float64{0, 1. / 3, 2. / 3, 1, 1, 1, 1, 1}},
		{"a fraction per epoch", func(c *configs.Schedule) { c.Name, c.WarmupEpochs, c.WarmupLR, c.Per = "constant", 1.5, 0.4, "epoch" },
			schedule.Span{Epochs: 3, UpdatesPerEpoch: 2},
			[]float64{0.4, 0.4, 0.8, 0.8, 1, 1}},
		{"warm-up downwards", func(c *configs.Schedule) { c.Name, c.WarmupEpochs, c.WarmupLR = "constant", 2, 3 },
			schedule.Span{Epochs: 3, UpdatesPerEpoch: 1},
			[]float64{3, 2, 1}},
		{"step inside an epoch", func(c *configs.Schedule) { c.Name, c.StepEpochs, c.Gamma = "step", 0.5, 0.5 },
			schedule.Span{Epochs: 1, UpdatesPerEpoch: 4},
			[]float64{1, 1, 0.5, 0.5, 0.25}},
		{"steps that no binary fraction hits", func(c *configs.Schedule) { c.Name, c.StepEpochs, c.Gamma = "step", 0.1, 0.5 },
			schedule.Span{Epochs: 1, UpdatesPerEpoch: 10},
			[]float64{1, 0.5, 0.25, 0.125, 0.0625}},
		{"step per epoch", func(c *configs.Schedule) { c.Name, c.StepEpochs, c.Gamma, c.Per = "step", 1.5, 0.5, "epoch" },
			schedule.Span{Epochs: 4, UpdatesPerEpoch: 2},
			[]float64{1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25}},
		{"multistep beneath warm-up", func(c *configs.Schedule) {
			c.Name, c.Milestones, c.WarmupEpochs, c.WarmupLR = "multistep", []float64{0.5, 1.5}, 1, 0
		},
			schedule.Span{Epochs: 2, UpdatesPerEpoch: 2},
			[]float64{0, 0.5, 0.1, 0.01}},
		{"all warm-up", func(c *configs.Schedule) { c.WarmupEpochs, c.WarmupLR = 2, 0 },
			schedule.Span{Epochs: 2, UpdatesPerEpoch: 1},
			[]float64{0, 0.5}},
		{"constant", func(c *configs.Schedule) { c.Name = "constant" },
			schedule.Span{Epochs: 1, UpdatesPerEpoch: 2},
			[]float64{1, 1, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := configs.Default().Schedule
			test.set(&c)
			s, err := schedule.New(c, test.span)
			if err != nil {
				t.Fatal(err)
			}
			for u, want := range test.want {
				if got := s.LR(1, u); math.Abs(got-want) > 1e-15 {
					t.Errorf("update %d: got %.17g, want %.17g", u, got, want)
				}
			}
			if got := s.Momentum(0.7, 1); got != 0.7 {
				t.Errorf("the momentum moved to %g", got)
			}
		})
	}
}

func TestLRStaysInRange(t *testing.T) {
	for _, name := range []string{"constant", "step", "multistep", "cosine", "one_cycle"} {
		for _, per := range []string{"update", "epoch"} {
			for _, span := range []schedule.Span{{1, 1}, {1, 2}, {2, 1}, {3, 7}, {10, 3}} {
				for _, pct := range []float64{0, 0.1, 0.3, 1} {
					c := configs.Default().Schedule
					c.Name, c.Per, c.PctStart, c.StepEpochs, c.Milestones = name, per, pct, 0.7, []float64{1, 2}
					c.CycleMomentum = true
					if name != "one_cycle" {
						c.WarmupEpochs = 0.5
					}
					s, err := schedule.New(c, span)
					if err != nil {
						t.Fatal(err)
					}
					for u := range span.Epochs*span.UpdatesPerEpoch + 3 {
						lr, momentum := s.LR(0.2, u), s.Momentum(0.9, u)
						if !(lr >= 0 && lr <= 0.2*(1+1e-15)) || !(momentum >= 0.85 && momentum <= 0.95) {
							t.Errorf("%s per %s, pct_start %g, %v: update %d has LR %g and momentum %g", name, per, pct, span, u, lr, momentum)
						}
						if first := u / span.UpdatesPerEpoch * span.UpdatesPerEpoch; per == "epoch" && lr != s.LR(0.2, first) {
							t.Errorf("%s per epoch: update %d differs from its epoch's first", name, u)
						}
					}
				}
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		set  func(*configs.Schedule)
		span schedule.Span
		want string
	}{
		{func(c *configs.Schedule) {}, schedule.Span{Epochs: 0, UpdatesPerEpoch: 1}, "both should be at least 1"},
		{func(c *configs.Schedule) {}, schedule.Span{Epochs: 1, UpdatesPerEpoch: 0}, "both should be at least 1"},
		{func(c *configs.Schedule) { c.Name = "plateau" }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, `schedule.name is "plateau", and should be one of`},
		{func(c *configs.Schedule) { c.Per = "" }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, `schedule.per is "", and should be update or epoch`},
		{func(c *configs.Schedule) { c.Name, c.StepEpochs = "step", 0 }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, "schedule.step_epochs is 0"},
		{func(c *configs.Schedule) { c.Name, c.Anneal = "one_cycle", "exp" }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, `schedule.anneal is "exp"`},
		{func(c *configs.Schedule) { c.Name, c.DivFactor = "one_cycle", 0 }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, "schedule.div_factor is 0"},
	}
	for _, test := range tests {
		c := configs.Default().Schedule
		test.set(&c)
		if _, err := schedule.New(c, test.span); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func BenchmarkLR(b *testing.B) {
	s, err := schedule.New(configs.Default().Schedule, schedule.Span{Epochs: 10, UpdatesPerEpoch: 100})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := range b.N {
		_ = s.LR(0.1, i%1000)
	}
}
