package vec

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// ulps is the distance of got from want in units of want's last place.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	unit := float64(math.Nextafter32(float32(math.Abs(want)), float32(math.Inf(1)))) - math.Abs(float64(w))
	if unit <= 0 || math.IsInf(unit, 0) {
		unit = math.SmallestNonzeroFloat32
	}
	return math.Abs(float64(got)-want) / unit
}

// sweep is n values over lo..hi.
func sweep(lo, hi float64, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(lo + (hi-lo)*float64(i)/float64(n-1))
	}
	return x
}

func TestExpAndLogUlps(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, c := range []struct {
			name string
			x    []float32
			fast func(y, x []float32)
			want func(float64) float64
		}{
			{"exp", sweep(-103.9, 88.72, 2_000_003), Exp, math.Exp},
			{"exp near 0", sweep(-1e-3, 1e-3, 20_001), Exp, math.Exp},
			{"log", sweep(1e-3, 10, 1_000_003), Log, math.Log},
			{"log near 1", sweep(0.99, 1.01, 100_001), Log, math.Log},
			{"log of small numbers", sweep(1e-45, 1e-36, 100_001), Log, math.Log},
			{"log of large numbers", sweep(10, 3.4e38, 100_001), Log, math.Log},
		} {
			y := make([]float32, len(c.x))
			c.fast(y, c.x)
			worst, at := 0.0, float32(0)
			for i, x := range c.x {
				if u := ulps(y[i], c.want(float64(x))); u > worst {
					worst, at = u, x
				}
			}
			t.Logf("%s: %.2f ulp at %v", c.name, worst, at)
			if worst > 2 {
				t.Errorf("%s: %.2f ulp at %v, want at most 2", c.name, worst, at)
			}
		}
	})
}

// TestActivationsAgainstFloat64 sweeps ±100. Errors are absolute, and where
// values are large relative.
func TestActivationsAgainstFloat64(t *testing.T) {
	type function struct {
		name   string
		fast   func(y, x []float32)
		want   func(y, x []float64)
		limit  float64
		narrow bool // the slope for dy = 1 as a function of the output in 0..1
	}
	ones := func(n int) []float32 {
		y := make([]float32, n)
		Fill(y, 1)
		return y
	}
	grad := func(f func(dx, dy, x []float32)) func(y, x []float32) {
		return func(y, x []float32) { f(y, ones(len(y)), x) }
	}
	grad64 := func(f func(dx, dy, x []float64)) func(y, x []float64) {
		return func(y, x []float64) { f(y, wide(ones(len(y))), x) }
	}
	functions := []function{
		{"sigmoid", Sigmoid, portable.Sigmoid[float64], 1e-7, false},
		{"sigmoid grad", grad(SigmoidGrad), grad64(portable.SigmoidGrad[float64]), 1e-7, true},
		{"tanh", Tanh, portable.Tanh[float64], 2e-7, false},
		{"tanh grad", grad(TanhGrad), grad64(portable.TanhGrad[float64]), 1e-7, true},
		{"silu", func(y, x []float32) { SiLU(y, x, 1) }, func(y, x []float64) { portable.SiLU(y, x, 1) }, 3e-7, false},
		{"silu grad", grad(func(a, b, c []float32) { SiLUGrad(a, b, c, 1) }), grad64(func(a, b, c []float64) { portable.SiLUGrad(a, b, c, 1) }), 5e-7, false},
		{"mish", Mish, portable.Mish[float64], 5e-7, false},
		{"mish grad", grad(MishGrad), grad64(portable.MishGrad[float64]), 5e-7, false},
		{"gelu", GELU, portable.GELU[float64], 1e-6, false},
		{"gelu grad", grad(GELUGrad), grad64(portable.GELUGrad[float64]), 1e-6, false},
		{"gelu tanh", GELUTanh, portable.GELUTanh[float64], 1e-6, false},
		{"gelu tanh grad", grad(GELUTanhGrad), grad64(portable.GELUTanhGrad[float64]), 1e-6, false},
		{"elu", func(y, x []float32) { ELU(y, x, 1, 1, 1) }, func(y, x []float64) { portable.ELU(y, x, 1, 1, 1) }, 1e-7, false},
		{"elu grad", grad(func(a, b, c []float32) { ELUGrad(a, b, c, 1, 1, 1) }), grad64(func(a, b, c []float64) { portable.ELUGrad(a, b, c, 1, 1, 1) }), 2e-7, false},
	}
	eachLevel(t, func(t *testing.T) {
		for _, f := range functions {
			inputs := [][]float32{sweep(-100, 100, 400_001), sweep(-4, 4, 400_001), sweep(-0.01, 0.01, 10_001)}
			if f.narrow {
				inputs = [][]float32{sweep(0, 1, 100_001)}
			}
			worst, at := 0.0, float32(0)
			for _, x := range inputs {
				y, want := make([]float32, len(x)), make([]float64, len(x))
				f.fast(y, x)
				f.want(want, wide(x))
				for i, w := range want {
					if e := math.Abs(float64(y[i])-w) / max(1, math.Abs(w)); !(e <= worst) {
						worst, at = e, x[i]
					}
				}
			}
			t.Logf("%s: error %.2g at %v", f.name, worst, at)
			if !(worst <= f.limit) {
				t.Errorf("%s: error %.3g at %v, want at most %g", f.name, worst, at, f.limit)
			}
		}
	})
}

// TestMishOfOne is the value that the paper's readers quote.
func TestMishOfOne(t *testing.T) {
	y := make([]float32, 1)
	Mish(y, []float32{1})
	if math.Abs(float64(y[0])-0.86509836) > 1e-7 {
		t.Errorf("Mish(1) = %v, want 0.86509836", y[0])
	}
}
