package schedule

import (
	"math"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/internal/rng"
)

// noise multiplies the rate by something around 1, as timm does: a normally
// distributed share is drawn until it is small enough. The draws are this
// program's own, keyed by the run's seed, and where the noise begins and ends are
// shares of the whole run.
type noise struct {
	from, to   float64 // times in epochs
	bound, std float64
	seed       uint64
}

// newNoise is nil for a quiet schedule.
func newNoise(c configs.Schedule, span Span) *noise {
	if len(c.Noise) == 0 {
		return nil
	}
	n := &noise{to: math.Inf(1), bound: c.NoisePct, std: c.NoiseStd, seed: span.Seed}
	n.from = c.Noise[0] * float64(span.Epochs)
	if len(c.Noise) > 1 {
		n.to = c.Noise[1] * float64(span.Epochs)
	}
	return n
}

// factor is that of a tick, which lies at this time.
func (n *noise) factor(time float64, tick int) float64 {
	if n == nil || time+rounding < n.from || time+rounding >= n.to {
		return 1
	}
	for s := rng.New(n.seed, "lr_noise", uint64(tick)); ; {
		if share := s.Norm() * n.std; math.Abs(share) < n.bound {
			return 1 + share
		}
	}
}
