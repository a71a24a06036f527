package adapt_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/internal/rng"
	"github.com/seed52467199/trainer/models/adapt"
)

var (
	imageNet = adapt.Normalisation{Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}
	half     = adapt.Normalisation{Mean: []float64{0.5, 0.5, 0.5}, Std: []float64{0.25, 0.25, 0.25}}
	xray     = adapt.Normalisation{Mean: []float64{0.57}, Std: []float64{0.17}}
)

// A filter that adds up the channels, for gray images that are not normalised.
func ExampleFirstConv() {
	from := adapt.Normalisation{Mean: []float64{0.5, 0.5, 0.5}, Std: []float64{0.25, 0.25, 0.25}}
	to := adapt.Normalisation{Mean: []float64{0}, Std: []float64{1}}
	gray, err := adapt.FirstConv([]float32{1, 1, 1}, []int{1, 3, 1, 1}, 1, adapt.Fold, from, to)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("weight %.2f, offset %.2f\n", gray.Weight, gray.Offset)
	// Output: weight [12.00], offset [-6.00]
}

const size, pad = 9, 1

var shape = []int{4, 3, 3, 3}

func weights() []float32 {
	r := rng.New(1, "weights")
	w := make([]float32, 4*3*3*3)
	for i := range w {
		w[i] = float32(r.Norm())
	}
	return w
}

// picture is a gray image with values in [0, 1].
func picture() []float64 {
	r := rng.New(2, "picture")
	v := make([]float64, size*size)
	for i := range v {
		v[i] = r.Float64()
	}
	return v
}

// convolve normalises a gray picture, shown as R=G=B where there are several
// channels, and convolves it with zero padding: (filters, size, size).
func convolve(picture []float64, n adapt.Normalisation, weight []float32, filters int) []float64 {
	channels := len(n.Mean)
	out := make([]float64, filters*size*size)
	for k := range filters {
		for y := range size {
			for x := range size {
				for c := range channels {
					for dy := range 3 {
						for dx := range 3 {
							py, px := y+dy-pad, x+dx-pad
							if py < 0 || py >= size || px < 0 || px >= size {
								continue
							}
							z := (picture[py*size+px] - n.Mean[c]) / n.Std[c]
							out[(k*size+y)*size+x] += z * float64(weight[((k*channels+c)*3+dy)*3+dx])
						}
					}
				}
			}
		}
	}
	return out
}

// apart is the largest difference inside a margin and at all pixels.
func apart(a, b []float64) (inside, all float64) {
	for i := range a {
		y, x := i/size%size, i%size
		d := math.Abs(a[i] - b[i])
		all = max(all, d)
		if min(x, y, size-1-x, size-1-y) >= pad {
			inside = max(inside, d)
		}
	}
	return inside, all
}

