package train

import (
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/data"
)

var nan = float32(math.NaN())

func TestTally(t *testing.T) {
	for _, c := range []struct {
		name       string
		logits     []float32
		label      int32
		top1, top5 int
		predicted  int
	}{
		{"right", []float32{0, 3, 1, 2, 0, 0, 0}, 1, 1, 1, 1},
		{"second", []float32{0, 3, 4, 2, 0, 0, 0}, 1, 0, 1, 2},
		{"fifth", []float32{6, 5, 4, 3, 2, 1, 0}, 4, 0, 1, 0},
		{"sixth", []float32{6, 5, 4, 3, 2, 1, 0}, 5, 0, 0, 0},
		{"all alike, label last", []float32{1, 1, 1, 1, 1, 1, 1}, 6, 0, 0, 0},
		{"all alike, label first", []float32{1, 1, 1, 1, 1, 1, 1}, 0, 1, 1, 0},
		{"label not a number", []float32{1, nan, 1, 1, 1, 1, 1}, 1, 0, 0, 0},
		{"first not a number", []float32{nan, 2, 1, 1, 1, 1, 1}, 1, 1, 1, 1},
	} {
		tl := newTally(7)
		tl.add(c.logits, []int32{c.label})
		if tl.top1 != c.top1 || tl.top5 != c.top5 || tl.confusion[c.label][c.predicted] != 1 {
			t.Errorf("%s: top1 %d top5 %d confusion %v, want %d, %d and prediction %d", c.name, tl.top1, tl.top5, tl.confusion[c.label], c.top1, c.top5, c.predicted)
		}
	}
}

func TestCrossEntropyIsStable(t *testing.T) {
	if got := crossEntropy([]float32{1000, 1000}, 0); math.Abs(got-math.Ln2) > 1e-12 {
		t.Errorf("cross-entropy of equal large logits %v, want ln 2", got)
	}
	if got := crossEntropy([]float32{-2000, 0}, 0); math.Abs(got-2000) > 1e-9 {
		t.Errorf("cross-entropy of a hopeless logit %v, want 2000", got)
	}
}

func TestPerClass(t *testing.T) {
	m := Metrics{Confusion: [][]int{{8, 2, 0}, {4, 6, 0}, {0, 0, 0}}}
	scores := m.PerClass([]string{"cat", "dog"})
	if s := scores[0]; s.Name != "cat" || s.Images != 10 || s.Recall != 80 || math.Abs(s.Precision-100*8./12) > 1e-9 {
		t.Errorf("cat: %+v", s)
	}
	if s := scores[1]; math.Abs(s.F1-100*2*.75*.6/1.35) > 1e-9 {
		t.Errorf("dog: F1 %v", s.F1)
	}
	if s := scores[2]; s.Precision != 0 || s.Recall != 0 || s.F1 != 0 {
		t.Errorf("a class without images: %+v", s)
	}
}

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
	if err := (Objective{Name: "huber"}).Validate(); err == nil {
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
