package depthwise

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
)

func random(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 2*r.Float32() - 1
	}
	return v
}

// same compares whole buffers, so that what a kernel should leave alone counts.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		g := got[i]
		if w != w && g != g {
			continue
		}
		if d := math.Abs(float64(g - w)); !(d <= 1e-5) {
			t.Fatalf("%s: [%d] = %g, portable %g", what, i, g, w)
		}
	}
}

// each calls f with the widths of every level above the portable one, each with
// portable kernels of its width.
func each(t *testing.T, f func(t *testing.T, got, want Width)) {
	for level := isa.AVX2; level <= isa.Best(); level++ {
		for _, w := range For(level).Widths {
			t.Run(fmt.Sprintf("%s/%d", level, w.Channels), func(t *testing.T) { f(t, w, goWidth(w.Channels)) })
		}
	}
}

func TestRun(t *testing.T) {
	each(t, func(t *testing.T, got, want Width) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := 1; n <= 27; n++ {
			panels, ntaps := 1+n%3, n%10
			c := panels * got.Channels
			xstep, ystep := c+n%4, c+n%5
			x, w, y, start := random(r, (n+30)*xstep), random(r, 12*c), random(r, n*ystep), random(r, c)
			x[5*xstep] = float32(math.NaN())
			var taps []int
			for range ntaps {
				taps = append(taps, r.IntN(29)*xstep, r.IntN(12)*c)
			}
			taps = append(taps, 0)
			for _, from := range []*float32{&start[0], nil} {
				a, b := append([]float32(nil), y...), append([]float32(nil), y...)
				for _, k := range []struct {
					run RunFunc
					y   []float32
				}{{got.Run, a}, {want.Run, b}} {
					k.run(&x[0], xstep, &w[0], &taps[0], ntaps, from, &k.y[0], ystep, n, panels, -0.75, 0.875, &x[0], n%3, &y[0])
				}
				same(t, fmt.Sprintf("%d values of %d taps", n, ntaps), a, b)
			}
		}
	})
}

func TestGrads(t *testing.T) {
	each(t, func(t *testing.T, got, want Width) {
		r := rand.New(rand.NewPCG(3, 4))
		for ntaps := 1; ntaps <= Most; ntaps++ {
			for n := 1; n <= 19; n += 3 {
				panels, rows := 1+n%3, 1+ntaps%3
				c := panels * got.Channels
				xstep, ystep, xrow, yrow := c+n%4, c+n%5, 7, 5
				x, dy, sums := random(r, (rows*n+rows+10)*(xstep+7)), random(r, rows*(n*ystep+yrow)), random(r, 12*c)
				var taps []int
				for i, p := range r.Perm(12)[:ntaps] {
					taps = append(taps, i*xstep, p*c)
				}
				a, b := append([]float32(nil), sums...), append([]float32(nil), sums...)
				got.Grads[ntaps-1](&x[0], xstep, xrow, &dy[0], ystep, yrow, &taps[0], n, rows, &a[0], panels, &x[0], n%3, &dy[0])
				want.Grads[ntaps-1](&x[0], xstep, xrow, &dy[0], ystep, yrow, &taps[0], n, rows, &b[0], panels, &x[0], n%3, &dy[0])
				same(t, fmt.Sprintf("%d taps of %dx%d values", ntaps, rows, n), a, b)
			}
		}
	})
}

// Every place falls into one run, which knows the taps that the place meets.
func TestRuns(t *testing.T) {
	for places := 1; places <= 12; places++ {
		for _, g := range []struct{ taps, stride, pad, dilation int }{
			{3, 1, 1, 1}, {3, 2, 1, 1}, {3, 3, 0, 1}, {1, 2, 0, 1}, {2, 3, 1, 1}, {5, 1, 4, 2}, {3, 2, 3, 3}, {3, 1, 7, 1}, {2, 1, 0, 5},
		} {
			for size := 1; size <= 12; size++ {
				for _, a := range []Axis{
					Forward(places, size, g.taps, g.stride, g.pad, g.dilation),
					Turned(places, size, g.taps, g.stride, g.pad, g.dilation),
				} {
					met := make([]int, places)
					for _, r := range a.runs() {
						for i := range r.n {
							place := r.first + i*r.step
							met[place]++
							if !alike(r.taps, a.places[place], r.from+i*r.advance) {
								t.Fatalf("%+v, %d places over %d: place %d meets %v, its run %+v", g, places, size, place, a.places[place], r)
							}
						}
					}
					for place, n := range met {
						if n != 1 {
							t.Fatalf("%+v, %d places over %d: place %d is in %d runs", g, places, size, place, n)
						}
					}
				}
			}
		}
	}
}

// A filter with padding makes three runs of a long axis: both borders and what lies
// between them; the phases of a stride are two.
func TestRunsAreLong(t *testing.T) {
	if r := Forward(112, 112, 3, 1, 1, 1).runs(); len(r) != 3 || r[1].n != 110 {
		t.Errorf("stride 1: %+v", r)
	}
	if r := Turned(112, 56, 3, 2, 1, 1).runs(); len(r) != 3 || r[0].n != 56 || r[1].n != 55 || r[1].step != 2 {
		t.Errorf("input gradient of stride 2: %+v", r)
	}
}
