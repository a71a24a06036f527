package cpu

import (
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

var nan, inf = math.NaN(), math.Inf(1)

// TestValues checks results that are easy to see, with both kinds of kernels.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		op     op.Op
		shapes []op.Shape
		in     [][]float64
		want   []float64
	}{
		{op.Add{}, []op.Shape{{2, 2}, {2}}, [][]float64{{1, 2, 3, 4}, {10, 20}}, []float64{11, 22, 13, 24}},
		{op.Add{}, []op.Shape{{2, 1}, {3}}, [][]float64{{1, 2}, {10, 20, 30}}, []float64{11, 21, 31, 12, 22, 32}},
		{op.Add{Clip: op.ReLU.Clip()}, []op.Shape{{2, 2}, {}}, [][]float64{{1, 2, 3, nan}, {-2}}, []float64{0, 0, 1, nan}},
		{op.Add{Clip: op.ReLU.Clip()}, []op.Shape{{3}, {3}}, [][]float64{{1, -2, nan}, {1, 1, 1}}, []float64{2, 0, nan}},
		{op.Mul{}, []op.Shape{{2, 2, 2}, {2, 1, 2}}, [][]float64{{1, 2, 3, 4, 5, 6, 7, 8}, {1, 10, 2, 20}}, []float64{1, 20, 3, 40, 10, 120, 14, 160}},
		{op.Mul{}, []op.Shape{{2, 2, 1}, {2, 2, 2}}, [][]float64{{1, 2, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8}}, []float64{1, 2, 6, 8, 15, 18, 28, 32}},
		{op.Scale{Factor: -2}, []op.Shape{{3}}, [][]float64{{1, -2, 0.5}}, []float64{-2, 4, -1}},
		{op.SumTo{Shape: op.Shape{2, 1}}, []op.Shape{{2, 3}}, [][]float64{{1, 2, 3, 4, 5, 6}}, []float64{6, 15}},
		{op.SumTo{Shape: op.Shape{3}}, []op.Shape{{2, 3}}, [][]float64{{1, 2, 3, 4, 5, 6}}, []float64{5, 7, 9}},
		{op.SumTo{Shape: op.Shape{1, 2, 1}}, []op.Shape{{2, 2, 2}}, [][]float64{{1, 2, 3, 4, 5, 6, 7, 8}}, []float64{14, 22}},
		{op.BroadcastTo{Shape: op.Shape{2, 3}}, []op.Shape{{2, 1}}, [][]float64{{1, 2}}, []float64{1, 1, 1, 2, 2, 2}},
		{op.MaxToGrad{}, []op.Shape{{3, 4}, {3, 1}, {3, 1}}, [][]float64{{1, 5, 2, 5, 7, 7, 7, 1, 4, 3, 2, 1}, {5, 7, 4}, {6, 6, 6}}, []float64{0, 3, 0, 3, 2, 2, 2, 0, 6, 0, 0, 0}},
		{op.ColumnSum{}, []op.Shape{{2, 1, 2}}, [][]float64{{1, 2, 3, 4}}, []float64{4, 6}},
		{op.Mean{}, []op.Shape{{2, 2}}, [][]float64{{1, 2, 3, 6}}, []float64{3}},
		{op.SquaredNorm{}, []op.Shape{{3}}, [][]float64{{1, -2, 3}}, []float64{14}},
		{op.Reshape{To: op.Shape{3, 2}}, []op.Shape{{2, 3}}, [][]float64{{1, 2, 3, 4, 5, 6}}, []float64{1, 2, 3, 4, 5, 6}},
		{op.Copy{}, []op.Shape{{2}}, [][]float64{{1, 2}}, []float64{1, 2}},
		{op.Concat{Axis: 1}, []op.Shape{{2, 1}, {2, 2}}, [][]float64{{1, 2}, {3, 4, 5, 6}}, []float64{1, 3, 4, 2, 5, 6}},
		{op.Concat{}, []op.Shape{{1, 2}, {2, 2}}, [][]float64{{1, 2}, {3, 4, 5, 6}}, []float64{1, 2, 3, 4, 5, 6}},
		{op.Slice{Axis: 1, Start: 1, End: 3}, []op.Shape{{2, 4}}, [][]float64{{1, 2, 3, 4, 5, 6, 7, 8}}, []float64{2, 3, 6, 7}},
		{op.Slice{Axis: 1, End: 4, Stride: 3}, []op.Shape{{2, 4}}, [][]float64{{1, 2, 3, 4, 5, 6, 7, 8}}, []float64{1, 4, 5, 8}},
		{op.SliceGrad{Slice: op.Slice{Axis: 1, Start: 1, End: 4, Stride: 2}, Size: 4}, []op.Shape{{2, 2}}, [][]float64{{1, 2, 3, 4}}, []float64{0, 1, 0, 2, 0, 3, 0, 4}},
		{op.EMAUpdate{}, []op.Shape{{2}, {2}, {1}}, [][]float64{{1, 2}, {3, 6}, {0.75}}, []float64{1.5, 3}},
		{op.Accumulate{}, []op.Shape{{2}, {2}}, [][]float64{{1, 2}, {3, 6}}, []float64{4, 8}},
		{op.Dropout{}, []op.Shape{{2}}, [][]float64{{1, 2}}, []float64{1, 2}},
		{op.Bernoulli{}, []op.Shape{{3}}, [][]float64{{0, 1, 0}}, []float64{0, 1, 0}},

		// Losses with a wrong label, and at the ends of the range.
		{op.CrossEntropy{}, []op.Shape{{1, 2}, {1}}, [][]float64{{0, 0}, {2}}, []float64{nan}},
		{op.CrossEntropy{}, []op.Shape{{1, 2}, {1}}, [][]float64{{0, 0}, {-1}}, []float64{nan}},
		{op.CrossEntropy{}, []op.Shape{{1, 2}, {1}}, [][]float64{{0, 0}, {0.5}}, []float64{nan}},
		{op.CrossEntropy{}, []op.Shape{{1, 2}, {1}}, [][]float64{{0, 0}, {nan}}, []float64{nan}},
		{op.CrossEntropy{}, []op.Shape{{2, 2}, {2}}, [][]float64{{1e4, -1e4, 1e4, -1e4}, {0, 1}}, []float64{1e4}},
		{op.CrossEntropy{}, []op.Shape{{1, 3}, {1}}, [][]float64{{0, math.Inf(-1), 0}, {0}}, []float64{math.Ln2}},
		{op.BCEWithLogits{}, []op.Shape{{1, 3}, {1, 3}}, [][]float64{{1e4, -1e4, 1e4}, {1, 0, 0}}, []float64{1e4 / 3}},
		{op.Softmax{}, []op.Shape{{2, 2}}, [][]float64{{1e4, 1e4, -1e4, 1e4}}, []float64{0.5, 0.5, 0, 1}},

		// A single element in a channel, and a channel that is constant.
		{op.BatchNorm{Eps: 0.25, Momentum: 0.5}, []op.Shape{{1, 1}, {1}, {1}, {1}, {1}, {}}, [][]float64{{7}, {3}, {2}, {1}, {1}, {0}}, []float64{2, 7, 2, 4, 0.5, 1}},
		{op.BatchNorm{Eps: 0.25, Momentum: 0.5}, []op.Shape{{2, 1}, {1}, {1}, {1}, {1}, {}}, [][]float64{{1e4, 1e4}, {3}, {2}, {0}, {1}, {8}}, []float64{2, 2, 1e4, 2, 5e3, 0.5, 9}},
		// PyTorch stores the unbiased variance, here 2.
		{op.BatchNorm{Momentum: 0.5}, []op.Shape{{2, 1}, {1}, {1}, {1}, {1}, {}}, [][]float64{{3, 5}, {1}, {0}, {0}, {1}, {8}}, []float64{-1, 1, 4, 1, 2, 1.5, 9}},
	} {
		for _, d := range []*Device{oracle(t), newDevice(t, Options{})} {
			for _, dt := range []op.DType{op.Float32, op.Float64} {
				var got []float64
				for i, r := range results(t, d, c.op, dt, c.shapes, c.in) {
					if _, loss := c.op.(op.CrossEntropy); loss && i > 0 {
						break
					}
					if _, loss := c.op.(op.BCEWithLogits); loss && i > 0 {
						break
					}
					got = append(got, r...)
				}
				if worst, _ := farthest(got, c.want); worst > 1e-6 {
					t.Errorf("%s: %s%+v of %v is %v, want %v", d.Name(), c.op.Kind(), c.op, c.in, got, c.want)
				}
			}
		}
	}
}

