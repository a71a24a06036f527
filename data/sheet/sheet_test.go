package sheet_test

import (
	"image/color"
	"testing"

	"github.com/seed52467199/trainer/data/sheet"
)

func TestDraw(t *testing.T) {
	im := sheet.New(sheet.Look{Height: 1, Width: 2, Channels: 3, Mean: []float64{0.5}, Std: []float64{0.5, 0.5, 0.25}}, []string{"a", "b"}, 2)
	im.Paint(0, 0, []float32{1, -1, 0, 9, -9, 0})
	im.Paint(0, 1, []float32{0, 0, 0, 0, 0, 0})
	im.Paint(1, 0, []float32{-1, -1, -2, 0, 0, 0})
	// 48 times as large: two rows of 48 pixels under a name of 17, columns of 96, gaps of 4.
	if b := im.Bounds(); b.Dx() != 2*100+4 || b.Dy() != 2*(52+17)+4 {
		t.Fatalf("a sheet of %v", b)
	}
	for _, c := range []struct {
		x, y int
		want color.NRGBA
	}{
		{4, 21, color.NRGBA{255, 0, 128, 255}}, {51, 68, color.NRGBA{255, 0, 128, 255}}, {52, 21, color.NRGBA{255, 0, 128, 255}},
		{104, 21, color.NRGBA{128, 128, 128, 255}}, {4, 90, color.NRGBA{0, 0, 0, 255}}, {104, 90, color.NRGBA{255, 255, 255, 255}},
		{3, 21, color.NRGBA{255, 255, 255, 255}}, {100, 21, color.NRGBA{255, 255, 255, 255}}, {4, 69, color.NRGBA{255, 255, 255, 255}},
	} {
		if got := im.At(c.x, c.y); got != c.want {
			t.Errorf("at (%d, %d): %v, want %v", c.x, c.y, got, c.want)
		}
	}
	gray := sheet.New(sheet.Look{Height: 200, Width: 1, Channels: 1, Mean: []float64{0.5}, Std: []float64{1}}, []string{""}, 1)
	gray.Paint(0, 0, make([]float32, 200))
	if got := gray.At(4, 21); got != (color.NRGBA{128, 128, 128, 255}) {
		t.Errorf("gray is %v", got)
	}
}
