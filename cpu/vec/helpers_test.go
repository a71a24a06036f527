package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
)

// eachLevel runs a test at every level that has assembly.
func eachLevel(t *testing.T, test func(t *testing.T)) {
	for _, l := range []isa.Level{isa.AVX2, isa.AVX512} {
		t.Run(l.String(), func(t *testing.T) {
			if isa.Best() < l {
				t.Skipf("this processor's best level is %s", isa.Best())
			}
			use(t, l)
			test(t)
		})
	}
}

// use makes a level active until the test ends.
func use(t testing.TB, l isa.Level) {
	old := active
	active = l
	t.Cleanup(func() { active = old })
}

const guard = 0x7fa5a5a5 // a NaN that no kernel makes

// A fence is memory around slices, to see what is written outside them.
type fence struct {
	memory []float32
	from   int
	n      int
}

// fenced is n elements that start at an address misaligned by some elements.
func fenced(n, misaligned int) (*fence, []float32) {
	f := &fence{memory: make([]float32, n+64), from: 16 + misaligned, n: n}
	for i := range f.memory {
		f.memory[i] = math.Float32frombits(guard)
	}
	return f, f.memory[f.from : f.from+n : f.from+n]
}

func (f *fence) check(t *testing.T, what string) {
	t.Helper()
	for i, v := range f.memory {
		if (i < f.from || i >= f.from+f.n) && math.Float32bits(v) != guard {
			t.Fatalf("%s: wrote at %d of a slice of %d", what, i-f.from, f.n)
		}
	}
}

// random fills x from a normal distribution times 3.
func random(r *rand.Rand, x []float32) {
	for i := range x {
		x[i] = float32(3 * r.NormFloat64())
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// same tells whether two values agree: both NaN, the same infinity, or closer
// than tolerance times the larger of 1 and want.
func same(got, want, tolerance float64) bool {
	switch {
	case math.IsNaN(want) || math.IsNaN(got):
		return math.IsNaN(want) && math.IsNaN(got)
	case math.IsInf(want, 0) || math.IsInf(got, 0):
		return got == want
	}
	return math.Abs(got-want) <= tolerance*max(1, math.Abs(want))
}

func compare[G, W float32 | float64](t *testing.T, what string, got []G, want []W, tolerance float64) {
	t.Helper()
	for i := range want {
		if !same(float64(got[i]), float64(want[i]), tolerance) {
			t.Fatalf("%s: element %d of %d is %v, want %v", what, i, len(want), got[i], want[i])
		}
	}
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// lengths are all remainders of both widths and of the unrolled loops, and
// some large odd numbers.
func lengths() []int {
	var all []int
	for n := range 68 {
		all = append(all, n)
	}
	return append(all, 127, 1001, 4099)
}

func title(args ...any) string { return fmt.Sprint(args...) }