// TestWrongLabelSpoilsItsRowAlone checks the gradient beside a wrong label.
func TestWrongLabelSpoilsItsRowAlone(t *testing.T) {
	want := []float64{-0.25, 0.25, nan, nan}
	for _, d := range []*Device{oracle(t), newDevice(t, Options{})} {
		out := results(t, d, op.CrossEntropy{}, op.Float32, []op.Shape{{2, 2}, {2}}, [][]float64{{0, 0, 0, 0}, {0, 9}})
		if worst, _ := farthest(out[1], want); worst > 1e-6 {
			t.Errorf("%s: gradient %v, want %v", d.Name(), out[1], want)
		}
	}
}

// TestActivationEnds compares the activations far from zero: values with their
// limits, gradients of the fast kernels with those of the portable ones.
func TestActivationEnds(t *testing.T) {
	points := []float64{nan, -1e30, -1e4, -100, -88, -20, -1e-20, 0, 1e-20, 20, 88, 100, 1e4, inf, -inf, 1e30}
	below := map[op.Act]float64{op.LeakyReLU: 0.5 * -1e30, op.ELU: -0.5, op.CELU: -0.5, op.SELU: -seluScale * seluAlpha, op.Tanh: -1, op.HardTanh: -1}
	above := map[op.Act]float64{op.ReLU6: 6, op.SELU: seluScale * 1e30, op.Sigmoid: 1, op.Tanh: 1, op.HardSigmoid: 1, op.HardTanh: 1}
	n := op.Shape{len(points)}
	ones := make([]float64, len(points))
	for i := range ones {
		ones[i] = 1
	}
	portable, fast := oracle(t), newDevice(t, Options{})
	for _, f := range op.Acts {
		t.Run(string(f), func(t *testing.T) {
			o := op.Activation{Func: f, Alpha: 0.5}
			y := results(t, portable, o, op.Float32, []op.Shape{n}, [][]float64{points})[0]
			last := len(y) - 1
			top, ok := above[f]
			if !ok {
				top = 1e30
			}
			if !math.IsNaN(y[0]) || far(y[1], below[f]) > 1e-6 || far(y[last], top) > 1e-6 {
				t.Errorf("at NaN, -1e30 and 1e30: %v, %v and %v, want NaN, %v and %v", y[0], y[1], y[last], below[f], top)
			}
			got := results(t, fast, o, op.Float32, []op.Shape{n}, [][]float64{points})[0]
			if worst, at := farthest(got, y); worst > 1e-5 {
				t.Errorf("fast kernel at %v: %v, portable %v", points[at], got[at], y[at])
			}
			saved := points
			if o.FromOutput() {
				saved = y
			}
			in := [][]float64{saved[1:], ones[1:]}
			shapes := []op.Shape{{last}, {last}}
			grad := op.ActivationGrad{Func: f, Alpha: 0.5}
			want := results(t, portable, grad, op.Float32, shapes, in)[0]
			got = results(t, fast, grad, op.Float32, shapes, in)[0]
			if f == op.ReLU { // whether an infinite result was clipped at infinity has no answer
				i := slices.Index(points, inf) - 1
				got[i] = want[i]
			}
			if worst, at := farthest(got, want); !(worst <= 1e-5) || math.IsNaN(want[at]) {
				t.Errorf("gradient of the fast kernel at %v: %v, portable %v", points[at+1], got[at], want[at])
			}
		})
	}
}

