package acts

import "math"

// Gated is x*gate; a gate that is shut lets nothing of an infinite x pass.
func Gated(x, gate float64) float64 {
	if gate == 0 && math.IsInf(x, 0) {
		return 0
	}
	return x * gate
}

// Logistic is 1/(1+exp(-x)).
func Logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// logisticSlope is its derivative.
func logisticSlope(x float64) float64 { return Logistic(x) * Logistic(-x) }

// Swish is x*logistic(beta*x) (arXiv 1710.05941).
func Swish(x, beta float64) float64 { return Gated(x, Logistic(beta*x)) }

// SwishSlope is its derivative.
func SwishSlope(x, beta float64) float64 {
	return Logistic(beta*x) + Gated(beta*x, logisticSlope(beta*x))
}

// Softplus is log(1+exp(x)).
func Softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// Mish is x*tanh(log(1+exp(x))) (arXiv 1908.08681).
func Mish(x float64) float64 {
	t, _ := tanhSoftplus(x)
	return Gated(x, t)
}

// MishSlope is its derivative.
func MishSlope(x float64) float64 {
	t, rest := tanhSoftplus(x)
	return t + Gated(x, rest*(1+t)*Logistic(x))
}

// tanhSoftplus is t = tanh(log(1+exp(x))) and 1-t. With e = exp(-|x|) neither
// overflows nor cancels.
func tanhSoftplus(x float64) (t, rest float64) {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		n := e * (e + 2)
		return n / (n + 2), 2 / (n + 2)
	}
	d := 1 + 2*e + 2*e*e
	return (1 + 2*e) / d, 2 * e * e / d
}

// GELU is x*Phi(x) with the exact normal distribution (arXiv 1606.08415).
func GELU(x float64) float64 { return Gated(x, normal(x)) }

// GELUSlope is its derivative.
func GELUSlope(x float64) float64 {
	return normal(x) + Gated(x, math.Exp(-x*x/2)/math.Sqrt(2*math.Pi))
}

// normal is the distribution function of the standard normal distribution.
func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// GELUTanh is x*(1+tanh(u))/2 with u = sqrt(2/pi)*(x + 0.044715x³), an approximation of
// GELU.
func GELUTanh(x float64) float64 {
	u, _ := geluTanhArgument(x)
	return Gated(x, Logistic(u))
}

// GELUTanhSlope is its derivative.
func GELUTanhSlope(x float64) float64 {
	u, slope := geluTanhArgument(x)
	return Logistic(u) + Gated(x*slope, logisticSlope(u))
}

// geluTanhArgument is 2u and its derivative: (1+tanh(u))/2 is logistic(2u), which keeps
// its precision where tanh nears -1.
func geluTanhArgument(x float64) (u, slope float64) {
	const linear, cubic = 2 * math.Sqrt2 / math.SqrtPi, 0.044715
	return linear * (x + cubic*x*x*x), linear * (1 + 3*cubic*x*x)
}
