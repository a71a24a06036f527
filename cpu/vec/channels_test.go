package vec

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

var channelCounts = []int{1, 2, 3, 5, 10, 16, 17, 24, 63, 64, 65, 100, 512, 1030, 2048}

func rowCounts(c int) []int {
	counts := []int{0, 1, 2, 3, 7, 33}
	if testing.Short() {
		return counts
	}
	switch c {
	case 1, 3, 16, 17, 64:
		counts = append(counts, BlockRows(c)-1, 2*BlockRows(c)+5)
	}
	return counts
}

// A rows kernel works on tensors (rows, C) with channel values (C): it writes
// the first tensors and adds to sums.
type rowsKernel struct {
	name                    string
	outs, tensors, channels int
	sums                    int
	fast                    func(sums [][]float64, x, c [][]float32)
	want                    func(sums [][]float64, x, c [][]float64)
}

// The limits of the kernels that have some.
const lo, hi = -0.5, 0.75

var inf = math.Inf(1)

var rowsKernels = []rowsKernel{
	{"AddBias", 1, 2, 1, 0, func(_ [][]float64, x, c [][]float32) { AddBias(x[0], x[1], c[0]) },
		func(_ [][]float64, x, c [][]float64) { portable.AddBias(x[0], x[1], c[0]) }},
	{"ScaleChannels", 1, 2, 1, 0, func(_ [][]float64, x, c [][]float32) { ScaleChannels(x[0], x[1], c[0]) },
		func(_ [][]float64, x, c [][]float64) { portable.ScaleChannels(x[0], x[1], c[0]) }},
	{"ChannelSum", 0, 1, 0, 1, func(s [][]float64, x, _ [][]float32) { ChannelSum(s[0], x[0]) },
		func(s [][]float64, x, _ [][]float64) { portable.ChannelSum(s[0], x[0]) }},
	{"PReLU", 1, 2, 1, 0, func(_ [][]float64, x, c [][]float32) { PReLU(x[0], x[1], c[0]) },
		func(_ [][]float64, x, c [][]float64) { portable.PReLU(x[0], x[1], c[0]) }},
	{"PReLUGrad", 1, 3, 1, 1, func(s [][]float64, x, c [][]float32) { PReLUGrad(s[0], x[0], x[1], x[2], c[0]) },
		func(s [][]float64, x, c [][]float64) { portable.PReLUGrad(s[0], x[0], x[1], x[2], c[0]) }},
	{"ChannelDot", 0, 2, 0, 1, func(s [][]float64, x, _ [][]float32) { ChannelDot(s[0], x[0], x[1]) },
		func(s [][]float64, x, _ [][]float64) { portable.ChannelDot(s[0], x[0], x[1]) }},
	{"ChannelMoments", 0, 1, 0, 2, func(s [][]float64, x, _ [][]float32) { ChannelMoments(s[0], s[1], x[0]) },
		func(s [][]float64, x, _ [][]float64) { portable.ChannelMoments(s[0], s[1], x[0]) }},
	{"Normalize", 1, 2, 2, 0, func(_ [][]float64, x, c [][]float32) { Normalize(x[0], x[1], c[0], c[1], lo, hi) },
		func(_ [][]float64, x, c [][]float64) { portable.Normalize(x[0], x[1], c[0], c[1], lo, hi) }},
	{"Normalize unbounded", 1, 2, 2, 0, func(_ [][]float64, x, c [][]float32) { Normalize(x[0], x[1], c[0], c[1], float32(-inf), float32(inf)) },
		func(_ [][]float64, x, c [][]float64) { portable.Normalize(x[0], x[1], c[0], c[1], -inf, inf) }},
	{"NormalizeAdd", 1, 3, 2, 0, func(_ [][]float64, x, c [][]float32) { NormalizeAdd(x[0], x[1], x[2], c[0], c[1], lo, hi) },
		func(_ [][]float64, x, c [][]float64) { portable.NormalizeAdd(x[0], x[1], x[2], c[0], c[1], lo, hi) }},
	{"GradMoments", 0, 2, 1, 2, func(s [][]float64, x, c [][]float32) { GradMoments(s[0], s[1], x[0], x[1], c[0]) },
		func(s [][]float64, x, c [][]float64) { portable.GradMoments(s[0], s[1], x[0], x[1], c[0]) }},
	{"GradMomentsClip", 0, 2, 3, 2, func(s [][]float64, x, c [][]float32) {
		GradMomentsClip(s[0], s[1], x[0], x[1], c[0], c[1], c[2], lo, hi)
	},
		func(s [][]float64, x, c [][]float64) {
			portable.GradMomentsClip(s[0], s[1], x[0], x[1], c[0], c[1], c[2], lo, hi)
		}},
	{"GradMomentsMasked", 0, 3, 1, 2, func(s [][]float64, x, c [][]float32) {
		GradMomentsMasked(s[0], s[1], nil, x[0], x[1], x[2], c[0], lo, hi)
	},
		func(s [][]float64, x, c [][]float64) {
			portable.GradMomentsMasked(s[0], s[1], nil, x[0], x[1], x[2], c[0], lo, hi)
		}},
	{"GradMomentsMasked stored", 1, 4, 1, 2, func(s [][]float64, x, c [][]float32) {
		GradMomentsMasked(s[0], s[1], x[0], x[1], x[2], x[3], c[0], lo, hi)
	},
		func(s [][]float64, x, c [][]float64) {
			portable.GradMomentsMasked(s[0], s[1], x[0], x[1], x[2], x[3], c[0], lo, hi)
		}},
	{"NormalizeGrad", 1, 3, 3, 0, func(_ [][]float64, x, c [][]float32) { NormalizeGrad(x[0], x[1], x[2], c[0], c[1], c[2]) },
		func(_ [][]float64, x, c [][]float64) { portable.NormalizeGrad(x[0], x[1], x[2], c[0], c[1], c[2]) }},
	{"NormalizeGradClip", 1, 3, 5, 0, func(_ [][]float64, x, c [][]float32) {
		NormalizeGradClip(x[0], x[1], x[2], c[0], c[1], c[2], c[3], c[4], lo, hi)
	},
		func(_ [][]float64, x, c [][]float64) {
			portable.NormalizeGradClip(x[0], x[1], x[2], c[0], c[1], c[2], c[3], c[4], lo, hi)
		}},
	{"NormalizeGradMasked", 1, 4, 3, 0, func(_ [][]float64, x, c [][]float32) {
		NormalizeGradMasked(x[0], x[1], x[2], x[3], c[0], c[1], c[2], lo, hi)
	},
		func(_ [][]float64, x, c [][]float64) {
			portable.NormalizeGradMasked(x[0], x[1], x[2], x[3], c[0], c[1], c[2], lo, hi)
		}},
}

