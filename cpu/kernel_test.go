package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

// TestThreads checks that results have the same bits for any number of threads.
func TestThreads(t *testing.T) {
	for _, strict := range []bool{false, true} {
		devices := []*Device{newDevice(t, Options{Threads: 1, Strict: strict}), newDevice(t, Options{Threads: 2, Strict: strict}), newDevice(t, Options{Threads: 3, Strict: strict})}
		everyUse(t, func(t *testing.T, u use) {
			one := results(t, devices[0], u.op, op.Float32, u.shapes, u.in)
			for _, d := range devices[1:] {
				for i, got := range results(t, d, u.op, op.Float32, u.shapes, u.in) {
					if !private(u.op, i) && !slices.Equal(got, one[i]) {
						t.Errorf("strict=%v: result %d with %d threads differs from that with one", strict, i, d.Threads())
					}
				}
			}
		})
	}
}

// TestFastAgainstPortable checks the kernels that the device prefers.
func TestFastAgainstPortable(t *testing.T) {
	portable, fast := oracle(t), newDevice(t, Options{})
	everyUse(t, func(t *testing.T, u use) {
		tolerance := 1e-4
		if bind(t, fast, u.op, op.Float32, u.shapes, u.in).plan == "winograd f4x4 of stride 2" {
			tolerance = 2e-4 // it comes to 1.2e-4 where sums deviate by 8
		}
		want := results(t, portable, u.op, op.Float32, u.shapes, u.in)
		for i, got := range results(t, fast, u.op, op.Float32, u.shapes, u.in) {
			if worst, at := farthest(got, want[i]); worst > tolerance && !private(u.op, i) {
				t.Errorf("result %d, element %d: %v, portable %v", i, at, got[at], want[i][at])
			}
		}
	})
}

// TestRunAllocatesNothing also runs each kernel twice: a kernel must not depend on
// what an earlier run left in the results and in scratch memory.
func TestRunAllocatesNothing(t *testing.T) {
	for _, strict := range []bool{false, true} {
		d := newDevice(t, Options{Threads: 2, Strict: strict})
		everyUse(t, func(t *testing.T, u use) {
			b := bind(t, d, u.op, op.Float32, u.shapes, u.in)
			n := testing.AllocsPerRun(1, b.run)
			if n != 0 { // what earlier tests left is cleaned up meanwhile: that may be all
				n = testing.AllocsPerRun(9, b.run)
			}
			if n != 0 {
				t.Errorf("strict=%v: a run allocates %v times", strict, n)
			}
		})
	}
}

// TestInPlace checks the operations that may write over an input.
func TestInPlace(t *testing.T) {
	for _, strict := range []bool{false, true} {
		d := newDevice(t, Options{Strict: strict})
		everyUse(t, func(t *testing.T, u use) {
			o, ok := u.op.(op.InPlacer)
			if !ok {
				return
			}
			want := results(t, d, u.op, op.Float32, u.shapes, u.in)
			for _, i := range o.InPlace() {
				b := bind(t, d, u.op, op.Float32, u.shapes, u.in)
				if !b.call.In[i].Eq(b.call.Out[0]) {
					continue
				}
				b.out[0] = b.in[i]
				b.rebind(t, d)
				b.run()
				for k := range b.out {
					if got := b.output(k); !private(u.op, k) && !slices.Equal(got, want[k]) {
						t.Errorf("strict=%v: result %d differs if result 0 takes the memory of input %d", strict, k, i)
					}
				}
			}
		})
	}
}

// private tells whether a result's form is the device's own.
func private(o op.Op, result int) bool {
	_, is := o.(op.MaxPool)
	return is && result == 1
}

