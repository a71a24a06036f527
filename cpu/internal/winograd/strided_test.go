package winograd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

func TestStrided(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	for _, s := range []struct {
		name                                    string
		n, h, w, c, k, top, bottom, left, right int
	}{
		{"1x1 map", 1, 1, 1, 1, 1, 1, 1, 1, 1},
		{"one tile", 1, 8, 8, 16, 16, 1, 1, 1, 1},
		{"odd", 2, 13, 10, 17, 33, 1, 1, 1, 1},
		{"wide", 1, 6, 29, 24, 40, 1, 0, 1, 0},
		{"tall", 3, 31, 3, 16, 8, 1, 1, 1, 1},
		{"many blocks", 3, 41, 39, 32, 16, 1, 1, 1, 1},
		{"few tiles", 2, 6, 7, 256, 256, 1, 1, 1, 1},
		{"padded below", 2, 12, 14, 20, 24, 0, 1, 0, 1},
		{"unpadded", 1, 11, 9, 8, 40, 0, 0, 0, 0},
		{"padded by 2", 1, 11, 9, 8, 40, 2, 2, 2, 2},
	} {
		p := newStrided(rand.New(rand.NewPCG(1, 2)), s.n, s.h, s.w, s.c, s.k, s.top, s.bottom, s.left, s.right, 2)
		forward, gradient := p.forward(), p.inputGrad()
		forward.Stride, gradient.Stride = 2, 2
		for level := isa.Generic; level <= isa.Best(); level++ {
			k, set := For(level), simd.For(level)
			t.Run(fmt.Sprintf("%s/%s", s.name, level), func(t *testing.T) {
				f := NewRows(forward, simd.Clip{}, &k.Strided, k, set)
				scratch := dirty(f.ScratchFloats(2))
				y := dirty(len(p.y))
				told := make([]int, len(y))
				f.RunThen(workers, p.x, p.wt, nil, y, scratch, false, &implicit.Then{Told: func(part, at, pixels, n int) {
					for i := range pixels {
						for c := range n {
							told[at+i*p.k+c]++
						}
					}
				}})
				compare(t, "y", y, p.y, 9*p.c)
				if slices.Min(told) != 1 || slices.Max(told) != 1 {
					t.Errorf("told %d to %d times of a value", slices.Min(told), slices.Max(told))
				}
				f.Run(workers, p.x, p.wt, nil, y, scratch, true)
				compare(t, "added y", y, scaled(p.y, 2), 4*9*p.c)

				f.byPanels()
				f.lay()
				panels, scratch := dirty(len(p.y)), dirty(f.ScratchFloats(2))
				f.Run(workers, p.x, p.wt, nil, panels, scratch, false)
				f.Run(workers, p.x, p.wt, nil, panels, scratch, true)
				if !slices.Equal(panels, y) {
					t.Error("panels have another result")
				}

				f = NewRows(forward, simd.Clip{Lo: 0, Hi: 1.5}, &k.Strided, k, set)
				f.Run(workers, p.x, p.wt, p.bias, y, dirty(f.ScratchFloats(2)), false)
				clipped := make([]float64, len(y))
				for i, v := range p.y {
					clipped[i] = min(1.5, max(0, v+float64(p.bias[i%p.k])))
				}
				compare(t, "clipped y", y, clipped, 9*p.c)

				if s.top == 1 && s.left == 1 {
					g := NewRows(gradient, simd.Clip{}, &k.Turned, k, set)
					dx := dirty(len(p.dx))
					scratch := dirty(g.ScratchFloats(2))
					g.Run(workers, p.dy, p.wt, nil, dx, scratch, false)
					compare(t, "dx", dx, p.dx, 9*p.k)
					g.Run(workers, p.dy, p.wt, nil, dx, scratch, true)
					compare(t, "added dx", dx, scaled(p.dx, 2), 4*9*p.k)
				}

				for _, way := range []struct{ shares, block, most int }{{}, {shares: 1, block: 5}, {shares: 3, block: 4}, {shares: 2, block: 3, most: 16}} {
					f := NewCols(forward, &k.Strided, k, set)
					if way.shares > 0 {
						f.shares, f.block, f.most = min(way.shares, f.tiles), way.block, way.most
						f.apart = way.shares > 1
					}
					dw, scratch := dirty(len(p.dw)), dirty(f.ScratchFloats(2))
					f.Run(workers, p.x, p.dy, dw, scratch, false)
					compare(t, "dw", dw, p.dw, p.n*p.oh*p.ow)
					f.Run(workers, p.x, p.dy, dw, scratch, true)
					compare(t, "added dw", dw, scaled(p.dw, 2), 4*p.n*p.oh*p.ow)
				}
			})
		}
	}
}

// TestStridedRounding holds what the package's documentation says about it.
func TestStridedRounding(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	p := newStrided(rand.New(rand.NewPCG(9, 10)), 2, 32, 32, 128, 64, 1, 1, 1, 1, 2)
	k, set := For(isa.Best()), simd.For(isa.Best())
	f := NewRows(p.forward(), simd.Clip{}, &k.Strided, k, set)
	y := make([]float32, len(p.y))
	f.Run(workers, p.x, p.wt, nil, y, dirty(f.ScratchFloats(2)), false)
	e := off(wide(y), p.y)
	t.Logf("of stride 2: %.2g", e)
	if !(e < 1.6e-6) {
		t.Errorf("off by %.2g, want less than 1.6e-06", e)
	}
}

// wide is v in float64.
func wide(v []float32) []float64 {
	w := make([]float64, len(v))
	for i := range v {
		w[i] = float64(v[i])
	}
	return w
}
