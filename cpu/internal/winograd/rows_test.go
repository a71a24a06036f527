package winograd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// specs are odd on purpose: maps that tiles do not fill, padding that differs
// by side, channels that vectors do not fill.
var specs = []struct {
	name                     string
	n, h, w, c, k            int
	top, bottom, left, right int
}{
	{"1x1 map", 1, 1, 1, 1, 1, 1, 1, 1, 1},
	{"1x1 map of 17", 2, 1, 1, 17, 3, 1, 1, 1, 1},
	{"3x3 map unpadded", 1, 3, 3, 3, 17, 0, 0, 0, 0},
	{"one tile", 1, 4, 4, 16, 16, 1, 1, 1, 1},
	{"4x4 maps", 7, 4, 4, 64, 64, 1, 1, 1, 1},
	{"5x7", 2, 5, 7, 17, 33, 1, 1, 1, 1},
	{"7x7", 3, 7, 7, 64, 64, 1, 1, 1, 1},
	{"wide", 1, 6, 29, 24, 40, 1, 1, 1, 1},
	{"tall", 1, 31, 3, 16, 8, 1, 1, 1, 1},
	{"unpadded", 2, 12, 11, 16, 32, 0, 0, 0, 0},
	{"padded by 2", 2, 9, 10, 3, 20, 2, 2, 2, 2},
	{"top and right", 1, 13, 14, 8, 16, 2, 0, 0, 1},
	{"bottom and left", 1, 13, 14, 40, 1, 0, 1, 2, 0},
	{"many blocks", 3, 33, 30, 32, 16, 1, 1, 1, 1},
	{"deep", 2, 6, 6, 300, 70, 1, 1, 1, 1},
	{"aliasing", 1, 8, 8, 256, 32, 1, 1, 1, 1},
}

// problem is a convolution with its data and, in float64, its results.
type problem struct {
	n, h, w, c, k     int
	oh, ow, top, left int
	stride            int
	x, wt, bias, dy   []float32
	y, dx, dw         []float64
}

func newProblem(r *rand.Rand, n, h, w, c, k, top, bottom, left, right int) *problem {
	return newStrided(r, n, h, w, c, k, top, bottom, left, right, 1)
}

func newStrided(r *rand.Rand, n, h, w, c, k, top, bottom, left, right, stride int) *problem {
	p := &problem{n: n, h: h, w: w, c: c, k: k, oh: (h+top+bottom-3)/stride + 1, ow: (w+left+right-3)/stride + 1, top: top, left: left, stride: stride}
	p.x, p.wt, p.bias = random(r, n*h*w*c), random(r, 9*c*k), random(r, k)
	p.dy = random(r, n*p.oh*p.ow*k)
	p.solve()
	return p
}

// solve makes the results.
func (p *problem) solve() {
	h, w, c, k, top, left := p.h, p.w, p.c, p.k, p.top, p.left
	p.y, p.dx, p.dw = make([]float64, len(p.dy)), make([]float64, len(p.x)), make([]float64, len(p.wt))
	for n := range p.n {
		for oh := range p.oh {
			for ow := range p.ow {
				for a := range 3 {
					for b := range 3 {
						ih, iw := oh*p.stride+a-top, ow*p.stride+b-left
						if ih < 0 || ih >= h || iw < 0 || iw >= w {
							continue
						}
						yi := ((n*p.oh+oh)*p.ow + ow) * k
						xi := ((n*h+ih)*w + iw) * c
						for c := range p.c {
							wi := ((a*3+b)*p.c + c) * k
							for k := range p.k {
								x, g, dy := float64(p.x[xi+c]), float64(p.wt[wi+k]), float64(p.dy[yi+k])
								p.y[yi+k] += x * g
								p.dx[xi+c] += dy * g
								p.dw[wi+k] += dy * x
							}
						}
					}
				}
			}
		}
	}
}

func (p *problem) forward() Spec {
	return Spec{Images: p.n, InH: p.h, InW: p.w, Channels: p.c, OutH: p.oh, OutW: p.ow, Columns: p.k, PadTop: p.top, PadLeft: p.left, Stride: p.stride}
}

