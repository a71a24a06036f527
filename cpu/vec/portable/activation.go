package portable

import (
	"math"

	"github.com/seed52467199/trainer/cpu/internal/acts"
)

// Sigmoid is y = 1/(1+e^-x).
func Sigmoid[T Float](y, x []T) { apply(y, x, acts.Logistic) }

// SigmoidGrad is dx = dy*y*(1-y), from the output y.
func SigmoidGrad[T Float](dx, dy, y []T) {
	chain(dx, dy, y, func(y float64) float64 { return y * (1 - y) })
}

// Tanh is y = tanh(x).
func Tanh[T Float](y, x []T) { apply(y, x, math.Tanh) }

// TanhGrad is dx = dy*(1-y²), from the output y.
func TanhGrad[T Float](dx, dy, y []T) {
	chain(dx, dy, y, func(y float64) float64 { return 1 - y*y })
}

// SiLU is y = x*sigmoid(beta*x).
func SiLU[T Float](y, x []T, beta T) {
	b := float64(beta)
	apply(y, x, func(x float64) float64 { return acts.Swish(x, b) })
}

// SiLUGrad is the gradient of SiLU, from the input x.
func SiLUGrad[T Float](dx, dy, x []T, beta T) {
	b := float64(beta)
	chain(dx, dy, x, func(x float64) float64 { return acts.SwishSlope(x, b) })
}

// Softplus is y = log(1+e^x).
func Softplus[T Float](y, x []T) { apply(y, x, acts.Softplus) }

// SoftplusGrad is dx = dy*(1-e^-y), from the output y >= 0.
func SoftplusGrad[T Float](dx, dy, y []T) {
	chain(dx, dy, y, func(y float64) float64 { return -math.Expm1(min(-y, 0)) })
}

// Mish is y = x*tanh(log(1+e^x)).
func Mish[T Float](y, x []T) { apply(y, x, acts.Mish) }

// MishGrad is the gradient of Mish, from the input x.
func MishGrad[T Float](dx, dy, x []T) { chain(dx, dy, x, acts.MishSlope) }

// GELU is y = x*Phi(x), with the exact normal distribution.
func GELU[T Float](y, x []T) { apply(y, x, acts.GELU) }

// GELUGrad is the gradient of GELU, from the input x.
func GELUGrad[T Float](dx, dy, x []T) { chain(dx, dy, x, acts.GELUSlope) }

// GELUTanh is y = x*(1+tanh(u))/2 with u = sqrt(2/pi)*(x + 0.044715x³).
func GELUTanh[T Float](y, x []T) { apply(y, x, acts.GELUTanh) }

// GELUTanhGrad is the gradient of GELUTanh, from the input x.
func GELUTanhGrad[T Float](dx, dy, x []T) { chain(dx, dy, x, acts.GELUTanhSlope) }

// HardSigmoid is y = (x+3)/6 within 0..1.
func HardSigmoid[T Float](y, x []T) {
	apply(y, x, func(x float64) float64 { return ramp(x, -3, 3) })
}

// HardSigmoidGrad is the gradient of HardSigmoid, from the input x.
func HardSigmoidGrad[T Float](dx, dy, x []T) {
	chain(dx, dy, x, func(x float64) float64 { return inside(x, -3, 3, 1.0/6, 0) })
}

// HardGate is y = x times a ramp from 0 at lo to 1 at hi.
func HardGate[T Float](y, x []T, lo, hi T) {
	l, h := float64(lo), float64(hi)
	apply(y, x, func(x float64) float64 { return acts.Gated(x, ramp(x, l, h)) })
}

// HardGateGrad is the gradient of HardGate, from the input x.
func HardGateGrad[T Float](dx, dy, x []T, lo, hi T) {
	l, h := float64(lo), float64(hi)
	chain(dx, dy, x, func(x float64) float64 {
		return inside(x, l, h, (2*x-l)/(h-l), float64(where(x >= h, 1.0)))
	})
}

// Clip is y = x limited to lo..hi.
func Clip[T Float](y, x []T, lo, hi T) {
	for i, v := range x[:len(y)] {
		y[i] = bounded(v, lo, hi)
	}
}

// ClipGrad is dx = dy where lo < x < hi, else 0; x may be Clip's result.
func ClipGrad[T Float](dx, dy, x []T, lo, hi T) {
	l, h := float64(lo), float64(hi)
	chain(dx, dy, x, func(x float64) float64 { return inside(x, l, h, 1, 0) })
}

// LeakyReLU is y = x, or slope*x below 0.
func LeakyReLU[T Float](y, x []T, slope T) {
	for i, v := range x[:len(y)] {
		if v > 0 {
			y[i] = v
		} else {
			y[i] = slope * v
		}
	}
}

// LeakyReLUGrad is the gradient of LeakyReLU, from the input x.
func LeakyReLUGrad[T Float](dx, dy, x []T, slope T) {
	s := float64(slope)
	chain(dx, dy, x, func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x <= 0:
			return s
		}
		return x
	})
}

// ELU is y = gain*x, or gain*alpha*(e^(x/width)-1) below 0.
func ELU[T Float](y, x []T, gain, alpha, width T) {
	g, a, w := float64(gain), float64(alpha), float64(width)
	apply(y, x, func(x float64) float64 {
		if x > 0 {
			return g * x
		}
		return g * a * math.Expm1(x/w)
	})
}

// ELUGrad is the gradient of ELU, from the input x.
func ELUGrad[T Float](dx, dy, x []T, gain, alpha, width T) {
	g, a, w := float64(gain), float64(alpha), float64(width)
	chain(dx, dy, x, func(x float64) float64 {
		if x > 0 {
			return g
		}
		return g * a / w * math.Exp(x/w)
	})
}

// chain is dx = dy * slope(saved).
func chain[T Float](dx, dy, saved []T, slope func(float64) float64) {
	for i := range dx {
		dx[i] = T(slope(float64(saved[i])) * float64(dy[i]))
	}
}

// ramp goes from 0 at lo to 1 at hi.
func ramp(x, lo, hi float64) float64 { return min(max((x-lo)/(hi-lo), 0), 1) }

// inside is within where lo < x < hi, else beyond; NaN stays.
func inside(x, lo, hi, within, beyond float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case lo < x && x < hi:
		return within
	}
	return beyond
}
