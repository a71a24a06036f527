package vec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// Every bfloat16 widens to a value that rounds to itself, but that a signalling NaN
// becomes a quiet one.
func TestWidenThenNarrow(t *testing.T) {
	all := make([]uint16, 1<<16)
	for i := range all {
		all[i] = uint16(i)
	}
	eachLevel(t, func(t *testing.T) {
		x, back := make([]float32, len(all)), make([]uint16, len(all))
		Widen(x, all)
		Narrow(back, x)
		for i, v := range back {
			want := all[i]
			if x[i] != x[i] {
				want |= 0x40
			}
			if bits := math.Float32bits(x[i]); bits != uint32(i)<<16 || v != want {
				t.Fatalf("%#04x becomes %#08x and then %#04x", i, bits, v)
			}
		}
	})
}

func TestNarrowRounds(t *testing.T) {
	ends := []float32{1 + 1./256, 1 + 3./256, 1 + 1./256 + 1./65536, -1 - 1./256, math.MaxFloat32, math.SmallestNonzeroFloat32,
		float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.Float32frombits(0x7f800001), math.Float32frombits(0xffffffff)}
	for i, want := range []uint16{0x3f80, 0x3f82, 0x3f81, 0xbf80, 0x7f80, 0, 0x7f80, 0xff80} {
		if got := Round(ends[i]); got != want {
			t.Errorf("%v rounds to %#04x, want %#04x", ends[i], got, want)
		}
	}
	rnd := newRand()
	eachLevel(t, func(t *testing.T) {
		for _, n := range lengths() {
			x, y := make([]float32, n), make([]float32, n)
			for i := range x {
				x[i], y[i] = math.Float32frombits(rand.Uint32()), ends[rnd.IntN(len(ends))]
			}
			random(rnd, y[:n/2])
			got, want := make([]uint16, n+1), make([]uint16, n+1)
			Narrow(got[:n], x)
			portable.Narrow(want[:n], x)
			if !slices.Equal(got, want) {
				t.Fatalf("Narrow of %d: %#04x, want %#04x", n, got, want)
			}
			two, both := make([]uint32, n+1), make([]uint32, n+1)
			Pairs(two[:n], y, x)
			portable.Pairs(both[:n], y, x)
			if !slices.Equal(two, both) {
				t.Fatalf("Pairs of %d: %#08x, want %#08x", n, two, both)
			}
			wide, same := make([]float32, n+1), make([]float32, n+1)
			Widen(wide[:n], want[:n])
			portable.Widen(same[:n], want[:n])
			for i := range wide {
				if math.Float32bits(wide[i]) != math.Float32bits(same[i]) {
					t.Fatalf("Widen of %d: element %d is %v, want %v", n, i, wide[i], same[i])
				}
			}
		}
	})
}
