package vec

import (
	"testing"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

func TestNormalizeBytes(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, c := range []int{1, 2, 3, 4, 5, 1000} {
			scale, shift := make([]float32, c), make([]float32, c)
			random(r, scale)
			random(r, shift)
			for _, pixels := range []int{0, 1, 2, 15, 16, 17, 31, 32, 224, 255, 256, 257, 1001} {
				x := make([]uint8, pixels*c)
				for i := range x {
					x[i] = uint8(r.Uint32())
				}
				what := title("channels ", c, " pixels ", pixels)
				f, y := fenced(pixels*c, 1)
				want := make([]float64, pixels*c)
				NormalizeBytes(y, x, scale, shift)
				portable.NormalizeBytes(want, x, wide(scale), wide(shift))
				compare(t, what, y, want, 1e-6)
				NormalizeBytesFlipped(y, x, scale, shift)
				portable.NormalizeBytesFlipped(want, x, wide(scale), wide(shift))
				compare(t, what+" flipped", y, want, 1e-6)
				f.check(t, what)
			}
		}
	})
}

// TestFlippedOrder pins the meaning of the flip down to one small row.
func TestFlippedOrder(t *testing.T) {
	y := make([]float32, 6)
	NormalizeBytesFlipped(y, []uint8{1, 2, 3, 4, 5, 6}, []float32{1, 1, 1}, []float32{0, 0, 0})
	compare(t, "row", y, []float32{4, 5, 6, 1, 2, 3}, 0)
}