func TestRowsKernels(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, k := range rowsKernels {
			t.Run(k.name, func(t *testing.T) {
				for _, c := range channelCounts {
					for _, rows := range rowCounts(c) {
						k.test(t, rows, c)
					}
				}
			})
		}
	})
}

func (k rowsKernel) test(t *testing.T, rows, c int) {
	t.Helper()
	r := newRand()
	what := title(k.name, " rows ", rows, " channels ", c, " ")
	var fences []*fence
	make1 := func(n, i int) []float32 {
		f, x := fenced(n, i)
		random(r, x)
		fences = append(fences, f)
		return x
	}
	var x, channel [][]float32
	var x64, channel64 [][]float64
	for i := range k.tensors {
		x = append(x, make1(rows*c, i+1))
		x64 = append(x64, wide(x[i]))
	}
	for i := range k.channels {
		channel = append(channel, make1(c, i))
		channel64 = append(channel64, wide(channel[i]))
	}
	var sums, sums64 [][]float64
	for range k.sums {
		s := make([]float64, c)
		for i := range s {
			s[i] = r.NormFloat64()
		}
		sums, sums64 = append(sums, s), append(sums64, append([]float64{}, s...))
	}
	k.fast(sums, x, channel)
	k.want(sums64, x64, channel64)
	for i := range x {
		compare(t, what, x[i], x64[i], 5e-6)
	}
	for i := range sums {
		// The terms cancel: the error is that of the sum of their sizes.
		compare(t, what, sums[i], sums64[i], 3e-6*float64(rows+1))
	}
	for _, f := range fences {
		f.check(t, what)
	}
}

