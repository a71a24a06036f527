package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sample has several types in an order that needs another layout.
func sample(t testing.TB) *Tensors {
	t.Helper()
	w, err := FromFloat32s("conv.weight", []int{2, 1, 1, 2}, []float32{1, -2, 3.5, 0})
	if err != nil {
		t.Fatal(err)
	}
	n, err := FromInt64s("num_batches_tracked", nil, []int64{1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewTensors(
		Tensor{"mask", Bool, []int{3}, []byte{1, 0, 1}},
		w,
		Tensor{"empty", F16, []int{0, 4}, []byte{}},
		n,
	)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func equal(a, b *Tensors) bool {
	if !slices.Equal(a.Names(), b.Names()) {
		return false
	}
	for t := range a.All() {
		u, _ := b.Get(t.Name)
		if t.DType != u.DType || !slices.Equal(t.Shape, u.Shape) || !bytes.Equal(t.Data, u.Data) {
			return false
		}
	}
	return true
}

func TestSafetensorsRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	want, meta := sample(t), map[string]string{"format": "pt", "licence": `"quoted" & <odd>`}
	if err := WriteSafetensors(path, want, meta); err != nil {
		t.Fatal(err)
	}
	got, gotMeta, err := ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	if !equal(got, want) {
		t.Errorf("read %v, want %v", got.list, want.list)
	}
	if fmt.Sprint(gotMeta) != fmt.Sprint(meta) {
		t.Errorf("metadata %v, want %v", gotMeta, meta)
	}
}

func TestSafetensorsDataIsAligned(t *testing.T) {
	var b bytes.Buffer
	if err := EncodeSafetensors(&b, sample(t), nil); err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b.Bytes())
	entries, _, err := parseHeader(b.Bytes()[8 : 8+n])
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if at := 8 + int64(n) + e.begin; at%int64(e.dtype.Size()) != 0 {
			t.Errorf("tensor %s of %v begins at byte %d", e.name, e.dtype, at)
		}
	}
}

