package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Elementary functions on vectors. The polynomials for exp, log and tanh are
// those of Cephes (S. L. Moshier, single precision); erf's is fitted for this
// package.

const (
	log2e = 1.44269504088896341
	// ln 2 in two parts; the first has few bits, so that n*ln2High is exact.
	ln2High = 0.693359375
	ln2Low  = -2.12194440e-4
)

// expParts reduces x to n*ln 2 + r and returns exp(r)-1 and n as an integer.
// x must lie within ±150 or be NaN.
func (k *kernel) expParts(x vector) (expm1, n vector) {
	// Adding 1.5*2^23 rounds to the nearest integer.
	n = k.fma(x, k.c(log2e), k.broadcast(12582912))
	VSUBPS(k.c(12582912), n, n)
	r := k.fnma(n, k.c(ln2High), x)
	VFNMADD231PS(k.c(ln2Low), n, r)
	p := k.horner(r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
	expm1 = k.fma(p, k.mul(r, r), r)
	VCVTPS2DQ(n, n)
	return expm1, n
}

// powerOfTwo is 2^n for an integer n in -126..127. It overwrites n.
func (k *kernel) powerOfTwo(n vector) vector {
	k.integerAdd(n, k.bits(127))
	VPSLLD(U8(23), n, n)
	return n
}

func (k *kernel) integerAdd(n vector, b Op) { VPADDD(b, n, n) }

// exp is e^x to 2 ulp, down to denormal results.
func (k *kernel) exp(x vector) vector {
	p, n := k.expParts(k.clamp(x, -104, 89))
	VADDPS(k.c(1), p, p)
	// Two factors, since 2^n alone may lie outside the range of normal numbers.
	half := k.newVector()
	VPSRAD(U8(1), n, half)
	VPSUBD(half, n, n)
	VMULPS(k.powerOfTwo(half), p, p)
	VMULPS(k.powerOfTwo(n), p, p)
	return p
}

// expNegative is e^x for x <= 0 (or NaN); results below the normal range are
// at most 2^-126 off.
func (k *kernel) expNegative(x vector) vector {
	p, n := k.expParts(k.max(k.broadcast(-87.3), x))
	VADDPS(k.c(1), p, p)
	return k.mul(p, k.powerOfTwo(n))
}

// expm1Negative is e^x - 1 for x <= 0 (or NaN), accurate near zero.
func (k *kernel) expm1Negative(x vector) vector {
	p, n := k.expParts(k.max(k.broadcast(-87), x))
	scale := k.powerOfTwo(n)
	return k.fma(p, scale, k.sub(scale, k.c(1)))
}

// log is the natural logarithm to 2 ulp; -Inf at 0, NaN below.
func (k *kernel) log(x vector) vector {
	tiny := k.compare(x, less, k.c(1.17549435e-38))
	normal := k.choose(tiny, k.mul(x, k.c(1<<23)), x)
	y := k.logNormal(normal, k.keep(tiny, k.broadcast(-23)))
	// Inf and NaN are their own logarithms.
	y = k.choose(k.compare(x, notLessOrEqual, k.c(math.MaxFloat32)), x, y)
	negative := k.compare(x, less, k.zero())
	y = k.choose(negative, k.bits(0x7fc00000), y)
	zero := k.compare(x, equal, k.zero())
	return k.choose(zero, k.bits(0xff800000), y)
}

// logNormal is log(x) + exponent*ln 2 for a positive normal x.
func (k *kernel) logNormal(x, exponent vector) vector {
	// x = m * 2^e with m in sqrt(1/2)..sqrt(2).
	e := k.newVector()
	VPSUBD(k.bits(0x3f3504f3), x, e)
	VPSRAD(U8(23), e, e)
	shifted := k.newVector()
	VPSLLD(U8(23), e, shifted)
	f := k.newVector()
	VPSUBD(shifted, x, f)
	VSUBPS(k.c(1), f, f)
	VCVTDQ2PS(e, e)
	VADDPS(exponent, e, e)
	square := k.mul(f, f)
	p := k.horner(f, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	y := k.mul(k.mul(p, f), square)
	VFMADD231PS(k.c(ln2Low), e, y)
	VFNMADD231PS(k.c(0.5), square, y)
	VADDPS(f, y, y)
	VFMADD231PS(k.c(ln2High), e, y)
	return y
}

// log1p is log(1+u) for u in 0..1 (or NaN), accurate near zero.
func (k *kernel) log1p(u vector) vector {
	w := k.add(u, k.c(1))
	// What the rounding of 1+u lost, to first order.
	lost := k.div(k.sub(u, k.sub(w, k.c(1))), w)
	return k.add(k.logNormal(w, k.zero()), lost)
}

// logistic returns e = exp(-|x|), r = 1/(1+e) and the sigmoid of x, which is r
// for positive x and e*r for negative x: no cancellation on either side.
func (k *kernel) logistic(x vector) (e, r, sigmoid vector) {
	e = k.exp(k.or(x, k.bits(0x80000000)))
	r = k.div(k.broadcast(1), k.add(e, k.c(1)))
	sigmoid = k.choose(k.compare(x, less, k.zero()), k.mul(e, r), r)
	return e, r, sigmoid
}

// normalTail is Q(|x|), the probability that a standard normal variable
// exceeds |x|, with exp(-x²/2) for the density. It is exp(-x²/2) times a
// polynomial of degree 9 in t = 1/(1+0.27|x|), fitted to a relative error of
// 4e-8 over |x| < 15, where Q vanishes.
func (k *kernel) normalTail(x vector) (q, e vector) {
	e = k.expNegative(k.mul(k.mul(x, k.c(-0.5)), x))
	t := k.div(k.broadcast(1), k.fma(k.abs(x), k.c(0.27), k.broadcast(1)))
	p := k.horner(t, 0.02764702453, -0.11951364, 0.1538086453, -0.0485033897, 0.09113859196,
		0.08070004648, 0.09893229604, 0.1081345171, 0.1076525789, 3.338735786e-06)
	return k.mul(p, e), e
}
