package data_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/mix"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/internal/rng"
)

// copied is a batch's contents, kept past its release.
type copied struct {
	number  int
	images  []float32
	labels  []int32
	indices []int
	targets []float32
}

func equal(a, b copied) bool {
	return a.number == b.number && slices.Equal(a.images, b.images) && slices.Equal(a.labels, b.labels) && slices.Equal(a.indices, b.indices) &&
		slices.Equal(a.targets, b.targets)
}

// collect runs an epoch to its end.
func collect(t *testing.T, l *data.Loader, epoch uint64, start int) ([]copied, *data.Epoch) {
	t.Helper()
	it := l.Epoch(context.Background(), epoch, start)
	defer it.Close()
	var all []copied
	for it.Next() {
		b := it.Batch()
		all = append(all, copied{b.Number, slices.Clone(b.Images), slices.Clone(b.Labels), slices.Clone(b.Indices), slices.Clone(b.Targets)})
		it.Release(b)
	}
	return all, it
}

// open is data.Open for data that must be there.
func open(t testing.TB, format, root, split string) data.Dataset {
	t.Helper()
	ds, err := data.Open(format, root, split, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// augmenting is a training pipeline with every kind of draw.
func augmenting(t testing.TB, size, channels int) *transform.Pipeline {
	t.Helper()
	p, err := transform.NewTrain(transform.Train{
		Output: transform.Output{Size: size, Channels: channels, Mean: []float64{0.5}, Std: []float64{0.25}},
		Crop:   "rrc", HFlip: 0.5, VFlip: 0.5, Auto: "rand-m7-mstd0.5-inc1", ColorJitter: []float64{0.4, 0.4, 0.4, 0.1},
		GrayProb: 0.2, BlurProb: 0.2, Erase: transform.Erase{Prob: 0.5, Mode: "pixel", Count: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func evaluating(t testing.TB, size, channels int) *transform.Pipeline {
	t.Helper()
	p, err := transform.NewEval(transform.Eval{
		Output: transform.Output{Size: size, Channels: channels, Mean: []float64{0.5}, Std: []float64{0.25}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newLoader(t testing.TB, ds data.Dataset, tr data.Transform, o data.LoaderOptions) *data.Loader {
	t.Helper()
	l, err := data.NewLoader(ds, tr, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// writePictures makes a folder data set: n JPEGs in each of two classes.
func writePictures(t testing.TB, n int) string {
	t.Helper()
	root := t.TempDir()
	for c, class := range []string{"cat", "dog"} {
		dir := filepath.Join(root, class)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			im := image.NewRGBA(image.Rect(0, 0, 20+i, 24))
			for p := range im.Pix {
				im.Pix[p] = uint8(p*(i+3)/7 + 90*c)
			}
			im.Set(0, 0, color.White)
			var b bytes.Buffer
			if err := jpeg.Encode(&b, im, nil); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.jpg", i)), b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

// truncate cuts a file in half.
func truncate(t testing.TB, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
}

func TestBatchesDoNotDependOnWorkers(t *testing.T) {
	ds := open(t, "folder", writePictures(t, 9), "all")
	var want []copied
	for _, workers := range []int{1, 2, 4} {
		for _, prefetch := range []int{1, 3} {
			l := newLoader(t, ds, augmenting(t, 16, 3), data.LoaderOptions{
				BatchSize: 5, Shuffle: true, Workers: workers, Prefetch: prefetch, Seed: 7})
			var got []copied
			for epoch := range uint64(2) {
				batches, it := collect(t, l, epoch, 0)
				if it.Err() != nil {
					t.Fatal(it.Err())
				}
				got = append(got, batches...)
			}
			if want == nil {
				want = got
				if slices.Equal(got[0].indices, got[4].indices) {
					t.Error("two epochs have the same order")
				}
			}
			if !slices.EqualFunc(got, want, equal) {
				t.Errorf("%d workers, %d ahead: other batches than with 1 and 1", workers, prefetch)
			}
		}
	}
}

func TestResumeInTheMiddleOfAnEpoch(t *testing.T) {
	l := newLoader(t, open(t, "digits", "", "train"), augmenting(t, 8, 1), data.LoaderOptions{
		BatchSize: 64, Shuffle: true, Workers: 2, Seed: 3})
	whole, _ := collect(t, l, 5, 0)
	if len(whole) != 24 || len(whole) != l.Batches() {
		t.Fatalf("%d batches of an expected 24", len(whole))
	}
	for _, start := range []int{1, 17, 23, 24} {
		rest, it := collect(t, l, 5, start)
		if it.Err() != nil || !slices.EqualFunc(rest, whole[start:], equal) {
			t.Errorf("from batch %d on: other batches than in the whole epoch (error %v)", start, it.Err())
		}
	}
}

func TestEverySampleOnce(t *testing.T) {
	ds := open(t, "digits", "", "val")
	for _, c := range []struct {
		drop        bool
		batches, of int
	}{{false, 5, 297}, {true, 4, 256}} {
		l := newLoader(t, ds, evaluating(t, 8, 1), data.LoaderOptions{BatchSize: 64, DropLast: c.drop})
		batches, _ := collect(t, l, 0, 0)
		var seen []int
		for _, b := range batches {
			seen = append(seen, b.indices...)
			for i, index := range b.indices {
				if int(b.labels[i]) != ds.Label(index) {
					t.Fatalf("sample %d has label %d, want %d", index, b.labels[i], ds.Label(index))
				}
			}
		}
		if len(batches) != c.batches || len(seen) != c.of || !slices.IsSorted(seen) || seen[len(seen)-1] != c.of-1 {
			t.Errorf("drop %v: %d batches with %d samples, want %d with %d in order", c.drop, len(batches), len(seen), c.batches, c.of)
		}
	}
}

func TestBadSamples(t *testing.T) {
	root := writePictures(t, 4)
	bad := []string{filepath.Join(root, "cat", "01.jpg"), filepath.Join(root, "cat", "02.jpg")}
	for _, path := range bad {
		truncate(t, path)
	}
	ds := open(t, "folder", root, "all") // 8 samples; 1 and 2 are bad
	for _, workers := range []int{1, 3} {
		o := data.LoaderOptions{BatchSize: 3, Workers: workers}

		l := newLoader(t, ds, evaluating(t, 16, 3), o)
		batches, it := collect(t, l, 0, 0)
		if len(batches) != 0 || it.Err() == nil || !strings.Contains(it.Err().Error(), bad[0]) {
			t.Errorf("Stop: %d batches, error %v; want none and the name of %s", len(batches), it.Err(), bad[0])
		}

		for _, c := range []struct {
			policy data.ErrorPolicy
			want   [][]int
		}{
			{data.Replace, [][]int{{0, 3, 3}, {3, 4, 5}, {6, 7}}},
			{data.Drop, [][]int{{0}, {3, 4, 5}, {6, 7}}},
		} {
			o.OnError = c.policy
			l := newLoader(t, ds, evaluating(t, 16, 3), o)
			clean, _ := collect(t, newLoader(t, ds, evaluating(t, 16, 3), data.LoaderOptions{BatchSize: 1, OnError: data.Drop}), 0, 0)
			for range 2 { // the second time in used buffers
				batches, it := collect(t, l, 0, 0)
				var got [][]int
				for _, b := range batches {
					got = append(got, b.indices)
					for i, index := range b.indices {
						from := slices.IndexFunc(clean, func(one copied) bool { return one.indices[0] == index })
						if n := 16 * 16 * 3; !slices.Equal(b.images[i*n:(i+1)*n], clean[from].images) {
							t.Errorf("policy %d: the pixels of sample %d are another's", c.policy, index)
						}
					}
				}
				if it.Err() != nil || !slices.EqualFunc(got, c.want, slices.Equal) {
					t.Errorf("policy %d: samples %v, error %v; want %v", c.policy, got, it.Err(), c.want)
				}
				if s := it.Skipped(); s.Count != 2 || !slices.Equal(s.Names, bad) || s.First == nil {
					t.Errorf("policy %d: skipped %+v; want %v", c.policy, s, bad)
				}
			}
		}
	}
}

func TestNothingButBadSamples(t *testing.T) {
	root := writePictures(t, 2)
	ds := open(t, "folder", root, "all")
	for i := range ds.Len() {
		truncate(t, ds.Name(i))
	}
	for _, policy := range []data.ErrorPolicy{data.Replace, data.Drop} {
		l := newLoader(t, ds, evaluating(t, 16, 3), data.LoaderOptions{BatchSize: 3, OnError: policy})
		batches, it := collect(t, l, 0, 0)
		if it.Err() == nil || !strings.Contains(it.Err().Error(), "none of the 4 samples") {
			t.Errorf("policy %d: %d batches, error %v; want one that says that none can be read", policy, len(batches), it.Err())
		}
	}
}

func TestCancelAndCloseLeaveNoGoroutine(t *testing.T) {
	ds := open(t, "digits", "", "train")
	before := runtime.NumGoroutine()
	for taken := range 6 {
		ctx, cancel := context.WithCancel(context.Background())
		l := newLoader(t, ds, evaluating(t, 8, 1), data.LoaderOptions{BatchSize: 16, Workers: 3, Prefetch: 2})
		it := l.Epoch(ctx, 0, 0)
		for range taken {
			it.Next()
		}
		if taken%2 == 0 {
			cancel()
			if it.Next() || !errors.Is(it.Err(), context.Canceled) {
				t.Errorf("after cancelling: error %v, want that of the context", it.Err())
			}
		} else {
			it.Close()
			if it.Next() || it.Err() != nil {
				t.Errorf("after closing: error %v, want none", it.Err())
			}
		}
		cancel()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestHeldBatchesDoNotBlock(t *testing.T) {
	l := newLoader(t, open(t, "digits", "", "train"), evaluating(t, 8, 1), data.LoaderOptions{BatchSize: 100, Prefetch: 1})
	it := l.Epoch(context.Background(), 0, 0)
	defer it.Close()
	var held []*data.Batch
	for it.Next() {
		held = append(held, it.Batch())
	}
	for i, b := range held {
		if b.Number != i || b.Indices[0] != 100*i {
			t.Errorf("held batch %d has become batch %d", i, b.Number)
		}
	}
	if len(held) != 15 {
		t.Errorf("%d batches, want 15", len(held))
	}
}

func TestReleasingTwiceIsHarmless(t *testing.T) {
	l := newLoader(t, open(t, "digits", "", "train"), evaluating(t, 8, 1), data.LoaderOptions{BatchSize: 10, Prefetch: 3})
	it := l.Epoch(context.Background(), 0, 0)
	defer it.Close()
	for number := 0; it.Next(); number++ {
		b := it.Batch()
		if b.Number != number || b.Indices[0] != 10*number {
			t.Fatalf("batch %d begins with sample %d", b.Number, b.Indices[0])
		}
		it.Release(b)
		it.Release(b)
	}
}

// mixer mixes everything in every way.
func mixer(t testing.TB) *mix.Mixer {
	t.Helper()
	m, err := mix.New(mix.Options{Mixup: 0.8, CutMix: 1, Prob: 1, Switch: 0.5, Mode: "elem", Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Mixed batches depend on the epoch and their number alone, their targets are shares
// of the partners' classes, and pictures and labels are those of the loader that does
// not mix.
func TestMixedBatches(t *testing.T) {
	ds := open(t, "digits", "", "val")
	o := data.LoaderOptions{BatchSize: 7, Shuffle: true, Seed: 2, Workers: 1}
	plain, _ := collect(t, newLoader(t, ds, augmenting(t, 8, 1), o), 3, 0)
	o.Mix = mixer(t)
	want, _ := collect(t, newLoader(t, ds, augmenting(t, 8, 1), o), 3, 0)
	o.Workers, o.Prefetch = 3, 4
	l := newLoader(t, ds, augmenting(t, 8, 1), o)
	again, _ := collect(t, l, 3, 0)
	rest, _ := collect(t, l, 3, 5)
	if !slices.EqualFunc(again, want, equal) || !slices.EqualFunc(rest, want[5:], equal) {
		t.Error("mixed batches depend on the workers or on where the epoch was begun")
	}
	mixed := 0
	for i, b := range want {
		if !slices.Equal(b.labels, plain[i].labels) || !slices.Equal(b.indices, plain[i].indices) {
			t.Fatalf("batch %d has other samples", i)
		}
		n, pixels := len(b.labels), 8*8
		if len(b.targets) != 10*n {
			t.Fatalf("batch %d of %d has %d targets", i, n, len(b.targets))
		}
		for s := range n {
			target, own, other := b.targets[10*s:][:10], b.labels[s], b.labels[n-1-s]
			var sum float32
			for k, v := range target {
				if sum += v; v != 0 && int32(k) != own && int32(k) != other {
					t.Fatalf("sample %d of batch %d has a share of class %d", s, i, k)
				}
			}
			if sum < 0.999999 || sum > 1.000001 {
				t.Fatalf("the shares of sample %d of batch %d are %v", s, i, target)
			}
			same := slices.Equal(b.images[s*pixels:][:pixels], plain[i].images[s*pixels:][:pixels])
			if !same {
				mixed++
			}
			if alone := s == n-1-s; alone && !same {
				t.Errorf("the middle sample of batch %d changed", i)
			}
		}
	}
	if mixed < ds.Len()/2 {
		t.Errorf("only %d of %d pictures are mixed", mixed, ds.Len())
	}
}

// brighter adds a number that it draws to every pixel.
type brighter struct{}

func (brighter) Apply(w *transform.Workspace, s *rng.Stream) {
	src, dst := w.Current(), w.Target()
	dst.Reset(src.Width, src.Height, src.Channels)
	add := uint8(1 + s.IntN(20))
	for y := range src.Height {
		for i, v := range src.Row(y) {
			dst.Row(y)[i] = v/2 + add
		}
	}
	w.Commit()
}

// Versions of a sample have its label, crop and flips; the first is clean, as the
// pipeline without other augmentations makes it, and the others differ from each other.
func TestSplits(t *testing.T) {
	ds := open(t, "digits", "", "val")
	pipeline := func(ops ...transform.Op) *transform.Pipeline {
		p, err := transform.NewTrain(transform.Train{Output: transform.Output{Size: 8, Channels: 1, Mean: []float64{0.5}, Std: []float64{0.25}},
			Crop: "rrc", HFlip: 0.5, Ops: ops})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	o := data.LoaderOptions{BatchSize: 7, Shuffle: true, Seed: 2, Workers: 1}
	plain, _ := collect(t, newLoader(t, ds, pipeline(), o), 3, 0)
	o.Splits = 3
	got, _ := collect(t, newLoader(t, ds, pipeline(brighter{}), o), 3, 0)
	o.Workers = 3
	again, _ := collect(t, newLoader(t, ds, pipeline(brighter{}), o), 3, 2)
	if len(got) != len(plain) || !slices.EqualFunc(again, got[2:], equal) {
		t.Fatal("versions depend on the workers or on where the epoch was begun")
	}
	alike := 0
	for i, b := range got {
		n := len(plain[i].labels)
		if !slices.Equal(b.labels, slices.Repeat(plain[i].labels, 3)) || !slices.Equal(b.indices, slices.Repeat(plain[i].indices, 3)) {
			t.Fatalf("batch %d: labels %v", i, b.labels)
		}
		clean := b.images[:n*64]
		if !slices.Equal(clean, plain[i].images) {
			t.Fatalf("batch %d: the first version is not clean", i)
		}
		for s := range n {
			var added [3]float32 // what a version has more than half of the clean picture
			for version := 1; version < 3; version++ {
				for p := range 64 {
					v := math.Round(float64(clean[s*64+p]*0.25+0.5) * 255)
					w := math.Round(float64(b.images[(version*n+s)*64+p]*0.25+0.5) * 255)
					more := float32(w - math.Floor(v/2))
					if p > 0 && more != added[version] {
						t.Fatalf("sample %d of batch %d: version %d has another crop or flip", s, i, version)
					}
					added[version] = more
				}
			}
			if added[1] == added[2] {
				alike++
			}
		}
	}
	if alike > ds.Len()/8 { // a twentieth of them by chance
		t.Errorf("%d of %d samples have two versions alike", alike, ds.Len())
	}
}

func TestNoAllocationInSteadyState(t *testing.T) {
	l := newLoader(t, open(t, "digits", "", "train"), augmenting(t, 8, 1), data.LoaderOptions{
		BatchSize: 10, Shuffle: true, Workers: 2, Mix: mixer(t)})
	it := l.Epoch(context.Background(), 0, 0)
	defer it.Close()
	step := func() {
		if !it.Next() {
			t.Fatal(it.Err())
		}
		it.Release(it.Batch())
	}
	for range 20 {
		step()
	}
	if a := testing.AllocsPerRun(100, step); a > 0 {
		t.Errorf("%v allocations a batch, want 0", a)
	}
}

func TestLoaderRefuses(t *testing.T) {
	ds := open(t, "digits", "", "val")
	for _, c := range []struct {
		o    data.LoaderOptions
		want string
	}{
		{data.LoaderOptions{}, "batch size of 0"},
		{data.LoaderOptions{BatchSize: 1, Workers: -1}, "-1 workers"},
		{data.LoaderOptions{BatchSize: 1000, DropLast: true}, "no batch is left"},
		{data.LoaderOptions{BatchSize: 1, OnError: 9}, "error policy 9"},
		{data.LoaderOptions{BatchSize: 1, OnError: data.Drop, Mix: mixer(t)}, "cannot drop"},
		{data.LoaderOptions{BatchSize: 1, OnError: data.Drop, Splits: 2}, "cannot drop"},
		{data.LoaderOptions{BatchSize: 1, Splits: 2, Mix: mixer(t)}, "2 versions"},
	} {
		if _, err := data.NewLoader(ds, evaluating(t, 8, 1), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.o, err, c.want)
		}
	}
}

// marks is a data set of another task: sample i has the numbers i and -i.
type marks struct{ data.Dataset }

func (marks) Task() data.Task { return data.Regress }

func (marks) Target(i int, dst []float32) { dst[0], dst[1] = float32(i), float32(-i) }

// Targets come with their samples, through a subset too.
func TestTargetsOfOtherTasks(t *testing.T) {
	plain, err := data.FromPixels("pictures", make([]uint8, 6*4), 2, 2, 1, make([]int32, 6), []string{"x", "y"})
	if err != nil {
		t.Fatal(err)
	}
	ds := data.Subset(marks{plain}, []int{5, 3, 1})
	if data.TaskOf(ds) != data.Regress || data.TaskOf(plain) != data.Classify {
		t.Fatalf("tasks %v and %v", data.TaskOf(ds), data.TaskOf(plain))
	}
	it := newLoader(t, ds, evaluating(t, 2, 1), data.LoaderOptions{BatchSize: 2}).Epoch(t.Context(), 0, 0)
	defer it.Close()
	var got []float32
	for it.Next() {
		got = append(got, it.Batch().Targets...)
		it.Release(it.Batch())
	}
	if want := []float32{5, -5, 3, -3, 1, -1}; !slices.Equal(got, want) || it.Err() != nil {
		t.Errorf("targets %v, %v; want %v", got, it.Err(), want)
	}
}

// A pipeline that mirrors by turns shows each picture and its mirror image in turn,
// and about half of them mirrored at first.
func TestMirroredByTurns(t *testing.T) {
	const n = 200
	pixels := make([]uint8, 4*n)
	for i := range 2 * n {
		pixels[2*i] = 255 // left white, right black
	}
	ds, err := data.FromPixels("pictures", pixels, 2, 2, 1, make([]int32, n), []string{"x"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := transform.NewTrain(transform.Train{Output: transform.Output{Size: 2, Channels: 1, Mean: []float64{0}, Std: []float64{1}}, HFlip: 0.5, Turns: true})
	if err != nil {
		t.Fatal(err)
	}
	l := newLoader(t, ds, p, data.LoaderOptions{BatchSize: n, Workers: 2})
	var before []float32
	for epoch := range uint64(4) {
		all, _ := collect(t, l, epoch, 0)
		left, mirrored := make([]float32, n), 0
		for i := range left {
			left[i] = all[0].images[4*i]
			if left[i] == 0 {
				mirrored++
			}
			if epoch > 0 && left[i] == before[i] {
				t.Fatalf("epoch %d does not turn picture %d", epoch, i)
			}
		}
		if mirrored < n/3 || mirrored > 2*n/3 {
			t.Errorf("%d of %d pictures are mirrored in epoch %d", mirrored, n, epoch)
		}
		before = left
	}
}
