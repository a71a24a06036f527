package rng

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// Stream is a deterministic sequence of random draws: PCG-DXSM with 128 bits
// of state, started from a hash of the keys. A copy goes on from the same
// place. The zero Stream is valid but the same for everybody; use [New] or
// [Stream.Reset]. A Stream is not safe for concurrent use.
type Stream struct {
	pcg rand.PCG
}

// New returns the stream of (seed, purpose, keys...). The number and the order
// of keys matter: (1), (1, 0) and (0, 1) are three streams.
func New(seed uint64, purpose string, keys ...uint64) *Stream {
	s := new(Stream)
	s.Reset(seed, purpose, keys...)
	return s
}

// Reset makes s the stream of (seed, purpose, keys...), at its beginning.
func (s *Stream) Reset(seed uint64, purpose string, keys ...uint64) {
	h := digest{0x9e3779b97f4a7c15, 0xd1b54a32d192ed03}
	h.absorb(seed)
	h.absorb(uint64(len(purpose)))
	for len(purpose) >= 8 {
		h.absorb(word(purpose[:8]))
		purpose = purpose[8:]
	}
	h.absorb(word(purpose))
	for _, k := range keys {
		h.absorb(k)
	}
	h.absorb(uint64(len(keys)))
	s.pcg.Seed(h.hi, h.lo)
}

// word packs up to eight bytes of s, the first in the lowest byte.
func word(s string) uint64 {
	var w uint64
	for i := range len(s) {
		w |= uint64(s[i]) << (8 * i)
	}
	return w
}

// digest is a 128-bit state into which keys are mixed one word at a time.
type digest struct{ hi, lo uint64 }

func (d *digest) absorb(w uint64) {
	lo := mix(d.lo ^ w)
	d.hi = mix((d.hi + bits.RotateLeft64(w, 32)) ^ lo)
	d.lo = lo + d.hi
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014), a bijection in
// which every input bit reaches every output bit.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uint64 draws 64 uniform bits. It makes *Stream a [rand.Source].
func (s *Stream) Uint64() uint64 { return s.pcg.Uint64() }

// Float64 draws uniformly from [0, 1), in steps of 2^-53.
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// Float32 draws uniformly from [0, 1), in steps of 2^-24.
func (s *Stream) Float32() float32 { return float32(s.Uint64()>>40) * 0x1p-24 }

// Uniform draws uniformly from [lo, hi).
func (s *Stream) Uniform(lo, hi float64) float64 { return lo + (hi-lo)*s.Float64() }

// Norm draws from the standard normal distribution (Marsaglia's polar method;
// its second value is dropped so that the state stays two words). For many draws there
// is [Stream.Normals].
func (s *Stream) Norm() float64 {
	for {
		u := 2*s.Float64() - 1
		v := 2*s.Float64() - 1
		if q := u*u + v*v; q > 0 && q < 1 {
			return u * math.Sqrt(-2*math.Log(q)/q)
		}
	}
}

// Bernoulli is true with probability p. It draws even where p is 0 or 1, so
// that changing a probability leaves the draws after it alone.
func (s *Stream) Bernoulli(p float64) bool { return s.Float64() < p }

// IntN draws uniformly from 0..n-1, without bias (Lemire 2019). It panics
// where n is not positive, as [rand.IntN] does.
func (s *Stream) IntN(n int) int {
	if n <= 0 {
		panic("rng: IntN needs a positive n")
	}
	hi, lo := bits.Mul64(s.Uint64(), uint64(n))
	if lo < uint64(n) {
		for threshold := -uint64(n) % uint64(n); lo < threshold; {
			hi, lo = bits.Mul64(s.Uint64(), uint64(n))
		}
	}
	return int(hi)
}

// Perm draws a permutation of 0..n-1.
func (s *Stream) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	s.Shuffle(n, func(i, j int) { p[i], p[j] = p[j], p[i] })
	return p
}

// Shuffle permutes n elements through swap (Fisher and Yates).
func (s *Stream) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, s.IntN(i+1))
	}
}
