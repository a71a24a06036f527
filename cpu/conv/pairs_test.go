package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/internal/pool"
)

// halves is x in bfloat16; x becomes what that holds.
func halves(x []float32) []uint16 {
	h := make([]uint16, len(x))
	vec.Narrow(h, x)
	vec.Widen(x, h)
	return h
}

// dirtyHalves is n times what is not a number.
func dirtyHalves(n int) []uint16 {
	h := make([]uint16, n)
	for i := range h {
		h[i] = 0xffff
	}
	return h
}

// compareHalves is compare for results that are rounded to bfloat16.
func compareHalves(t *testing.T, what string, got []uint16, want, size []float64) {
	t.Helper()
	for i, h := range got {
		if d := math.Abs(float64(vec.Wide(h)) - want[i]); !(d <= 3e-6*size[i]+math.Abs(want[i])/250+1e-7) {
			t.Errorf("%s[%d] = %g, want %g (off by %.2g)", what, i, vec.Wide(h), want[i], d)
			return
		}
	}
}

func TestPairsAgainstDefinition(t *testing.T) {
	set := simd.PairsFor(isa.Best())
	if set == nil {
		t.Skip("this processor does not multiply bfloat16")
	}
	pools := []*pool.Pool{pool.New(2), pool.New(1)}
	for _, p := range pools {
		defer p.Close()
	}
	served := 0
	for _, c := range shapes {
		s := whole(c.s)
		t.Run(c.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			x, w, dy, bias := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.yLen()), random(rnd, s.K)
			xs, dys := halves(x), halves(dy)
			exact := append([]float32(nil), w...)
			halves(w)
			ref := newReference(s, x, w, dy)
			for i := range ref.y {
				ref.y[i] = min(max(ref.y[i]+float64(bias[i%s.K]), -0.5), 0.75)
				ref.ySize[i]++
			}
			f, err := newPairForward(s, Epilogue{Bias: true, Clip: simd.Clip{Lo: -0.5, Hi: 0.75}}, set)
			if err != nil {
				t.Fatal(err)
			}
			g, err := newPairInputGrad(s, set)
			if err != nil {
				t.Fatal(err)
			}
			v, err := newPairWeightGrad(s, set)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pools {
				if v != nil {
					served++
					dw := dirty(len(w))
					v.Run(p, xs, dys, dw, dirty(v.ScratchFloats(p.Threads())))
					compare(t, "dw", Direct, dw, ref.dw, ref.dwSize)
				}
				if f != nil {
					served++
					y := dirtyHalves(len(dy))
					f.Run(p, xs, exact, bias, y, dirty(f.ScratchFloats(p.Threads())))
					compareHalves(t, "y", y, ref.y, ref.ySize)
				}
				if g != nil {
					served++
					dx := dirtyHalves(len(x))
					g.Run(p, dys, exact, dx, dirty(g.ScratchFloats(p.Threads())))
					compareHalves(t, "dx", dx, ref.dx, ref.dxSize)
				}
			}
		})
	}
	if served < len(shapes) {
		t.Errorf("only %d plans for %d shapes", served, len(shapes))
	}
}