// TestBatchNormFarFromZero checks that a large mean does not swallow a small
// variance.
func TestBatchNormFarFromZero(t *testing.T) {
	const n, mean = 4096, 1000
	x := make([]float64, n)
	for i := range x {
		x[i] = mean + float64(i%2)*0.5 // standard deviation 1/4
	}
	for _, d := range []*Device{oracle(t), newDevice(t, Options{})} {
		out := results(t, d, op.BatchNorm{Momentum: 1}, op.Float32, []op.Shape{{n, 1}, {1}, {1}, {1}, {1}, {}}, [][]float64{x, {1}, {0}, {0}, {0}, {0}})
		for i, want := range []float64{-1, 1} {
			if far(out[0][i], want) > 1e-3 {
				t.Errorf("%s: normalised value %v, want %v", d.Name(), out[0][i], want)
			}
		}
		if far(out[4][0], 1.0/16*n/(n-1)) > 1e-6 {
			t.Errorf("%s: running variance %v, want 1/16", d.Name(), out[4][0])
		}
	}
}

// TestMasks checks how much is dropped, and on what the choice depends.
func TestMasks(t *testing.T) {
	const n, p = 100000, 0.3
	d := newDevice(t, Options{})
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	for _, c := range []struct {
		op    func(stream uint64) op.Op
		shape op.Shape
	}{
		{func(s uint64) op.Op { return op.Dropout{P: p, Stream: s} }, op.Shape{n}},
		{func(s uint64) op.Op { return op.DropPath{P: p, Stream: s} }, op.Shape{n / 4, 4}},
	} {
		mask := func(seed, stream, draw uint64) []float64 {
			b := bind(t, d, c.op(stream), op.Float64, []op.Shape{c.shape}, [][]float64{ones})
			*b.ctx = op.Context{Seed: seed, Draw: draw}
			b.run()
			return b.output(0)
		}
		base := mask(1, 1, 1)
		each := n / c.shape[0]
		kept := 0.0
		for i, v := range base {
			if v != base[i/each*each] || v != 0 && far(v, 1/(1-p)) > 1e-12 {
				t.Fatalf("%s: element %d is %v", c.op(1).Kind(), i, v)
			}
			if v != 0 {
				kept++
			}
		}
		// Five standard deviations.
		if got, slack := kept/n, 5*math.Sqrt(p*(1-p)/float64(c.shape[0])); math.Abs(got-(1-p)) > slack {
			t.Errorf("%s: %v are kept, want %v within %v", c.op(1).Kind(), got, 1-p, slack)
		}
		if worst, _ := farthest(mask(1, 1, 1), base); worst != 0 {
			t.Errorf("%s: the same seed, stream and draw give another mask", c.op(1).Kind())
		}
		for _, other := range [][]float64{mask(2, 1, 1), mask(1, 2, 1), mask(1, 1, 2)} {
			same := 0.0
			for i := range other {
				if other[i] == base[i] {
					same++
				}
			}
			want := p*p + (1-p)*(1-p)
			if got, slack := same/n, 5*math.Sqrt(want*(1-want)/float64(c.shape[0])); math.Abs(got-want) > slack {
				t.Errorf("%s: another seed, stream or draw gives %v equal elements, want %v within %v", c.op(1).Kind(), got, want, slack)
			}
		}
	}
}

