package vec

import (
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu/isa"
)

// elementCase is a function over an Element on maps of some rows of c channels, outputs
// first, with values of the channels and sums over the rows.
type elementCase[E Element] struct {
	name       string
	outs, maps int
	run        func(m [][]E, ch [][]float32, sum, other []float64)
}

func elementCases[E Element]() []elementCase[E] {
	const lo, hi = -0.5, 0.75
	type maps = [][]E
	type chs = [][]float32
	return []elementCase[E]{
		{"Add", 1, 3, func(m maps, _ chs, _, _ []float64) { Add(m[0], m[1], m[2]) }},
		{"Mul", 1, 3, func(m maps, _ chs, _, _ []float64) { Mul(m[0], m[1], m[2]) }},
		{"AddClip", 1, 3, func(m maps, _ chs, _, _ []float64) { AddClip(m[0], m[1], m[2], lo, hi) }},
		{"ReLU", 1, 2, func(m maps, _ chs, _, _ []float64) { ReLU(m[0], m[1]) }},
		{"ReLUGrad", 1, 3, func(m maps, _ chs, _, _ []float64) { ReLUGrad(m[0], m[1], m[2]) }},
		{"Scale", 1, 2, func(m maps, _ chs, _, _ []float64) { Scale(m[0], m[1], 1./3) }},
		{"Clip", 1, 2, func(m maps, _ chs, _, _ []float64) { Clip(m[0], m[1], lo, hi) }},
		{"ClipGrad", 1, 3, func(m maps, _ chs, _, _ []float64) { ClipGrad(m[0], m[1], m[2], lo, hi) }},
		{"ChannelSum", 0, 1, func(m maps, _ chs, s, _ []float64) { ChannelSum(s, m[0]) }},
		{"ChannelMoments", 0, 1, func(m maps, _ chs, s, q []float64) { ChannelMoments(s, q, m[0]) }},
		{"Normalize", 1, 2, func(m maps, c chs, _, _ []float64) { Normalize(m[0], m[1], c[0], c[1], lo, hi) }},
		{"NormalizeAdd", 1, 3, func(m maps, c chs, _, _ []float64) { NormalizeAdd(m[0], m[1], m[2], c[0], c[1], lo, hi) }},
		{"GradMoments", 0, 2, func(m maps, c chs, s, p []float64) { GradMoments(s, p, m[0], m[1], c[0]) }},
		{"GradMomentsClip", 0, 2, func(m maps, c chs, s, p []float64) { GradMomentsClip(s, p, m[0], m[1], c[0], c[1], c[2], lo, hi) }},
		{"GradMomentsMasked", 0, 3, func(m maps, c chs, s, p []float64) { GradMomentsMasked(s, p, nil, m[0], m[1], m[2], c[0], lo, hi) }},
		{"GradMomentsMasked stored", 1, 4, func(m maps, c chs, s, p []float64) {
			GradMomentsMasked(s, p, m[0], m[1], m[2], m[3], c[0], lo, hi)
		}},
		{"NormalizeGrad", 1, 3, func(m maps, c chs, _, _ []float64) { NormalizeGrad(m[0], m[1], m[2], c[0], c[1], c[2]) }},
		{"NormalizeGradClip", 1, 3, func(m maps, c chs, _, _ []float64) {
			NormalizeGradClip(m[0], m[1], m[2], c[0], c[1], c[2], c[3], c[4], lo, hi)
		}},
		{"NormalizeGradMasked", 1, 4, func(m maps, c chs, _, _ []float64) {
			NormalizeGradMasked(m[0], m[1], m[2], m[3], c[0], c[1], c[2], lo, hi)
		}},
	}
}

