package vec

import "github.com/seed52467199/trainer/cpu/vec/portable"

// Sigmoid is y = 1/(1+e^-x).
func Sigmoid(y, x []float32) {
	agree(len(y), len(x))
	if !sigmoid(y, x) {
		portable.Sigmoid(y, x)
	}
}

// SigmoidGrad is dx = dy*y*(1-y), from Sigmoid's output y.
func SigmoidGrad(dx, dy, y []float32) {
	agree(len(dx), len(dy), len(y))
	if !sigmoidGrad(dx, dy, y) {
		portable.SigmoidGrad(dx, dy, y)
	}
}

// Tanh is y = tanh(x).
func Tanh(y, x []float32) {
	agree(len(y), len(x))
	if !tanh(y, x) {
		portable.Tanh(y, x)
	}
}

// TanhGrad is dx = dy*(1-y²), from Tanh's output y.
func TanhGrad(dx, dy, y []float32) {
	agree(len(dx), len(dy), len(y))
	if !tanhGrad(dx, dy, y) {
		portable.TanhGrad(dx, dy, y)
	}
}

// SiLU is y = x*sigmoid(beta*x): SiLU (arXiv 1710.05941) for beta 1,
// the quick form of GELU for beta 1.702.
func SiLU(y, x []float32, beta float32) {
	agree(len(y), len(x))
	if !silu(y, x, beta) {
		portable.SiLU(y, x, beta)
	}
}

// SiLUGrad is the gradient of SiLU, from its input x: dx = dy*f'(x).
func SiLUGrad(dx, dy, x []float32, beta float32) {
	agree(len(dx), len(dy), len(x))
	if !siluGrad(dx, dy, x, beta) {
		portable.SiLUGrad(dx, dy, x, beta)
	}
}

// Softplus is y = log(1+e^x).
func Softplus(y, x []float32) {
	agree(len(y), len(x))
	if !softplus(y, x) {
		portable.Softplus(y, x)
	}
}

// SoftplusGrad is dx = dy*(1-e^-y), from Softplus's output y >= 0.
func SoftplusGrad(dx, dy, y []float32) {
	agree(len(dx), len(dy), len(y))
	if !softplusGrad(dx, dy, y) {
		portable.SoftplusGrad(dx, dy, y)
	}
}

// Mish is y = x*tanh(log(1+e^x)) (arXiv 1908.08681).
func Mish(y, x []float32) {
	agree(len(y), len(x))
	if !mish(y, x) {
		portable.Mish(y, x)
	}
}

// MishGrad is the gradient of Mish, from its input x: dx = dy*f'(x).
func MishGrad(dx, dy, x []float32) {
	agree(len(dx), len(dy), len(x))
	if !mishGrad(dx, dy, x) {
		portable.MishGrad(dx, dy, x)
	}
}

// GELU is y = x*Phi(x) with the exact normal distribution Phi
// (arXiv 1606.08415), to an absolute error of 1e-6.
func GELU(y, x []float32) {
	agree(len(y), len(x))
	if !gelu(y, x) {
		portable.GELU(y, x)
	}
}

// GELUGrad is the gradient of GELU, from its input x: dx = dy*f'(x).
func GELUGrad(dx, dy, x []float32) {
	agree(len(dx), len(dy), len(x))
	if !geluGrad(dx, dy, x) {
		portable.GELUGrad(dx, dy, x)
	}
}

// GELUTanh is GELU's approximation y = x*(1+tanh(u))/2 with
// u = sqrt(2/pi)*(x + 0.044715x³).
func GELUTanh(y, x []float32) {
	agree(len(y), len(x))
	if !geluTanh(y, x) {
		portable.GELUTanh(y, x)
	}
}

// GELUTanhGrad is the gradient of GELUTanh, from its input x: dx = dy*f'(x).
func GELUTanhGrad(dx, dy, x []float32) {
	agree(len(dx), len(dy), len(x))
	if !geluTanhGrad(dx, dy, x) {
		portable.GELUTanhGrad(dx, dy, x)
	}
}

// HardSigmoid is y = (x+3)/6 within 0..1.
func HardSigmoid(y, x []float32) {
	agree(len(y), len(x))
	if !hardSigmoid(y, x, -3, 3, 1.0/6) {
		portable.HardSigmoid(y, x)
	}
}

// HardSigmoidGrad is the gradient of HardSigmoid, from its input x: dx = dy*f'(x).
func HardSigmoidGrad(dx, dy, x []float32) {
	agree(len(dx), len(dy), len(x))
	if !hardSigmoidGrad(dx, dy, x, -3, 3, 1.0/6) {
		portable.HardSigmoidGrad(dx, dy, x)
	}
}

// HardGate is y = x times a ramp from 0 at lo to 1 at hi: hard swish
// (arXiv 1905.02244) for -3..3, hard Mish for -2..0.
func HardGate(y, x []float32, lo, hi float32) {
	agree(len(y), len(x))
	if !hardGate(y, x, lo, hi, 1/(hi-lo)) {
		portable.HardGate(y, x, lo, hi)
	}
}

// HardGateGrad is the gradient of HardGate, from its input x: dx = dy*f'(x).
func HardGateGrad(dx, dy, x []float32, lo, hi float32) {
	agree(len(dx), len(dy), len(x))
	if !hardGateGrad(dx, dy, x, lo, hi, 1/(hi-lo)) {
		portable.HardGateGrad(dx, dy, x, lo, hi)
	}
}

// Clip is y = x limited to lo..hi; a NaN stays. ReLU6 is Clip to 0..6,
// hard tanh Clip to -1..1.
func Clip[E Element](y, x []E, lo, hi float32) {
	agree(len(y), len(x))
	if !clipOf(y, x, lo, hi) {
		portable.Clip(singles(y), singles(x), lo, hi)
	}
}

// ClipGrad is dx = dy where lo < x < hi, else 0, from Clip's input or result x.
func ClipGrad[E Element](dx, dy, x []E, lo, hi float32) {
	agree(len(dx), len(dy), len(x))
	if !clipGradOf(dx, dy, x, lo, hi) {
		portable.ClipGrad(singles(dx), singles(dy), singles(x), lo, hi)
	}
}

// LeakyReLU is y = x, or slope*x below 0.
func LeakyReLU(y, x []float32, slope float32) {
	agree(len(y), len(x))
	if !leakyReLU(y, x, slope) {
		portable.LeakyReLU(y, x, slope)
	}
}

// LeakyReLUGrad is the gradient of LeakyReLU, from its input x, or for a slope that
// is not negative from its result: dx = dy*f'(x).
func LeakyReLUGrad(dx, dy, x []float32, slope float32) {
	agree(len(dx), len(dy), len(x))
	if !leakyReLUGrad(dx, dy, x, slope) {
		portable.LeakyReLUGrad(dx, dy, x, slope)
	}
}

// ELU is y = gain*x, or gain*alpha*(e^(x/width)-1) below 0, for
// width > 0: ELU with gain and width 1, CELU with width alpha, SELU with its
// gain and alpha.
func ELU(y, x []float32, gain, alpha, width float32) {
	agree(len(y), len(x))
	if !elu(y, x, gain, gain*alpha, 1/width) {
		portable.ELU(y, x, gain, alpha, width)
	}
}

// ELUGrad is the gradient of ELU, from its input x: dx = dy*f'(x).
func ELUGrad(dx, dy, x []float32, gain, alpha, width float32) {
	agree(len(dx), len(dy), len(x))
	if !eluGrad(dx, dy, x, gain, gain*alpha, 1/width) {
		portable.ELUGrad(dx, dy, x, gain, alpha, width)
	}
}