// TestLossesStayFinite checks losses and gradients far from zero, for targets that the
// network meets and for ones that it misses.
func TestLossesStayFinite(t *testing.T) {
	logits := []float64{1e4, -1e4, 0, -1e4, 1e4, 40, 300, 300, -300, -20, 0, 20}
	target := []float64{1, 0, 0, 1, 0, 0, 0.5, 0, 0.5, 0, 0, 1}
	for _, o := range []op.Op{
		op.BCEWithLogits{Weight: []float64{1, 2, 3}, PosWeight: []float64{3, 2, 1}},
		op.SigmoidFocal{Alpha: 0.25, Gamma: 2}, op.SigmoidFocal{Alpha: -1, Gamma: 0.5}, op.SoftmaxFocal{Gamma: 2}, op.SoftmaxFocal{Gamma: 0.5},
		op.Asymmetric{GammaPos: 1, GammaNeg: 4, Clip: 0.05}, op.Asymmetric{GammaPos: 0.5, GammaNeg: 0.5},
		op.SoftmaxAsymmetric{GammaPos: 1, GammaNeg: 4}, op.SoftmaxAsymmetric{GammaPos: 0.5, GammaNeg: 0.5, Smoothing: 0.1},
		op.JensenShannon{Splits: 2}, op.MAE{}, op.Huber{Delta: 1},
	} {
		shapes, in := []op.Shape{{4, 3}, {4, 3}}, [][]float64{logits, target}
		if _, alone := o.(op.JensenShannon); alone {
			shapes, in = shapes[:1], in[:1]
		}
		for _, dt := range []op.DType{op.Float32, op.Float64} {
			for _, r := range results(t, oracle(t), o, dt, shapes, in) {
				for _, v := range r {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Errorf("%s%+v in %v: %v", o.Kind(), o, dt, r)
						break
					}
				}
			}
		}
	}
}