// TestHalves checks that every function gives for bfloat16, to the last bit, the rounded
// result of the same function for float32.
func TestHalves(t *testing.T) {
	single, half := elementCases[float32](), elementCases[uint16]()
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for i, f := range single {
			for _, c := range []int{1, 3, 8, 16, 17, 31, 64, 100, 1100} {
				for _, rows := range []int{1, 2, 5, 67} {
					what := title(f.name, ": ", rows, " rows of ", c)
					n := rows * c
					wide, narrow, guarded := make([][]float32, f.maps), make([][]uint16, f.maps), make([][]uint16, f.maps)
					for k := range wide {
						wide[k], guarded[k] = make([]float32, n), make([]uint16, n+48)
						random(r, wide[k])
						if n > 9 {
							wide[k][n/2], wide[k][n/3] = float32(math.NaN()), float32(math.Inf(1))
						}
						narrow[k] = guarded[k][17:][:n:n]
						Narrow(narrow[k], wide[k])
						Widen(wide[k], narrow[k])
					}
					ch := make([][]float32, 5)
					for k := range ch {
						ch[k] = make([]float32, c)
						random(r, ch[k])
					}
					var sums [4][]float64
					for k := range sums {
						sums[k] = make([]float64, c)
					}
					f.run(wide, ch, sums[0], sums[1])
					half[i].run(narrow, ch, sums[2], sums[3])
					for k := range f.outs {
						for e, v := range wide[k] {
							if got := narrow[k][e]; got != Round(v) && !(v != v && Wide(got) != Wide(got)) {
								t.Fatalf("%s: element %d is %v, want %v", what, e, Wide(got), v)
							}
						}
					}
					compare(t, what, sums[2], sums[0], 0)
					compare(t, what, sums[3], sums[1], 0)
					for k, g := range guarded {
						if slices.ContainsFunc(g[:17], func(v uint16) bool { return v != 0 }) || slices.ContainsFunc(g[17+n:], func(v uint16) bool { return v != 0 }) {
							t.Fatalf("%s: map %d is written outside", what, k)
						}
					}
				}
			}
		}
	})
}

// TestHalfPooling does that for pools whose windows do not overlap, so that a gradient
// is rounded once.
func TestHalfPooling(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, c := range []int{1, 3, 8, 9, 16, 17, 64, 100} {
			const pixels = 5
			what := title("channels ", c)
			width := 2 * pixels * c
			offsets := []int{0, c, width, width + c}
			x, y, dx := make([]float32, 2*width), make([]float32, pixels*c), make([]float32, 2*width)
			random(r, x)
			hx, hy, hdx := make([]uint16, len(x)), make([]uint16, len(y)), make([]uint16, len(x))
			Narrow(hx, x)
			Widen(x, hx)
			index, halfIndex := make([]uint8, len(y)), make([]uint8, len(y))
			check := func(got []uint16, want []float32) {
				t.Helper()
				for i, v := range want {
					if got[i] != Round(v) {
						t.Fatalf("%s: element %d is %v, want %v", what, i, Wide(got[i]), v)
					}
				}
			}
			MaxPool(y, index, x, offsets, c, 2*c)
			MaxPool(hy, halfIndex, hx, offsets, c, 2*c)
			check(hy, y)
			if !slices.Equal(index, halfIndex) {
				t.Fatalf("%s: other places", what)
			}
			MaxPoolGrad(dx, y, index, offsets, c, 2*c)
			MaxPoolGrad(hdx, hy, index, offsets, c, 2*c)
			check(hdx, dx)
			MaxPoolGradApart(dx, y, index, offsets, c, 2*c)
			MaxPoolGradApart(hdx, hy, index, offsets, c, 2*c)
			check(hdx, dx)
			AvgPool(y, x, offsets, c, 2*c, 1./3)
			AvgPool(hy, hx, offsets, c, 2*c, 1./3)
			check(hy, y)
			Widen(y, hy)
			clear(dx)
			clear(hdx)
			AvgPoolGrad(dx, y, offsets, c, 2*c, 1./3)
			AvgPoolGrad(hdx, hy, offsets, c, 2*c, 1./3)
			check(hdx, dx)
		}
	})
}

// TestStridedMomentsHalf compares some channels of a wider map with all of a map of
// their own, at every level.
func TestStridedMomentsHalf(t *testing.T) {
	for level := isa.Generic; level <= isa.Best(); level++ {
		t.Run(level.String(), func(t *testing.T) {
			use(t, level)
			r := newRand()
			const rows, stride = 300, 75
			x, h := make([]float32, rows*stride), make([]uint16, rows*stride)
			random(r, x)
			Narrow(h, x)
			Widen(x, h)
			for _, c := range []int{1, 16, 31, 33, stride} {
				sum, squares, want, wantSquares := make([]float64, c), make([]float64, c), make([]float64, c), make([]float64, c)
				StridedMoments(sum, squares, h, rows, stride)
				StridedMoments(want, wantSquares, x, rows, stride)
				compare(t, title("sums of ", c), sum, want, 1e-9)
				compare(t, title("squares of ", c), squares, wantSquares, 1e-9)
			}
		})
	}
}