// TestSplitAtBlocks sums range by range and demands the bits of one call.
func TestSplitAtBlocks(t *testing.T) {
	for _, c := range []int{1, 3, 17, 64, 1030} {
		rows := 3*BlockRows(c) + 7
		x := make([]float32, rows*c)
		random(newRand(), x)
		whole, parts := make([]float64, 2*c), make([]float64, 2*c)
		ChannelMoments(whole[:c], whole[c:], x)
		cut := 2 * BlockRows(c) * c
		ChannelMoments(parts[:c], parts[c:], x[:cut])
		ChannelMoments(parts[:c], parts[c:], x[cut:])
		compare(t, title("channels ", c), parts, whole, 0)
	}
}

// TestVarianceFarFromZero is the variance of a million values with mean 100
// and standard deviation 1.
func TestVarianceFarFromZero(t *testing.T) {
	for _, c := range []int{1, 3, 64} {
		const n = 1_000_000
		x := make([]float32, n/c*c)
		r := newRand()
		for i := range x {
			x[i] = float32(100 + r.NormFloat64())
		}
		rows := float64(len(x) / c)
		sum, squares := make([]float64, c), make([]float64, c)
		ChannelMoments(sum, squares, x)
		for j := range c {
			var mean, variance float64
			for i := j; i < len(x); i += c {
				mean += float64(x[i]) / rows
			}
			for i := j; i < len(x); i += c {
				d := float64(x[i]) - mean
				variance += d * d / rows
			}
			m := sum[j] / rows
			if v := squares[j]/rows - m*m; math.Abs(v/variance-1) > 1e-5 || math.Abs(m-mean) > 1e-6 {
				t.Errorf("channel %d of %d: mean %v, variance %v; want %v, %v", j, c, m, v, mean, variance)
			}
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	const c = 17
	x, y, z := make([]float32, 33*c), make([]float32, 33*c), make([]float32, 33*c)
	a, b, d := make([]float32, c), make([]float32, c), make([]float32, c)
	s, q := make([]float64, c), make([]float64, c)
	index := make([]uint8, c)
	bytes := make([]uint8, 33*c)
	offsets := []int{0, c}
	allocs := testing.AllocsPerRun(10, func() {
		Add(x, y, z)
		Sum(x)
		Max(x)
		AddBias(x, y, a)
		ChannelMoments(s, q, x)
		GradMomentsMasked(s, q, z, x, y, y, a, lo, hi)
		GradMomentsClip(s, q, x, y, a, b, d, lo, hi)
		NormalizeAdd(x, y, z, a, b, lo, hi)
		NormalizeGradMasked(x, y, y, z, a, b, d, lo, hi)
		NormalizeGradClip(x, y, z, a, b, d, a, b, lo, hi)
		SiLU(x, y, 1)
		ELUGrad(x, y, z, 1, 1, 1)
		Softmax(x, y, c)
		CrossEntropy(a, b, 3, .1, 1)
		SoftCrossEntropy(a, b, d, .1, 1)
		BinaryCrossEntropy(a, b, d, 1)
		SGDStep(nesterovSGD, x, y, z)
		AdamStep(adamW, a, b, d, x[:c])
		MaxPool(a, index, x, offsets, c, 0)
		AvgPoolGrad(x, a, offsets, c, 0, 1)
		NormalizeBytesFlipped(x, bytes, a[:3], b[:3])
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestStridedMoments(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, c := range []int{1, 3, 8, 16, 31, 64, 65, 300} {
			for _, gap := range []int{0, 1, 16} {
				for _, rows := range []int{0, 1, 5, 256, 300} {
					f, x := fenced(max(0, rows*(c+gap)-gap), c%7)
					random(r, x)
					sums, want := make([]float64, 2*c), make([]float64, 2*c)
					for i := range sums {
						sums[i] = r.NormFloat64()
					}
					copy(want, sums)
					StridedMoments(sums[:c], sums[c:], x, rows, c+gap)
					portable.StridedMoments(want[:c], want[c:], wide(x), rows, c+gap)
					what := title("channels ", c, " gap ", gap, " rows ", rows, " ")
					compare(t, what, sums, want, 3e-6*float64(rows+1))
					f.check(t, what)
				}
			}
		}
	})
}

func TestMaskMoments(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, c := range []int{1, 3, 6, 8, 16, 31, 64, 65, 300} {
			for _, gap := range []int{0, 1, 16} {
				for _, rows := range []int{0, 1, 5, 256, 1030} {
					size := max(0, rows*(c+gap)-gap)
					tensors, channels := make([][]float32, 3), make([][]float32, 3)
					var fences []*fence
					for i := range tensors {
						var f *fence
						f, tensors[i] = fenced(size, c%7+i)
						random(r, tensors[i])
						fences = append(fences, f)
						f, channels[i] = fenced(c, i)
						random(r, channels[i])
						fences = append(fences, f)
					}
					for i, m := range []Mask{{}, {Lo: lo, Hi: hi}, {Lo: lo, Hi: hi, Scale: channels[1], Shift: channels[2]}} {
						what := title("channels ", c, " gap ", gap, " rows ", rows, " ")
						dy, x := wide(tensors[0]), wide(tensors[1])
						w := portable.Mask[float64]{Lo: lo, Hi: hi}
						var behind []float32
						var wideBehind []float64
						if i == 1 {
							behind, wideBehind = tensors[2], wide(tensors[2])
						}
						if m.Scale != nil {
							w.Scale, w.Shift = wide(m.Scale), wide(m.Shift)
						}
						sums, want := make([]float64, 2*c), make([]float64, 2*c)
						for i := range sums {
							sums[i] = r.NormFloat64()
						}
						copy(want, sums)
						MaskMoments(sums[:c], sums[c:], tensors[0], tensors[1], behind, channels[0], m, rows, c+gap)
						portable.MaskMoments(want[:c], want[c:], dy, x, wideBehind, wide(channels[0]), w, rows, c+gap)
						compare(t, what, tensors[0], dy, 0)
						compare(t, what, sums, want, 3e-6*float64(rows+1))
						for _, f := range fences {
							f.check(t, what)
						}
					}
				}
			}
		}
	})
}

// TestNormalizePast demands the bits of Normalize and NormalizeAdd.
func TestNormalizePast(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, c := range []int{1, 3, 16, 24, 64, 65, 256} {
			for _, rows := range []int{1, 5, 64, 96} {
				for _, offset := range []int{0, 1} {
					f, y := fenced(rows*c, offset)
					want, x, residual := make([]float32, rows*c), make([]float32, rows*c), make([]float32, rows*c)
					scale, shift := make([]float32, c), make([]float32, c)
					for _, v := range [][]float32{x, residual, scale, shift} {
						random(r, v)
					}
					what := title("channels ", c, " rows ", rows, " ")
					NormalizePast(y, x, nil, scale, shift, lo, hi)
					Normalize(want, x, scale, shift, lo, hi)
					compare(t, what, y, want, 0)
					NormalizePast(y, x, residual, scale, shift, lo, hi)
					NormalizeAdd(want, x, residual, scale, shift, lo, hi)
					compare(t, what, y, want, 0)
					f.check(t, what)
				}
			}
		}
	})
}
