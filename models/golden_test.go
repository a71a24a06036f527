package models_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// readGolden decodes a file that testdata/make_golden.py wrote.
func readGolden[T any](t testing.TB, file string) T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

// The functions below are those of testdata/formula.py.

// bits are n uniform words of the series of a name.
func bits(name string, n int) []uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	words := make([]uint64, n)
	for i := range words {
		x := h.Sum64() + uint64(i) + 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		words[i] = x ^ x>>31
	}
	return words
}

// uniform are n numbers in [-1, 1) of the series of a name.
func uniform(name string, n int) []float64 {
	u := make([]float64, n)
	for i, w := range bits(name, n) {
		u[i] = float64(w>>40)*0x1p-23 - 1
	}
	return u
}

// parameter is the value of a parameter in file order.
func parameter(name string, shape graph.Shape) []float32 {
	kind := name[strings.LastIndex(name, ".")+1:]
	value := func(u float64) float64 { return 0.1 * u }
	switch {
	case kind == "num_batches_tracked":
		value = func(float64) float64 { return 0 }
	case kind == "weight" && len(shape) > 1:
		bound := math.Sqrt(6 / float64(op.Size(shape[1:])))
		value = func(u float64) float64 { return bound * u }
	case kind == "weight":
		value = func(u float64) float64 { return 1 + 0.2*u }
	case kind == "running_var":
		value = func(u float64) float64 { return 1 + 0.5*u }
	}
	vals := make([]float32, op.Size(shape))
	for i, u := range uniform(name, len(vals)) {
		vals[i] = float32(value(u))
	}
	return vals
}

// images makes images of this shape (N, C, H, W) and gives them as (N, H, W, C).
func images(name string, shape []int) []float32 {
	u := uniform(name, op.Size(shape))
	for i := range u {
		u[i] *= math.Sqrt(3)
	}
	return channelsLast(u, shape)
}

// patterned makes the images and labels of a step of training: half of each
// image is noise and half a pattern of its class.
func patterned(step int, shape []int, classes int) (x, y []float32) {
	y = labels(fmt.Sprint("labels ", step), shape[0], classes)
	u := uniform(fmt.Sprint("images ", step), op.Size(shape))
	each := op.Size(shape[1:])
	for b, label := range y {
		for i, p := range uniform(fmt.Sprint("pattern ", label), each) {
			u[b*each+i] = math.Sqrt(1.5) * (u[b*each+i] + p)
		}
	}
	return channelsLast(u, shape), y
}

// channelsLast turns (N, C, H, W) into (N, H, W, C).
func channelsLast(u []float64, shape []int) []float32 {
	n, c, area := shape[0], shape[1], shape[2]*shape[3]
	out := make([]float32, len(u))
	for b := range n {
		for ch := range c {
			for p := range area {
				out[(b*area+p)*c+ch] = float32(u[(b*c+ch)*area+p])
			}
		}
	}
	return out
}

// labels are n class indices.
func labels(name string, n, classes int) []float32 {
	out := make([]float32, n)
	for i, w := range bits(name, n) {
		out[i] = float32(w % uint64(classes))
	}
	return out
}

// summary is what golden files hold of a tensor.
type summary struct {
	Norm  float64   `json:"norm"`
	Head  []float64 `json:"head"`
	Signs []float64 `json:"signs"`
}

func summarize(name string, v []float32) summary {
	s := summary{Signs: make([]float64, 16)}
	words := bits("signs of "+name, len(v))
	for i, x := range v {
		f := float64(x)
		s.Norm += f * f
		for k := range s.Signs {
			if words[i]>>k&1 != 0 {
				s.Signs[k] += f
			} else {
				s.Signs[k] -= f
			}
		}
		if i < 4 {
			s.Head = append(s.Head, f)
		}
	}
	s.Norm = math.Sqrt(s.Norm)
	return s
}

// distance estimates the norm of the difference of the tensors summarised.
func (s summary) distance(t summary) float64 {
	sum := 0.0
	for k := range s.Signs {
		d := s.Signs[k] - t.Signs[k]
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(s.Signs)))
}

// device is a CPU that ends with the test.
func device(t testing.TB, o cpu.Options) *cpu.Device {
	t.Helper()
	d, err := cpu.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// setFormula gives every parameter its value by formula.
func setFormula(t testing.TB, ps *graph.Params) {
	t.Helper()
	for _, p := range ps.All() {
		if err := p.Write(parameter(p.Name, p.FileShape())); err != nil {
			t.Fatal(err)
		}
	}
}

// farthest is the largest difference between two lists, relative to the largest
// magnitude of the second.
func farthest(got, want []float64) float64 {
	diff, size := 0.0, 0.0
	for i := range want {
		diff = max(diff, math.Abs(got[i]-want[i]))
		size = max(size, math.Abs(want[i]))
	}
	return diff / size
}
