package pixel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBlend(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		for _, n := range lengths(1) {
			for _, alpha := range []float32{0, 0.3, 1, 1.9, -0.7, r.Float32()} {
				a, b := random(r, n), random(r, n)
				got, want := fenced(n), make([]uint8, n)
				Blend(got.inside, a, b, alpha)
				portably(func() { Blend(want, a, b, alpha) })
				if got.check(t); !slices.Equal(got.inside, want) {
					t.Fatalf("%d values by %v: %v, want %v", n, alpha, got.inside, want)
				}
				over := slices.Clone(a)
				if Blend(over, over, b, alpha); !slices.Equal(over, want) {
					t.Fatalf("%d values by %v, over the first: %v, want %v", n, alpha, over, want)
				}
				if Blend(b, a, b, alpha); !slices.Equal(b, want) {
					t.Fatalf("%d values by %v, over the second: %v, want %v", n, alpha, b, want)
				}
			}
		}
	})
}

func TestSmooth(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		for _, channels := range []int{1, 3} {
			for _, n := range lengths(1) {
				row := func() []uint8 { return random(r, n+2*channels) }
				above, in, below := row(), row(), row()
				got, want := fenced(n), make([]uint8, n)
				Smooth(got.inside, above, in, below, channels)
				portably(func() { Smooth(want, above, in, below, channels) })
				if got.check(t); !slices.Equal(got.inside, want) {
					t.Fatalf("%d values: %v, want %v", n, got.inside, want)
				}
			}
		}
	})
}

// Every sum is divided as it should be.
func TestSmoothDivides(t *testing.T) {
	eachLevel(t, func(t *testing.T, _ *rand.Rand) {
		row := make([]uint8, 18)
		out := make([]uint8, 16)
		for sum := 0; sum <= 8*255; sum++ {
			var around [8]uint8
			for i, left := 0, sum; i < 8; i++ {
				around[i] = uint8(min(left, 255))
				left -= int(around[i])
			}
			above, in, below := slices.Clone(row), slices.Clone(row), slices.Clone(row)
			copy(above[4:], around[:3])
			in[4], in[5], in[6] = around[3], uint8(sum%256), around[4]
			copy(below[4:], around[5:])
			Smooth(out, above, in, below, 1)
			if want := uint8((sum + 5*(sum%256) + 6) / 13); out[4] != want {
				t.Fatalf("sum %d: %d, want %d", sum, out[4], want)
			}
		}
	})
}

func TestBoxDown(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		for _, n := range lengths(1) {
			box := Box{Weight: r.Uint32N(1 << 22), Far: r.Uint32N(1 << 20)}
			sums := make([]uint32, n)
			for i := range sums {
				sums[i] = 255 + r.Uint32N(700)
			}
			copied := slices.Clone(sums)
			before, enters, after := random(r, n), random(r, n), random(r, n)
			got, want := fenced(n), make([]uint8, n)
			box.Down(got.inside, sums, before, enters, after)
			portably(func() { box.Down(want, copied, before, enters, after) })
			if got.check(t); !slices.Equal(got.inside, want) || !slices.Equal(sums, copied) {
				t.Fatalf("%d columns: %v, want %v", n, got.inside, want)
			}
		}
	})
}

func TestInterpolation(t *testing.T) {
	eachLevel(t, func(t *testing.T, r *rand.Rand) {
		const width, height = 9, 8
		for i := range 20000 {
			in := random(r, 3*width*height)
			tap := Taps{DX: r.Float64(), DY: r.Float64()}
			switch i % 5 {
			case 0:
				tap.DX = 0
			case 1:
				tap.DY = 0
			case 2:
				tap.DX, tap.DY = 0.5, 0.25
			}
			x, y := r.IntN(width)-1, r.IntN(height)-1
			for k := range 4 {
				tap.Columns[k] = 3 * min(max(x-1+k, 0), width-1)
				tap.Rows[k] = 3 * width * min(max(y-1+k, 0), height-1)
			}
			for name, f := range map[string]func(out, in []uint8, t *Taps){"bilinear": Bilinear, "bicubic": Bicubic} {
				got, want := fenced(3), make([]uint8, 3)
				f(got.inside, in, &tap)
				portably(func() { f(want, in, &tap) })
				if got.check(t); !slices.Equal(got.inside, want) {
					t.Fatalf("%s of %+v: %v, want %v", name, tap, got.inside, want)
				}
			}
		}
	})
}