func (p *problem) inputGrad() Spec {
	return Spec{Images: p.n, InH: p.oh, InW: p.ow, Channels: p.k, OutH: p.h, OutW: p.w, Columns: p.c, PadTop: 2 - p.top, PadLeft: 2 - p.left, Turned: true, Stride: p.stride}
}

// dirty is scratch memory full of what is not a number, so that reading what
// was not written shows.
func dirty(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(math.NaN())
	}
	return v
}

// compare allows rounding in proportion to the root of the number of terms.
func compare(t *testing.T, what string, got []float32, want []float64, terms int) {
	t.Helper()
	limit := 2e-5 * math.Sqrt(float64(terms))
	for i := range got {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= limit) {
			t.Fatalf("%s[%d] = %g, want %g (off by %.2g, limit %.2g)", what, i, got[i], want[i], d, limit)
		}
	}
}

// eachTile calls f with every size of tile of every level.
func eachTile(t *testing.T, name string, f func(t *testing.T, tile *Tile, k *Kernels, set *simd.Set)) {
	for level := isa.Generic; level <= isa.Best(); level++ {
		k := For(level)
		for _, tile := range []*Tile{&k.F2, &k.F4} {
			t.Run(fmt.Sprintf("%s/%s/F%d", name, level, tile.out), func(t *testing.T) { f(t, tile, k, simd.For(level)) })
		}
	}
}

// scaled is v times a factor.
func scaled(v []float64, by float64) []float64 {
	w := make([]float64, len(v))
	for i := range v {
		w[i] = by * v[i]
	}
	return w
}

func TestRows(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	for _, s := range specs {
		p := newProblem(rand.New(rand.NewPCG(1, 2)), s.n, s.h, s.w, s.c, s.k, s.top, s.bottom, s.left, s.right)
		eachTile(t, s.name, func(t *testing.T, tile *Tile, k *Kernels, set *simd.Set) {
			checkForward(t, workers, p, tile, k, set, 9*p.c)
			checkInputGrad(t, workers, p, tile, k, set, 9*p.k)
		})
	}
}

func TestCols(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	for _, s := range specs {
		p := newProblem(rand.New(rand.NewPCG(3, 4)), s.n, s.h, s.w, s.c, s.k, s.top, s.bottom, s.left, s.right)
		eachTile(t, s.name, func(t *testing.T, tile *Tile, k *Kernels, set *simd.Set) {
			checkWeightGrad(t, workers, p, tile, k, set, p.n*p.oh*p.ow)
		})
	}
}

// checkForward checks the forward convolution in all its forms. Rounding is allowed for
// so many terms.
func checkForward(t *testing.T, workers *pool.Pool, p *problem, tile *Tile, k *Kernels, set *simd.Set, terms int) {
	f := NewRows(p.forward(), simd.Clip{}, tile, k, set)
	scratch := dirty(f.ScratchFloats(2))
	y, told := dirty(len(p.y)), make([]int32, len(p.y))
	f.RunThen(workers, p.x, p.wt, nil, y, scratch, false, &implicit.Then{Told: func(_, at, pixels, n int) {
		for i := range pixels {
			for c := range n {
				atomic.AddInt32(&told[at+i*p.k+c], 1)
			}
		}
	}})
	compare(t, "y", y, p.y, terms)
	if slices.Min(told) != 1 || slices.Max(told) != 1 {
		t.Errorf("told %d to %d times of a value", slices.Min(told), slices.Max(told))
	}
	f.Run(workers, p.x, p.wt, nil, y, scratch, true)
	compare(t, "added y", y, scaled(p.y, 2), 4*terms)

	f.byPanels()
	f.lay()
	panels, scratch := dirty(len(p.y)), dirty(f.ScratchFloats(2))
	f.Run(workers, p.x, p.wt, nil, panels, scratch, false)
	f.Run(workers, p.x, p.wt, nil, panels, scratch, true)
	if !slices.Equal(panels, y) {
		t.Error("panels have another result")
	}

	f = NewRows(p.forward(), simd.Clip{Lo: 0, Hi: 1.5}, tile, k, set)
	f.Run(workers, p.x, p.wt, p.bias, y, dirty(f.ScratchFloats(2)), false)
	clipped := make([]float64, len(y))
	for i, v := range p.y {
		clipped[i] = min(1.5, max(0, v+float64(p.bias[i%p.k])))
	}
	compare(t, "clipped y", y, clipped, terms)
}

