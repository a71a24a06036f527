package data_test

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data"
)

// pixels are n gray pictures of one pixel with these labels.
func pixels(t testing.TB, labels []int32, classes ...string) data.Dataset {
	t.Helper()
	ds, err := data.FromPixels("pixels", make([]uint8, len(labels)), 1, 1, 1, labels, classes)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// orderOf is the sequence of samples of an epoch.
func orderOf(t testing.TB, ds data.Dataset, epoch uint64, o data.LoaderOptions) []int {
	t.Helper()
	o.BatchSize = cmp.Or(o.BatchSize, 64)
	it := newLoader(t, ds, evaluating(t, 1, 1), o).Epoch(t.Context(), epoch, 0)
	defer it.Close()
	var order []int
	for it.Next() {
		order = append(order, it.Batch().Indices...)
		it.Release(it.Batch())
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return order
}

// The same permutation as without repeats, taken as timm's sampler takes it.
func TestRepeatsAgainstTimm(t *testing.T) {
	contents, err := os.ReadFile("testdata/repeats.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		N, Repeats, Spread, Batch int
		Order                     []int
	}
	if err := json.Unmarshal(contents, &cases); err != nil || len(cases) < 4 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		ds := pixels(t, make([]int32, c.N), "x")
		perm := orderOf(t, ds, 3, data.LoaderOptions{Shuffle: true, Seed: 9})
		var want []int
		for _, at := range c.Order {
			want = append(want, perm[at])
		}
		if got := orderOf(t, ds, 3, data.LoaderOptions{Shuffle: true, Seed: 9, Repeats: c.Repeats, Spread: c.Spread, BatchSize: c.Batch}); !slices.Equal(got, want) {
			t.Errorf("%d samples, %d times, over %d batches of %d:\n got %v\nwant %v", c.N, c.Repeats, c.Spread, c.Batch, got, want)
		}
	}
	// Batches that make no whole group, and the short one at the end.
	o := data.LoaderOptions{Repeats: 2, Spread: 3, BatchSize: 2}
	if got, want := orderOf(t, pixels(t, make([]int32, 11), "x"), 0, o), []int{0, 1, 0, 2, 1, 2, 3, 4, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("the versions of eleven samples spread as %v, want %v", got, want)
	}
	// Fewer than 256 are not rounded.
	if got, want := orderOf(t, pixels(t, make([]int32, 5), "x"), 0, data.LoaderOptions{Repeats: 3}), []int{0, 0, 0, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("of five samples %v, want %v", got, want)
	}
}

// Each time a sample is taken it is augmented anew, the first time as ever, and an
// epoch that is taken up in the middle goes on with the same batches.
func TestRepeatsAreAugmentedAnew(t *testing.T) {
	ds := open(t, "folder", writePictures(t, 6), "all")
	o := data.LoaderOptions{BatchSize: 4, Shuffle: true, Seed: 5, Workers: 3}
	once, _ := collect(t, newLoader(t, ds, augmenting(t, 16, 3), o), 2, 0)
	first := map[int][]float32{}
	const size = 16 * 16 * 3
	for _, b := range once {
		for i, index := range b.indices {
			first[index] = b.images[i*size : (i+1)*size]
		}
	}
	for _, change := range []func(*data.LoaderOptions){
		func(o *data.LoaderOptions) { o.Repeats = 3 },
		func(o *data.LoaderOptions) { o.Sampler = "balanced" },
	} {
		o := o
		change(&o)
		loader := newLoader(t, ds, augmenting(t, 16, 3), o)
		batches, _ := collect(t, loader, 2, 0)
		seen, again := map[int][][]float32{}, 0
		for _, b := range batches {
			for i, index := range b.indices {
				image := b.images[i*size : (i+1)*size]
				if len(seen[index]) == 0 && !slices.Equal(image, first[index]) {
					t.Errorf("%+v: sample %d is augmented otherwise the first time", o, index)
				}
				for _, earlier := range seen[index] {
					again++
					if slices.Equal(image, earlier) {
						t.Errorf("%+v: sample %d is augmented in the same way twice", o, index)
					}
				}
				seen[index] = append(seen[index], image)
			}
		}
		if again == 0 {
			t.Errorf("%+v: no sample came twice", o)
		}
		o.Workers = 1
		if rest, _ := collect(t, newLoader(t, ds, augmenting(t, 16, 3), o), 2, 1); !slices.EqualFunc(rest, batches[1:], equal) {
			t.Errorf("%+v: taken up after a batch, the epoch goes on otherwise", o)
		}
	}
}

// frequencies counts what a predicate of indices is true of, as a share of draws.
func frequency(order []int, is func(i int) bool) float64 {
	n := 0
	for _, i := range order {
		if is(i) {
			n++
		}
	}
	return float64(n) / float64(len(order))
}

func TestClassBalance(t *testing.T) {
	labels := make([]int32, 10000)
	for i := range labels { // 9,000 and 900 and 100; nothing of class 3
		switch {
		case i%100 == 0:
			labels[i] = 2
		case i%10 == 0:
			labels[i] = 1
		}
	}
	ds := pixels(t, labels, "a", "b", "c", "d")
	for _, c := range []struct {
		sampler string
		shares  [3]float64
	}{
		{"balanced", [3]float64{1. / 3, 1. / 3, 1. / 3}},
		{"sqrt", [3]float64{94.868 / 134.868, 30. / 134.868, 10. / 134.868}},
	} {
		o := data.LoaderOptions{Shuffle: true, Sampler: c.sampler, Seed: 7}
		order := orderOf(t, ds, 1, o)
		if len(order) != len(labels) {
			t.Errorf("%s: %d draws of %d samples", c.sampler, len(order), len(labels))
		}
		for l, want := range c.shares {
			got := frequency(order, func(i int) bool { return labels[i] == int32(l) })
			if bound := 5 * math.Sqrt(want*(1-want)/float64(len(order))); math.Abs(got-want) > bound {
				t.Errorf("%s: class %d is %.4f of the draws, want %.4f within %.4f", c.sampler, l, got, want, bound)
			}
		}
		if !slices.Equal(order, orderOf(t, ds, 1, o)) {
			t.Errorf("%s: the same epoch differs", c.sampler)
		}
		if slices.Equal(order, orderOf(t, ds, 2, o)) {
			t.Errorf("%s: two epochs are alike", c.sampler)
		}
		o.Repeats = 2
		if twice := orderOf(t, ds, 1, o); len(twice) != 9984 || twice[1] != order[0] || twice[2] != order[1] {
			t.Errorf("%s: repeated, %d draws that begin with %v; want 9984 that double %v", c.sampler, len(twice), twice[:4], order[:2])
		}
	}
}

// flags has of each sample the labels of some classes.
type flags struct {
	data.Dataset
	of func(i int, dst []float32)
}

func (flags) Task() data.Task               { return data.MultiLabel }
func (f flags) Target(i int, dst []float32) { f.of(i, dst) }

// A sample with a common and a rare label counts as one of the rare; those without
// any are like a class.
func TestBalanceOfSeveralLabels(t *testing.T) {
	const n = 6000
	ds := flags{pixels(t, make([]int32, n), "common", "rare"), func(i int, dst []float32) {
		clear(dst)
		if i >= n/2 { // 3,000 without any
			dst[0] = 1
		}
		if i >= n-600 { // 600 with both
			dst[1] = 1
		}
	}}
	order := orderOf(t, ds, 0, data.LoaderOptions{Shuffle: true, Sampler: "balanced", Seed: 1})
	// Weights 1/3000 for none, 1/3000 for the 2,400 with the common one alone, 1/600.
	for _, c := range []struct {
		name     string
		from, to int
		want     float64
	}{{"none", 0, n / 2, 1 / 2.8}, {"common", n / 2, n - 600, 0.8 / 2.8}, {"both", n - 600, n, 1 / 2.8}} {
		got := frequency(order, func(i int) bool { return i >= c.from && i < c.to })
		if math.Abs(got-c.want) > 5*math.Sqrt(c.want*(1-c.want)/n) {
			t.Errorf("%s: %.4f of the draws, want %.4f", c.name, got, c.want)
		}
	}
}

func TestSamplerRefuses(t *testing.T) {
	plain := pixels(t, make([]int32, 6), "x", "y")
	for _, c := range []struct {
		ds   data.Dataset
		o    data.LoaderOptions
		want string
	}{
		{plain, data.LoaderOptions{Sampler: "fair"}, `sampler "fair" is unknown; known are shuffle, balanced and sqrt`},
		{plain, data.LoaderOptions{Sampler: "sqrt"}, "the sampler sqrt draws at random"},
		{plain, data.LoaderOptions{Repeats: -1}, "-1 repeats"},
		{plain, data.LoaderOptions{Spread: -1}, "over -1 batches"},
		{marks{plain}, data.LoaderOptions{Sampler: "balanced", Shuffle: true}, "the data has values (x, y) and no classes to balance"},
	} {
		c.o.BatchSize = 1
		if _, err := data.NewLoader(c.ds, evaluating(t, 1, 1), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.o, err, c.want)
		}
	}
}
