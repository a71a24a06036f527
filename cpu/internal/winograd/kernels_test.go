package winograd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
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

// sides is what a transform works on: pixels in a shuffled order, positions
// further apart than they need.
type sides struct {
	pixels    []float32
	table     table
	positions []float32
	stride    int
}

const (
	testTiles    = 3
	testChannels = 48
	testStep     = testChannels + 5 // of both sides
)

func newSides(r *rand.Rand, pixels, positions int) *sides {
	pixel := testTiles*testStep + 3
	s := &sides{pixels: random(r, pixels*pixel), stride: testTiles*testStep + 7}
	s.positions = random(r, positions*s.stride)
	for i, p := range r.Perm(pixels) {
		s.table[i] = &s.pixels[p*pixel]
	}
	return s
}

// TestTransforms compares every level's transforms with the portable ones,
// also in what they leave alone.
func TestTransforms(t *testing.T) {
	for level := isa.AVX2; level <= isa.Best(); level++ {
		got, want := For(level), For(isa.Generic)
		for _, tiles := range []struct{ got, want *Tile }{{&got.F2, &want.F2}, {&got.F4, &want.F4}, {&got.Quartered, &want.Quartered}, {&got.Strided, &want.Strided}, {&got.Turned, &want.Turned}} {
			g, w := reflect.ValueOf(*tiles.got), reflect.ValueOf(*tiles.want)
			for i := range g.NumField() {
				if g.Field(i).Kind() != reflect.Func || g.Field(i).IsNil() {
					continue
				}
				name := g.Type().Field(i).Name
				if slices.ContainsFunc([]string{"Half", "Pair", "Low", "High"}, func(p string) bool { return strings.HasPrefix(name, p) }) {
					continue // TestHalf and TestPairs have these
				}
				t.Run(fmt.Sprintf("%s/F%d/%s", level, tiles.got.out, name), func(t *testing.T) {
					n, positions := tiles.got.outputs, tiles.got.products
					switch name {
					case "Input":
						n, positions = tiles.got.inputs, tiles.got.sources
					case "Weight":
						n, positions = tiles.got.taps, tiles.got.weights
					case "Spread":
						positions = tiles.got.spreads
					case "Gradient", "GradientAdd":
						n, positions = tiles.got.taps, tiles.got.sources
					}
					for channels := got.Width; channels <= testChannels; channels += got.Width {
						a, b := run(g.Field(i).Interface(), n, positions, channels), run(w.Field(i).Interface(), n, positions, channels)
						same(t, a.pixels, b.pixels)
						same(t, a.positions, b.positions)
					}
				})
			}
		}
	}
}

// run calls a transform on the same numbers every time.
func run(f any, pixels, positions, channels int) *sides {
	r := rand.New(rand.NewPCG(1, 2))
	s := newSides(r, pixels, positions)
	bias := random(r, 2*channels)
	switch f := f.(type) {
	case GatherFunc:
		f(&s.positions[0], s.stride, testStep, &s.table[0], testStep, testTiles, channels)
	case ScatterFunc:
		f(&s.table[0], testStep, &s.positions[0], s.stride, testStep, testTiles, channels)
	case OutputFunc:
		s.positions[1] = float32(math.NaN())
		f(&s.table[0], testStep, &s.positions[0], s.stride, testStep, testTiles, channels, &bias[0], channels, -0.5, 1)
	}
	return s
}

func same(t *testing.T, got, want []float32) {
	t.Helper()
	for i := range got {
		g, w := float64(got[i]), float64(want[i])
		if !(math.Abs(g-w) <= 2e-5) && !(math.IsNaN(g) && math.IsNaN(w)) {
			t.Fatalf("value %d is %g, want %g", i, g, w)
		}
	}
}

// TestMatrices checks the identity behind the algorithm in one dimension, in
// numbers that float32 holds exactly or nearly so: Aᵀ(Gg ⊙ Bᵀd) is the
// correlation of d with g, and Gᵀ(A dy ⊙ Bᵀd) its gradient with respect to g.
func TestMatrices(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, m := range []struct{ input, weight, spread, output, gradient *linear }{
		{&goInput2, &goWeight2, &goSpread2, &goOutput2, &goGradient2},
		{&goInput4, &goWeight4, &goSpread4, &goOutput4, &goGradient4},
	} {
		var d, g, dy line
		for i := range d {
			d[i], g[i], dy[i] = 2*r.Float32()-1, 2*r.Float32()-1, 2*r.Float32()-1
		}
		v, u, s := m.input.apply(d), m.weight.apply(g), m.spread.apply(dy)
		for i := range v {
			u[i] *= v[i]
			s[i] *= v[i]
		}
		y, dg := m.output.apply(u), m.gradient.apply(s)
		for i := range m.output.out {
			near(t, y[i], d[i]*g[0]+d[i+1]*g[1]+d[i+2]*g[2])
		}
		for i := range 3 {
			var sum float32
			for k := range m.output.out {
				sum += dy[k] * d[i+k]
			}
			near(t, dg[i], sum)
		}
	}

	// With stride 2, the factors of one point are summed before the result's transform.
	var d, g, dy line
	for i := range d {
		d[i], g[i], dy[i] = 2*r.Float32()-1, 2*r.Float32()-1, 2*r.Float32()-1
	}
	v, u, s := goStridedInput.apply(d), goStridedWeight.apply(g), goStridedSpread.apply(dy)
	var m, w line
	for i := range v {
		m[i/2] += u[i] * v[i]
		w[i] = s[i/2] * v[i]
	}
	y, dg := goStridedOutput.apply(m), goStridedGradient.apply(w)
	for i := range 4 {
		near(t, y[i], d[2*i]*g[0]+d[2*i+1]*g[1]+d[2*i+2]*g[2])
	}
	for i := range 3 {
		near(t, dg[i], dy[0]*d[i]+dy[1]*d[i+2]+dy[2]*d[i+4]+dy[3]*d[i+6])
	}
	v, u = goTurnedInput.apply(dy), goStridedWeight.apply(line{g[2], g[1], g[0]})
	for i := range u {
		u[i] *= v[i/2]
	}
	dx := goTurnedOutput.apply(u)
	for i := range 4 {
		near(t, dx[2*i], dy[i]*g[1])
		near(t, dx[2*i+1], dy[i]*g[2]+dy[i+1]*g[0])
	}
}

func near(t *testing.T, got, want float32) {
	t.Helper()
	if !(math.Abs(float64(got-want)) <= 1e-5) {
		t.Errorf("got %g, want %g", got, want)
	}
}