// pooled runs a MaxPool and its gradient on one device.
func pooled(t testing.TB, d *Device, o op.MaxPool, dt op.DType, shape op.Shape, x, dy []float64) (y, dx []float64) {
	t.Helper()
	forward := bind(t, d, o, dt, []op.Shape{shape}, [][]float64{x})
	forward.run()
	out := forward.call.Out[0]
	grad := bind(t, d, op.MaxPoolGrad{Window: o.Window, H: shape[1], W: shape[2]}, dt, []op.Shape{out, out}, [][]float64{nil, dy})
	grad.in[0] = forward.out[1]
	grad.rebind(t, d)
	if n := testing.AllocsPerRun(1, grad.run); n != 0 {
		t.Errorf("a run of max_pool_grad allocates %v times", n)
	}
	return forward.output(0), grad.output(0)
}

// TestMaxPoolGrad compares pools with equal values and NaN, and their gradients,
// between devices.
func TestMaxPoolGrad(t *testing.T) {
	reference := oracle(t)
	devices := []*Device{newDevice(t, Options{Threads: 2, Strict: true}), newDevice(t, Options{Threads: 1}), newDevice(t, Options{Threads: 2}), newDevice(t, Options{Threads: 3})}
	for _, e := range poolExamples() {
		o, ok := e.op.(op.MaxPool)
		if !ok {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 4))
			x := random(rng, op.Size(e.shapes[0]))
			for i := range x {
				switch rng.IntN(20) {
				case 0:
					x[i] = math.NaN()
				case 1:
					x[i] = math.Inf(-1)
				default:
					x[i] = math.Round(x[i]) // equal values
				}
			}
			c, err := op.NewCall(o, op.Float32, e.shapes...)
			if err != nil {
				t.Fatal(err)
			}
			dy := random(rng, op.Size(c.Out[0]))
			wantY, wantDX := pooled(t, reference, o, op.Float32, e.shapes[0], x, dy)
			for _, d := range devices {
				y, dx := pooled(t, d, o, op.Float32, e.shapes[0], x, dy)
				if worst, at := farthest(y, wantY); worst > 0 {
					t.Errorf("%s: result element %d is %v, want %v", d.Name(), at, y[at], wantY[at])
				}
				if worst, at := farthest(dx, wantDX); worst > 1e-6 {
					t.Errorf("%s: gradient element %d is %v, want %v", d.Name(), at, dx[at], wantDX[at])
				}
			}
		})
	}
}

// TestClipMadeAgain checks that batch norm's gradient finds the same values inside
// the clip whether it reads the result or makes it again, to the last bit: the
// bounds are values that occur.
func TestClipMadeAgain(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, strict := range []bool{false, true} {
		d := newDevice(t, Options{Strict: strict})
		for _, c := range []int{3, 17, 64} {
			x, ch := op.Shape{40, c}, op.Shape{c}
			shapes := []op.Shape{x, ch, ch, ch, ch, {}}
			in := [][]float64{random(rng, 40*c), random(rng, c), random(rng, c), make([]float64, c), make([]float64, c), {0}}
			for i := range in[0] {
				in[0][i] = math.Round(2 * in[0][i])
			}
			free := results(t, d, op.BatchNorm{Eps: 1e-5, Momentum: 0.1}, op.Float32, shapes, in)[0]
			for trial := range 40 {
				lo := free[7*trial%len(free)]
				clip := op.Clip{Lo: lo, Hi: lo + 1}
				out := results(t, d, op.BatchNorm{Eps: 1e-5, Momentum: 0.1, Clip: clip}, op.Float32, shapes, in)
				dy := random(rng, 40*c)
				read := results(t, d, op.BatchNormGrad{Clip: clip, Residual: true}, op.Float32, []op.Shape{x, ch, ch, ch, x, x}, [][]float64{in[0], in[1], out[1], out[2], dy, out[0]})
				again := results(t, d, op.BatchNormGrad{Clip: clip}, op.Float32, []op.Shape{x, ch, ch, ch, x, ch}, [][]float64{in[0], in[1], out[1], out[2], dy, in[2]})
				for i := range read {
					if !slices.Equal(read[i], again[i]) {
						t.Fatalf("strict=%v, %d channels, clip %v: result %d differs", strict, c, clip, i)
					}
				}
			}
		}
	}
}
