package winograd

import (
	"fmt"
	"math/rand/v2"
	"testing"

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
		for level := isa.Generic; level <= isa.Best(); level++ {
			k, set := For(level), simd.For(level)
			t.Run(fmt.Sprintf("%s/%s", s.name, level), func(t *testing.T) {
				checkForward(t, workers, p, &k.Strided, k, set, 9*p.c)
				checkWeightGrad(t, workers, p, &k.Strided, k, set, p.n*p.oh*p.ow)
				if s.top == 1 && s.left == 1 {
					checkInputGrad(t, workers, p, &k.Turned, k, set, 9*p.k)
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
