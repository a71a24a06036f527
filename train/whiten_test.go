package train

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
)

// What the filters give for patches of these moments is uncorrelated and of variance
// 1, the second half being the opposite of the first.
func TestWhiteningFilters(t *testing.T) {
	m := mat.NewSymDense(3, []float64{4, 1, 0.5, 1, 3, -0.2, 0.5, -0.2, 2})
	filters := make([]float32, 7*3)
	filters[18] = 5
	if err := whiteningFilters(filters, 7, m); err != nil {
		t.Fatal(err)
	}
	if filters[18] != 5 {
		t.Error("a filter beyond those of the directions changed")
	}
	w := func(k, i int) float64 { return float64(filters[k*3+i]) }
	for a := range 3 {
		for b := range 3 {
			got, want := 0.0, 0.0
			for i := range 3 {
				for k := range 3 {
					got += w(a, i) * m.At(i, k) * w(b, k)
				}
			}
			if a == b {
				want = 1
			}
			if math.Abs(got-want) > 1e-3 {
				t.Errorf("covariance of %d and %d is %v, want %v", a, b, got, want)
			}
			if w(3+a, b) != -w(a, b) {
				t.Errorf("filter %d is not the opposite of filter %d", 3+a, a)
			}
		}
	}
}

// Too few filters are for the directions of greatest variance.
func TestWhiteningFewDirections(t *testing.T) {
	filters := make([]float32, 2*2)
	if err := whiteningFilters(filters, 2, mat.NewSymDense(2, []float64{1, 0, 0, 9})); err != nil {
		t.Fatal(err)
	}
	if want := float32(1 / math.Sqrt(9+whitenEps)); filters[0] != 0 || filters[1] != want || filters[3] != -want {
		t.Errorf("the filters are %v, want 0 and %v, and the opposite", filters, want)
	}
}

// A training from scratch makes the whitening convolution of its images and does not
// train it.
func TestJobWhitens(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	c := configs.Default()
	c.Model.Name, c.Data.Format, c.Data.Size, c.Data.TrainLimit = "cifar_airbench94", "digits", 12, 64
	j, err := OpenJob(c, dev)
	if err != nil {
		t.Fatal(err)
	}
	w := j.Network.Params.Lookup("whiten.weight")
	moments, err := j.patchMoments(w.FileShape())
	if err != nil {
		t.Fatal(err)
	}
	vals, err := w.Read()
	if err != nil {
		t.Fatal(err)
	}
	for k := range 4 { // of the filters that follow a direction
		variance := 0.0
		for i := range 4 {
			for l := range 4 {
				variance += float64(vals[k*4+i]) * moments.At(i, l) * float64(vals[k*4+l])
			}
		}
		if math.Abs(variance-1) > 0.05 {
			t.Errorf("filter %d gives a variance of %v, want 1", k, variance)
		}
	}
	p, err := j.Network.Program(8, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, trained := range p.Trained() {
		if trained == w {
			t.Error("the whitening convolution is trained")
		}
	}
}
