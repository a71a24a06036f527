package rng

import "math"

// The ziggurat of Marsaglia and Tsang ("The ziggurat method for generating random
// variables", 2000) covers the half of the normal distribution's density above zero with
// layers of equal area: rectangles, and at the bottom one with the tail. This is its form
// by Doornik ("An improved ziggurat method to generate normal random samples", 2005),
// whose layer and place do not share bits.
const (
	layers    = 128
	tailStart = 3.442619855899      // the right end of the bottom rectangle's part under the curve
	layerArea = 9.91256303526217e-3 // that belongs to it
)

// ziggurat is the right end of each layer, from the bottom, and the share of it that lies
// under the curve at all heights.
var ziggurat = func() (z struct{ end, inside [layers + 1]float64 }) {
	density := func(x float64) float64 { return math.Exp(-x * x / 2) }
	z.end[0], z.end[1] = layerArea/density(tailStart), tailStart
	for i := 2; i < layers; i++ {
		z.end[i] = math.Sqrt(-2 * math.Log(layerArea/z.end[i-1]+density(z.end[i-1])))
	}
	for i := range layers {
		z.inside[i] = z.end[i+1] / z.end[i]
	}
	return z
}()

// Normals fills dst with draws from the normal distribution of mean 0 and this standard
// deviation. It is several times faster than [Stream.Norm], and other draws.
func (s *Stream) Normals(dst []float64, deviation float64) {
	for i := range dst {
		dst[i] = deviation * s.normal()
	}
}

func (s *Stream) normal() float64 {
	for {
		bits := s.Uint64()
		layer := bits % layers
		u := float64(int64(bits)>>11) * 0x1p-52 // in [-1, 1)
		x := u * ziggurat.end[layer]
		if math.Abs(u) < ziggurat.inside[layer] {
			return x
		}
		if layer == 0 {
			return math.Copysign(s.tail(), u)
		}
		lower := math.Exp((x*x - ziggurat.end[layer]*ziggurat.end[layer]) / 2)
		upper := math.Exp((x*x - ziggurat.end[layer+1]*ziggurat.end[layer+1]) / 2)
		if lower+s.Float64()*(upper-lower) < 1 {
			return x
		}
	}
}

// tail draws from the normal distribution above tailStart (Marsaglia 1964).
func (s *Stream) tail() float64 {
	for {
		x := -math.Log(1-s.Float64()) / tailStart
		y := -math.Log(1 - s.Float64())
		if 2*y >= x*x {
			return tailStart + x
		}
	}
}