// TestBernoulli checks how often a draw is 1, and on what it depends.
func TestBernoulli(t *testing.T) {
	const n = 100000
	d := newDevice(t, Options{})
	for _, p := range []float64{0, 0.2, 0.9, 1} {
		probabilities := make([]float64, n)
		for i := range probabilities {
			probabilities[i] = p
		}
		draws := func(seed, stream, draw uint64) []float64 {
			b := bind(t, d, op.Bernoulli{Stream: stream}, op.Float32, []op.Shape{{n}}, [][]float64{probabilities})
			*b.ctx = op.Context{Seed: seed, Draw: draw}
			b.run()
			return b.output(0)
		}
		base, sum := draws(1, 1, 1), 0.0
		for _, v := range base {
			if v != 0 && v != 1 {
				t.Fatalf("a draw is %v", v)
			}
			sum += v
		}
		if slack := 5 * math.Sqrt(p*(1-p)/n); math.Abs(sum/n-p) > slack {
			t.Errorf("%v are 1, want %v within %v", sum/n, p, slack)
		}
		if worst, _ := farthest(draws(1, 1, 1), base); worst != 0 {
			t.Error("the same seed, stream and draw give others")
		}
		for _, other := range [][]float64{draws(2, 1, 1), draws(1, 2, 1), draws(1, 1, 2)} {
			same := 0.0
			for i := range other {
				if other[i] == base[i] {
					same++
				}
			}
			want := p*p + (1-p)*(1-p)
			if slack := 5 * math.Sqrt(want*(1-want)/n); math.Abs(same/n-want) > slack {
				t.Errorf("another seed, stream or draw gives %v equal elements, want %v within %v", same/n, want, slack)
			}
		}
	}
}

// TestHugeRegions pools regions far larger than the map, whose samples cannot all be looked
// at: what lies on a map of ones is what counts.
func TestHugeRegions(t *testing.T) {
	const side = 3e15
	o := op.RoIAlign{PooledH: 1, PooledW: 3, Scale: 1, Aligned: true}
	x := make([]float64, 4*6)
	for i := range x {
		x[i] = 1
	}
	y := results(t, oracle(t), o, op.Float64, []op.Shape{{1, 4, 6, 1}, {1, 5}}, [][]float64{x, {0, -side, -side, side, side}})[0]
	// A sample a pixel, from a pixel before the map to one behind it.
	for i, want := range []float64{0, 6 * 8 / (2 * side * 2 * side / 3), 0} {
		if math.Abs(y[i]-want) > 1e-6*want {
			t.Errorf("bin %d is %v, want %v", i, y[i], want)
		}
	}
}
