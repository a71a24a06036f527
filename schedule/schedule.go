package schedule

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/configs"
)

// Span is the length of a run.
type Span struct {
	Epochs          int
	UpdatesPerEpoch int
}

// Schedule gives the learning rate, and where it is moved too the momentum, of
// every update. Its methods may be called in any order, and by several
// goroutines at once.
type Schedule struct {
	c    configs.Schedule
	span Span
	// rate is the learning rate at a time, without warm-up.
	rate func(base, time float64) float64
	// cycle moves the momentum; nil where it stays.
	cycle *oneCycle
}

// New makes the schedule c of a run as long as span. A configuration made in
// Go starts from configs.Default().Schedule.
func New(c configs.Schedule, span Span) (*Schedule, error) {
	if span.Epochs < 1 || span.UpdatesPerEpoch < 1 {
		return nil, fmt.Errorf("schedule: a run of %d epochs with %d updates each has no learning rate; both should be at least 1", span.Epochs, span.UpdatesPerEpoch)
	}
	if c.Per != "update" && c.Per != "epoch" {
		return nil, fmt.Errorf("schedule.per is %q, and should be update or epoch", c.Per)
	}
	s := &Schedule{c: c, span: span}
	switch c.Name {
	case "constant":
		s.rate = constant
	case "step":
		if !(c.StepEpochs > 0) {
			return nil, fmt.Errorf("schedule.step_epochs is %g, and should be above 0", c.StepEpochs)
		}
		s.rate = step(c.StepEpochs, c.Gamma)
	case "multistep":
		s.rate = multistep(c.Milestones, c.Gamma)
	case "cosine":
		s.rate = cosine(c.MinLR, float64(span.Epochs))
	case "one_cycle":
		cycle, err := newOneCycle(c, span)
		if err != nil {
			return nil, err
		}
		s.rate = cycle.rate
		if c.CycleMomentum {
			s.cycle = cycle
		}
	default:
		return nil, fmt.Errorf("schedule.name is %q, and should be one of constant, step, multistep, cosine, one_cycle", c.Name)
	}
	return s, nil
}

// LR is the learning rate of the update, counted from 0 over the whole run,
// for parameters whose base rate is base. Beyond the end of the run it is what
// the formula ends with.
func (s *Schedule) LR(base float64, update int) float64 {
	t := s.time(update)
	if t < s.c.WarmupEpochs {
		return s.c.WarmupLR + (base-s.c.WarmupLR)*t/s.c.WarmupEpochs
	}
	// As in timm with warmup_prefix false, the schedule has been running
	// beneath the warm-up: t is not counted from its end.
	return s.rate(base, t)
}

// Momentum is the momentum of the update: base, unless one-cycle moves it.
func (s *Schedule) Momentum(base float64, update int) float64 {
	if s.cycle == nil {
		return base
	}
	return s.cycle.momentum(s.time(update))
}

// time is the update's place in the run in epochs; per epoch, that of its
// epoch's beginning.
func (s *Schedule) time(update int) float64 {
	if s.c.Per == "epoch" {
		return float64(update / s.span.UpdatesPerEpoch)
	}
	return float64(update) / float64(s.span.UpdatesPerEpoch)
}

// rounding is far less than an update and far more than what dividing by their
// number loses: update 3 of 10 is in time for a drop every 0.1 epochs.
const rounding = 1e-9

func constant(base, _ float64) float64 { return base }

// step multiplies by gamma every so many epochs (PyTorch's StepLR).
func step(epochs, gamma float64) func(base, time float64) float64 {
	return func(base, time float64) float64 {
		return base * math.Pow(gamma, math.Floor(time/epochs+rounding))
	}
}

// multistep multiplies by gamma from each milestone on (PyTorch's
// MultiStepLR; timm's drops one epoch earlier).
func multistep(milestones []float64, gamma float64) func(base, time float64) float64 {
	return func(base, time float64) float64 {
		drops := 0
		for _, m := range milestones {
			if time+rounding >= m {
				drops++
			}
		}
		return base * math.Pow(gamma, float64(drops))
	}
}

// cosine goes from base to floor along half a cosine (Loshchilov and Hutter
// 2017, "SGDR", eq. 5; PyTorch's CosineAnnealingLR) and stays there.
func cosine(floor, epochs float64) func(base, time float64) float64 {
	return func(base, time float64) float64 {
		if time >= epochs {
			return floor
		}
		return floor + (base-floor)*(1+math.Cos(math.Pi*time/epochs))/2
	}
}
