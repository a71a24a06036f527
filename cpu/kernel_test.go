package cpu

import (
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
					if !slices.Equal(got, one[i]) {
						t.Errorf("strict=%v: result %d with %d threads differs from that with one", strict, i, d.Threads())
					}
				}
			}
		})
	}
}

// TestFastAgainstPortable checks the kernels that the device prefers.
func TestFastAgainstPortable(t *testing.T) {
	const tolerance = 1e-4
	portable, fast := oracle(t), newDevice(t, Options{})
	everyUse(t, func(t *testing.T, u use) {
		want := results(t, portable, u.op, op.Float32, u.shapes, u.in)
		for i, got := range results(t, fast, u.op, op.Float32, u.shapes, u.in) {
			if worst, at := farthest(got, want[i]); worst > tolerance {
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
			if n := testing.AllocsPerRun(1, b.run); n != 0 {
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
					if got := b.output(k); !slices.Equal(got, want[k]) {
						t.Errorf("strict=%v: result %d differs if result 0 takes the memory of input %d", strict, k, i)
					}
				}
			}
		})
	}
}
