package adjust

import (
	"math"
	"testing"
)

// Every product that hues are made of is rounded as math.Round does.
func TestRoundedProducts(t *testing.T) {
	for v := range 256 {
		for s := range 256 {
			saturation := portions[s]
			for h := range sextants {
				for _, x := range []float64{1 - float64(saturation), 1 - float64(saturation*sextants[h].past), 1 - float64(float64(saturation)*(1-float64(sextants[h].past)))} {
					if x *= float64(v); float64(rounded(x)) != math.Round(x) {
						t.Fatalf("%v is rounded to %d", x, rounded(x))
					}
				}
			}
		}
	}
}
