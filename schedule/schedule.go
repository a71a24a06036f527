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
	// Seed keys the noise, if there is any.
	Seed uint64
}

// Schedule gives the learning rate, and where it is moved too the momentum, of
// every update. Its methods may be called in any order, and by several
// goroutines at once.
type Schedule struct {
	c    configs.Schedule
	span Span
	// rate is the learning rate at a time in epochs since the schedule began,
	// without warm-up.
	rate curve
	// start is when the schedule began, and cooldown when it ends for the
	// cool-down; in epochs.
	start, cooldown float64
	// cycle moves the momentum; nil where it stays.
	cycle   *oneCycle
	plateau *Plateau
	noise   *noise
}

// curve is a learning rate over time in epochs, for a base rate.
type curve func(base, time float64) float64

// New makes the schedule c of a run as long as span. A configuration made in
// Go starts from configs.Default().Schedule.
func New(c configs.Schedule, span Span) (*Schedule, error) {
	if span.Epochs < 1 || span.UpdatesPerEpoch < 1 {
		return nil, fmt.Errorf("schedule: a run of %d epochs with %d updates each has no learning rate; both should be at least 1", span.Epochs, span.UpdatesPerEpoch)
	}
	if c.Per != "update" && c.Per != "epoch" {
		return nil, fmt.Errorf("schedule.per is %q, and should be update or epoch", c.Per)
	}
	s := &Schedule{c: c, span: span, cooldown: math.Inf(1), noise: newNoise(c, span)}
	if c.WarmupPrefix {
		s.start = c.WarmupEpochs
	}
	if c.CooldownEpochs > 0 {
		s.cooldown = float64(span.Epochs) - c.CooldownEpochs
	}
	length := min(s.cooldown, float64(span.Epochs)) - s.start
	if !(length > 0) && (s.start > 0 || c.CooldownEpochs > 0) {
		return nil, fmt.Errorf("schedule: a warm-up of %g epochs and a cool-down of %g leave nothing of %d; make them shorter", s.start, c.CooldownEpochs, span.Epochs)
	}
	var err error
	switch c.Name {
	case "constant":
		s.rate = constant
	case "step":
		s.rate, err = step(c.StepEpochs, c.Gamma, true)
	case "exponential":
		s.rate, err = step(c.StepEpochs, c.Gamma, false)
	case "multistep":
		s.rate = multistep(c.Milestones, c.Gamma)
	case "cosine":
		s.rate, err = cycled(c, length, cosine(c.KDecay))
	case "poly":
		s.rate, err = cycled(c, length, poly(c.KDecay, c.Power))
	case "tanh":
		s.rate, err = cycled(c, length, tanh(c.TanhLow, c.TanhHigh))
	case "plateau":
		s.plateau = &Plateau{c: c}
		s.rate = s.plateau.rate
	case "one_cycle":
		var cycle *oneCycle
		if cycle, err = newOneCycle(c, span); err != nil {
			return nil, err
		}
		s.rate = cycle.rate
		if c.CycleMomentum {
			s.cycle = cycle
		}
	default:
		err = fmt.Errorf("schedule.name is %q, and should be one of constant, step, exponential, multistep, cosine, poly, tanh, one_cycle, plateau", c.Name)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// LR is the learning rate of the update, counted from 0 over the whole run,
// for parameters whose base rate is base. Beyond the end of the run it is what
// the formula ends with.
func (s *Schedule) LR(base float64, update int) float64 {
	t := s.time(update)
	return s.quiet(base, t) * s.noise.factor(t, s.tick(update))
}

// quiet is the learning rate without noise.
func (s *Schedule) quiet(base, t float64) float64 {
	switch {
	case t < s.c.WarmupEpochs:
		return s.c.WarmupLR + (s.warm(base)-s.c.WarmupLR)*t/s.c.WarmupEpochs
	case t+rounding >= s.cooldown:
		return s.c.MinLR
	}
	// Without a prefix, as in timm, the schedule has been running beneath the
	// warm-up: t is not counted from its end.
	return s.rate(base, t-s.start)
}

// warm is the rate to which the warm-up leads: the base rate. As in timm, tanh's
// leads to where it is joined.
func (s *Schedule) warm(base float64) float64 {
	if s.c.Name == "tanh" && !s.c.WarmupPrefix {
		return s.rate(base, s.c.WarmupEpochs)
	}
	return base
}

// Momentum is what one-cycle moves the momentum to at the update, and 0 where it stays.
func (s *Schedule) Momentum(update int) float64 {
	if s.cycle == nil {
		return 0
	}
	return s.cycle.momentum(s.time(update))
}

// Plateau is what plateau has seen of the evaluations, which must be told of
// them; nil for every other schedule.
func (s *Schedule) Plateau() *Plateau { return s.plateau }

// tick is what the rate is the same within: the update, or per epoch its epoch.
func (s *Schedule) tick(update int) int {
	if s.c.Per == "epoch" {
		return update / s.span.UpdatesPerEpoch
	}
	return update
}

// time is the update's place in the run in epochs; per epoch, that of its
// epoch's beginning.
func (s *Schedule) time(update int) float64 {
	if s.c.Per == "epoch" {
		return float64(s.tick(update))
	}
	return float64(update) / float64(s.span.UpdatesPerEpoch)
}

// rounding is far less than an update and far more than what dividing by their
// number loses: update 3 of 10 is in time for a drop every 0.1 epochs.
const rounding = 1e-9