// checkInputGrad does so for the input gradient.
func checkInputGrad(t *testing.T, workers *pool.Pool, p *problem, tile *Tile, k *Kernels, set *simd.Set, terms int) {
	g := NewRows(p.inputGrad(), simd.Clip{}, tile, k, set)
	dx := dirty(len(p.dx))
	if tile.form == quartering {
		clear(dx) // pixels between those that are written stay
	}
	scratch := dirty(g.ScratchFloats(2))
	g.Run(workers, p.dy, p.wt, nil, dx, scratch, false)
	compare(t, "dx", dx, p.dx, terms)
	g.Run(workers, p.dy, p.wt, nil, dx, scratch, true)
	compare(t, "added dx", dx, scaled(p.dx, 2), 4*terms)
}

// checkWeightGrad does so for the weight gradient, shared out in several ways.
func checkWeightGrad(t *testing.T, workers *pool.Pool, p *problem, tile *Tile, k *Kernels, set *simd.Set, terms int) {
	for _, way := range []struct{ shares, block, most int }{{}, {shares: 1, block: 5}, {shares: 3, block: 4}, {shares: 2, block: 3, most: 16}} {
		f := NewCols(p.forward(), tile, k, set)
		if way.shares > 0 {
			f.shares, f.block, f.most = min(way.shares, f.tiles), way.block, way.most
			f.apart = way.shares > 1
		}
		dw, scratch := dirty(len(p.dw)), dirty(f.ScratchFloats(2))
		f.Run(workers, p.x, p.dy, dw, scratch, false)
		compare(t, "dw", dw, p.dw, terms)
		f.Run(workers, p.x, p.dy, dw, scratch, true)
		compare(t, "added dw", dw, scaled(p.dw, 2), 4*terms)

		many := pool.New(5)
		again := dirty(len(p.dw))
		f.Run(many, p.x, p.dy, again, dirty(f.ScratchFloats(5)), false)
		f.Run(many, p.x, p.dy, again, dirty(f.ScratchFloats(5)), true)
		many.Close()
		if !slices.Equal(again, dw) {
			t.Error("five threads have another result")
		}
	}
}

// Parts are as small as the threads want them, and that changes no bit.
func TestColsOnThreads(t *testing.T) {
	const n, h, w, c, columns = 7, 16, 16, 96, 160
	p := newProblem(rand.New(rand.NewPCG(5, 6)), n, h, w, c, columns, 1, 1, 1, 1)
	eachTile(t, "threads", func(t *testing.T, tile *Tile, k *Kernels, set *simd.Set) {
		f := NewCols(p.forward(), tile, k, set)
		var want []float32
		parts := map[int]bool{}
		for _, threads := range []int{1, 2, 3, 8} {
			workers := pool.New(threads)
			dw := dirty(len(p.dw))
			f.Run(workers, p.x, p.dy, dw, dirty(f.ScratchFloats(threads)), false)
			workers.Close()
			l := f.cutFor(threads)
			parts[l.parts()] = true
			if want == nil {
				want = dw
				compare(t, "dw", dw, p.dw, n*h*w)
			} else if !slices.Equal(dw, want) {
				t.Errorf("%d threads have another result", threads)
			}
		}
		if f.apart && f.most > 0 && len(parts) < 2 {
			t.Errorf("1 to 8 threads all have %v parts", parts)
		}
		if tile == &k.F4 && f.most == 0 {
			t.Error("F4 has no parts here")
		}
	})
}
