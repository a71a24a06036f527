package sheet_test

import (
	"fmt"

	"github.com/seed52467199/trainer/data/sheet"
)

// Two draws of one gray picture of two pixels, of which the second draw is mirrored.
func Example() {
	s := sheet.New(sheet.Look{Height: 1, Width: 2, Channels: 1, Mean: []float64{0.5}, Std: []float64{0.5}}, []string{"ants"}, 2)
	s.Paint(0, 0, []float32{-1, 1})
	s.Paint(0, 1, []float32{1, -1})
	fmt.Println(s.Bounds().Dx() > 2*2, s.Bounds().Dy() > 1)
	// Output: true true
}
