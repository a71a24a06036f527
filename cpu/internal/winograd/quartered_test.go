package winograd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu/internal/implicit"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// pointwise are odd on purpose, as far as quarters allow.
var pointwise = []struct {
	name                  string
	n, h, w, c, k, stride int
}{
	{"one tile", 2, 1, 1, 2, 2, 1},
	{"odd pixels of two images", 2, 3, 5, 34, 70, 1},
	{"even pixels of one", 1, 3, 6, 6, 130, 1},
	{"many blocks", 6, 20, 19, 96, 64, 1},
	{"few tiles", 2, 3, 3, 512, 256, 1},
	{"aliasing", 2, 8, 8, 512, 64, 1},
	{"stride 2", 2, 8, 8, 32, 64, 2},
	{"stride 2 of odd maps", 4, 7, 9, 34, 30, 2},
	{"stride 3 of a row", 2, 1, 10, 64, 32, 3},
	{"one row left", 2, 1, 2, 64, 32, 2},
}

// newPointwise is a convolution with filters of one pixel.
func newPointwise(r *rand.Rand, n, h, w, c, k, stride int) *problem {
	p := &problem{n: n, h: h, w: w, c: c, k: k, oh: (h-1)/stride + 1, ow: (w-1)/stride + 1}
	p.x, p.wt, p.bias = random(r, n*h*w*c), random(r, c*k), random(r, k)
	p.dy = random(r, n*p.oh*p.ow*k)
	p.y, p.dx, p.dw = make([]float64, len(p.dy)), make([]float64, len(p.x)), make([]float64, len(p.wt))
	for i := range n * p.oh * p.ow {
		image, row, col := i/(p.oh*p.ow), i/p.ow%p.oh*stride, i%p.ow*stride
		xi := ((image*h+row)*w + col) * c
		for c := range c {
			for n := range k {
				x, g, dy := float64(p.x[xi+c]), float64(p.wt[c*k+n]), float64(p.dy[i*k+n])
				p.y[i*k+n] += x * g
				p.dx[xi+c] += dy * g
				p.dw[c*k+n] += dy * x
			}
		}
	}
	return p
}

func TestQuartered(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	for _, s := range pointwise {
		p := newPointwise(rand.New(rand.NewPCG(1, 2)), s.n, s.h, s.w, s.c, s.k, s.stride)
		forward, gradient := p.forward(), p.inputGrad()
		forward.Stride, gradient.Stride = s.stride, s.stride
		for level := isa.Generic; level <= isa.Best(); level++ {
			k, set := For(level), simd.For(level)
			t.Run(fmt.Sprintf("%s/%s", s.name, level), func(t *testing.T) {
				f := NewRows(forward, simd.Clip{}, &k.Quartered, k, set)
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
				compare(t, "y", y, p.y, 16*p.c)
				if slices.Min(told) != 1 || slices.Max(told) != 1 {
					t.Errorf("told %d to %d times of a value", slices.Min(told), slices.Max(told))
				}

				f.Run(workers, p.x, p.wt, nil, y, scratch, true)
				compare(t, "added y", y, scaled(p.y, 2), 64*p.c)

				f.byPanels()
				f.lay()
				panels, scratch := dirty(len(p.y)), dirty(f.ScratchFloats(2))
				f.Run(workers, p.x, p.wt, nil, panels, scratch, false)
				f.Run(workers, p.x, p.wt, nil, panels, scratch, true)
				if !slices.Equal(panels, y) {
					t.Error("panels have another result")
				}

				f = NewRows(forward, simd.Clip{Lo: 0, Hi: 1.5}, &k.Quartered, k, set)
				f.Run(workers, p.x, p.wt, p.bias, y, dirty(f.ScratchFloats(2)), false)
				clipped := make([]float64, len(y))
				for i, v := range p.y {
					clipped[i] = min(1.5, max(0, v+float64(p.bias[i%p.k])))
				}
				compare(t, "clipped y", y, clipped, 16*p.c)

				g := NewRows(gradient, simd.Clip{}, &k.Quartered, k, set)
				dx := make([]float32, len(p.dx))
				g.Run(workers, p.dy, p.wt, nil, dx, dirty(g.ScratchFloats(2)), false)
				compare(t, "dx", dx, p.dx, 16*p.k)

				for _, way := range []struct{ shares, block, most int }{{}, {shares: 1, block: 5}, {shares: 3, block: 4}, {shares: 2, block: 3, most: 16}} {
					f := NewCols(forward, &k.Quartered, k, set)
					if way.shares > 0 {
						f.shares, f.block, f.most = min(way.shares, f.tiles), way.block, way.most
						f.apart = way.shares > 1
					}
					dw, scratch := dirty(len(p.dw)), dirty(f.ScratchFloats(2))
					f.Run(workers, p.x, p.dy, dw, scratch, false)
					compare(t, "dw", dw, p.dw, 16*p.n*p.oh*p.ow)
					f.Run(workers, p.x, p.dy, dw, scratch, true)
					compare(t, "added dw", dw, scaled(p.dw, 2), 64*p.n*p.oh*p.ow)
				}
			})
		}
	}
}

// TestQuarteredRounding holds what the package's documentation says about it.
func TestQuarteredRounding(t *testing.T) {
	workers := pool.New(2)
	defer workers.Close()
	p := newPointwise(rand.New(rand.NewPCG(9, 10)), 2, 16, 16, 1024, 256, 1)
	k, set := For(isa.Best()), simd.For(isa.Best())
	f := NewRows(p.forward(), simd.Clip{}, &k.Quartered, k, set)
	y := make([]float32, len(p.y))
	f.Run(workers, p.x, p.wt, nil, y, dirty(f.ScratchFloats(2)), false)
	direct := make([]float64, len(y))
	for i := range direct {
		var sum float32
		for c := range p.c {
			sum = float32(math.FMA(float64(p.x[i/p.k*p.c+c]), float64(p.wt[c*p.k+i%p.k]), float64(sum)))
		}
		direct[i] = float64(sum)
	}
	e, d := off(wide(y), p.y), off(direct, p.y)
	t.Logf("quartered: %.2g, direct: %.2g", e, d)
	if !(e < 1.2e-6 && d > 5e-7) {
		t.Errorf("quartered is off by %.2g, want less than 1.2e-06; direct by %.2g, want more than 5e-07", e, d)
	}
}
