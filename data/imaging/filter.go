package imaging

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Filter is a resampling kernel. All but Nearest are antialiased: their support
// grows with the scale when an image shrinks.
type Filter int

// The filters, with Pillow's names and definitions.
const (
	// Nearest takes the pixel that the centre of an output pixel falls on.
	Nearest Filter = iota
	// Box averages the pixels under an output pixel.
	Box
	// Bilinear is a triangle of support 1.
	Bilinear
	// Bicubic is Keys' cubic with a = -0.5 (not the -0.75 of OpenCV and of
	// PyTorch tensors) and support 2.
	Bicubic
	// Lanczos is a sinc windowed by a sinc, support 3.
	Lanczos
)

var filterNames = []string{"nearest", "box", "bilinear", "bicubic", "lanczos"}

// String is the name that ParseFilter takes.
func (f Filter) String() string { return filterNames[f] }

// ParseFilter returns the filter of that name.
func ParseFilter(name string) (Filter, error) {
	if i := slices.Index(filterNames, name); i >= 0 {
		return Filter(i), nil
	}
	return 0, fmt.Errorf("interpolation %q is unknown; known are %s", name, strings.Join(filterNames, ", "))
}

// support is half the width of the kernel at scale 1.
func (f Filter) support() float64 {
	switch f {
	case Bilinear:
		return 1
	case Bicubic:
		return 2
	case Lanczos:
		return 3
	}
	return 0.5
}

// at evaluates the kernel. Products are rounded before they are added, so that
// no compiler fuses them and every machine gets the same coefficients.
func (f Filter) at(x float64) float64 {
	switch f {
	case Box:
		if x > -0.5 && x <= 0.5 {
			return 1
		}
	case Bilinear:
		if x = math.Abs(x); x < 1 {
			return 1 - x
		}
	case Bicubic:
		const a = -0.5
		x = math.Abs(x)
		if x < 1 {
			return float64((float64((a+2)*x)-(a+3))*x*x) + 1
		}
		if x < 2 {
			return (float64((float64((x-5)*x)+8)*x) - 4) * a
		}
	case Lanczos:
		if -3 <= x && x < 3 {
			return sinc(x) * sinc(x/3)
		}
	}
	return 0
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}
