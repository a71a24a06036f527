package winograd

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// The size of blocks changes no bit of the result, nor does going by panels.
func TestBlocksChangeNoBit(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	for _, s := range []struct{ n, size, c, k int }{{4, 14, 64, 64}, {3, 9, 40, 72}, {2, 4, 256, 256}, {8, 2, 64, 64}} {
		p := newProblem(rand.New(rand.NewPCG(5, 6)), s.n, s.size, s.size, s.c, s.k, 1, 1, 1, 1)
		eachTile(t, "blocks", func(t *testing.T, tile *Tile, k *Kernels, set *simd.Set) {
			var want []float32
			for _, block := range []int{1, 2, 3, 5, 0} {
				f := NewRows(p.forward(), simd.Clip{}, tile, k, set)
				if block > 0 {
					f.blockOf(block * f.kernel.MR)
				} else {
					f.byPanels()
				}
				f.lay()
				y := dirty(len(p.y))
				f.Run(workers, p.x, p.wt, nil, y, dirty(f.ScratchFloats(2)), false)
				compare(t, "y", y, p.y, 9*p.c)
				if want == nil {
					want = y
				}
				if !slices.Equal(y, want) {
					t.Errorf("blocks of %d tiles have another result", f.block)
				}
			}
		})
	}
}
