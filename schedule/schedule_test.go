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

// TestAgainstPyTorchAndTimm compares with what testdata/torch_schedules.py and
// testdata/timm_schedules.py wrote.
func TestAgainstPyTorchAndTimm(t *testing.T) {
	for file, tolerance := range map[string]float64{
		"torch_schedules.json": 1e-13, // of the base rate; PyTorch computes some rates from the one before
		"timm_schedules.json":  1e-11, // what its twelve digits leave
	} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct {
			Base  float64
			Cases []goldenCase
		}
		if err := json.Unmarshal(text, &golden); err != nil {
			t.Fatal(err)
		}
		largest := 0.0
		for _, g := range golden.Cases {
			largest = max(largest, g.compare(t, golden.Base, tolerance))
		}
		t.Logf("%s: %d schedules, largest difference %.2g of the base rate", file, len(golden.Cases), largest)
	}
}

// goldenCase is a schedule and what it should give. After each epoch of one with
// Metrics the schedule is told of one. Where Noisy is given, it tells which updates
// are; LR is without noise.
type goldenCase struct {
	Schedule              json.RawMessage
	Epochs                int
	UpdatesPerEpoch       int `json:"updates_per_epoch"`
	LR, Momentum, Metrics []float64
	Lower                 bool
	Noisy                 []bool
}

