package main

import "math"

// An activation is a function of the input x and its derivative, as a function
// of x too, or for sigmoid, tanh and softplus of the output. s are the float32
// parameters, in the order of params.
type activation struct {
	name, params         string
	function, derivative func(k *kernel, x vector, s []vector) vector
}

// aboveInf is x with the lowest number in place of -Inf, whose product with a gate that is
// shut would be NaN.
func (k *kernel) aboveInf(x vector) vector { return k.max(k.broadcast(-math.MaxFloat32), x) }

var activations = []activation{
	{"sigmoid", "",
		func(k *kernel, x vector, _ []vector) vector {
			_, _, y := k.logistic(x)
			return y
		},
		func(k *kernel, y vector, _ []vector) vector { return k.fnma(y, y, y) }},
	{"tanh", "", tanh,
		func(k *kernel, y vector, _ []vector) vector { return k.fnma(y, y, k.broadcast(1)) }},
	{"silu", "beta float32",
		func(k *kernel, x vector, s []vector) vector {
			_, _, y := k.logistic(k.mul(x, s[0]))
			return k.mul(k.aboveInf(x), y)
		},
		func(k *kernel, x vector, s []vector) vector {
			z := k.clamp(k.mul(x, s[0]), -1000, 1000)
			e, r, y := k.logistic(z)
			return k.fma(k.mul(z, k.mul(e, r)), r, y)
		}},
	{"softplus", "",
		// max(x, 0) + log(1+exp(-|x|)).
		func(k *kernel, x vector, _ []vector) vector {
			e := k.exp(k.or(x, k.bits(0x80000000)))
			return k.add(k.max(k.zero(), x), k.log1p(e))
		},
		// 1 - exp(-y), for y >= 0.
		func(k *kernel, y vector, _ []vector) vector {
			return k.sub(k.zero(), k.expm1Negative(k.min(k.zero(), k.sub(k.zero(), y))))
		}},
	{"mish", "",
		// tanh(log(1+e)) = n/(n+2) with e = exp(x), n = e²+2e.
		func(k *kernel, x vector, _ []vector) vector {
			_, n := mishParts(k, x)
			return k.mul(k.aboveInf(x), k.div(n, k.add(n, k.c(2))))
		},
		// n/(n+2) + x*4e(1+e)/(n+2)².
		func(k *kernel, x vector, _ []vector) vector {
			e, n := mishParts(k, x)
			d := k.div(k.broadcast(1), k.add(n, k.c(2)))
			slope := k.mul(k.mul(k.mul(e, k.c(4)), k.add(e, k.c(1))), k.mul(d, d))
			return k.fma(k.clamp(x, -1000, 20), slope, k.mul(n, d))
		}},
	{"gelu", "",
		// x*Phi(x) = max(x, 0) - |x|*Q(|x|).
		func(k *kernel, x vector, _ []vector) vector {
			q, _ := k.normalTail(x)
			a := k.min(k.broadcast(100), k.abs(x))
			return k.fnma(a, q, k.max(k.zero(), x))
		},
		// Phi(x) + x*exp(-x²/2)/sqrt(2 pi).
		func(k *kernel, x vector, _ []vector) vector {
			q, e := k.normalTail(x)
			phi := k.choose(k.compare(x, less, k.zero()), q, k.sub(k.broadcast(1), q))
			return k.fma(k.mul(k.clamp(x, -100, 100), k.c(0.398942280401432678)), e, phi)
		}},
	{"geluTanh", "",
		// x*(1+tanh(u))/2 = x*sigmoid(2u).
		func(k *kernel, x vector, _ []vector) vector {
			u, _ := geluTanhParts(k, x)
			_, _, y := k.logistic(u)
			return k.mul(k.aboveInf(x), y)
		},
		func(k *kernel, x vector, _ []vector) vector {
			u, slope := geluTanhParts(k, x)
			e, r, y := k.logistic(u)
			return k.fma(k.mul(k.clamp(x, -20, 20), slope), k.mul(k.mul(e, r), r), y)
		}},
	// lo is where the ramp starts, inverse the reciprocal of its width.
	{"hardSigmoid", "lo, hi, inverse float32", ramp,
		func(k *kernel, x vector, s []vector) vector {
			return k.passNaN(x, k.keep(k.inside(x, s[0], s[1]), s[2]))
		}},
	{"hardGate", "lo, hi, inverse float32",
		func(k *kernel, x vector, s []vector) vector {
			return k.mul(k.aboveInf(x), ramp(k, x, s))
		},
		func(k *kernel, x vector, s []vector) vector {
			inner := k.fma(x, s[2], k.mul(k.sub(x, s[0]), s[2]))
			outer := k.keep(k.compare(x, greater, s[0]), k.broadcast(1))
			return k.passNaN(x, k.choose(k.inside(x, s[0], s[1]), inner, outer))
		}},
	{"clip", "lo, hi float32",
		func(k *kernel, x vector, s []vector) vector { return k.min(s[1], k.max(s[0], x)) },
		func(k *kernel, x vector, s []vector) vector {
			return k.passNaN(x, k.keep(k.inside(x, s[0], s[1]), k.broadcast(1)))
		}},
	{"leakyReLU", "slope float32",
		func(k *kernel, x vector, s []vector) vector {
			return k.choose(k.compare(x, greater, k.zero()), x, k.mul(x, s[0]))
		},
		func(k *kernel, x vector, s []vector) vector {
			return k.passNaN(x, k.choose(k.compare(x, greater, k.zero()), k.broadcast(1), s[0]))
		}},
	// negative is gain*alpha, and inverse 1/width.
	{"elu", "gain, negative, inverse float32",
		func(k *kernel, x vector, s []vector) vector {
			below := k.mul(k.expm1Negative(k.mul(k.min(k.zero(), x), s[2])), s[1])
			return k.choose(k.compare(x, greater, k.zero()), k.mul(x, s[0]), below)
		},
		func(k *kernel, x vector, s []vector) vector {
			below := k.mul(k.mul(k.expNegative(k.mul(k.min(k.zero(), x), s[2])), s[1]), s[2])
			return k.choose(k.compare(x, greater, k.zero()), s[0], below)
		}},
}

