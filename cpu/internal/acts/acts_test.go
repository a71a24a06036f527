package acts_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed52467199/trainer/cpu/internal/acts"
)

// Far below zero a gate lets nothing pass, of infinity either.
func Example() {
	fmt.Println(acts.Mish(0), acts.Swish(math.Inf(-1), 1), acts.GELU(math.Inf(1)))
	fmt.Printf("%.3f\n", acts.Softplus(0))
	// Output:
	// 0 0 +Inf
	// 0.693
}

func TestSlopesEqualCentralDifferences(t *testing.T) {
	for name, c := range map[string]struct{ value, slope func(x float64) float64 }{
		"mish":      {acts.Mish, acts.MishSlope},
		"gelu":      {acts.GELU, acts.GELUSlope},
		"gelu tanh": {acts.GELUTanh, acts.GELUTanhSlope},
		"softplus":  {acts.Softplus, acts.Logistic},
		"swish": {
			func(x float64) float64 { return acts.Swish(x, 1.7) },
			func(x float64) float64 { return acts.SwishSlope(x, 1.7) },
		},
	} {
		for x := -12.0; x <= 12; x += 0.37 {
			const h = 1e-5
			want := (c.value(x+h) - c.value(x-h)) / (2 * h)
			if got := c.slope(x); !(math.Abs(got-want) <= 1e-9) {
				t.Errorf("%s at %v: the slope is %v, differences give %v", name, x, got, want)
			}
		}
	}
}
