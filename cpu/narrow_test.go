package cpu

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

// many are the operands of a call that have more than one axis, as bfloat16; of
// convolutions, not the weights.
func many(c op.Call) (set op.Operands) {
	for i, s := range c.In {
		if len(s) > 1 && inputType(c, i) == op.Float32 {
			set.In |= 1 << i
		}
	}
	for i, s := range c.Out {
		if len(s) > 1 && resultType(c, i) == op.Float32 && !private(c.Op, i) {
			set.Out |= 1 << i
		}
	}
	switch c.Op.(type) {
	case op.Conv2D, op.Conv2DInputGrad:
		set.In &^= 2
	case op.Conv2DWeightGrad:
		set.Out = 0
	}
	return set
}

// narrowed are operands of which those with more than one axis are rounded to
// bfloat16: weights, too, which some kernels round.
func narrowed(shapes []op.Shape, in [][]float64) [][]float64 {
	var all [][]float64
	for i, x := range in {
		if len(shapes[i]) > 1 {
			rounded := make([]float64, len(x))
			for k, v := range x {
				rounded[k] = float64(vec.Wide(vec.Round(float32(v))))
			}
			x = rounded
		}
		all = append(all, x)
	}
	return all
}

// bindNarrow is bind with the operands that many lists in bfloat16.
func bindNarrow(t testing.TB, d *Device, u use) *bound {
	t.Helper()
	c, err := op.NewCall(u.op, op.Float32, u.shapes...)
	if err != nil {
		t.Fatal(err)
	}
	c.Narrow = many(c)
	return bindCall(t, d, c, narrowed(u.shapes, u.in))
}

// TestNarrowAgainstFloat64 checks operands in bfloat16 against the portable kernels
// in float64 on operands rounded to bfloat16: results in bfloat16 may be off by their
// last bit, others by what sums of products of bfloat16 are.
func TestNarrowAgainstFloat64(t *testing.T) {
	const half, full = 1. / 256, 2e-3
	portable := oracle(t)
	for _, d := range []*Device{oracle(t), newDevice(t, Options{Threads: 2})} {
		everyUse(t, func(t *testing.T, u use) {
			b := bindNarrow(t, d, u)
			if b.call.Narrow.Empty() {
				return
			}
			want := results(t, portable, u.op, op.Float64, u.shapes, narrowed(u.shapes, u.in))
			b.run()
			if o, ok := u.op.(op.Conv2D); ok && o.Moments {
				// What is stored is summed, not what it was before rounding.
				n, ch := columnsOf(b.call.Out[0])
				for k := range ch {
					want[1][k], want[2][k] = momentsIn(b.output(0), n, ch, k)
				}
			}
			if o, ok := u.op.(op.Conv2DInputGrad); ok && o.Norm.On {
				at := 2
				if o.Add {
					at = 3
				}
				want[1], want[2] = normSums(b.output(0), narrowed(u.shapes, u.in)[at:])
			}
			for i := range b.out {
				tolerance := full
				if b.call.Narrow.Result(i) {
					tolerance += half
				}
				if o, ok := u.op.(op.Conv2DInputGrad); ok && o.Add {
					tolerance += half // the addend meets a value that is rounded already
				}
				if i == 0 && b.plan == "winograd f4x4 of bfloat16" {
					if e := deviation(b.output(i), want[i]); !(e < 0.02) {
						t.Errorf("%s: result %d deviates by %.3f of its size", d.Name(), i, e)
					}
					continue
				}
				if worst, at := farthest(b.output(i), want[i]); worst > tolerance && !private(u.op, i) {
					t.Errorf("%s: result %d, element %d: %v, want %v", d.Name(), i, at, b.output(i)[at], want[i][at])
				}
			}
		})
	}
}

// deviation is the root of the mean square of the errors, in parts of that of want: what
// package winograd tells of transforms that are rounded.
func deviation(got, want []float64) float64 {
	var errors, values float64
	for i, w := range want {
		errors += (got[i] - w) * (got[i] - w)
		values += w * w
	}
	return math.Sqrt(errors / values)
}

// momentsIn are the mean and the biased variance of channel k of n rows.
func momentsIn(x []float64, n, ch, k int) (mean, variance float64) {
	for i := range n {
		mean += x[i*ch+k] / float64(n)
	}
	for i := range n {
		variance += (x[i*ch+k] - mean) * (x[i*ch+k] - mean) / float64(n)
	}
	return mean, variance
}

// TestNarrowThreads checks that results have the same bits for any number of threads,
// that a second run has those of the first, and that a run allocates nothing.
func TestNarrowThreads(t *testing.T) {
	devices := []*Device{newDevice(t, Options{Threads: 1}), newDevice(t, Options{Threads: 2}), newDevice(t, Options{Threads: 3})}
	everyUse(t, func(t *testing.T, u use) {
		one := bindNarrow(t, devices[0], u)
		one.run()
		for _, d := range devices[1:] {
			b := bindNarrow(t, d, u)
			if n := testing.AllocsPerRun(1, b.run); n != 0 {
				t.Errorf("a run with %d threads allocates %v times", d.Threads(), n)
			}
			if _, ok := u.op.(op.Mutator); ok {
				continue // the runs have moved its operands on
			}
			for i := range b.out {
				if worst, at := farthest(b.output(i), one.output(i)); worst != 0 && !private(u.op, i) {
					t.Errorf("result %d, element %d: %v with %d threads, %v with one", i, at, b.output(i)[at], d.Threads(), one.output(i)[at])
				}
			}
		}
	})
}

// normSums are dgamma and dbeta of a batch norm, given g and its x, mean and 1/std.
func normSums(g []float64, norm [][]float64) (dgamma, dbeta []float64) {
	x, mean, invStd := norm[0], norm[1], norm[2]
	ch := len(mean)
	dgamma, dbeta = make([]float64, ch), make([]float64, ch)
	for i, v := range g {
		k := i % ch
		dgamma[k] += v * (x[i] - mean[k]) * invStd[k]
		dbeta[k] += v
	}
	return dgamma, dbeta
}