func withHeader(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

var badHeaders = []struct {
	name, header string
	data         int
	want         string
}{
	{"not JSON", `{"a":`, 0, "its JSON ends in the middle"},
	{"array", `[]`, 0, "does not begin with {"},
	{"invalid UTF-8", "{\"\xff\":1}", 0, "not valid UTF-8"},
	{"text behind", `{} x`, 0, "follow its closing brace"},
	{"unknown dtype", `{"a":{"dtype":"F8_E5M2","shape":[],"data_offsets":[0,1]}}`, 1, "tensor a: dtype F8_E5M2 is not supported; known are BOOL"},
	{"no dtype", `{"a":{"shape":[],"data_offsets":[0,1]}}`, 1, "tensor a: dtype is missing"},
	{"no shape", `{"a":{"dtype":"U8","data_offsets":[0,1]}}`, 1, "tensor a: shape is missing"},
	{"null shape", `{"a":{"dtype":"U8","shape":null,"data_offsets":[0,1]}}`, 1, "tensor a: shape: it is null"},
	{"null dimension", `{"a":{"dtype":"U8","shape":[null],"data_offsets":[0,0]}}`, 0, "element 0 is null"},
	{"no offsets", `{"a":{"dtype":"U8","shape":[]}}`, 1, "tensor a: data_offsets are missing"},
	{"three offsets", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, 1, "are not a begin and an end"},
	{"reversed offsets", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 1, "are not a begin and an end"},
	{"negative shape", `{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1, "tensor a: shape [-1] is impossible"},
	{"fractional shape", `{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}`, 1, "tensor a: shape: a JSON number 1.5 stands where int64"},
	{"overflowing shape", `{"a":{"dtype":"U8","shape":[4294967296,4294967296,16],"data_offsets":[0,0]}}`, 0, "is impossible"},
	{"wrong size", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4, "tensor a: shape [2] of F32 takes 8 bytes, data_offsets give it 4"},
	{"truncated", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 7, "the file is truncated: tensor a ends at byte 8 of the data, of which the file holds 7"},
	{"trailing", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 3, "2 bytes after the last tensor belong to no tensor"},
	{"overlap", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3, "tensor b overlaps tensor a"},
	{"hole", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3, "the 1 bytes before it belong to no tensor"},
	{"duplicate", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2, "the name a occurs twice"},
	{"metadata of numbers", `{"__metadata__":{"epoch":3}}`, 0, "__metadata__, which must map strings to strings"},
	{"metadata twice", `{"__metadata__":{"a":"1","a":"2"}}`, 0, "the name a occurs twice"},
}

func TestSafetensorsRefuses(t *testing.T) {
	for _, tt := range badHeaders {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.safetensors")
			if err := os.WriteFile(path, withHeader(tt.header, tt.data), 0o666); err != nil {
				t.Fatal(err)
			}
			_, _, err := ReadSafetensors(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v does not name the file and say %q", err, tt.want)
			}
		})
	}
	long := binary.LittleEndian.AppendUint64(nil, 1<<60)
	if _, _, err := decodeSafetensors(readerAt(long), 8); err == nil || !strings.Contains(err.Error(), "the header claims 1152921504606846976 bytes") {
		t.Errorf("a header of 2^60 bytes: %v", err)
	}
}

func TestEncodeSafetensorsRefuses(t *testing.T) {
	reserved, _ := NewTensors(Tensor{metadataKey, U8, nil, []byte{0}})
	invalid, _ := NewTensors(Tensor{"\xff", U8, nil, []byte{0}})
	for name, c := range map[string]*Tensors{"keeps that name": reserved, "not valid UTF-8": invalid} {
		if err := EncodeSafetensors(new(bytes.Buffer), c, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v does not say %q", err, name)
		}
	}
	if _, err := NewTensors(Tensor{"a", F32, []int{2}, make([]byte, 4)}); err == nil {
		t.Error("a tensor with half its data is accepted")
	}
	if _, err := NewTensors(Tensor{"a", U8, nil, []byte{0}}, Tensor{"a", U8, nil, []byte{0}}); err == nil {
		t.Error("two tensors of one name are accepted")
	}
	if _, err := FromFloat32s("a", []int{3}, []float32{1}); err == nil {
		t.Error("one value fills a shape of three")
	}
}

func TestWriteSafetensorsReportsItsDisk(t *testing.T) {
	broken := errors.New("disk full")
	if err := EncodeSafetensors(failing{broken}, sample(t), nil); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWidening(t *testing.T) {
	for _, tt := range []struct {
		dtype DType
		data  []byte
		want  float32
	}{
		{Bool, []byte{7}, 1}, {U8, []byte{200}, 200}, {I8, []byte{200}, -56},
		{U16, []byte{0, 0x80}, 32768}, {I16, []byte{0, 0x80}, -32768},
		{U32, []byte{0, 0, 0, 0x80}, 1 << 31}, {I32, []byte{0, 0, 0, 0x80}, -1 << 31},
		{U64, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, 1 << 63}, {I64, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}, -1 << 63},
		{F16, []byte{0, 0x3c}, 1}, {BF16, []byte{0x80, 0x3f}, 1}, {F32, []byte{0, 0, 0x80, 0x3f}, 1},
		{F64, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, 1},
	} {
		x := Tensor{"x", tt.dtype, []int{1}, tt.data}
		if got := x.Float32s(); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%v widens to %v, want %v", tt.dtype, got, tt.want)
		}
		ints, err := x.Int64s()
		switch {
		case tt.dtype.IsFloat() || tt.dtype == U64:
			if err == nil {
				t.Errorf("%v %v reads as integers %v", tt.dtype, tt.want, ints)
			}
		case err != nil || float32(ints[0]) != tt.want:
			t.Errorf("%v reads as %v, %v, want %v", tt.dtype, ints, err, tt.want)
		}
	}
	x, err := FromFloat32s("x", []int{2}, []float32{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, 2)
	if n := testing.AllocsPerRun(10, func() { x.CopyFloat32s(dst) }); n != 0 {
		t.Errorf("CopyFloat32s allocates %v times", n)
	}
}

// FuzzSafetensors: no input may panic, and what is read can be written and
// read again.
func FuzzSafetensors(f *testing.F) {
	var b bytes.Buffer
	if err := EncodeSafetensors(&b, sample(f), map[string]string{"a": "b"}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	for _, tt := range badHeaders {
		f.Add(withHeader(tt.header, tt.data))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, meta, err := decodeSafetensors(readerAt(b), int64(len(b)))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := EncodeSafetensors(&again, got, meta); err != nil {
			t.Fatal(err)
		}
		back, _, err := decodeSafetensors(readerAt(again.Bytes()), int64(again.Len()))
		if err != nil || !equal(got, back) {
			t.Fatalf("written and read again: %v", err)
		}
	})
}
