package vec

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/cpu/vec/portable"
)

func TestPooling(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		r := newRand()
		for _, c := range []int{1, 3, 6, 8, 9, 15, 16, 17, 31, 64, 100, 150} {
			for _, pixels := range []int{0, 1, 3, 8} {
				// 3x3 windows at stride 2 in rows of 2*pixels+1 pixels.
				width := (2*pixels + 1) * c
				var offsets []int
				for row := range 3 {
					for col := range 3 {
						offsets = append(offsets, row*width+col*c)
					}
				}
				what := title("channels ", c, " pixels ", pixels)
				fx, x := fenced(3*width, 1)
				for i := range x {
					x[i] = float32(r.IntN(7)) // with ties
				}
				if len(x) > 20 {
					x[7], x[20] = float32(math.NaN()), float32(math.Inf(-1))
				}
				fy, y := fenced(pixels*c, 2)
				want := make([]float32, pixels*c)
				guarded := make([]uint8, pixels*c+64)
				index, wantIndex := guarded[32:32+pixels*c], make([]uint8, pixels*c)

				MaxPool(y, index, x, offsets, c, 2*c)
				portable.MaxPool(want, wantIndex, x, offsets, c, 2*c)
				compare(t, what, y, want, 0)
				for i, v := range index {
					if v != wantIndex[i] {
						t.Fatalf("%s: index %d is %d, want %d", what, i, v, wantIndex[i])
					}
				}
				for i, v := range guarded {
					if (i < 32 || i >= 32+pixels*c) && v != 0 {
						t.Fatalf("%s: index written outside", what)
					}
				}

				random(r, x)
				wantX := append([]float32{}, x...)
				random(r, y)
				MaxPoolGrad(x, y, index, offsets, c, 2*c)
				portable.MaxPoolGrad(wantX, y, index, offsets, c, 2*c)
				compare(t, what, x, wantX, 0)
				AvgPoolGrad(x, y, offsets, c, 2*c, 1.0/9)
				portable.AvgPoolGrad(wantX, y, offsets, c, 2*c, 1.0/9)
				compare(t, what, x, wantX, 1e-6)
				AvgPool(y, x, offsets, c, 2*c, 1.0/9)
				portable.AvgPool(want, x, offsets, c, 2*c, 1.0/9)
				compare(t, what, y, want, 1e-6)
				for i := range index { // windows of one row, side by side
					index[i] = uint8(r.IntN(2))
				}
				MaxPoolGradApart(x, y, index, []int{0, c}, c, 2*c)
				portable.MaxPoolGradApart(wantX, y, index, []int{0, c}, c, 2*c)
				compare(t, what, x, wantX, 1e-6)
				fx.check(t, what)
				fy.check(t, what)
			}
		}
	})
}

func TestPoolingRefusesWindowsOutside(t *testing.T) {
	x, y := make([]float32, 12), make([]float32, 4)
	for name, pool := range map[string]func(){
		"before":       func() { AvgPool(y, x, []int{-1}, 2, 2, 1) },
		"behind":       func() { AvgPool(y, x, []int{9}, 2, 2, 1) },
		"last pixel":   func() { AvgPool(y, x, []int{0}, 2, 11, 1) },
		"no window":    func() { AvgPool(y, x, nil, 2, 2, 1) },
		"part of rows": func() { AvgPool(y, x, []int{0}, 3, 3, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			pool()
		}()
	}
}