// What a gray image gives equals what it gave as R=G=B where the method says so.
func TestGrayEqualsColour(t *testing.T) {
	const exact = 1e-5
	for _, c := range []struct {
		name        string
		method      adapt.Method
		from, to    adapt.Normalisation
		inside, all bool // whether it should be exact there
	}{
		{"sum, matched", adapt.Sum, half, half.Average(), true, true},
		{"sum, averaged", adapt.Sum, imageNet, imageNet.Average(), false, false},
		{"fold, matched", adapt.Fold, half, half.Average(), true, true},
		{"fold, averaged", adapt.Fold, imageNet, imageNet.Average(), true, false},
		{"fold, other statistics", adapt.Fold, imageNet, xray, true, false},
		{"mean", adapt.Mean, half, half.Average(), false, false},
		{"luma", adapt.Luma, half, half.Average(), false, false},
	} {
		gray, err := adapt.FirstConv(weights(), shape, 1, c.method, c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		want := convolve(picture(), c.from, weights(), shape[0])
		got := convolve(picture(), c.to, gray.Weight, shape[0])
		for i := range got {
			if gray.Offset != nil {
				got[i] += float64(gray.Offset[i/(size*size)])
			}
		}
		inside, all := apart(got, want)
		if (inside < exact) != c.inside || (all < exact) != c.all {
			t.Errorf("%s: differs by %.2g, and by %.2g at the border", c.name, inside, all)
		}
	}
}

// Mean is a third of sum, and luma equals it for filters that are alike.
func TestMeanAndLumaKeepTheirScale(t *testing.T) {
	alike := []float32{1, 2, 1, 2, 1, 2} // (1, 3, 1, 2)
	for m, want := range map[adapt.Method][]float32{adapt.Sum: {3, 6}, adapt.Mean: {1, 2}, adapt.Luma: {1, 2}} {
		got, err := adapt.FirstConv(alike, []int{1, 3, 1, 2}, 1, m, half, half.Average())
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if math.Abs(float64(got.Weight[i]-want[i])) > 1e-6 {
				t.Errorf("%s: %v, want %v", m, got.Weight, want)
			}
		}
	}
	got, err := adapt.FirstConv([]float32{1, 0, 0, 0, 1, 0}, []int{2, 3, 1, 1}, 1, adapt.Luma, half, half.Average())
	if err != nil || !slices.Equal(got.Weight, []float32{0.299, 0.587}) {
		t.Errorf("luma of red and green: %v, %v", got.Weight, err)
	}
}

func TestOtherNumbersOfChannels(t *testing.T) {
	rgb := []float32{1, 2, 3, 10, 20, 30} // two filters of one pixel
	for n, want := range map[int][]float32{
		2: {1.5, 3, 15, 30},
		3: rgb,
		4: {0.75, 1.5, 2.25, 0.75, 7.5, 15, 22.5, 7.5},
		6: {0.5, 1, 1.5, 0.5, 1, 1.5, 5, 10, 15, 5, 10, 15},
	} {
		got, err := adapt.FirstConv(rgb, []int{2, 3, 1, 1}, n, adapt.Sum, adapt.Normalisation{}, adapt.Normalisation{})
		if err != nil || !slices.Equal(got.Weight, want) || got.Offset != nil {
			t.Errorf("%d channels: %v, offset %v, %v; want %v", n, got.Weight, got.Offset, err, want)
		}
	}
	got, err := adapt.FirstConv(rgb, []int{2, 3, 1, 1}, 3, adapt.Fold, imageNet, imageNet)
	if err != nil {
		t.Fatal(err)
	}
	if got.Weight[0] = 7; rgb[0] != 1 {
		t.Error("the unchanged weight shares memory with its source")
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		shape    []int
		n        int
		method   adapt.Method
		from, to adapt.Normalisation
		want     string
	}{
		{[]int{2, 3, 3}, 1, adapt.Sum, half, xray, "18 values of shape [2 3 3]"},
		{[]int{2, 3, 1, 1}, 1, adapt.Sum, half, xray, "18 values of shape [2 3 1 1]"},
		{[]int{2, 3, 3, 1}, 0, adapt.Sum, half, xray, "0 channels asked for"},
		{[]int{2, 3, 3, 1}, 1, "max", half, xray, `method "max" is unknown; known are [sum mean luma fold]`},
		{[]int{2, 3, 3, 1}, 2, adapt.Fold, half, xray, "method fold makes one channel, not 2; use sum"},
		{[]int{2, 9, 1, 1}, 1, adapt.Luma, half, xray, "the weight has 9 channels"},
		{[]int{2, 3, 3, 1}, 1, adapt.Fold, xray, xray, "the normalisation of the source has 1 means"},
		{[]int{2, 3, 3, 1}, 1, adapt.Fold, half, half, "the normalisation of the target has 3 means"},
		{[]int{2, 3, 3, 1}, 1, adapt.Fold, half, adapt.Normalisation{Mean: []float64{0}, Std: []float64{0}}, "the standard deviation of channel 0 of the target is 0"},
	} {
		if _, err := adapt.FirstConv(make([]float32, 18), c.shape, c.n, c.method, c.from, c.to); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}
