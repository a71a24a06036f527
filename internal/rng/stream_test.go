package rng_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/internal/rng"
)

func Example() {
	const seed, epoch, sample = 42, 3, 1077
	draw := func() float64 { return rng.New(seed, "augment", epoch, sample).Float64() }
	fmt.Println(draw() == draw())
	// Output: true
}

// The draws are part of what a seed means: a change here changes every run.
func TestStreamIsPinned(t *testing.T) {
	s := rng.New(42, "shuffle", 1, 2)
	got := []uint64{s.Uint64(), s.Uint64(), s.Uint64()}
	want := []uint64{0x67e1f93bfa7f64af, 0xed0b813d110482b2, 0xa026aae5066cced}
	if !slices.Equal(got, want) {
		t.Errorf("first draws %#x, want %#x", got, want)
	}
}

func TestEveryKeyMatters(t *testing.T) {
	streams := map[uint64]string{}
	add := func(name string, s *rng.Stream) {
		t.Helper()
		x := s.Uint64()
		if other, taken := streams[x]; taken {
			t.Errorf("%s and %s begin alike", name, other)
		}
		streams[x] = name
	}
	add("no key", rng.New(1, "a"))
	add("other seed", rng.New(2, "a"))
	add("other purpose", rng.New(1, "b"))
	add("empty purpose", rng.New(1, ""))
	add("padded purpose", rng.New(1, "a\x00"))
	add("purpose of eight", rng.New(1, "abcdefgh"))
	add("purpose of nine", rng.New(1, "abcdefghi"))
	add("key 97, empty purpose", rng.New(1, "", 97))
	for i := range uint64(100) {
		add(fmt.Sprint("key ", i), rng.New(1, "a", i))
		add(fmt.Sprint("keys 0 ", i), rng.New(1, "a", 0, i))
		add(fmt.Sprint("keys ", i, " 1000"), rng.New(1, "a", i, 1000))
	}
}

// First draws of neighbouring keys must look independent: each of 64 bits set
// half the time, and half of the bits changing from one index to the next.
func TestNeighbouringKeysAreUnrelated(t *testing.T) {
	const n = 1 << 14
	var set, changed [64]int
	last := rng.New(7, "x", 0).Uint64()
	for i := uint64(1); i <= n; i++ {
		x := rng.New(7, "x", i).Uint64()
		for b := range 64 {
			set[b] += int(x >> b & 1)
			changed[b] += int((x ^ last) >> b & 1)
		}
		last = x
	}
	bound := 5 * math.Sqrt(n) / 2 // five standard deviations
	for b := range 64 {
		if math.Abs(float64(set[b]-n/2)) > bound || math.Abs(float64(changed[b]-n/2)) > bound {
			t.Errorf("bit %d: set in %d and changed in %d of %d", b, set[b], changed[b], n)
		}
	}
}

func TestMoments(t *testing.T) {
	const n = 200000
	for _, c := range []struct {
		name           string
		draw           func(*rng.Stream) float64
		mean, variance float64
	}{
		{"Float64", (*rng.Stream).Float64, 0.5, 1. / 12},
		{"Float32", func(s *rng.Stream) float64 { return float64(s.Float32()) }, 0.5, 1. / 12},
		{"Uniform", func(s *rng.Stream) float64 { return s.Uniform(-1, 3) }, 1, 16. / 12},
		{"Norm", (*rng.Stream).Norm, 0, 1},
		{"IntN", func(s *rng.Stream) float64 { return float64(s.IntN(6)) }, 2.5, 35. / 12},
		{"Bernoulli", func(s *rng.Stream) float64 {
			if s.Bernoulli(0.3) {
				return 1
			}
			return 0
		}, 0.3, 0.21},
	} {
		s := rng.New(11, c.name)
		var sum, squares float64
		for range n {
			x := c.draw(s)
			sum += x
			squares += x * x
		}
		mean := sum / n
		variance := squares/n - mean*mean
		if math.Abs(mean-c.mean) > 5*math.Sqrt(c.variance/n) || math.Abs(variance/c.variance-1) > 0.02 {
			t.Errorf("%s: mean %.4f variance %.4f, want %.4f and %.4f", c.name, mean, variance, c.mean, c.variance)
		}
	}
}

func TestPermIsUniform(t *testing.T) {
	counts := map[string]int{}
	const n = 24000
	for i := range uint64(n) {
		counts[fmt.Sprint(rng.New(3, "perm", i).Perm(4))]++
	}
	if len(counts) != 24 {
		t.Fatalf("%d of 24 permutations seen", len(counts))
	}
	for p, c := range counts {
		if math.Abs(float64(c)-1000) > 5*math.Sqrt(1000) {
			t.Errorf("permutation %s came %d times of an expected 1000", p, c)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var sum float64
	if a := testing.AllocsPerRun(100, func() {
		s := rng.New(1, "augment", 2, 3)
		sum += s.Norm() + float64(s.IntN(10))
	}); a != 0 {
		t.Errorf("%v allocations for a stream, want 0", a)
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for i := range b.N {
		rng.New(1, "augment", 2, uint64(i)).Uint64()
	}
}
