package cpu

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/cpu/internal/acts"
	"github.com/seed52467199/trainer/graph/op"
)

// function is an activation and its derivative, the latter as a function of
// what op.Activation.FromOutput says is saved. Both are right to float64's
// precision, however far from zero.
type function struct{ value, slope func(x float64) float64 }

func activation[T number](c op.Call, o op.Activation) (plan, error) {
	f, err := functionOf(o.Func, o.Alpha)
	if err != nil {
		return plan{}, err
	}
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y := as[T](m.in[0]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				y[i] = T(f.value(float64(x[i])))
			}
		}
	}), nil
}

func activationGrad[T number](c op.Call, o op.ActivationGrad) (plan, error) {
	f, err := functionOf(o.Func, o.Alpha)
	if err != nil {
		return plan{}, err
	}
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		saved, dy, dx := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				dx[i] = T(f.slope(float64(saved[i])) * float64(dy[i]))
			}
		}
	}), nil
}

// SELU's constants, from arXiv 1706.02515, and the slope of QuickGELU's logistic.
const (
	seluScale = 1.0507009873554804934193349852946
	seluAlpha = 1.6732632423543772848170429916717
	quickGELU = 1.702
)

func functionOf(a op.Act, alpha float64) (function, error) {
	switch a {
	case op.ReLU, op.ReLU6, op.HardTanh:
		c := limitsOf[float64](a.Clip())
		return function{c.value, func(y float64) float64 { return step(c.passes(y)) }}, nil
	case op.LeakyReLU:
		return function{
			func(x float64) float64 {
				if x > 0 {
					return x
				}
				return alpha * x
			},
			func(x float64) float64 {
				if x > 0 {
					return 1
				}
				return alpha
			},
		}, nil
	case op.ELU:
		return elu(1, alpha, 1), nil
	case op.CELU:
		if alpha == 0 {
			return function{}, fmt.Errorf("alpha is 0, want another number (PyTorch's default is 1)")
		}
		return elu(1, alpha, alpha), nil
	case op.SELU:
		return elu(seluScale, seluAlpha, 1), nil
	case op.GELU:
		return function{acts.GELU, acts.GELUSlope}, nil
	case op.GELUTanh:
		return function{acts.GELUTanh, acts.GELUTanhSlope}, nil
	case op.QuickGELU:
		return swish(quickGELU), nil
	case op.SiLU:
		return swish(1), nil
	case op.Swish:
		return swish(alpha), nil
	case op.Softplus:
		return function{
			acts.Softplus,
			func(y float64) float64 { return -math.Expm1(-y) },
		}, nil
	case op.Mish:
		return function{acts.Mish, acts.MishSlope}, nil
	case op.Sigmoid:
		return function{acts.Logistic, func(y float64) float64 { return y * (1 - y) }}, nil
	case op.Tanh:
		return function{math.Tanh, func(y float64) float64 { return 1 - y*y }}, nil
	case op.HardSigmoid:
		return function{
			func(x float64) float64 { return clamp(x/6+0.5, 0, 1) },
			func(x float64) float64 { return step(x > -3 && x < 3) / 6 },
		}, nil
	case op.HardSwish:
		return function{
			func(x float64) float64 { return acts.Gated(x, clamp(x/6+0.5, 0, 1)) },
			func(x float64) float64 { return ramp(x, -3, 3, x/3+0.5) },
		}, nil
	case op.HardMish:
		return function{
			func(x float64) float64 { return acts.Gated(x, clamp(x+2, 0, 2)/2) },
			func(x float64) float64 { return ramp(x, -2, 0, x+1) },
		}, nil
	}
	return function{}, fmt.Errorf("the activation %q is unknown; known are %v", a, op.Acts)
}

// limits is the bounds of an op.Clip.
type limits[T number] struct{ lo, hi T }

func limitsOf[T number](c op.Clip) limits[T] {
	lo, hi := c.Bounds()
	return limits[T]{T(lo), T(hi)}
}

// value is x brought into the bounds; NaN stays.
func (c limits[T]) value(x T) T { return min(max(x, c.lo), c.hi) }

// passes tells whether a value, clipped or not, is inside.
func (c limits[T]) passes(y T) bool { return y > c.lo && y < c.hi }

// clamp is x brought into [lo, hi]; NaN stays NaN.
func clamp(x, lo, hi float64) float64 { return min(max(x, lo), hi) }

// step is 1 where a condition holds and 0 elsewhere.
func step(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// ramp is 0 up to lo, 1 from hi on, and between them the value given.
func ramp(x, lo, hi, between float64) float64 {
	switch {
	case x <= lo:
		return 0
	case x >= hi:
		return 1
	}
	return between
}

// elu is scale*(x, or alpha*(exp(x/width)-1) below 0).
func elu(scale, alpha, width float64) function {
	return function{
		func(x float64) float64 {
			if x > 0 {
				return scale * x
			}
			return scale * alpha * math.Expm1(x/width)
		},
		func(x float64) float64 {
			if x > 0 {
				return scale
			}
			return scale * alpha / width * math.Exp(x/width)
		},
	}
}

// swish is x*logistic(beta*x).
func swish(beta float64) function {
	return function{
		func(x float64) float64 { return acts.Swish(x, beta) },
		func(x float64) float64 { return acts.SwishSlope(x, beta) },
	}
}
