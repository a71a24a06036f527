package conv

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/seed52467199/trainer/cpu/internal/depthwise"
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/simd"
	"github.com/seed52467199/trainer/internal/pool"
)

// shapes are odd on purpose. The zero value of a stride, dilation or group
// count stands for 1.
var shapes = []struct {
	name string
	s    Shape
}{
	{"1x1 map", Shape{N: 1, H: 1, W: 1, C: 1, K: 1, KH: 1, KW: 1}},
	{"3x3 on a 1x1 map", Shape{N: 1, H: 1, W: 1, C: 3, K: 5, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"pointwise", Shape{N: 2, H: 5, W: 7, C: 17, K: 33, KH: 1, KW: 1}},
	{"pointwise wide", Shape{N: 3, H: 4, W: 4, C: 64, K: 64, KH: 1, KW: 1}},
	{"pointwise stride 2", Shape{N: 2, H: 7, W: 8, C: 16, K: 32, KH: 1, KW: 1, StrideH: 2, StrideW: 2}},
	{"pointwise stride 3 and 2", Shape{N: 1, H: 7, W: 8, C: 6, K: 3, KH: 1, KW: 1, StrideH: 3, StrideW: 2}},
	{"pointwise padded", Shape{N: 1, H: 3, W: 4, C: 5, K: 16, KH: 1, KW: 1, PadTop: 1, PadRight: 2}},
	{"pointwise aliasing", Shape{N: 1, H: 3, W: 5, C: 1024, K: 16, KH: 1, KW: 1}},
	{"pointwise of many bands", Shape{N: 6, H: 31, W: 29, C: 56, K: 64, KH: 1, KW: 1}},
	{"pointwise of 72, stride 2", Shape{N: 3, H: 13, W: 9, C: 72, K: 40, KH: 1, KW: 1, StrideH: 2, StrideW: 2}},
	{"pointwise groups of 72", Shape{N: 3, H: 13, W: 9, C: 144, K: 64, KH: 1, KW: 1, Groups: 2}},
	{"linear", Shape{N: 13, H: 1, W: 1, C: 84, K: 10, KH: 1, KW: 1}},
	{"3x3 of 16", Shape{N: 3, H: 8, W: 9, C: 16, K: 16, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"3x3 of 64", Shape{N: 2, H: 7, W: 7, C: 64, K: 64, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"3x3 deep", Shape{N: 2, H: 4, W: 4, C: 200, K: 40, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"3x3 stride 2", Shape{N: 2, H: 9, W: 8, C: 17, K: 20, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"3x3 stride 2 of 64", Shape{N: 2, H: 8, W: 8, C: 64, K: 96, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"3x3 stride 3", Shape{N: 1, H: 10, W: 11, C: 6, K: 7, KH: 3, KW: 3, StrideH: 3, StrideW: 3, PadTop: 1}},
	{"2x2 stride 3", Shape{N: 2, H: 9, W: 10, C: 3, K: 4, KH: 2, KW: 2, StrideH: 3, StrideW: 3}},
	{"stem", Shape{N: 2, H: 23, W: 21, C: 3, K: 64, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadTop: 3, PadBottom: 3, PadLeft: 3, PadRight: 3}},
	{"LeNet stem", Shape{N: 2, H: 12, W: 12, C: 1, K: 6, KH: 5, KW: 5, PadTop: 2, PadBottom: 2, PadLeft: 2, PadRight: 2}},
	{"same padding of TensorFlow", Shape{N: 1, H: 8, W: 6, C: 6, K: 12, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadBottom: 1, PadRight: 1}},
	{"padding larger than the map", Shape{N: 1, H: 2, W: 3, C: 4, K: 9, KH: 3, KW: 5, PadTop: 4, PadBottom: 1, PadLeft: 5, PadRight: 6}},
	{"1x7", Shape{N: 2, H: 5, W: 9, C: 12, K: 16, KH: 1, KW: 7, PadLeft: 3, PadRight: 3}},
	{"7x1", Shape{N: 2, H: 9, W: 5, C: 12, K: 16, KH: 7, KW: 1, PadTop: 3, PadBottom: 3}},
	{"dilation 2", Shape{N: 2, H: 9, W: 9, C: 16, K: 18, KH: 3, KW: 3, DilationH: 2, DilationW: 2, PadTop: 2, PadBottom: 2, PadLeft: 2, PadRight: 2}},
	{"dilation 3 and stride 2", Shape{N: 1, H: 11, W: 10, C: 5, K: 8, KH: 3, KW: 2, DilationH: 3, DilationW: 3, StrideH: 2, StrideW: 2, PadTop: 3, PadLeft: 1}},
	{"dilation 2 and stride 2", Shape{N: 2, H: 9, W: 9, C: 70, K: 16, KH: 3, KW: 3, DilationH: 2, DilationW: 2, StrideH: 2, StrideW: 2, PadTop: 2, PadBottom: 2, PadLeft: 2, PadRight: 2}},
	{"groups", Shape{N: 2, H: 6, W: 5, C: 12, K: 18, KH: 3, KW: 3, Groups: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"groups of 1 to 2, not depthwise in K", Shape{N: 1, H: 6, W: 5, C: 64, K: 32, KH: 3, KW: 3, Groups: 2, StrideH: 2, StrideW: 1, PadTop: 1, PadBottom: 1}},
	{"pointwise groups", Shape{N: 2, H: 6, W: 5, C: 136, K: 40, KH: 1, KW: 1, Groups: 2}},
	{"depthwise", Shape{N: 2, H: 8, W: 7, C: 32, K: 32, KH: 3, KW: 3, Groups: 32, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"depthwise unpadded", Shape{N: 2, H: 8, W: 7, C: 16, K: 16, KH: 3, KW: 3, Groups: 16}},
	{"depthwise of 17", Shape{N: 1, H: 8, W: 7, C: 17, K: 17, KH: 3, KW: 3, Groups: 17, StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"depthwise 5x5 dilated", Shape{N: 2, H: 12, W: 11, C: 24, K: 24, KH: 5, KW: 5, Groups: 24, DilationH: 2, DilationW: 2, PadTop: 4, PadBottom: 4, PadLeft: 4, PadRight: 4}},
	{"depthwise on a 1x1 map", Shape{N: 3, H: 1, W: 1, C: 3, K: 3, KH: 3, KW: 3, Groups: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"depthwise that skips pixels", Shape{N: 2, H: 10, W: 11, C: 20, K: 20, KH: 2, KW: 1, Groups: 20, StrideH: 3, StrideW: 2}},
	{"depthwise of long rows", Shape{N: 1, H: 6, W: 75, C: 33, K: 33, KH: 3, KW: 3, Groups: 33, StrideH: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"depthwise stride 2 of many", Shape{N: 40, H: 7, W: 6, C: 64, K: 64, KH: 3, KW: 3, Groups: 64, StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"depthwise in the padding", Shape{N: 1, H: 2, W: 3, C: 9, K: 9, KH: 3, KW: 3, Groups: 9, PadTop: 5, PadBottom: 1, PadLeft: 3, PadRight: 4}},
	{"depthwise times 3", Shape{N: 2, H: 6, W: 7, C: 10, K: 30, KH: 3, KW: 3, Groups: 10, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"depthwise times 2, stride 2", Shape{N: 1, H: 9, W: 9, C: 8, K: 16, KH: 3, KW: 3, Groups: 8, StrideH: 2, StrideW: 2, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"one channel times 9", Shape{N: 1, H: 9, W: 9, C: 1, K: 9, KH: 3, KW: 3, Groups: 1, PadTop: 1}},
	{"cropped by the padding", Shape{N: 2, H: 9, W: 7, C: 16, K: 16, KH: 3, KW: 3, PadTop: 3, PadBottom: 4, PadLeft: 5, PadRight: 1}},
	{"many bands", Shape{N: 5, H: 33, W: 31, C: 16, K: 16, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"many images a band", Shape{N: 37, H: 4, W: 4, C: 70, K: 34, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"few channels", Shape{N: 3, H: 9, W: 14, C: 3, K: 17, KH: 5, KW: 5, PadLeft: 1, PadBottom: 2}},
	{"few channels out", Shape{N: 3, H: 7, W: 15, C: 20, K: 3, KH: 3, KW: 3, PadTop: 1, PadBottom: 1, PadLeft: 1, PadRight: 1}},
	{"few channels out, stride 2", Shape{N: 2, H: 9, W: 21, C: 5, K: 6, KH: 5, KW: 5, StrideH: 2, StrideW: 2, PadTop: 2, PadBottom: 2, PadLeft: 1, PadRight: 1}},
	{"few channels out, dilated", Shape{N: 2, H: 9, W: 14, C: 3, K: 4, KH: 3, KW: 4, DilationH: 2, DilationW: 2, PadTop: 2, PadBottom: 2, PadLeft: 2}},
	{"few channels, stride 2", Shape{N: 2, H: 11, W: 9, C: 2, K: 24, KH: 5, KW: 4, StrideH: 2, StrideW: 2, PadTop: 2, PadLeft: 2, PadRight: 1}},
}

// whole fills in the ones that a Shape of the table left out.
func whole(s Shape) Shape {
	for _, v := range []*int{&s.StrideH, &s.StrideW, &s.DilationH, &s.DilationW, &s.Groups} {
		*v = max(*v, 1)
	}
	return s
}

func random(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 2*r.Float32() - 1
	}
	return v
}

// reference is the convolution as its definition says, in float64. size is
// the sum of the terms' magnitudes, to which rounding is in proportion.
type reference struct {
	y, dx, dw             []float64
	ySize, dxSize, dwSize []float64
}

func newReference(s Shape, x, w, dy []float32) *reference {
	f := func(n int) []float64 { return make([]float64, n) }
	r := &reference{f(len(dy)), f(len(x)), f(len(w)), f(len(dy)), f(len(x)), f(len(w))}
	cg, kg := s.C/s.Groups, s.K/s.Groups
	add := func(sum, size []float64, i int, v float64) {
		sum[i] += v
		size[i] += math.Abs(v)
	}
	yi := 0
	for n := range s.N {
		for oh := range s.OutH() {
			for ow := range s.OutW() {
				for k := range s.K {
					for kh := range s.KH {
						for kw := range s.KW {
							h := oh*s.StrideH + kh*s.DilationH - s.PadTop
							v := ow*s.StrideW + kw*s.DilationW - s.PadLeft
							if h < 0 || h >= s.H || v < 0 || v >= s.W {
								continue
							}
							for c := range cg {
								xi := ((n*s.H+h)*s.W+v)*s.C + k/kg*cg + c
								wi := ((kh*s.KW+kw)*cg+c)*s.K + k
								add(r.y, r.ySize, yi, float64(x[xi])*float64(w[wi]))
								add(r.dx, r.dxSize, xi, float64(dy[yi])*float64(w[wi]))
								add(r.dw, r.dwSize, wi, float64(dy[yi])*float64(x[xi]))
							}
						}
					}
					yi++
				}
			}
		}
	}
	return r
}

// compare reports the first value further from the truth than float32 sums
// of its size may be. With minimal filtering a tile's largest value decides
// how its others are rounded.
func compare(t *testing.T, what string, m Method, got []float32, want, size []float64) {
	t.Helper()
	largest := slices.Max(size)
	for i := range got {
		limit := 3e-6*size[i] + 1e-7
		if m != Direct {
			limit = 3e-6 * largest
		}
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= limit) {
			t.Errorf("%s[%d] = %g, want %g (off by %.2g)", what, i, got[i], want[i], d)
			return
		}
	}
}

// machine is the kernels to try a plan with, and how to use them.
type machine struct {
	name   string
	set    kernels
	method Method
}

// machines calls f with the kernels of every level that this processor has,
// by every method that can compute s, and with more.
func machines(s Shape, f func(m machine), more ...machine) {
	for l := isa.Generic; l <= isa.Best(); l++ {
		f(machine{l.String(), kernelsOf(l), Direct})
		if s.filtered(1) {
			f(machine{l.String() + "/F2", kernelsOf(l), winograd2})
			f(machine{l.String() + "/F4", kernelsOf(l), winograd4})
		}
		if s.filtered(2) {
			f(machine{l.String() + "/strided", kernelsOf(l), strided})
		}
		if s.quarterable() && s.forwardSpec().Quarterable() {
			f(machine{l.String() + "/quartered", kernelsOf(l), quartered})
		}
		if s.spreads(kernelsOf(l).simd) {
			f(machine{l.String() + "/auto", kernelsOf(l), Auto})
		}
	}
	for _, m := range more {
		f(m)
	}
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

func TestAgainstDefinition(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	for _, c := range shapes {
		s := whole(c.s)
		rnd := rand.New(rand.NewPCG(1, 2))
		x, w, dy := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.yLen())
		ref := newReference(s, x, w, dy)
		machines(s, func(m machine) {
			t.Run(fmt.Sprintf("%s/%s", c.name, m.name), func(t *testing.T) {
				f, err := newForward(s, Epilogue{}, m.method, m.set)
				if err != nil {
					t.Fatal(err)
				}
				y := dirty(len(dy))
				f.Run(p, x, w, nil, y, dirty(f.ScratchFloats(2)))
				compare(t, "y", m.method, y, ref.y, ref.ySize)

				g, err := newInputGrad(s, m.method, m.set)
				if err != nil {
					t.Fatal(err)
				}
				dx := dirty(len(x))
				g.Run(p, dy, w, dx, dirty(g.ScratchFloats(2)))
				compare(t, "dx", m.method, dx, ref.dx, ref.dxSize)

				v, err := newWeightGrad(s, m.method, m.set)
				if err != nil {
					t.Fatal(err)
				}
				dw := dirty(len(w))
				v.Run(p, x, dy, dw, dirty(v.ScratchFloats(2)))
				compare(t, "dw", m.method, dw, ref.dw, ref.dwSize)
			})
		}, machine{"wide", kernels{simd: wide, depthwise: depthwise.For(isa.Generic)}, Direct})
	}
}

// Neighbouring pixels are one where that fills vectors.
func TestPixelsAreJoined(t *testing.T) {
	for _, c := range shapes {
		if !strings.HasPrefix(c.name, "few channels out") && c.name != "LeNet stem" {
			continue
		}
		s := whole(c.s)
		machines(s, func(m machine) {
			if m.method != Auto {
				return
			}
			f, _ := newForward(s, Epilogue{}, m.method, m.set)
			v, _ := newWeightGrad(s, m.method, m.set)
			if _, ok := f.alg.(*joinedRows); !ok {
				t.Errorf("%s, %s: forward by %s", c.name, m.name, f)
			}
			if _, ok := v.alg.(*joinedCols); !ok {
				t.Errorf("%s, %s: the weight gradient by %s", c.name, m.name, v)
			}
		})
	}
}

func TestEpilogue(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	for _, c := range shapes {
		s := whole(c.s)
		rnd := rand.New(rand.NewPCG(3, 4))
		x, w, bias := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.K)
		x[0] = float32(math.NaN()) // must not be hidden by the clip
		machines(s, func(m machine) {
			t.Run(fmt.Sprintf("%s/%s", c.name, m.name), func(t *testing.T) {
				run := func(ep Epilogue) []float32 {
					f, err := newForward(s, ep, m.method, m.set)
					if err != nil {
						t.Fatal(err)
					}
					y := dirty(s.yLen())
					f.Run(p, x, w, bias, y, dirty(f.ScratchFloats(2)))
					return y
				}
				plain, both := run(Epilogue{}), run(Epilogue{Bias: true, Clip: simd.Clip{Lo: -0.5, Hi: 0.75}})
				for i, v := range plain {
					want := min(max(v+bias[i%s.K], -0.5), 0.75)
					same := math.IsNaN(float64(want)) == math.IsNaN(float64(both[i]))
					if !same || math.Abs(float64(want-both[i])) > 1e-4 {
						t.Fatalf("y[%d] = %g with bias and clip, want %g", i, both[i], want)
					}
				}
			})
		})
	}
}

func TestAccumulate(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	for _, c := range shapes {
		s := whole(c.s)
		rnd := rand.New(rand.NewPCG(5, 6))
		x, w, dy := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.yLen())
		machines(s, func(m machine) {
			t.Run(fmt.Sprintf("%s/%s", c.name, m.name), func(t *testing.T) {
				g, _ := newInputGrad(s, m.method, m.set)
				v, _ := newWeightGrad(s, m.method, m.set)
				dx, dw := make([]float32, len(x)), make([]float32, len(w))
				sdx, sdw := dirty(g.ScratchFloats(2)), dirty(v.ScratchFloats(2))
				g.Run(p, dy, w, dx, sdx)
				v.Run(p, x, dy, dw, sdw)
				dx2, dw2 := random(rnd, len(x)), random(rnd, len(w))
				dx0, dw0 := append([]float32(nil), dx2...), append([]float32(nil), dw2...)
				g.Accumulate, v.Accumulate = true, true
				g.Run(p, dy, w, dx2, sdx)
				v.Run(p, x, dy, dw2, sdw)
				near(t, "dx", dx2, dx0, dx)
				near(t, "dw", dw2, dw0, dw)
			})
		})
	}
}

// near checks got = a + b but for rounding.
func near(t *testing.T, what string, got, a, b []float32) {
	t.Helper()
	for i := range got {
		want := float64(a[i]) + float64(b[i])
		if d := math.Abs(float64(got[i]) - want); !(d <= 1e-4*(1+math.Abs(want))) {
			t.Fatalf("%s[%d] = %g, want %g", what, i, got[i], want)
		}
	}
}

func TestSameBitsOnAnyPool(t *testing.T) {
	pools := []*pool.Pool{pool.New(1), pool.New(2), pool.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	for _, c := range shapes {
		s := whole(c.s)
		rnd := rand.New(rand.NewPCG(7, 8))
		x, w, dy := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.yLen())
		machines(s, func(m machine) {
			t.Run(fmt.Sprintf("%s/%s", c.name, m.name), func(t *testing.T) {
				f, _ := newForward(s, Epilogue{}, m.method, m.set)
				g, _ := newInputGrad(s, m.method, m.set)
				v, _ := newWeightGrad(s, m.method, m.set)
				var first []float32
				for _, p := range pools {
					n := p.Threads()
					all := dirty(len(dy) + len(x) + len(w))
					f.Run(p, x, w, nil, all[:len(dy)], dirty(f.ScratchFloats(n)))
					g.Run(p, dy, w, all[len(dy):][:len(x)], dirty(g.ScratchFloats(n)))
					v.Run(p, x, dy, all[len(dy)+len(x):], dirty(v.ScratchFloats(n)))
					if first == nil {
						first = all
						continue
					}
					for i := range all {
						if math.Float32bits(all[i]) != math.Float32bits(first[i]) {
							t.Fatalf("value %d is %g with %d threads, %g with 1", i, all[i], n, first[i])
						}
					}
				}
			})
		})
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	for _, c := range shapes {
		s := whole(c.s)
		x, w, y := make([]float32, s.xLen()), make([]float32, s.wLen()), make([]float32, s.yLen())
		f, _ := NewForward(s, Epilogue{}, Auto)
		g, _ := NewInputGrad(s, Auto)
		v, _ := NewWeightGrad(s, Auto)
		scratch := make([]float32, max(f.ScratchFloats(2), g.ScratchFloats(2), v.ScratchFloats(2)))
		if n := testing.AllocsPerRun(5, func() {
			f.Run(p, x, w, nil, y, scratch)
			g.Run(p, y, w, x, scratch)
			v.Run(p, x, y, w, scratch)
		}); n != 0 {
			t.Errorf("%s: a forward and backward pass allocates %v times", c.name, n)
		}
	}
}

func TestValidate(t *testing.T) {
	ok := whole(Shape{N: 1, H: 5, W: 5, C: 4, K: 6, KH: 3, KW: 3})
	for _, c := range []struct {
		change func(*Shape)
		want   string
	}{
		{func(s *Shape) { s.N = 0 }, "convolution: N is 0; it must be at least 1"},
		{func(s *Shape) { s.StrideW = 0 }, "convolution: StrideW is 0; it must be at least 1"},
		{func(s *Shape) { s.PadLeft = -1 }, "convolution: PadLeft is -1; it must be at least 0"},
		{func(s *Shape) { s.Groups = 3 }, "convolution: 4 input channels do not divide into 3 groups"},
		{func(s *Shape) { s.Groups = 4 }, "convolution: 6 output channels do not divide into 4 groups"},
		{func(s *Shape) { s.KH = 6 }, "convolution: 5 rows with padding are fewer than the 6 that a filter spans"},
		{func(s *Shape) { s.DilationW = 3 }, "convolution: 5 columns with padding are fewer than the 7 that a filter spans"},
	} {
		s := ok
		c.change(&s)
		if err := s.Validate(); err == nil || err.Error() != c.want {
			t.Errorf("Validate of %+v: %v; want %s", s, err, c.want)
		}
		if _, err := NewForward(s, Epilogue{}, Auto); err == nil {
			t.Errorf("NewForward accepts %+v", s)
		}
		if _, err := NewInputGrad(s, Auto); err == nil {
			t.Errorf("NewInputGrad accepts %+v", s)
		}
		if _, err := NewWeightGrad(s, Auto); err == nil {
			t.Errorf("NewWeightGrad accepts %+v", s)
		}
	}
	if err := ok.Validate(); err != nil {
		t.Error(err)
	}
	if got := ok.FLOPs(); got != 2*9*6*9*4 {
		t.Errorf("FLOPs = %d", got)
	}
}

func TestShortMemoryIsRefused(t *testing.T) {
	p := pool.New(1)
	s := whole(Shape{N: 1, H: 4, W: 4, C: 4, K: 4, KH: 3, KW: 3})
	f, _ := NewForward(s, Epilogue{}, Auto)
	defer func() {
		if recover() == nil {
			t.Error("Run takes a y that is too short")
		}
	}()
	f.Run(p, make([]float32, 64), make([]float32, 144), nil, make([]float32, 15), make([]float32, f.ScratchFloats(1)))
}

// told is what a plan told of one part and channel, in order.
type told struct{ part, channel int }

type piece struct{ at, pixels, n int }

// bytesOf is the memory of x.
func bytesOf[E float32 | uint16](x []E) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(x[0])))
}

// TestThen checks that plans tell of every value once, when it is ready, and the
// same on any pool.
func TestThen(t *testing.T) {
	pools := []*pool.Pool{pool.New(1), pool.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	for _, c := range shapes {
		s := whole(c.s)
		rnd := rand.New(rand.NewPCG(9, 10))
		x, w, dy := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.yLen())
		machines(s, func(m machine) {
			t.Run(fmt.Sprintf("%s/%s", c.name, m.name), func(t *testing.T) {
				f, err := newForward(s, Epilogue{}, m.method, m.set)
				if err != nil {
					t.Fatal(err)
				}
				checkThen(t, pools, f.Parts(), s.K, make([]float32, s.yLen()), func(p *pool.Pool, y []float32, then *Then) {
					f.RunThen(p, x, w, nil, y, dirty(f.ScratchFloats(p.Threads())), then)
				})
				g, err := newInputGrad(s, m.method, m.set)
				if err != nil {
					t.Fatal(err)
				}
				g.Accumulate = true
				checkThen(t, pools, g.Parts(), s.C, make([]float32, s.xLen()), func(p *pool.Pool, dx []float32, then *Then) {
					g.RunThen(p, dy, w, dx, dirty(g.ScratchFloats(p.Threads())), then)
				})
			})
		}, machine{"wide", kernels{simd: wide, depthwise: depthwise.For(isa.Generic)}, Direct})
	}
}

func checkThen[E float32 | uint16](t *testing.T, pools []*pool.Pool, parts, channels int, y []E, run func(p *pool.Pool, y []E, then *Then)) {
	t.Helper()
	if parts == 0 {
		return
	}
	var first map[told][]piece
	for _, p := range pools {
		clear(y)
		var mu sync.Mutex
		all, seen, ready := map[told][]piece{}, make([]int, len(y)), make([]E, len(y))
		run(p, y, &Then{Beside: [][]byte{bytesOf(y)}, Told: func(part, at, pixels, n int) {
			mu.Lock()
			defer mu.Unlock()
			if part < 0 || part >= parts {
				t.Errorf("part %d of %d", part, parts)
			}
			key := told{part, at % channels}
			all[key] = append(all[key], piece{at, pixels, n})
			for i := range pixels {
				for k := at + i*channels; k < at+i*channels+n; k++ {
					seen[k]++
					ready[k] = y[k]
				}
			}
		}})
		for i := range y {
			if seen[i] != 1 || ready[i] != y[i] {
				t.Fatalf("element %d: told of %d times, as %v; it is %v", i, seen[i], ready[i], y[i])
			}
		}
		if first == nil {
			first = all
		}
		if !maps.EqualFunc(all, first, slices.Equal) {
			t.Errorf("what is told differs with %d threads", p.Threads())
		}
	}
}

// TestWide checks outputs among other channels, which must stay as they are.
func TestWide(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	for _, c := range shapes {
		s := whole(c.s)
		rnd := rand.New(rand.NewPCG(11, 12))
		x, w, bias := random(rnd, s.xLen()), random(rnd, s.wLen()), random(rnd, s.K)
		machines(s, func(m machine) {
			t.Run(fmt.Sprintf("%s/%s", c.name, m.name), func(t *testing.T) {
				run := func(ep Epilogue) []float32 {
					ep.Bias = true
					f, err := newForward(s, ep, m.method, m.set)
					if err != nil {
						t.Fatal(err)
					}
					y := make([]float32, s.yLen()/s.K*ep.pixel(s))
					for i := range y {
						y[i] = 7
					}
					f.Run(p, x, w, bias, y, dirty(f.ScratchFloats(2)))
					return y
				}
				plain, wide := run(Epilogue{}), run(Epilogue{Wide: s.K + 21, Start: 5})
				for i, v := range wide {
					pixel, k := i/(s.K+21), i%(s.K+21)-5
					want := float32(7)
					if k >= 0 && k < s.K {
						want = plain[pixel*s.K+k]
					}
					if math.Abs(float64(v-want)) > 1e-5 { // the way of computing may differ
						t.Fatalf("channel %d of pixel %d is %g, want %g", k, pixel, v, want)
					}
				}
			})
		}, machine{"wide", kernels{simd: wide, depthwise: depthwise.For(isa.Generic)}, Direct})
	}
	if _, err := NewForward(whole(shapes[0].s), Epilogue{Wide: 3, Start: 3}, Auto); err == nil {
		t.Error("channels beyond the pixel are not refused")
	}
}
