package rng

import "math"

// Beta draws from the beta distribution of a and b, both above 0: X/(X+Y) for
// gamma variables X and Y of these shapes. Small shapes, whose X and Y are often
// too small for a number, are divided as logarithms.
func (s *Stream) Beta(a, b float64) float64 {
	x, y := s.logGamma(a), s.logGamma(b)
	return 1 / (1 + math.Exp(y-x))
}

// logGamma draws the logarithm of a gamma variable of this shape (Marsaglia and
// Tsang 2000). A shape below 1 is one above it times a power of a uniform variable.
func (s *Stream) logGamma(shape float64) float64 {
	boost := 0.0
	if shape < 1 {
		boost = math.Log(1-s.Float64()) / shape // of a number above 0
		shape++
	}
	d := shape - 1./3
	for {
		x := s.Norm()
		v := 1 + x/math.Sqrt(9*d)
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(1-s.Float64()) < x*x/2+d*(1-v+math.Log(v)) {
			return boost + math.Log(d*v)
		}
	}
}