// compare gives the largest difference.
func (g goldenCase) compare(t *testing.T, base, tolerance float64) (largest float64) {
	c := configs.Default().Schedule
	if err := json.Unmarshal(g.Schedule, &c); err != nil {
		t.Fatal(err)
	}
	s, err := schedule.New(c, schedule.Span{Epochs: g.Epochs, UpdatesPerEpoch: g.UpdatesPerEpoch, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.LR) != g.Epochs*g.UpdatesPerEpoch {
		t.Fatalf("%s: %d rates for %d updates", g.Schedule, len(g.LR), g.Epochs*g.UpdatesPerEpoch)
	}
	for u, want := range g.LR {
		lr := s.LR(base, u)
		if g.Noisy != nil && g.Noisy[u] {
			if share := math.Abs(lr/want - 1); share == 0 || share >= c.NoisePct || lr != s.LR(base, u) {
				t.Errorf("%s: update %d: got %g, want noise of at most %g around %g, the same each time", g.Schedule, u, lr, c.NoisePct, want)
			}
			continue
		}
		d := math.Abs(lr-want) / base
		largest = max(largest, d)
		if !(d <= tolerance) || want != 0 && math.Abs(lr/want-1) > 1e-5 {
			t.Errorf("%s: update %d: got %g, want %g", g.Schedule, u, lr, want)
		}
		if g.Metrics != nil {
			s.Plateau().Observe(u+1, g.Metrics[u], g.Lower)
		}
	}
	for u, want := range g.Momentum {
		d := math.Abs(s.Momentum(u) - want)
		largest = max(largest, d)
		if !(d <= tolerance) {
			t.Errorf("%s: update %d: momentum %g, want %g", g.Schedule, u, s.Momentum(u), want)
		}
	}
	return largest
}

// Of the noise, some two thirds of the draws lie within one standard deviation, and
// no two updates or seeds share them; per epoch it is constant inside an epoch.
func TestNoise(t *testing.T) {
	c := configs.Default().Schedule
	c.Name, c.Noise, c.NoisePct, c.NoiseStd = "constant", []float64{0.1}, 0.9, 0.2
	rates := func(seed uint64) []float64 {
		s, err := schedule.New(c, schedule.Span{Epochs: 10, UpdatesPerEpoch: 500, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		list := make([]float64, 5000)
		for u := range list {
			list[u] = s.LR(1, u)
		}
		return list
	}
	a, b := rates(1), rates(2)
	within, sum, seen := 0, 0.0, map[float64]bool{}
	for u := range a {
		if (u < 500) != (a[u] == 1) || u >= 500 && a[u] == b[u] {
			t.Fatalf("update %d: %g, and %g of another seed", u, a[u], b[u])
		}
		if u >= 500 {
			seen[a[u]], sum = true, sum+a[u]
			if math.Abs(a[u]-1) < 0.2 {
				within++
			}
		}
	}
	if share := float64(within) / 4500; len(seen) != 4500 || math.Abs(share-0.6827) > 0.03 || math.Abs(sum/4500-1) > 0.01 {
		t.Errorf("%d values, %g within one deviation, mean %g; want 4500, 0.68 and 1", len(seen), share, sum/4500)
	}
	c.Per = "epoch"
	if a = rates(1); a[2000] != a[2499] || a[2000] == a[2500] {
		t.Errorf("per epoch the rate is %g at the beginning of an epoch, %g at its end and %g in the next", a[2000], a[2499], a[2500])
	}
}

// What plateau has seen goes on from its JSON at every point.
func TestPlateauGoesOn(t *testing.T) {
	c := configs.Default().Schedule
	c.Name, c.PatienceEpochs, c.PlateauCooldown, c.Gamma = "plateau", 1, 1, 0.5
	make := func() *schedule.Schedule {
		s, err := schedule.New(c, schedule.Span{Epochs: 20, UpdatesPerEpoch: 1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole, again := make(), make()
	for epoch, metric := range []float64{1, 2, 2, 2, 2, math.NaN(), 2, 3, 3, 3, 1, 1, 1} {
		text, err := json.Marshal(again.Plateau())
		if err != nil {
			t.Fatal(err)
		}
		again = make()
		if err := json.Unmarshal(text, again.Plateau()); err != nil {
			t.Fatal(err)
		}
		if a, b := whole.Plateau().Observe(epoch+1, metric, false), again.Plateau().Observe(epoch+1, metric, false); a != b || whole.LR(1, 0) != again.LR(1, 0) {
			t.Errorf("epoch %d: drops %v with rate %g, and %v with %g after going on", epoch, a, whole.LR(1, 0), b, again.LR(1, 0))
		}
	}
	if whole.LR(1, 0) >= 0.5 {
		t.Errorf("the rate is %g, want several drops", whole.LR(1, 0))
	}
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
			if got := s.Momentum(1); got != 0 {
				t.Errorf("the momentum moved to %g", got)
			}
		})
	}
}

func TestLRStaysInRange(t *testing.T) {
	for _, name := range []string{"constant", "step", "exponential", "multistep", "cosine", "poly", "tanh", "plateau", "one_cycle"} {
		for _, per := range []string{"update", "epoch"} {
			for _, span := range []schedule.Span{{1, 1, 0}, {1, 2, 0}, {2, 1, 0}, {3, 7, 0}, {10, 3, 0}} {
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
						lr, momentum := s.LR(0.2, u), s.Momentum(u)
						if !(lr >= 0 && lr <= 0.2*(1+1e-15)) || (name == "one_cycle") != (momentum >= 0.85 && momentum <= 0.95) {
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
		{func(c *configs.Schedule) { c.Name = "linear" }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, `schedule.name is "linear", and should be one of`},
		{func(c *configs.Schedule) { c.Per = "" }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, `schedule.per is "", and should be update or epoch`},
		{func(c *configs.Schedule) { c.Name, c.StepEpochs = "step", 0 }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, "schedule.step_epochs is 0"},
		{func(c *configs.Schedule) { c.Name, c.Anneal = "one_cycle", "exp" }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, `schedule.anneal is "exp"`},
		{func(c *configs.Schedule) { c.Name, c.DivFactor = "one_cycle", 0 }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, "schedule.div_factor is 0"},
		{func(c *configs.Schedule) { c.CycleLimit, c.CycleMul = 5000, 2 }, schedule.Span{Epochs: 1, UpdatesPerEpoch: 1}, "take fewer cycles"},
		{func(c *configs.Schedule) { c.WarmupEpochs, c.WarmupPrefix, c.CooldownEpochs = 2, true, 1 }, schedule.Span{Epochs: 3, UpdatesPerEpoch: 1}, "leave nothing of 3"},
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
