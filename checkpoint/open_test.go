package checkpoint

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func ExampleOpen() {
	f, err := Open("testdata/full_legacy.pth.tar", Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Format, f.Metadata["epoch"], f.Metadata["best_acc1"])
	for t := range f.Tensors.All() {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	// Output:
	// PyTorch legacy 3 91.25
	// 0.weight F32 [2 1 3 3]
	// 0.bias F32 [2]
	// 1.weight F32 [2]
	// 1.bias F32 [2]
	// 1.running_mean F32 [2]
	// 1.running_var F32 [2]
	// 1.num_batches_tracked I64 []
}

func ExampleMatch() {
	weight, _ := FromFloat32s("fc.weight", []int{10, 4}, make([]float32, 40))
	file, _ := NewTensors(weight)
	_, err := Match([]Spec{{Name: "fc.weight", Shape: []int{2, 4}}}, file, MatchOptions{})
	fmt.Println(err)
	m, err := Match([]Spec{{Name: "fc.weight", Shape: []int{2, 4}}}, file, MatchOptions{Fresh: Under("fc")})
	fmt.Println(m.Fresh, err)
	// Output:
	// the weights do not fit the model: tensor fc.weight has shape [10 4] in the file and [2 4] in the model (in all 0 missing, 1 of another shape, 0 unexpected)
	// [fc.weight] <nil>
}

func ExampleSave() {
	run, _ := os.MkdirTemp("", "run")
	defer os.RemoveAll(run)
	weight, _ := FromFloat32s("fc.weight", []int{2}, []float32{1, -1})
	weights, _ := NewTensors(weight)
	err := Save(filepath.Join(run, FolderName, LastName), State{
		Weights: weights,
		Meta:    Meta{Model: ModelMeta{Name: "mlp"}, Epoch: 3, Update: 1200},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	path, _, err := Newest(run)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := Load(path)
	w, _ := s.Weights.Get("fc.weight")
	fmt.Println(filepath.Base(path), s.Meta.Update, w.Float32s(), err)
	// Output: last 1200 [1 -1] <nil>
}

func TestOpenFolders(t *testing.T) {
	run := t.TempDir()
	last, best := filepath.Join(run, FolderName, LastName), filepath.Join(run, FolderName, BestName)
	first := func(path string, o Options) float32 {
		t.Helper()
		f, err := Open(path, o)
		if err != nil {
			t.Fatal(err)
		}
		if f.Meta == nil || f.Meta.Model.Name != "lenet5" || f.Format != FormatCheckpoint {
			t.Errorf("%s: format %s, meta %v", path, f.Format, f.Meta)
		}
		// Ours is no wrapper's prefix.
		x, ok := f.Tensors.Get("model.weight")
		if !ok {
			t.Fatalf("%s holds %v", path, f.Tensors.Names())
		}
		return x.Float32s()[0]
	}
	mustSave(t, last, stateAt(t, 9))
	if got := first(run, Options{}); got != 9 {
		t.Errorf("a run without best opens %v, want 9", got)
	}
	mustSave(t, best, stateAt(t, 5))
	for _, tt := range []struct {
		path string
		o    Options
		want float32
	}{
		{run, Options{}, 5}, {run, Options{Last: true}, 9}, {run, Options{EMA: true}, 5.25},
		{filepath.Join(run, FolderName), Options{}, 5}, {last, Options{}, 9}, {best, Options{}, 5},
	} {
		if got := first(tt.path, tt.o); got != tt.want {
			t.Errorf("%s with %+v opens %v, want %v", tt.path, tt.o, got, tt.want)
		}
	}
	f, err := Open(filepath.Join(last, weightsFile), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Tensors.Names(); !slices.Equal(got, []string{"model.weight"}) {
		t.Errorf("our own file opens with names %v, want them as they are", got)
	}
	// Killed between the two renames.
	if err := os.Rename(last, last+".prev-x"); err != nil {
		t.Fatal(err)
	}
	if got := first(last, Options{}); got != 9 {
		t.Errorf("a checkpoint that stepped aside opens %v, want 9", got)
	}
	if _, err := Open(t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "holds no checkpoint") {
		t.Errorf("an empty folder: %v", err)
	}
	if err := flip(filepath.Join(best, weightsFile), 500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(run, Options{}); err == nil || !strings.Contains(err.Error(), "weights.safetensors is damaged") {
		t.Errorf("a damaged best: %v", err)
	}
}

func TestOpenNamesWhatItFound(t *testing.T) {
	for content, want := range map[string]string{
		"":                             "the file is empty",
		"\x89HDF\r\n\x1a\n":            "it is HDF5",
		"<!DOCTYPE html><html></html>": "it looks like a web page",
		"version https://git-lfs.github.com/spec/v1\n": "it is a Git LFS pointer",
		"\x1c\x00\x00\x00TFL3\x00\x00":                 "it is TensorFlow Lite",
		"\x80\x04K\x01.":                               "Python pickle without PyTorch's framing",
		"hello":                                        "neither safetensors nor a PyTorch checkpoint",
		"{\"a\": 1}":                                   "JSON without weight_map",
		"PK\x03\x04":                                   "the zip archive is truncated or damaged",
	} {
		path := filepath.Join(t.TempDir(), "weights.pth")
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q: error %v does not name the file and say %q", content, err, want)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing.pth")
	if _, err := Open(missing, Options{}); err == nil || !strings.Contains(err.Error(), missing+" cannot be opened: ") {
		t.Errorf("error %v does not name %s", err, missing)
	}
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.safetensors.index.json")
	all := weights(t)
	for i, x := range slices.Collect(all.All()) {
		part, err := NewTensors(x)
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteSafetensors(filepath.Join(dir, fmt.Sprintf("part-%d.safetensors", i)), part, nil); err != nil {
			t.Fatal(err)
		}
	}
	write := func(index string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(index), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const good = `{"metadata": {"total_size": 112}, "weight_map": {
		"conv1.weight": "part-0.safetensors", "bn1.weight": "part-1.safetensors", "linear.weight": "part-2.safetensors"}}`
	write(good)
	for _, p := range []string{path, dir} {
		f, err := Open(p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !equal(f.Tensors, all) || f.Format != FormatShards {
			t.Errorf("%s: %s with %v", p, f.Format, f.Tensors.Names())
		}
	}
	for from, tt := range map[string]struct{ to, want string }{
		"part-2.safetensors": {"part-3.safetensors", "part-3.safetensors cannot be opened"},
		"part-1.safetensors": {"part-2.safetensors", "the index places tensor bn1.weight in part-2.safetensors, which does not hold it"},
		"part-0.safetensors": {"../part-0.safetensors", "is not the name of a file in the same folder"},
		`"bn1.weight"`:       {`"conv1.weight"`, "the name conv1.weight occurs twice"},
	} {
		write(strings.Replace(good, from, tt.to, 1))
		if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v does not say %q", err, tt.want)
		}
	}
}

func TestStripPrefixes(t *testing.T) {
	for _, tt := range []struct{ names, want, removed string }{
		{"module.a module.b", "a b", "module."},
		{"module.a b", "module.a b", ""},
		{"_orig_mod.module.a _orig_mod.module.b", "a b", "_orig_mod.module."},
		{"model.a", "a", "model."},
		{"model. model.a", "model. model.a", ""},
		{"", "", ""},
	} {
		c := new(Tensors)
		for name := range strings.FieldsSeq(tt.names) {
			if err := c.Add(Tensor{name, U8, []int{}, []byte{1}}); err != nil {
				t.Fatal(err)
			}
		}
		got, removed := stripPrefixes(c)
		if names := strings.Join(got.Names(), " "); names != tt.want || removed != tt.removed {
			t.Errorf("%s becomes %s without %q, want %s without %q", tt.names, names, removed, tt.want, tt.removed)
		}
		for name := range strings.FieldsSeq(tt.want) {
			if _, ok := got.Get(name); !ok {
				t.Errorf("%s cannot be found by its new name", name)
			}
		}
	}
}

// TestSafetensorsMemory reads a large file: the tensors are all it may hold.
func TestSafetensorsMemory(t *testing.T) {
	const size = 32 << 20
	big, err := NewTensors(Tensor{"a", U8, []int{size / 2}, make([]byte, size/2)}, Tensor{"b", U8, []int{size / 2}, make([]byte, size/2)})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := EncodeSafetensors(&b, big, nil); err != nil {
		t.Fatal(err)
	}
	r := testing.Benchmark(func(tb *testing.B) {
		tb.ReportAllocs()
		for range tb.N {
			if _, _, err := decodeSafetensors(readerAt(b.Bytes()), int64(b.Len())); err != nil {
				tb.Fatal(err)
			}
		}
	})
	if got := r.AllocedBytesPerOp(); got > size+size/16 {
		t.Errorf("reading %d bytes of tensors allocates %d", size, got)
	}
}

// Shards may be PyTorch's, each of whatever format and element type it has.
func TestTorchShards(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"zoo_zip.pth", "zoo_legacy.pth"} {
		file, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), file, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const index = `{"metadata": {}, "weight_map": {
		"half": "zoo_zip.pth", "bf16": "zoo_zip.pth", "conv.weight": "zoo_zip.pth", "int8": "zoo_legacy.pth", "transposed": "zoo_legacy.pth"}}`
	if err := os.WriteFile(filepath.Join(dir, "pytorch_model.bin.index.json"), []byte(index), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Format != FormatShards || f.Tensors.Len() != 5 {
		t.Fatalf("%s with %v", f.Format, f.Tensors.Names())
	}
	var want []golden
	for _, g := range readGolden(t, "golden.json")["zoo_zip.pth"] {
		if _, ok := f.Tensors.Get(g.Name); ok {
			want = append(want, g)
		}
	}
	if len(want) != 5 {
		t.Fatalf("%d golden tensors, want 5", len(want))
	}
	compareGolden(t, f.Tensors, want)
}
