package winograd

import (
	"math/rand/v2"
	"slices"
	"testing"

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

// TestHalf checks that maps in bfloat16 give, bit for bit, what float32 maps of the same
// values give, rounded where it is a map.
func TestHalf(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	for _, s := range specs {
		p := newProblem(rand.New(rand.NewPCG(5, 6)), s.n, s.h, s.w, s.c, s.k, s.top, s.bottom, s.left, s.right)
		x, dy := halves(p.x), halves(p.dy)
		eachTile(t, s.name, func(t *testing.T, tile *Tile, k *Kernels, set *simd.Set) {
			spec, half := p.forward(), p.forward()
			half.Half = true
			clip := simd.Clip{Lo: -0.5, Hi: 1.5}
			f, h := NewRows(spec, clip, tile, k, set), NewRows(half, clip, tile, k, set)
			want, got := dirty(len(p.y)), make([]uint16, len(p.y))
			scratch := dirty(f.ScratchFloats(2))
			f.Run(workers, p.x, p.wt, p.bias, want, scratch, false)
			h.RunHalf(workers, x, p.wt, p.bias, got, scratch, false, nil)
			equal(t, "y", got, want)

			spec, half = p.inputGrad(), p.inputGrad()
			half.Half = true
			f, h = NewRows(spec, simd.Clip{}, tile, k, set), NewRows(half, simd.Clip{}, tile, k, set)
			want, got = dirty(len(p.dx)), make([]uint16, len(p.dx))
			scratch = dirty(f.ScratchFloats(2))
			f.Run(workers, p.dy, p.wt, nil, want, scratch, false)
			h.RunHalf(workers, dy, p.wt, nil, got, scratch, false, nil)
			equal(t, "dx", got, want)
			vec.Widen(want, got)
			f.Run(workers, p.dy, p.wt, nil, want, scratch, true)
			h.RunHalf(workers, dy, p.wt, nil, got, scratch, true, nil)
			equal(t, "dx added", got, want)

			half = p.forward()
			half.Half = true
			c, d := NewCols(p.forward(), tile, k, set), NewCols(half, tile, k, set)
			wantDW, gotDW := dirty(len(p.dw)), dirty(len(p.dw))
			scratch = dirty(c.ScratchFloats(2))
			c.Run(workers, p.x, p.dy, wantDW, scratch, false)
			d.RunHalf(workers, x, dy, gotDW, scratch)
			if !slices.Equal(gotDW, wantDW) {
				t.Error("dw differs")
			}
		})
	}
}

// equal compares with rounded float32.
func equal(t *testing.T, what string, got []uint16, want []float32) {
	t.Helper()
	for i, v := range want {
		if got[i] != vec.Round(v) {
			t.Fatalf("%s[%d] is %g, want %g", what, i, vec.Wide(got[i]), v)
		}
	}
}
