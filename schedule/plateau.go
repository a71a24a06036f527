package schedule

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/seed52467199/trainer/configs"
)

// Stale counts evaluations without improvement. It is a part of a run's state: the
// JSON of it goes to a checkpoint. The zero value has seen nothing.
type Stale struct {
	// Best is the best value so far; nil before the first.
	Best *float64 `json:"best,omitempty"`
	// Count is how many evaluations have passed since then.
	Count int `json:"count"`
}

// Add takes the next value, of which less is better where lower is set, and tells
// whether it is an improvement by more than margin. What is not a number is none.
func (s *Stale) Add(value, margin float64, lower bool) bool {
	gain := math.Inf(1)
	if s.Best != nil {
		gain = value - *s.Best
		if lower {
			gain = -gain
		}
	}
	if !math.IsNaN(value) && gain > margin {
		s.Best, s.Count = &value, 0
		return true
	}
	s.Count++
	return false
}

// Plateau lowers the rate when evaluations get no better (PyTorch's
// ReduceLROnPlateau with a relative threshold; the warm-up is timm's
// PlateauLRScheduler's, whose evaluations do not count). Unlike there, a drop
// smaller than 1e-8 is a drop too.
type Plateau struct {
	c     configs.Schedule
	state plateauState
}

// plateauState is what a checkpoint holds of a Plateau.
type plateauState struct {
	Stale
	Drops int `json:"drops"`
	// Rest is how many evaluations after a drop still do not count.
	Rest int `json:"rest"`
}

// Observe takes the value of the evaluation after so many complete epochs; less is
// better where lower is set. It tells whether the rate drops.
func (p *Plateau) Observe(epochs int, value float64, lower bool) bool {
	if float64(epochs) <= p.c.WarmupEpochs {
		return false
	}
	s := &p.state
	margin := 0.0
	if s.Best != nil {
		margin = p.c.Threshold * *s.Best
	}
	s.Add(value, margin, lower)
	if s.Rest > 0 {
		s.Rest--
		s.Count = 0
	}
	if s.Count <= p.c.PatienceEpochs {
		return false
	}
	s.Drops++
	s.Rest, s.Count = p.c.PlateauCooldown, 0
	return true
}

// rate is the rate now, whatever the time.
func (p *Plateau) rate(base, _ float64) float64 {
	return max(base*math.Pow(p.c.Gamma, float64(p.state.Drops)), min(base, p.c.MinLR))
}

// MarshalJSON is the state that a checkpoint keeps.
func (p *Plateau) MarshalJSON() ([]byte, error) { return json.Marshal(p.state) }

// UnmarshalJSON goes on from such a state.
func (p *Plateau) UnmarshalJSON(text []byte) error {
	var s plateauState
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("the state of schedule plateau: %w", err)
	}
	p.state = s
	return nil
}
