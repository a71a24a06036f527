package winograd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

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
	p := &problem{n: n, h: h, w: w, c: c, k: k, oh: (h-1)/stride + 1, ow: (w-1)/stride + 1, stride: stride}
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
		for level := isa.Generic; level <= isa.Best(); level++ {
			k, set := For(level), simd.For(level)
			t.Run(fmt.Sprintf("%s/%s", s.name, level), func(t *testing.T) {
				checkForward(t, workers, p, &k.Quartered, k, set, 16*p.c)
				checkInputGrad(t, workers, p, &k.Quartered, k, set, 16*p.k)
				checkWeightGrad(t, workers, p, &k.Quartered, k, set, 16*p.n*p.oh*p.ow)
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
