package op

import (
	"fmt"
	"math"
)

// Clip is an activation that brings each value into [Lo, Hi], as the compiler
// fuses it into what made the value: ReLU is [0, +Inf]. A NaN stays. The zero
// value, like every empty range, clips nothing.
type Clip struct{ Lo, Hi float64 }

// On tells whether there is anything to clip.
func (c Clip) On() bool { return c.Lo < c.Hi }

// Bounds are Lo and Hi, or infinite where nothing is clipped.
func (c Clip) Bounds() (lo, hi float64) {
	if !c.On() {
		return math.Inf(-1), math.Inf(1)
	}
	return c.Lo, c.Hi
}

// Clip is the function as a clip, which is not On for those that are none.
func (a Act) Clip() Clip {
	switch a {
	case ReLU:
		return Clip{0, math.Inf(1)}
	case ReLU6:
		return Clip{0, 6}
	case HardTanh:
		return Clip{-1, 1}
	}
	return Clip{}
}

// fused says that the form with a clip or a residual is the compiler's own.
func fused(kind string) error {
	return fmt.Errorf("%s: the fused form has no gradient", kind)
}
