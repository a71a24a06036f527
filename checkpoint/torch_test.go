package checkpoint

import (
	"bytes"
	"encoding/json"
	"hash/crc32"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// golden is what PyTorch loads; see testdata/make_golden.py.
type golden struct {
	Name  string
	DType string
	Shape []int
	CRC32 uint32
	First []string
}

func readGolden(t *testing.T, name string) map[string][]golden {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var g map[string][]golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func compareGolden(t *testing.T, have *Tensors, want []golden) {
	t.Helper()
	for _, w := range want {
		got, ok := have.Get(w.Name)
		if !ok {
			t.Errorf("tensor %s is missing", w.Name)
			continue
		}
		if got.DType.String() != w.DType || !slices.Equal(got.Shape, w.Shape) || crc32.ChecksumIEEE(got.Data) != w.CRC32 {
			t.Errorf("tensor %s is %v %v with CRC %d, want %s %v with %d", w.Name, got.DType, got.Shape, crc32.ChecksumIEEE(got.Data), w.DType, w.Shape, w.CRC32)
		}
		values := got.Float32s()
		for i, s := range w.First {
			want, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			if i >= len(values) || values[i] != float32(want) {
				t.Errorf("tensor %s, element %d: %v, want %v", w.Name, i, values[i], want)
			}
		}
	}
}

func TestTorchFilesMatchPyTorch(t *testing.T) {
	files := readGolden(t, "golden.json")
	if len(files) < 8 {
		t.Fatalf("only %d golden files", len(files))
	}
	for _, key := range slices.Sorted(maps.Keys(files)) {
		t.Run(key, func(t *testing.T) {
			name, variant, _ := strings.Cut(key, "#")
			f, err := Open(filepath.Join("testdata", name), Options{EMA: variant == "ema"})
			if err != nil {
				t.Fatal(err)
			}
			if f.Tensors.Len() != len(files[key]) {
				t.Errorf("%d tensors, want %d", f.Tensors.Len(), len(files[key]))
			}
			compareGolden(t, f.Tensors, files[key])
			if format := map[bool]Format{true: FormatTorchLegacy, false: FormatTorchZip}[strings.Contains(name, "legacy")]; f.Format != format {
				t.Errorf("format %s, want %s", f.Format, format)
			}
		})
	}
}

func TestRealFilesMatchPyTorch(t *testing.T) {
	data := os.Getenv("TRAINER_DATA")
	if data == "" {
		t.Skip("TRAINER_DATA is not set: the published weights are not here")
	}
	for key, want := range readGolden(t, "real.json") {
		name, count, _ := strings.Cut(key, "#")
		f, err := Open(filepath.Join(data, filepath.FromSlash(name)), Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if n, _ := strconv.Atoi(count); f.Tensors.Len() != n {
			t.Errorf("%s: %d tensors, want %s", name, f.Tensors.Len(), count)
		}
		compareGolden(t, f.Tensors, want)
	}
}

func TestTorchMetadataAndSource(t *testing.T) {
	f, err := Open("testdata/full_zip.pth.tar", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"epoch": "3", "arch": "tiny", "best_acc1": "91.25", "best_f32": "0.5", "count": "-3",
		"flag": "true", "big": "1208925819614629174706176", "device": "cpu"}
	if !maps.Equal(f.Metadata, want) {
		t.Errorf("metadata %v, want %v", f.Metadata, want)
	}
	if want := "(PyTorch zip, 7 tensors, state dict under state_dict, prefix module. removed)"; !strings.HasSuffix(f.Source, want) {
		t.Errorf("source %q does not end with %q", f.Source, want)
	}
	kept, err := Open("testdata/full_zip.pth.tar", Options{KeepPrefixes: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := kept.Tensors.Names()[0]; got != "module.0.weight" {
		t.Errorf("first name %s, want module.0.weight", got)
	}
	if _, err := Open("testdata/full_zip.pth.tar", Options{Key: "teacher"}); err == nil || !strings.Contains(err.Error(), "there is no state dict under teacher; it holds epoch (int), arch (str)") {
		t.Errorf("error %v does not list what the file holds", err)
	}
}

func TestTorchRefusesCodeByName(t *testing.T) {
	for file, global := range map[string]string{
		"hostile_system.pth": "global posix.system is not allowed",
		"whole_module.pth":   "global torch.nn.modules.container.Sequential is not allowed",
	} {
		_, err := Open(filepath.Join("testdata", file), Options{})
		if err == nil || !strings.Contains(err.Error(), global) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error %v does not say %q", file, err, global)
		}
	}
}

// TestTruncation cuts small files at every byte: each part must be answered
// with one sentence that names the file.
func TestTruncation(t *testing.T) {
	var own bytes.Buffer
	if err := EncodeSafetensors(&own, sample(t), map[string]string{"a": "b"}); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"own.safetensors": own.Bytes()}
	for _, name := range []string{"zoo_zip.pth", "zoo_legacy.pth", "full_legacy.pth.tar"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	for name, b := range files {
		for n := range b {
			_, err := decode(readerAt(b[:n]), int64(n), Options{})
			if err == nil {
				t.Errorf("%s cut at byte %d of %d is read without an error", name, n, len(b))
			} else if strings.Contains(err.Error(), "\n") {
				t.Errorf("%s cut at byte %d: the error has several lines: %v", name, n, err)
			}
		}
	}
}

// TestFlippedBytes flips a bit of every byte of small files in turn: whatever
// is answered, it is no panic.
func TestFlippedBytes(t *testing.T) {
	for _, name := range []string{"zoo_zip.pth", "zoo_legacy.pth", "full_legacy.pth.tar", "big_endian.pth"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			x := byte(1) << (i % 8)
			b[i] ^= x
			decode(readerAt(b), int64(len(b)), Options{})
			b[i] ^= x
		}
	}
}

func TestHalfToFloat32(t *testing.T) {
	for h, want := range map[uint16]float32{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14,
		0x7c00: float32(math.Inf(1)), 0xfc00: float32(math.Inf(-1)), 0x3555: 0.33325195,
	} {
		if got := halfToFloat32(h); got != want {
			t.Errorf("0x%04x is %v, want %v", h, got, want)
		}
	}
	if got := halfToFloat32(0x8000); got != 0 || !math.Signbit(float64(got)) {
		t.Errorf("0x8000 is %v, want -0", got)
	}
	if got := halfToFloat32(0x7e00); got == got {
		t.Errorf("0x7e00 is %v, want NaN", got)
	}
}

// FuzzPickle feeds whole files to every reader; no input may panic.
func FuzzPickle(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pth*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, p := range hostile {
		f.Add(legacyFile(p.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decode(readerAt(b), int64(len(b)), Options{})
		if err != nil {
			return
		}
		for x := range got.Tensors.All() {
			if n := len(x.Float32s()); n != x.Len() {
				t.Fatalf("tensor %s of shape %v has %d values", x.Name, x.Shape, n)
			}
		}
	})
}
