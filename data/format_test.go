package data_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nlpodyssey/safetensors"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/internal/rng"
)

// write makes a file below root, with its folders.
func write(t testing.TB, contents []byte, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, contents, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// idx encodes bytes with their sizes.
func idx(body []byte, dims ...uint32) []byte {
	b := []byte{0, 0, 8, uint8(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, body...)
}

func zipped(t testing.TB, contents []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(contents); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// npy encodes an array.
func npy(descr, shape string, body []byte) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, shape)
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	return append(append(b, header...), body...)
}

// npz packs arrays, name and contents in turn.
func npz(t testing.TB, arrays ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(arrays); i += 2 {
		f, err := w.Create(arrays[i].(string) + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(arrays[i+1].([]byte)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tensorFile packs images of float32 and labels of int64.
func tensorFile(t testing.TB, shape []uint64, images []float32, labels []int64) []byte {
	t.Helper()
	var raw, rawLabels []byte
	for _, v := range images {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	for _, l := range labels {
		rawLabels = binary.LittleEndian.AppendUint64(rawLabels, uint64(l))
	}
	a, err := safetensors.NewTensorView(safetensors.F32, shape, raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := safetensors.NewTensorView(safetensors.I64, []uint64{uint64(len(labels))}, rawLabels)
	if err != nil {
		t.Fatal(err)
	}
	contents, err := safetensors.Serialize(map[string]safetensors.TensorView{"images": a, "labels": b}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// up counts from a number.
func up(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = uint8(from + i)
	}
	return b
}

// cifarRecord is a picture whose red, green and blue are constant.
func cifarRecord(labels []byte, r, g, b uint8) []byte {
	record := slices.Clone(labels)
	for _, v := range []uint8{r, g, b} {
		record = append(record, bytes.Repeat([]byte{v}, 1024)...)
	}
	return record
}

func TestFormats(t *testing.T) {
	root := t.TempDir()
	write(t, idx(up(0, 12), 2, 2, 3), root, "idx", "train-images-idx3-ubyte")
	write(t, idx([]byte{3, 9}, 2), root, "idx", "train-labels-idx1-ubyte")
	write(t, zipped(t, idx(up(50, 6), 1, 2, 3)), root, "idx", "t10k-images-idx3-ubyte.gz")
	write(t, zipped(t, idx([]byte{1}, 1)), root, "idx", "t10k-labels-idx1-ubyte.gz")

	c10 := filepath.Join(root, "c10")
	write(t, append(cifarRecord([]byte{1}, 1, 2, 3), cifarRecord([]byte{2}, 4, 5, 6)...), c10, "data_batch_1.bin")
	write(t, cifarRecord([]byte{9}, 7, 8, 9), c10, "data_batch_2.bin")
	write(t, cifarRecord([]byte{0}, 10, 11, 12), c10, "test_batch.bin")
	write(t, []byte("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"), c10, "batches.meta.txt")
	write(t, cifarRecord([]byte{4, 77}, 13, 14, 15), root, "c100", "cifar-100-binary", "train.bin")

	write(t, npz(t,
		"train_images", npy("|u1", "2, 2, 2", up(0, 8)), "train_labels", npy("|u1", "2, 1", []byte{0, 1}),
		"val_images", npy("|u1", "1, 2, 2, 3", up(20, 12)), "val_labels", npy("<i8", "1,", []byte{2, 0, 0, 0, 0, 0, 0, 0}),
	), root, "med", "med.npz")
	write(t, npz(t, "images", npy("|u1", "10, 1, 1", up(0, 10)), "labels", npy(">i2", "10,", make([]byte, 20))), root, "plain.npz")
	write(t, tensorFile(t, []uint64{2, 2, 1, 2}, []float32{0, 1, 2, 3, 4, 5, 6, 7}, []int64{1, 0}), root, "t", "val.safetensors")

	for _, c := range []struct {
		format, path, split string
		n, channels         int
		classes             string
		labels              []int
		first               string // the values of the first sample
	}{
		{"idx", "idx", "train", 2, 1, "0 1 2 3 4 5 6 7 8 9", []int{3, 9}, "[0 1 2 3 4 5]"},
		{"idx", "idx", "val", 1, 1, "0 1 2 3 4 5 6 7 8 9", []int{1}, "[50 51 52 53 54 55]"},
		{"cifar", "c10", "train", 3, 3, "a b c d e f g h i j", []int{1, 2, 9}, "[1 2 3 1 2 3"},
		{"cifar", "c10", "test", 1, 3, "a b c d e f g h i j", []int{0}, "[10 11 12"},
		{"cifar", "c100", "train", 1, 3, "0 1 2", []int{77}, "[13 14 15"},
		{"npz", "med", "train", 2, 1, "0 1 2", []int{0, 1}, "[0 1 2 3]"},
		{"npz", "med/med.npz", "val", 1, 3, "0 1 2", []int{2}, "[20 21 22 23"},
		{"npz", "plain.npz", "train", 8, 1, "0", nil, ""},
		{"npz", "plain.npz", "val", 2, 1, "0", nil, ""},
		{"npz", "plain.npz", "all", 10, 1, "0", nil, "[0]"},
		{"tensors", "t", "val", 2, 2, "0 1", []int{1, 0}, "[0 1 2 3]"},
		{"tensors", "t/val.safetensors", "train", 2, 2, "0 1", []int{1, 0}, "[0 1 2 3]"},
		{"digits", "", "train", 1500, 1, "0 1 2", nil, ""},
		{"digits", "", "val", 297, 1, "0 1 2", nil, ""},
		{"digits", "", "all", 1797, 1, "0 1 2", nil, "[0 0 80 207 143 16 0 0"},
	} {
		name := c.format + " " + c.path + " " + c.split
		ds, err := data.Open(c.format, filepath.Join(root, c.path), c.split, data.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if ds.Len() != c.n || ds.Channels() != c.channels || !strings.HasPrefix(strings.Join(ds.Classes(), " "), c.classes) {
			t.Errorf("%s: %d samples, %d channels, classes %v", name, ds.Len(), ds.Channels(), ds.Classes())
		}
		for i, want := range c.labels {
			if ds.Label(i) != want {
				t.Errorf("%s: label %d is %d, want %d", name, i, ds.Label(i), want)
			}
		}
		var s data.Sample
		if err := ds.Read(0, &s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := fmt.Sprint(s.Image.Pix)
		if s.Tensor.Values != nil {
			got = fmt.Sprint(s.Tensor.Values)
		}
		if !strings.HasPrefix(got, c.first) {
			t.Errorf("%s: the first sample is %.60s, want %s", name, got, c.first)
		}
	}
}

func TestTensorsReachTheBatchAsTheyAre(t *testing.T) {
	path := write(t, tensorFile(t, []uint64{2, 3, 1, 2}, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -11.5}, []int64{1, 0}), t.TempDir(), "x.safetensors")
	ds := open(t, "tensors", path, "val")
	l := newLoader(t, ds, shape{1, 2, 3}, data.LoaderOptions{BatchSize: 2})
	batches, it := collect(t, l, 0, 0)
	want := []float32{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, -11.5} // rows, columns, channels
	if it.Err() != nil || !slices.Equal(batches[0].images, want) {
		t.Errorf("%v, %v; want %v", batches, it.Err(), want)
	}
	_, it = collect(t, newLoader(t, ds, shape{2, 2, 3}, data.LoaderOptions{BatchSize: 2}), 0, 0)
	if it.Err() == nil || !strings.Contains(it.Err().Error(), "the network takes 3 channels and 2x2") {
		t.Errorf("another shape: error %v", it.Err())
	}
}

func TestFolder(t *testing.T) {
	flat := writePictures(t, 5)
	write(t, []byte("a note"), flat, "cat", "readme.txt")
	write(t, []byte("hidden"), flat, ".cache", "x.jpg")
	train, val := open(t, "folder", flat, "train"), open(t, "folder", flat, "val")
	if train.Len() != 8 || val.Len() != 2 {
		t.Errorf("%d and %d samples, want 8 and 2", train.Len(), val.Len())
	}
	seen := map[string]bool{}
	for _, ds := range []data.Dataset{train, val} {
		for i := range ds.Len() {
			seen[ds.Name(i)] = true
			if class := filepath.Base(filepath.Dir(ds.Name(i))); ds.Classes()[ds.Label(i)] != class {
				t.Errorf("%s has label %d", ds.Name(i), ds.Label(i))
			}
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d pictures in train and val together, want 10", len(seen))
	}

	// Divided, with other names, and a class folder that is a link.
	root := t.TempDir()
	write(t, nil, root, "train", "cat", "a.JPG")
	write(t, nil, root, "train", "dog", "deep", "b.png")
	write(t, nil, root, "validation", "cat", "c.jpeg")
	if err := os.Symlink(filepath.Join(flat, "dog"), filepath.Join(root, "validation", "dog")); err != nil {
		t.Fatal(err)
	}
	if ds := open(t, "folder", root, "val"); ds.Len() != 6 || ds.Label(0) != 0 || ds.Label(1) != 1 {
		t.Errorf("val has %d samples", ds.Len())
	}
	if ds := open(t, "folder", root, "train"); ds.Len() != 2 || ds.Channels() != 3 {
		t.Errorf("train has %d samples", ds.Len())
	}
	// A checkpoint's classes fix the labels.
	ds, err := data.Open("folder", root, "train", data.Options{Classes: []string{"dog", "cat"}})
	if err != nil || ds.Label(0) != 0 || !strings.Contains(ds.Name(0), "dog") {
		t.Errorf("with classes given: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"short", "magic", "cut", "gz", "counts"} {
		write(t, idx(up(0, 12), 2, 2, 3), root, name, "train-images-idx3-ubyte")
		write(t, idx([]byte{3, 9}, 2), root, name, "train-labels-idx1-ubyte")
	}
	write(t, []byte{0, 0, 8}, root, "short", "train-images-idx3-ubyte")
	write(t, idx(up(0, 12), 12), root, "magic", "train-images-idx3-ubyte")
	write(t, idx(up(0, 11), 2, 2, 3), root, "cut", "train-images-idx3-ubyte")
	write(t, idx([]byte{1}, 1), root, "counts", "train-labels-idx1-ubyte")
	write(t, idx(nil, 0xffffffff, 0xffffffff, 0xffffffff), root, "huge", "train-images-idx3-ubyte")
	half := zipped(t, idx(up(0, 12), 2, 2, 3))
	os.Remove(filepath.Join(root, "gz", "train-images-idx3-ubyte"))
	write(t, half[:len(half)/2], root, "gz", "train-images-idx3-ubyte.gz")

	write(t, cifarRecord([]byte{1}, 0, 0, 0)[:3000], root, "cifar_cut", "data_batch_1.bin")
	write(t, cifarRecord([]byte{10}, 0, 0, 0), root, "cifar_label", "data_batch_1.bin")
	write(t, cifarRecord([]byte{9}, 0, 0, 0), root, "cifar_names", "data_batch_1.bin")
	write(t, []byte("one\ntwo\n"), root, "cifar_names", "batches.meta.txt")

	labels := npy("|u1", "2,", []byte{0, 1})
	write(t, []byte("PK?"), root, "no.npz")
	write(t, npz(t, "x", labels), root, "names.npz")
	write(t, npz(t, "train_images", npy("<f4", "2, 1, 1", up(0, 8)), "train_labels", labels), root, "float.npz")
	write(t, npz(t, "train_images", npy("|u1", "2, 1, 1, 4", up(0, 8)), "train_labels", labels), root, "shape.npz")
	write(t, npz(t, "train_images", npy("|u1", "3, 1, 1", up(0, 3)), "train_labels", labels), root, "n.npz")
	write(t, npz(t, "train_images", npy("|u1", "2, 9, 1", up(0, 3)), "train_labels", labels), root, "cut.npz")
	write(t, npz(t, "train_images", npy("|u1", "999999999, 999999999, 999999999", nil), "train_labels", labels), root, "huge.npz")
	write(t, npz(t, "train_images", npy("|u1", "2, 1, 1", up(0, 2)), "train_labels", npy("|i1", "2,", []byte{0, 255})), root, "negative.npz")
	fortran := bytes.Replace(npy("|u1", "2, 1, 1", up(0, 2)), []byte("False"), []byte("True "), 1)
	write(t, npz(t, "train_images", fortran, "train_labels", labels), root, "fortran.npz")
	write(t, npz(t, "train_images", []byte("text"), "train_labels", labels), root, "text.npz")

	good := tensorFile(t, []uint64{2, 1, 1, 1}, []float32{1, 2}, []int64{0, 1})
	write(t, good[:len(good)-3], root, "cut.safetensors")
	write(t, tensorFile(t, []uint64{2, 1}, []float32{1, 2}, []int64{0, 1}), root, "shape.safetensors")
	write(t, tensorFile(t, []uint64{2, 1, 1, 1}, []float32{1, 2}, []int64{0}), root, "n.safetensors")
	write(t, tensorFile(t, []uint64{2, 1, 1, 1}, []float32{1, 2}, []int64{0, -1}), root, "negative.safetensors")

	write(t, nil, root, "empty", "train", "cat", "a.jpg")
	write(t, nil, root, "empty", "train", "dog", "notes.txt")
	write(t, nil, root, "split", "train", "cat", "a.jpg")
	write(t, nil, root, "extra", "train", "cat", "a.jpg")
	write(t, nil, root, "extra", "val", "cat", "a.jpg")
	write(t, nil, root, "extra", "val", "cow", "a.jpg")
	write(t, nil, root, "lacking", "train", "cat", "a.jpg")
	write(t, nil, root, "lacking", "train", "dog", "a.jpg")
	write(t, nil, root, "lacking", "val", "cat", "a.jpg")
	write(t, nil, root, "bare", "a.jpg")
	write(t, nil, root, "single", "cat", "a.jpg")

	for _, c := range []struct{ format, path, split, want string }{
		{"jpeg", "", "train", "known are cifar, csv, digits, folder, idx, npz, tar, tensors"},
		{"digits", "", "test", `no split "test"`},
		{"idx", "nowhere", "train", "there is no train-images-idx3-ubyte and no train-images-idx3-ubyte.gz"},
		{"idx", "cut", "dev", `no split "dev"`},
		{"idx", "short", "train", "train-images-idx3-ubyte: 3 bytes"},
		{"idx", "magic", "train", "begins with 0x00000803"},
		{"idx", "cut", "train", "need 12 bytes after it, and there are 11"},
		{"idx", "huge", "train", "too large"},
		{"idx", "gz", "train", "the file is cut or damaged"},
		{"idx", "counts", "train", "2 pictures"},
		{"cifar", "nowhere", "train", "there is no "},
		{"cifar", "empty", "train", "expected data_batch_*.bin (CIFAR-10) or train.bin (CIFAR-100)"},
		{"cifar", "cifar_cut", "train", "data_batch_1.bin has 3000 bytes; expected whole records of 3073"},
		{"cifar", "cifar_label", "train", "label 10 in record 0"},
		{"cifar", "cifar_names", "train", "names 2 classes; expected 10"},
		{"npz", "nowhere", "train", "there is no "},
		{"npz", "empty", "train", "has 0 .npz files"},
		{"npz", "no.npz", "train", "no.npz: "},
		{"npz", "names.npz", "train", "has no array train_images; it has x"},
		{"npz", "float.npz", "train", "type f4; expected integers"},
		{"npz", "shape.npz", "train", "shape [2 1 1 4]"},
		{"npz", "n.npz", "train", "3 pictures"},
		{"npz", "cut.npz", "train", "array train_images: "},
		{"npz", "huge.npz", "train", "needs more than"},
		{"npz", "negative.npz", "train", "label -1"},
		{"npz", "fortran.npz", "train", "Fortran order"},
		{"npz", "text.npz", "train", "array train_images: "},
		{"tensors", "nowhere", "train", "there is no "},
		{"tensors", "empty", "train", "has no train.safetensors"},
		{"tensors", "cut.safetensors", "train", "cut.safetensors: "},
		{"tensors", "shape.safetensors", "train", "found F32 with shape [2 1]"},
		{"tensors", "n.safetensors", "train", "expected a tensor labels of int64 with shape (2)"},
		{"tensors", "negative.safetensors", "train", "label -1 of sample 1"},
		{"folder", "nowhere", "train", "there is no "},
		{"folder", "cut.safetensors", "train", "is a file"},
		{"folder", "empty", "train", filepath.Join("empty", "train", "dog") + " has no pictures"},
		{"folder", "split", "val", `no split "val"; it has train`},
		{"folder", "extra", "val", "of no known class; the classes are cat"},
		{"folder", "lacking", "val", "the class dog has no folder"},
		{"folder", "bare", "train", "has no subfolders"},
		{"folder", "single", "val", "leaves none for val"},
	} {
		_, err := data.Open(c.format, filepath.Join(root, c.path), c.split, data.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s %s: error %v; want one with %q", c.format, c.path, c.split, err, c.want)
		}
	}
	if _, err := data.Open("idx", "", "train", data.Options{}); err == nil || !strings.Contains(err.Error(), "needs a root") {
		t.Errorf("no root: error %v", err)
	}
	for _, classes := range [][]string{{"even", "odd"}, strings.Fields("0 1 2 3 4 5 6 7 8 9 A")} {
		want := fmt.Sprintf("10 classes, and %d are expected", len(classes))
		if _, err := data.Open("digits", "", "val", data.Options{Classes: classes}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("other classes: error %v, want one with %q", err, want)
		}
	}
}

func TestSplitStratified(t *testing.T) {
	var labels []int
	for i := range 1000 {
		labels = append(labels, i*i%7)
	}
	rest, part := data.SplitStratified(labels, 0.3, 1)
	if len(part) != 300 || len(rest) != 700 {
		t.Errorf("%d and %d samples, want 700 and 300", len(rest), len(part))
	}
	all := slices.Sorted(slices.Values(append(slices.Clone(rest), part...)))
	for i, v := range all {
		if i != v {
			t.Fatalf("sample %d is missing or double", i)
		}
	}
	counts, parts := map[int]int{}, map[int]int{}
	for _, l := range labels {
		counts[l]++
	}
	for _, i := range part {
		parts[labels[i]]++
	}
	for l, n := range counts {
		if d := float64(parts[l]) - 0.3*float64(n); math.Abs(d) > 1 {
			t.Errorf("class %d has %d of %d in the part", l, parts[l], n)
		}
	}
	if _, other := data.SplitStratified(labels, 0.3, 2); slices.Equal(part, other) {
		t.Error("another seed gives the same split")
	}
}

func TestDescribe(t *testing.T) {
	root := writePictures(t, 4)
	truncated := filepath.Join(root, "dog", "03.jpg")
	write(t, []byte("\xff\xd8\xff"), truncated)
	d := data.Describe(open(t, "folder", root, "all"), 0)
	if d.Samples != 8 || d.Measured != 7 || d.Bad != 1 || d.Width != (data.Span{Min: 20, Max: 23}) || d.Height != (data.Span{Min: 24, Max: 24}) ||
		!slices.Equal(d.Classes, []data.ClassCount{{Name: "cat", Count: 4}, {Name: "dog", Count: 4}}) || !strings.Contains(d.FirstBad.Error(), truncated) {
		t.Errorf("%+v", d)
	}
}

func TestMeanStd(t *testing.T) {
	ds, err := data.FromPixels("test", []uint8{0, 255, 51, 255, 255, 51}, 1, 1, 3, []int32{0, 0}, []string{"x"})
	if err != nil {
		t.Fatal(err)
	}
	mean, std, err := data.MeanStd(ds, 3, 0)
	want := [][]float64{{0.5, 1, 0.2}, {0.5, 0, 0}}
	for c := range 3 {
		if err != nil || math.Abs(mean[c]-want[0][c]) > 1e-12 || math.Abs(std[c]-want[1][c]) > 1e-7 {
			t.Fatalf("mean %v std %v, %v; want %v", mean, std, err, want)
		}
	}
	if mean, _, err = data.MeanStd(ds, 1, 1); err != nil || math.Abs(mean[0]-float64((255*38470+51*7471+1<<15)>>16)/255) > 1e-12 {
		t.Errorf("gray mean %v, %v", mean, err)
	}
}

// shape is a Transform for tensors, which never go through it.
type shape [3]int

func (s shape) Shape() (height, width, channels int) { return s[0], s[1], s[2] }

func (s shape) Apply([]float32, *imaging.Image, *transform.Workspace, *rng.Stream) error {
	return errors.New("a tensor went through the transform")
}

func TestRealData(t *testing.T) {
	root := os.Getenv("TRAINER_DATA")
	if root == "" {
		t.Skip("TRAINER_DATA names no folder with data sets")
	}
	for _, c := range []struct {
		format, path, split string
		n, classes, width   int
		mean                float64 // of the first channel, over all pixels
	}{
		{"idx", "mnist", "train", 60000, 10, 28, 0.1307},
		{"idx", "mnist", "val", 10000, 10, 28, 0.1325},
		{"npz", "pneumonia", "train", 2428, 2, 28, 0},
		{"npz", "pneumonia", "val", 270, 2, 28, 0},
		{"npz", "pneumonia", "test", 468, 2, 28, 0},
		{"folder", "hymenoptera", "train", 243, 2, 0, 0},
		{"folder", "hymenoptera", "val", 153, 2, 0, 0},
	} {
		dir := filepath.Join(root, c.path)
		if _, err := os.Stat(dir); err != nil {
			t.Logf("skipped %s: it is not there", dir)
			continue
		}
		ds := open(t, c.format, dir, c.split)
		d := data.Describe(ds, 0)
		if d.Samples != c.n || len(d.Classes) != c.classes || d.Bad != 0 || c.width > 0 && d.Width != (data.Span{Min: c.width, Max: c.width}) {
			t.Errorf("%s %s: %+v", dir, c.split, d)
		}
		if c.mean > 0 {
			mean, _, err := data.MeanStd(ds, 1, 0)
			if err != nil || math.Abs(mean[0]-c.mean) > 1e-4 {
				t.Errorf("%s %s: mean %v, %v; want %v", dir, c.split, mean, err, c.mean)
			}
		}
	}
}

func TestDraw(t *testing.T) {
	digits, err := data.Open("digits", "", "train", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	few := data.Draw(digits, 100, 0)
	if few.Len() != 100 {
		t.Fatalf("%d samples, want 100", few.Len())
	}
	counts := make([]int, 10)
	for i := range few.Len() {
		counts[few.Label(i)]++
	}
	if slices.Min(counts) < 8 || slices.Max(counts) > 12 {
		t.Errorf("by class %v, want about 10 each", counts)
	}
	if all := data.Draw(digits, digits.Len()+1, 0); all.Len() != digits.Len() {
		t.Errorf("more than there are: %d of %d", all.Len(), digits.Len())
	}
}
