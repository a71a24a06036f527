package winograd

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

// off is the deviation of the errors of got, in parts of that of want.
func off(got, want []float64) float64 {
	var errors, values float64
	for i, w := range want {
		errors += (got[i] - w) * (got[i] - w)
		values += w * w
	}
	return math.Sqrt(errors / values)
}

func widened(x []uint16) []float64 {
	v := make([]float64, len(x))
	for i, h := range x {
		v[i] = float64(vec.Wide(h))
	}
	return v
}

// TestPairs checks convolutions whose transforms are rounded, of maps that bfloat16 holds:
// the errors are those of the rounding, are the same on any pool, and adding adds.
func TestPairs(t *testing.T) {
	pairs := simd.PairsFor(isa.Best())
	if pairs == nil {
		t.Skip("this processor does not multiply bfloat16")
	}
	k, set := For(isa.Best()), simd.For(isa.Best())
	pools := []*pool.Pool{pool.New(2), pool.New(3)}
	for _, workers := range pools {
		defer workers.Close()
	}
	for _, s := range []struct{ n, h, w, c, k, top, bottom, left, right int }{
		{1, 4, 4, 16, 16, 1, 1, 1, 1},
		{2, 9, 11, 48, 80, 1, 1, 1, 1},
		{3, 7, 7, 96, 32, 0, 2, 1, 0},
		{5, 14, 13, 64, 112, 1, 1, 1, 1},
		{1, 6, 30, 272, 64, 2, 2, 0, 1},
	} {
		p := newProblem(rand.New(rand.NewPCG(7, 8)), s.n, s.h, s.w, s.c, s.k, s.top, s.bottom, s.left, s.right)
		x, dy := halves(p.x), halves(p.dy)
		p.solve()
		for _, tile := range []*Tile{&k.F2, &k.F4} {
			limit := map[int]float64{2: 0.006, 4: 0.016}[tile.out]
			check := func(what string, spec Spec, src []uint16, want []float64) {
				spec.Half = true
				f := NewPairRows(spec, simd.Clip{}, tile, k, set, pairs)
				var first []uint16
				for _, workers := range pools {
					got, scratch := make([]uint16, len(want)), dirty(f.ScratchFloats(workers.Threads()))
					f.RunHalf(workers, src, p.wt, nil, got, scratch, false, nil)
					if e := off(widened(got), want); !(e < limit) {
						t.Errorf("%+v, F%d: %s is off by %.4f, want at most %.4f", s, tile.out, what, e, limit)
					}
					if first == nil {
						first = slices.Clone(got)
					}
					if !slices.Equal(got, first) {
						t.Errorf("%+v, F%d: %s differs with %d threads", s, tile.out, what, workers.Threads())
					}
					f.RunHalf(workers, src, p.wt, nil, got, scratch, true, nil)
					twice := widened(first)
					for i := range twice {
						twice[i] *= 2
					}
					if e := off(widened(got), twice); !(e < 0.004) {
						t.Errorf("%+v, F%d: added %s is off by %.4f", s, tile.out, what, e)
					}
				}
			}
			check("y", p.forward(), x, p.y)
			check("dx", p.inputGrad(), dy, p.dx)

			spec := p.forward()
			spec.Half = true
			for _, way := range []struct{ shares, block, most int }{{}, {shares: 1, block: 5}, {shares: 3, block: 3}, {shares: 2, block: 4, most: 32}} {
				f := NewPairCols(spec, tile, k, set, pairs)
				if way.shares > 0 {
					f.shares, f.block, f.most = min(way.shares, f.tiles), way.block, way.most
					f.apart = way.shares > 1
				}
				var first []float32
				for _, workers := range pools {
					dw := dirty(len(p.dw))
					f.RunHalf(workers, x, dy, dw, dirty(f.ScratchFloats(workers.Threads())))
					got := make([]float64, len(dw))
					for i, v := range dw {
						got[i] = float64(v)
					}
					if e := off(got, p.dw); !(e < limit) {
						t.Errorf("%+v, F%d, %+v: dw is off by %.4f, want at most %.4f", s, tile.out, way, e, limit)
					}
					if first == nil {
						first = dw
					}
					if !slices.Equal(dw, first) {
						t.Errorf("%+v, F%d: dw differs with %d threads", s, tile.out, workers.Threads())
					}
				}
			}
		}
	}
}

// TestRounding holds what the package's documentation says about it.
func TestRounding(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	p := newProblem(rand.New(rand.NewPCG(9, 10)), 2, 16, 16, 128, 64, 1, 1, 1, 1)
	x := halves(p.x)
	p.solve()
	k, set, pairs := For(isa.Best()), simd.For(isa.Best()), simd.PairsFor(isa.Best())
	for _, c := range []struct {
		tile          *Tile
		single, pairs float64
	}{{&k.F2, 4e-7, 0.005}, {&k.F4, 1.2e-6, 0.0125}} {
		f := NewRows(p.forward(), simd.Clip{}, c.tile, k, set)
		y := make([]float32, len(p.y))
		f.Run(workers, p.x, p.wt, nil, y, dirty(f.ScratchFloats(2)), false)
		e := off(wide(y), p.y)
		t.Logf("F%d: %.2g", c.tile.out, e)
		if !(e < c.single) {
			t.Errorf("F%d is off by %.2g, want less than %.2g", c.tile.out, e, c.single)
		}
		if pairs == nil {
			continue
		}
		spec := p.forward()
		spec.Half = true
		f = NewPairRows(spec, simd.Clip{}, c.tile, k, set, pairs)
		h := make([]uint16, len(p.y))
		f.RunHalf(workers, x, p.wt, nil, h, dirty(f.ScratchFloats(2)), false, nil)
		e = off(widened(h), p.y)
		t.Logf("F%d of bfloat16: %.2g", c.tile.out, e)
		if !(e < c.pairs) {
			t.Errorf("F%d of bfloat16 is off by %.2g, want less than %.2g", c.tile.out, e, c.pairs)
		}
	}
}
