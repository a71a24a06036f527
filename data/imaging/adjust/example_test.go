package adjust_test

import (
	"fmt"

	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/imaging/adjust"
)

// A gray picture of three pixels, moved one to the right.
func Example() {
	src, dst := imaging.New(3, 1, 1), imaging.New(0, 0, 1)
	copy(src.Pix, []uint8{10, 20, 30})
	adjust.Affine(dst, src, adjust.Translation(-1, 0), imaging.Nearest, [3]uint8{99})
	fmt.Println(dst.Pix)
	// Output: [99 10 20]
}
