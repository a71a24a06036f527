package train_test

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
)

// corner is a network whose first logit is its input's first pixel.
type corner struct{}

func (corner) Forward(g *graph.Graph, x *graph.Node) *graph.Node { return g.Flatten(x) }

// What is measured under each augmentation is the mean over the views that it names.
func TestAugment(t *testing.T) {
	const size = 2
	pixels := make([]uint8, 2*3*4) // two pictures of 4x3
	for i := range pixels {
		pixels[i] = uint8(i * i)
	}
	at := func(picture, x, y int) float64 { return float64(pixels[picture*12+y*4+x]) }
	ds := must(data.FromPixels("two", pixels, 3, 4, 1, []int32{0, 1}, []string{"a", "b", "c", "d"}))
	p := checkpoint.Preprocessing{Size: [2]int{size, size}, Channels: 1, Mean: []float64{0}, Std: []float64{1. / 255}, CropPct: 2. / 3, Interpolation: "bilinear"}
	ps := graph.NewParams(1)
	if err := ps.Place(device(t)); err != nil {
		t.Fatal(err)
	}
	n := must(train.NewNetwork(train.Network{Module: corner{}, Params: ps, Height: size, Width: size, Channels: 1, Classes: 4, Objective: train.Objective{Name: "mse"}}, 1))
	// by hand: where the crops of 2x2 begin in 4x3, and the first pixel of their mirror
	// images, one further right
	five := [][2]int{{1, 0}, {0, 0}, {2, 0}, {0, 1}, {2, 1}}
	for name, want := range map[string]func(i int) float64{
		"none": func(i int) float64 { return at(i, 1, 0) },
		"flip": func(i int) float64 { return (at(i, 1, 0) + at(i, 2, 0)) / 2 },
		"crops5": func(i int) (sum float64) {
			for _, c := range five {
				sum += at(i, c[0], c[1]) / 5
			}
			return sum
		},
		"crops10": func(i int) (sum float64) {
			for _, c := range five {
				sum += (at(i, c[0], c[1]) + at(i, c[0]+1, c[1])) / 10
			}
			return sum
		},
		// the crop of two by two moved by one either way begins with its last pixel
		"shifts": func(i int) float64 {
			return (2*(at(i, 1, 0)+at(i, 2, 0)) + 2*(at(i, 2, 1)+at(i, 1, 1))) / 8
		},
	} {
		e := train.Evaluator{Network: n, Loader: must(train.NewEvalLoader(ds, p, 2, 1, true))}
		if err := e.Augment(name, p); err != nil {
			t.Fatal(err)
		}
		seen := 0
		e.Each = func(b *data.Batch, outputs []float32) error {
			for i := range b.N {
				seen++
				if got := float64(outputs[i*4]); math.Abs(got-want(b.Indices[i])) > 1e-3 {
					t.Errorf("%s, picture %d: %v, want %v", name, b.Indices[i], got, want(b.Indices[i]))
				}
			}
			return nil
		}
		if _, err := e.Run(t.Context()); err != nil || seen != 2 {
			t.Errorf("%s: %d images, %v", name, seen, err)
		}
	}
	if err := (&train.Evaluator{}).Augment("crops7", p); err == nil {
		t.Error("an unknown augmentation is accepted")
	}
}
