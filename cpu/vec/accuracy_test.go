package vec

import (
	"math"
	"slices"
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

// TestActivationsAgainstFloat64 sweeps ±100 and counts in units of the last place of
// the true result. Where a gradient passes through zero, and where a result is all but
// zero, the unit is that of least. What the tails of GELU's forms lose is the rounding
// of their exponents.
func TestActivationsAgainstFloat64(t *testing.T) {
	const tiny = 0x1p-100
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
	all := slices.Concat(sweep(-100, 100, 400_001), sweep(-10, 10, 400_001), sweep(-0.01, 0.01, 10_001))
	unit, positive := sweep(0, 1, 100_001), slices.Concat(sweep(0, 100, 100_001), sweep(0, 0.01, 10_001))
	tail, body := sweep(-100, -3, 400_001), slices.Concat(sweep(-3, 100, 400_001), sweep(-3, 3, 400_001))
	eachLevel(t, func(t *testing.T) {
		for _, f := range []struct {
			name  string
			fast  func(y, x []float32)
			want  func(y, x []float64)
			x     []float32
			least float64
			limit float64
		}{
			{"sigmoid", Sigmoid, portable.Sigmoid[float64], all, tiny, 4},
			{"sigmoid grad", grad(SigmoidGrad), grad64(portable.SigmoidGrad[float64]), unit, tiny, 4},
			{"tanh", Tanh, portable.Tanh[float64], all, tiny, 4},
			{"tanh grad", grad(TanhGrad), grad64(portable.TanhGrad[float64]), unit, tiny, 4},
			{"softplus", Softplus, portable.Softplus[float64], all, tiny, 4},
			{"softplus grad", grad(SoftplusGrad), grad64(portable.SoftplusGrad[float64]), positive, tiny, 4},
			{"silu", func(y, x []float32) { SiLU(y, x, 1) }, func(y, x []float64) { portable.SiLU(y, x, 1) }, all, tiny, 4},
			{"silu grad, tail", grad(func(a, b, c []float32) { SiLUGrad(a, b, c, 1) }), grad64(func(a, b, c []float64) { portable.SiLUGrad(a, b, c, 1) }), tail, tiny, 7},
			{"silu grad, body", grad(func(a, b, c []float32) { SiLUGrad(a, b, c, 1) }), grad64(func(a, b, c []float64) { portable.SiLUGrad(a, b, c, 1) }), body, 0.5, 4},
			{"quick gelu", func(y, x []float32) { SiLU(y, x, 1.702) }, func(y, x []float64) { portable.SiLU(y, x, float64(float32(1.702))) }, all, tiny, 100},
			{"quick gelu grad, tail", grad(func(a, b, c []float32) { SiLUGrad(a, b, c, 1.702) }), grad64(func(a, b, c []float64) { portable.SiLUGrad(a, b, c, float64(float32(1.702))) }), tail, tiny, 100},
			{"quick gelu grad, body", grad(func(a, b, c []float32) { SiLUGrad(a, b, c, 1.702) }), grad64(func(a, b, c []float64) { portable.SiLUGrad(a, b, c, float64(float32(1.702))) }), body, 0.5, 4},
			{"mish", Mish, portable.Mish[float64], all, tiny, 4},
			{"mish grad, tail", grad(MishGrad), grad64(portable.MishGrad[float64]), tail, tiny, 7},
			{"mish grad, body", grad(MishGrad), grad64(portable.MishGrad[float64]), body, 0.5, 4},
			{"gelu", GELU, portable.GELU[float64], all, tiny, 100},
			{"gelu grad, tail", grad(GELUGrad), grad64(portable.GELUGrad[float64]), tail, tiny, 100},
			{"gelu grad, body", grad(GELUGrad), grad64(portable.GELUGrad[float64]), body, 0.5, 4},
			{"gelu tanh", GELUTanh, portable.GELUTanh[float64], all, tiny, 160},
			{"gelu tanh grad, tail", grad(GELUTanhGrad), grad64(portable.GELUTanhGrad[float64]), tail, tiny, 160},
			{"gelu tanh grad, body", grad(GELUTanhGrad), grad64(portable.GELUTanhGrad[float64]), body, 0.5, 4},
			{"elu", func(y, x []float32) { ELU(y, x, 1, 1, 1) }, func(y, x []float64) { portable.ELU(y, x, 1, 1, 1) }, all, tiny, 4},
			{"elu grad, tail", grad(func(a, b, c []float32) { ELUGrad(a, b, c, 1, 1, 1) }), grad64(func(a, b, c []float64) { portable.ELUGrad(a, b, c, 1, 1, 1) }), tail, tiny, 7},
			{"elu grad, body", grad(func(a, b, c []float32) { ELUGrad(a, b, c, 1, 1, 1) }), grad64(func(a, b, c []float64) { portable.ELUGrad(a, b, c, 1, 1, 1) }), body, 0.5, 4},
			{"hard sigmoid", HardSigmoid, portable.HardSigmoid[float64], all, tiny, 4},
			{"hard sigmoid grad, tail", grad(HardSigmoidGrad), grad64(portable.HardSigmoidGrad[float64]), tail, tiny, 7},
			{"hard sigmoid grad, body", grad(HardSigmoidGrad), grad64(portable.HardSigmoidGrad[float64]), body, 0.5, 4},
			{"hard swish", func(y, x []float32) { HardGate(y, x, -3, 3) }, func(y, x []float64) { portable.HardGate(y, x, -3, 3) }, all, tiny, 4},
			{"hard swish grad, tail", grad(func(a, b, c []float32) { HardGateGrad(a, b, c, -3, 3) }), grad64(func(a, b, c []float64) { portable.HardGateGrad(a, b, c, -3, 3) }), tail, tiny, 7},
			{"hard swish grad, body", grad(func(a, b, c []float32) { HardGateGrad(a, b, c, -3, 3) }), grad64(func(a, b, c []float64) { portable.HardGateGrad(a, b, c, -3, 3) }), body, 0.5, 4},
			{"hard mish", func(y, x []float32) { HardGate(y, x, -2, 0) }, func(y, x []float64) { portable.HardGate(y, x, -2, 0) }, all, tiny, 4},
			{"hard mish grad, tail", grad(func(a, b, c []float32) { HardGateGrad(a, b, c, -2, 0) }), grad64(func(a, b, c []float64) { portable.HardGateGrad(a, b, c, -2, 0) }), tail, tiny, 7},
			{"hard mish grad, body", grad(func(a, b, c []float32) { HardGateGrad(a, b, c, -2, 0) }), grad64(func(a, b, c []float64) { portable.HardGateGrad(a, b, c, -2, 0) }), body, 0.5, 4},
		} {
			worst, at := 0.0, float32(0)
			y, want := make([]float32, len(f.x)), make([]float64, len(f.x))
			f.fast(y, f.x)
			f.want(want, wide(f.x))
			for i, w := range want {
				size := float32(max(f.least, math.Abs(w)))
				unit := float64(math.Nextafter32(size, math.MaxFloat32) - size)
				if e := math.Abs(float64(y[i])-w) / unit; !(e <= worst) {
					worst, at = e, f.x[i]
				}
			}
			t.Logf("%s: %.2f ulp at %v", f.name, worst, at)
			if !(worst <= f.limit) {
				t.Errorf("%s: %.2f ulp at %v, want at most %v", f.name, worst, at, f.limit)
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
