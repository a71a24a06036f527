package schedule

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/configs"
)

// fall goes from 1 at the beginning of a cycle to 0 at its end; share is how much
// of the cycle is over.
type fall func(share float64) float64

// cosine falls along half a cosine (Loshchilov and Hutter 2017, "SGDR", eq. 5;
// PyTorch's CosineAnnealingLR), with k-decay (Zhang and Li 2020, arXiv 2004.05909).
func cosine(k float64) fall {
	return func(share float64) float64 { return (1 + math.Cos(math.Pi*math.Pow(share, k))) / 2 }
}

// poly falls with a power of what is left (PyTorch's PolynomialLR), with k-decay.
func poly(k, power float64) fall {
	return func(share float64) float64 { return math.Pow(1-math.Pow(share, k), power) }
}

// tanh falls along a part of the hyperbolic tangent (Hsueh et al. 2018, arXiv
// 1806.01593), which reaches neither 1 nor 0.
func tanh(low, high float64) fall {
	return func(share float64) float64 { return (1 - math.Tanh(low*(1-share)+high*share)) / 2 }
}

// cycled lets the rate fall to the floor again and again, each time from
// c.CycleDecay times as high and in c.CycleMul times as long (SGDR's warm restarts,
// with timm's rules), within length epochs. A cycle that ends with an update ends
// there to the bit; timm's, whose number comes of a logarithm, may be late by one.
func cycled(c configs.Schedule, length float64, f fall) (curve, error) {
	first := c.CycleEpochs
	if first == 0 {
		cycles := float64(c.CycleLimit)
		if c.CycleMul != 1 {
			cycles = (math.Pow(c.CycleMul, cycles) - 1) / (c.CycleMul - 1)
		}
		first = length / cycles
	}
	if !(first > rounding) || c.CycleLimit < 1 || !(c.CycleMul >= 1) {
		return nil, fmt.Errorf("schedule: %d cycles with schedule.cycle_mul %g make the first one %g of %g epochs long; take fewer cycles", c.CycleLimit, c.CycleMul, first, length)
	}
	return func(base, time float64) float64 {
		number, begin, long := 0.0, 0.0, first
		if c.CycleMul == 1 {
			number = math.Floor(time/first + rounding)
			begin = number * first
		} else {
			for time+rounding >= begin+long && number < float64(c.CycleLimit) {
				begin, long, number = begin+long, long*c.CycleMul, number+1
			}
		}
		if number >= float64(c.CycleLimit) {
			return c.MinLR
		}
		top := base * math.Pow(c.CycleDecay, number)
		return c.MinLR + (top-c.MinLR)*f(max(0, (time-begin)/long))
	}, nil
}
