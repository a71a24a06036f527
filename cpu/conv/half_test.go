package conv

import (
	"fmt"
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

// compareHalves is compare for results that a plan has rounded to bfloat16. One that
// rounds its transforms, too, is held to what package winograd says of that.
func compareHalves(t *testing.T, what string, m Method, plan fmt.Stringer, got []uint16, want, size []float64) {
	t.Helper()
	largest := slices.Max(size)
	for i, h := range got {
		limit := 3e-6*size[i] + 1e-7
		if m != Direct {
			limit = 3e-6 * largest
		}
		if plan.String() == "winograd f4x4 of bfloat16" {
			limit = 0.01 * largest
		}
		if d := math.Abs(float64(vec.Wide(h)) - want[i]); !(d <= limit+math.Abs(want[i])/250) {
			t.Errorf("%s[%d] = %g, want %g (off by %.2g)", what, i, vec.Wide(h), want[i], d)
			return
		}
	}
}

// compareCoarse is compare for weight gradients whose factors' transforms are rounded.
func compareCoarse(t *testing.T, what string, got []float32, want, size []float64) {
	t.Helper()
	limit := 0.01 * slices.Max(size)
	for i, v := range got {
		if d := math.Abs(float64(v) - want[i]); !(d <= limit) {
			t.Errorf("%s[%d] = %g, want %g (off by %.2g, limit %.2g)", what, i, v, want[i], d, limit)
			return
		}
	}
}

func TestHalvesAgainstDefinition(t *testing.T) {
	pools := []*pool.Pool{pool.New(2), pool.New(1)}
	for _, p := range pools {
		defer p.Close()
	}
	served := 0
	for _, c := range shapes {
		s := whole(c.s)
		rnd := rand.New(rand.NewPCG(1, 2))
		x, w, dy, bias := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.yLen()), random(rnd, s.K)
		other := random(rnd, s.xLen())
		xs, dys, others := halves(x), halves(dy), halves(other)
		halves(w)
		ref := newReference(s, x, w, dy)
		for i := range ref.y {
			ref.y[i] = min(max(ref.y[i]+float64(bias[i%s.K]), -0.5), 0.75)
			ref.ySize[i]++
		}
		machines(s, func(m machine) {
			t.Run(c.name+"/"+m.name, func(t *testing.T) {
				f, err := newHalfForward(s, Epilogue{Bias: true, Clip: simd.Clip{Lo: -0.5, Hi: 0.75}}, m.method, m.set)
				if err != nil {
					t.Fatal(err)
				}
				g, err := newHalfInputGrad(s, m.method, m.set)
				if err != nil {
					t.Fatal(err)
				}
				v, err := newHalfWeightGrad(s, m.method, m.set)
				if err != nil {
					t.Fatal(err)
				}
				if f != nil {
					checkThen(t, pools, f.Parts(), s.K, make([]uint16, s.yLen()), func(p *pool.Pool, y []uint16, then *Then) {
						f.RunThen(p, xs, w, bias, y, dirty(f.ScratchFloats(p.Threads())), then)
					})
				}
				if g != nil {
					checkThen(t, pools, g.Parts(), s.C, make([]uint16, s.xLen()), func(p *pool.Pool, dx []uint16, then *Then) {
						g.RunThen(p, dys, w, dx, dirty(g.ScratchFloats(p.Threads())), then)
					})
				}
				for _, p := range pools {
					if v != nil {
						served++
						dw := dirty(len(w))
						v.Run(p, xs, dys, dw, dirty(v.ScratchFloats(p.Threads())))
						if v.String() == "winograd f4x4 of bfloat16" {
							compareCoarse(t, "dw", dw, ref.dw, ref.dwSize)
						} else {
							compare(t, "dw", m.method, dw, ref.dw, ref.dwSize)
						}
					}
					if f != nil {
						served++
						y := dirtyHalves(len(dy))
						f.RunThen(p, xs, w, bias, y, dirty(f.ScratchFloats(p.Threads())), nil)
						compareHalves(t, "y", m.method, f, y, ref.y, ref.ySize)
						n, err := newHalfForward(s, Epilogue{Bias: true, Clip: simd.Clip{Lo: -0.5, Hi: 0.75}, Trained: true}, m.method, m.set)
						if err != nil {
							t.Fatal(err)
						}
						n.RunThen(p, xs, w, bias, y, dirty(n.ScratchFloats(p.Threads())), nil)
						compareHalves(t, "trained y", m.method, n, y, ref.y, ref.ySize)
					}
					if g != nil {
						served++
						dx := dirtyHalves(len(x))
						g.RunThen(p, dys, w, dx, dirty(g.ScratchFloats(p.Threads())), nil)
						compareHalves(t, "dx", m.method, g, dx, ref.dx, ref.dxSize)
						g.Accumulate = true
						more, size := slices.Clone(ref.dx), slices.Clone(ref.dxSize)
						for i, v := range other {
							more[i] += float64(v)
							size[i]++
						}
						copy(dx, others)
						g.RunThen(p, dys, w, dx, dirty(g.ScratchFloats(p.Threads())), nil)
						compareHalves(t, "dx added", m.method, g, dx, more, size)
						g.Accumulate = false
					}
				}
			})
		})
	}
	if served < len(shapes) {
		t.Errorf("only %d plans for %d shapes", served, len(shapes))
	}
}

