package conv

import (
	"math"
	"math/rand/v2"
	"slices"
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

// compareHalves is compare for results that are then rounded to bfloat16.
func compareHalves(t *testing.T, what string, m Method, got []uint16, want, size []float64) {
	t.Helper()
	largest := slices.Max(size)
	for i, h := range got {
		limit := 3e-6*size[i] + 1e-7
		if m != Direct {
			limit = 3e-6 * largest
		}
		if d := math.Abs(float64(vec.Wide(h)) - want[i]); !(d <= limit+math.Abs(want[i])/250) {
			t.Errorf("%s[%d] = %g, want %g (off by %.2g)", what, i, vec.Wide(h), want[i], d)
			return
		}
	}
}

// TestHalfAgainstDefinition tries every way that a level of this processor has.
func TestHalfAgainstDefinition(t *testing.T) {
	pools := []*pool.Pool{pool.New(2), pool.New(1)}
	for _, p := range pools {
		defer p.Close()
	}
	if f, _ := newHalfForward(whole(shapes[2].s), Epilogue{}, Auto, halfKernelsOf(isa.Generic)); f != nil {
		t.Error("there is a plan without instructions for it")
	}
	served := map[string]int{}
	for _, c := range shapes {
		s := whole(c.s)
		t.Run(c.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			x, w, dy, bias := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.yLen()), random(rnd, s.K)
			xs, dys := halves(x), halves(dy)
			halves(w)
			ref := newReference(s, x, w, dy)
			for i := range ref.y {
				ref.y[i] = min(max(ref.y[i]+float64(bias[i%s.K]), -0.5), 0.75)
				ref.ySize[i]++
			}
			for _, m := range []Method{Direct, winograd2, winograd4} {
				k := halfKernelsOf(isa.Best())
				f, errF := newHalfForward(s, Epilogue{Bias: true, Clip: simd.Clip{Lo: -0.5, Hi: 0.75}}, m, k)
				g, errG := newHalfInputGrad(s, m, k)
				v, errV := newHalfWeightGrad(s, m, k)
				if errF != nil || errG != nil || errV != nil {
					t.Fatal(errF, errG, errV)
				}
				for _, p := range pools {
					if f != nil {
						served[f.String()]++
						y := dirtyHalves(len(dy))
						f.Run(p, xs, w, bias, y, dirty(f.ScratchFloats(p.Threads())))
						compareHalves(t, "y", m, y, ref.y, ref.ySize)
					}
					if g != nil {
						served[g.String()]++
						dx := dirtyHalves(len(x))
						g.Run(p, dys, w, dx, dirty(g.ScratchFloats(p.Threads())))
						compareHalves(t, "dx", m, dx, ref.dx, ref.dxSize)
					}
					if v != nil {
						served[v.String()]++
						dw := dirty(len(w))
						v.Run(p, xs, dys, dw, dirty(v.ScratchFloats(p.Threads())))
						compare(t, "dw", m, dw, ref.dw, ref.dwSize)
					}
				}
			}
		})
	}
	t.Log(served)
	if isa.Best() == isa.AVX512 && (served["winograd f4x4"] == 0 || isa.BFloat16(isa.AVX512) && served[pairRows{}.String()] < len(shapes)) {
		t.Errorf("only these were tried: %v", served)
	}
}
