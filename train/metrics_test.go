package train

import (
	"slices"
	"testing"

	"github.com/seed52467199/trainer/data"
)

func TestObjectiveTargets(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Objective
		want []float32
	}{
		{"index", Objective{Name: "cross_entropy", Smoothing: 0.1}, []float32{2, 0}},
		{"one-hot", Objective{Name: "bce"}, []float32{0, 0, 1, 0, 1, 0, 0, 0}},
		{"smoothed: off eps/C, on 1-eps+eps/C", Objective{Name: "bce", Smoothing: 0.2}, []float32{.05, .05, .85, .05, .85, .05, .05, .05}},
		{"threshold is strict", Objective{Name: "bce", Smoothing: 0.2, Threshold: 0.05}, []float32{0, 0, 1, 0, 1, 0, 0, 0}},
	} {
		got := make([]float32, len(c.want))
		c.o.fill(got, &data.Batch{N: 2, Labels: []int32{2, 0}}, 4)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if err := (Objective{Name: "nll"}).Validate(4); err == nil {
		t.Error("an unknown loss is accepted")
	}
}

func TestMirror(t *testing.T) {
	dst := make([]float32, 12)
	mirror(dst, []float32{1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60}, 3, 2)
	if want := []float32{3, 30, 2, 20, 1, 10, 6, 60, 5, 50, 4, 40}; !slices.Equal(dst, want) {
		t.Errorf("mirrored %v, want %v", dst, want)
	}
}

func TestFreezePatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"layer1", "layer1.0.conv1.weight", true},
		{"layer1", "layer10.conv1.weight", false},
		{"*.bias", "fc.bias", true},
		{"features.*", "features.0.weight", true},
		{"conv1.weight", "conv1.weight", true},
		{"conv1.weight", "conv1.bias", false},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.name, got, c.want)
		}
	}
}

func TestShift(t *testing.T) {
	src := []float32{1, 2, 3, 4, 5, 6} // two rows of three
	dst := make([]float32, 6)
	shift(dst, src, 2, 3, 1, 1)
	if want := []float32{5, 4, 5, 2, 1, 2}; !slices.Equal(dst, want) {
		t.Errorf("moved down and right %v, want %v", dst, want)
	}
	shift(dst, src, 2, 3, 1, -1)
	if want := []float32{5, 6, 5, 2, 3, 2}; !slices.Equal(dst, want) {
		t.Errorf("moved up and left %v, want %v", dst, want)
	}
}
