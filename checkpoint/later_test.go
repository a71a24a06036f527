package checkpoint

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// A tensor that is made when it is written is written like one that is there, also
// where all share the memory in which they are made.
func TestAddLater(t *testing.T) {
	values := map[string][]float32{"a": {1, 2, 3}, "b": {-4, 5}}
	there, later := new(Tensors), new(Tensors)
	var shared []byte
	for _, name := range []string{"a", "b"} {
		tensor, err := FromFloat32s(name, []int{len(values[name])}, values[name])
		if err != nil {
			t.Fatal(err)
		}
		count, err := FromInt64s(name+".count", nil, []int64{7})
		if err != nil {
			t.Fatal(err)
		}
		make := func() ([]byte, error) {
			shared = append(shared[:0], tensor.Data...)
			return shared, nil
		}
		if err := errors.Join(there.Add(tensor), there.Add(count), later.AddLater(Tensor{Name: name, DType: F32, Shape: tensor.Shape}, make), later.Add(count)); err != nil {
			t.Fatal(err)
		}
	}
	var want, got bytes.Buffer
	if err := errors.Join(EncodeSafetensors(&want, there, nil), EncodeSafetensors(&got, later, nil)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%q was written, want %q", got.Bytes(), want.Bytes())
	}
}

func TestAddLaterRefuses(t *testing.T) {
	fail := errors.New("no such value")
	for name, c := range map[string]struct {
		tensor Tensor
		make   func() ([]byte, error)
		want   string
	}{
		"data":       {Tensor{"x", F32, []int{1}, make([]byte, 4)}, nil, "no data"},
		"no type":    {Tensor{"x", 0xff, []int{1}, nil}, nil, "a type"},
		"shape":      {Tensor{"x", F32, []int{-1}, nil}, nil, "a shape"},
		"wrong size": {Tensor{"x", F32, []int{2}, nil}, func() ([]byte, error) { return make([]byte, 4), nil }, "takes 8 bytes, the data has 4"},
		"failure":    {Tensor{"x", F32, []int{2}, nil}, func() ([]byte, error) { return nil, fail }, fail.Error()},
	} {
		tensors := new(Tensors)
		err := tensors.AddLater(c.tensor, c.make)
		if err == nil {
			err = EncodeSafetensors(new(bytes.Buffer), tensors, nil)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
	twice := new(Tensors)
	x := Tensor{Name: "x", DType: F32, Shape: []int{1}}
	if err := errors.Join(twice.AddLater(x, nil), twice.AddLater(x, nil)); err == nil || !strings.Contains(err.Error(), "occurs twice") {
		t.Errorf("a name used twice: %v", err)
	}
}
