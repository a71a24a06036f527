package schedule

import (
	"fmt"
	"math"
)

func constant(base, _ float64) float64 { return base }

// step multiplies by gamma every so many epochs: with stairs at once (PyTorch's
// StepLR), else little by little (over one epoch, PyTorch's ExponentialLR).
func step(epochs, gamma float64, stairs bool) (curve, error) {
	if !(epochs > 0) {
		return nil, fmt.Errorf("schedule.step_epochs is %g, and should be above 0", epochs)
	}
	return func(base, time float64) float64 {
		drops := time / epochs
		if stairs {
			drops = math.Floor(drops + rounding)
		}
		return base * math.Pow(gamma, drops)
	}, nil
}

// multistep multiplies by gamma from each milestone on (PyTorch's
// MultiStepLR; timm's drops one epoch earlier).
func multistep(milestones []float64, gamma float64) curve {
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
