package simd_test

import (
	"fmt"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// BenchmarkPeak runs every Rows micro-kernel of the active level from the
// first-level cache, on one thread and on all. The fastest is within 3% of
// what multiply-adds alone reach: the peak, of which a layer's speed is a
// share.
func BenchmarkPeak(b *testing.B) {
	for _, threads := range []int{1, 0} {
		p := pool.New(threads)
		for _, k := range simd.For(isa.Active()).Rows {
			b.Run(fmt.Sprintf("%dx%d_threads=%d", k.MR, k.NR, p.Threads()), func(b *testing.B) {
				t := newTiles(k, p.Threads())
				for b.Loop() {
					p.Run(p.Threads(), t)
				}
				flops := 2 * k.MR * k.NR * depth * repeat * p.Threads()
				b.ReportMetric(float64(flops)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GF/s")
			})
		}
		p.Close()
	}
}

const (
	depth  = 192
	repeat = 100
)

// tiles is the same tile computed again and again, for every worker its own.
type tiles struct {
	kernel  simd.Rows
	a, b, c [][]float32
	rowA    []int
	rowC    []int
}

func newTiles(k simd.Rows, threads int) *tiles {
	t := &tiles{kernel: k}
	for range threads {
		t.a = append(t.a, make([]float32, k.MR*(depth+16)))
		t.b = append(t.b, make([]float32, k.NR*depth))
		t.c = append(t.c, make([]float32, k.NR*k.MR))
	}
	for range repeat {
		for i := range k.MR {
			t.rowA = append(t.rowA, i*(depth+16))
			t.rowC = append(t.rowC, i*k.NR)
		}
	}
	return t
}

func (t *tiles) Do(_, i int) {
	tap := 0
	start := &t.b[i][0] // any NR values: sums that go on from c would wait for the tile before
	t.kernel.Run(&t.a[i][0], &t.rowA[0], &t.rowC[0], repeat, &tap, 1, depth, &t.b[i][0], &t.c[i][0], start, 0, 1)
}