// tanh is an odd polynomial near zero, 1 - 2/(1+exp(2|x|)) elsewhere.
func tanh(k *kernel, x vector, _ []vector) vector {
	a := k.min(k.broadcast(20), k.abs(x))
	e := k.exp(k.add(a, a))
	far := k.sub(k.broadcast(1), k.div(k.broadcast(2), k.add(e, k.c(1))))
	far = k.or(far, k.and(x, k.bits(0x80000000)))
	square := k.mul(x, x)
	p := k.horner(square, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
	near := k.fma(k.mul(p, square), x, x)
	return k.choose(k.compare(a, less, k.c(0.625)), near, far)
}

// mishParts is e = exp(x) and e² + 2e; above 20 mish is the identity, and e stays finite.
func mishParts(k *kernel, x vector) (e, n vector) {
	e = k.exp(k.min(k.broadcast(20), x))
	return e, k.mul(e, k.add(e, k.c(2)))
}

// geluTanhParts is 2u = 2*sqrt(2/pi)*(x + 0.044715x³) and its derivative;
// beyond 20 the sigmoid of 2u is 0 or 1.
func geluTanhParts(k *kernel, x vector) (u, slope vector) {
	const linear, cubic = 1.59576912160573071, 1.59576912160573071 * 0.044715
	c := k.clamp(x, -20, 20)
	square := k.mul(c, c)
	u = k.mul(c, k.fma(square, k.c(cubic), k.broadcast(linear)))
	slope = k.fma(square, k.c(3*cubic), k.broadcast(linear))
	return u, slope
}

// ramp goes from 0 at lo to 1 at hi.
func ramp(k *kernel, x vector, s []vector) vector {
	return k.clamp(k.mul(k.sub(x, s[0]), s[2]), 0, 1)
}

// inside is the lanes with lo < x < hi.
func (k *kernel) inside(x, lo, hi vector) *mask {
	return k.both(k.compare(x, greater, lo), k.compare(x, less, hi))
}

// passNaN is y, or NaN where x is NaN.
func (k *kernel) passNaN(x, y vector) vector {
	return k.choose(k.compare(x, unordered, x), x, y)
}

var activationKernels = func() []definition {
	var all []definition
	for _, a := range activations {
		tail := ""
		if a.params != "" {
			tail = ", " + a.params
		}
		params := "y, x []float32" + tail
		all = append(all,
			definition{a.name, "is y = f(x).", params, func(k *kernel) {
				n, y, x := k.length("y"), k.pointer("y"), k.pointer("x")
				s := k.scalars(params)
				k.each(n, 1, func() { k.store(a.function(k, k.load(x), s), y) })
			}},
			definition{a.name + "Grad", "is y = dy * f'.", "y, dy, x []float32" + tail, func(k *kernel) {
				n, y, dy, x := k.length("y"), k.pointer("y"), k.pointer("dy"), k.pointer("x")
				s := k.scalars(params)
				k.each(n, 1, func() { k.store(k.mul(a.derivative(k, k.load(x), s), k.load(dy)), y) })
			}})
	}
	return all
}()
