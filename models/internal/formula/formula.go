package formula

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Bits are n uniform words of the series of a name.
func Bits(name string, n int) []uint64 {
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

// Uniform are n numbers in [-1, 1) of the series of a name.
func Uniform(name string, n int) []float64 {
	u := make([]float64, n)
	for i, w := range Bits(name, n) {
		u[i] = float64(w>>40)*0x1p-23 - 1
	}
	return u
}

// Parameter is the value of a parameter in file order.
func Parameter(name string, shape graph.Shape) []float32 {
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
	for i, u := range Uniform(name, len(vals)) {
		vals[i] = float32(value(u))
	}
	return vals
}

// Fill gives every parameter its value by formula.
func Fill(ps *graph.Params) error {
	for _, p := range ps.All() {
		if err := p.Write(Parameter(p.Name, p.FileShape())); err != nil {
			return err
		}
	}
	return nil
}

// Images makes images of this shape (N, C, H, W) and gives them as (N, H, W, C).
func Images(name string, shape []int) []float32 {
	u := Uniform(name, op.Size(shape))
	for i := range u {
		u[i] *= math.Sqrt(3)
	}
	return ChannelsLast(u, shape)
}

// Patterned makes the images and labels of a step of training: half of each
// image is noise and half a pattern of its class.
func Patterned(step int, shape []int, classes int) (x, y []float32) {
	y = Labels(fmt.Sprint("labels ", step), shape[0], classes)
	u := Uniform(fmt.Sprint("images ", step), op.Size(shape))
	each := op.Size(shape[1:])
	for b, label := range y {
		for i, p := range Uniform(fmt.Sprint("pattern ", label), each) {
			u[b*each+i] = math.Sqrt(1.5) * (u[b*each+i] + p)
		}
	}
	return ChannelsLast(u, shape), y
}

// ChannelsLast turns (N, C, H, W) into (N, H, W, C).
func ChannelsLast(u []float64, shape []int) []float32 {
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

// Labels are n class indices.
func Labels(name string, n, classes int) []float32 {
	out := make([]float32, n)
	for i, w := range Bits(name, n) {
		out[i] = float32(w % uint64(classes))
	}
	return out
}

// Summary is what golden files hold of a tensor: its norm, its first values, and
// its projections on vectors of signs.
type Summary struct {
	Norm  float64   `json:"norm"`
	Head  []float64 `json:"head"`
	Signs []float64 `json:"signs"`
}

// Summarize makes the summary of a tensor of this name.
func Summarize(name string, v []float32) Summary {
	var s Summary
	var signs [16]float64
	words := Bits("signs of "+name, len(v))
	for i, x := range v {
		f := float64(x)
		s.Norm += f * f
		// Without branches, which nobody can predict: a bit of 1 keeps the sign.
		for k := range signs {
			signs[k] += math.Float64frombits(math.Float64bits(f) ^ ^words[i]>>k<<63)
		}
		if i < 4 {
			s.Head = append(s.Head, f)
		}
	}
	s.Norm, s.Signs = math.Sqrt(s.Norm), signs[:]
	return s
}

// Distance estimates the norm of the difference of the tensors summarised.
func (s Summary) Distance(t Summary) float64 {
	sum := 0.0
	for k := range s.Signs {
		d := s.Signs[k] - t.Signs[k]
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(s.Signs)))
}