// TestImagesAgainstDefinition is for float32 images whose values bfloat16 holds exactly.
func TestImagesAgainstDefinition(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	k := kernelsOf(isa.Best())
	if k.pairs == nil {
		t.Skip("this processor does not multiply bfloat16")
	}
	for _, s := range []Shape{
		{N: 1, H: 1, W: 1, C: 1, K: 1, KH: 1, KW: 1},
		{N: 2, H: 32, W: 31, C: 3, K: 16, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1},
		{N: 2, H: 23, W: 30, C: 3, K: 64, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadTop: 3, PadBottom: 3, PadLeft: 3, PadRight: 3},
		{N: 1, H: 28, W: 28, C: 1, K: 6, KH: 5, KW: 5, PadTop: 2, PadBottom: 2, PadLeft: 2, PadRight: 2},
		{N: 3, H: 13, W: 17, C: 4, K: 40, KH: 4, KW: 4, StrideH: 4, StrideW: 4},
		{N: 1, H: 9, W: 14, C: 2, K: 33, KH: 2, KW: 3, StrideH: 3, StrideW: 3, PadTop: 2, PadLeft: 1},
		{N: 1, H: 6, W: 5, C: 3, K: 17, KH: 1, KW: 1, StrideH: 2, StrideW: 1, PadRight: 2},
	} {
		s := whole(s)
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(7, 8))
			x, w, dy, bias := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.yLen()), random(rnd, s.K)
			halves(x)
			halves(w)
			dys := halves(dy)
			ref := newReference(s, x, w, dy)
			for i := range ref.y {
				ref.y[i] = min(max(ref.y[i]+float64(bias[i%s.K]), -0.5), 0.75)
				ref.ySize[i]++
			}
			f, err := newImageForward(s, Epilogue{Bias: true, Clip: simd.Clip{Lo: -0.5, Hi: 0.75}}, k)
			if err != nil {
				t.Fatal(err)
			}
			y := dirtyHalves(len(dy))
			f.RunThen(p, x, w, bias, y, dirty(f.ScratchFloats(2)), nil)
			compareHalves(t, "y", Direct, f, y, ref.y, ref.ySize)
			checkThen(t, []*pool.Pool{p}, f.Parts(), s.K, y, func(p *pool.Pool, y []uint16, then *Then) {
				f.RunThen(p, x, w, bias, y, dirty(f.ScratchFloats(2)), then)
			})
			g, err := newImageWeightGrad(s, k)
			if err != nil {
				t.Fatal(err)
			}
			dw := dirty(len(w))
			g.Run(p, x, dys, dw, dirty(g.ScratchFloats(2)))
			compare(t, "dw", Direct, dw, ref.dw, ref.dwSize)
		})
	}
}
