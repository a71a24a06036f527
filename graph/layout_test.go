package graph_test

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
)

// Means over an axis of the file, made in the order of memory, are those made in the order
// of the file, in every layout.
func TestWithout(t *testing.T) {
	conv, flat := graph.Shape{3, 2, 5, 4}, graph.Shape{2 * 3 * 5, 4}
	for name, c := range map[string]struct {
		shape  graph.Shape
		layout graph.Layout
	}{
		"plain":      {graph.Shape{2, 3, 4}, graph.Layout{}},
		"conv":       {conv, graph.ConvLayout(conv)},
		"1x1":        {graph.Shape{1, 1, 5, 4}, graph.ConvLayout(graph.Shape{1, 1, 5, 4})},
		"depthwise":  {graph.Shape{3, 3, 1, 4}, graph.ConvLayout(graph.Shape{3, 3, 1, 4})},
		"transposed": {conv, graph.TransposedConvLayout(conv)},
		"linear":     {graph.Shape{5, 4}, graph.LinearLayout(graph.Shape{5, 4})},
		"flattened":  {flat, graph.FlattenedLinearLayout(flat, 2, 3)},
		"shaped":     {graph.Shape{12}, graph.ShapedLayout(graph.Shape{12}, graph.Shape{3, 1, 4})},
	} {
		dev, err := cpu.New(cpu.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer dev.Close()
		ps := graph.NewParams(1)
		p := ps.Root().Param("p", c.shape, c.layout, graph.Statistic, graph.Normal(1))
		file := p.FileShape()
		means := make([]*graph.Param, len(file))
		for axis := range file {
			shape, layout := p.Without(axis)
			means[axis] = ps.Root().Param(string(rune('a'+axis)), shape, layout, graph.Statistic, graph.Zeros)
		}
		if err := ps.Place(dev); err != nil {
			t.Fatal(err)
		}
		values, err := p.Read() // in the order of the file
		if err != nil {
			t.Fatal(err)
		}
		memory, err := p.Values()
		if err != nil {
			t.Fatal(err)
		}
		extents, owner := p.Axes()
		for axis, m := range means {
			// In the order of memory, into the memory of the means.
			sums := make([]float32, m.Len())
			for at, v := range memory {
				to, step := 0, 1
				for a := len(extents) - 1; a >= 0; a-- {
					i := at % extents[a]
					at /= extents[a]
					if owner[a] != axis {
						to += i * step
						step *= extents[a]
					}
				}
				sums[to] += v
			}
			raw := ps.Statistics().Slice(4*m.Offset(), 4*m.Len())
			if err := raw.Upload(littleEndian(sums)); err != nil {
				t.Fatal(err)
			}
			got, err := m.Read()
			if err != nil {
				t.Fatal(err)
			}
			// In the order of the file.
			want := make([]float64, m.Len())
			inner := 1
			for _, n := range file[axis+1:] {
				inner *= n
			}
			for at, v := range values {
				want[at/(inner*file[axis])*inner+at%inner] += float64(v)
			}
			for i, v := range want {
				if math.Abs(float64(got[i])-v) > 1e-5 {
					t.Errorf("%s without axis %d of %v: value %d is %v, want %v", name, axis, file, i, got[i], v)
					break
				}
			}
		}
	}
}

func littleEndian(x []float32) []byte {
	var b []byte
	for _, v := range x {
		u := math.Float32bits(v)
		b = append(b, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
	}
	return b
}
