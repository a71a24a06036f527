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

// ClipGrad is the gradient of a clip in which a layer with a bias ends, together
// with the bias's: a form that the compiler makes. Inputs: the clip's result y
// (..., C) and dy (..., D), of which [Start, Start+C) of the last axis belong to y.
// Results: that part of dy where the clip let the value pass, 0 elsewhere (..., C),
// and its sum over all axes but the last (C).
type ClipGrad struct {
	Clip  Clip
	Start int
}

// Kind implements Op.
func (ClipGrad) Kind() string { return "clip_grad" }

// Infer implements Op.
func (o ClipGrad) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 2 || len(in[0]) < 1 || len(in[1]) != len(in[0]) {
		return nil, fmt.Errorf("clip_grad: inputs %v, want (..., C) and (..., D)", in)
	}
	last := len(in[0]) - 1
	y, dy, c := in[0], in[1], in[0][last]
	if !y[:last].Eq(dy[:last]) || o.Start < 0 || o.Start+c > dy[last] {
		return nil, fmt.Errorf("clip_grad: channels %d to %d of %v are not a gradient of %v", o.Start, o.Start+c, dy, y)
	}
	return []Shape{y, {c}}, nil
}

// Work implements Op.
func (o ClipGrad) Work(in, out []Shape) Work {
	return traffic(2*int64(Size(out[0])), in[:1], out[:1], out)
}

// InPlace implements InPlacer.
func (o ClipGrad) InPlace() []int { return []int{1, 0} }

// fused says that the form with a clip or a residual is the compiler's own.
func fused(kind string) error {
	return fmt.Errorf("%s: the fused form has no gradient", kind)
}
