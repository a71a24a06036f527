package train_test

import (
	"math"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/layers"
	"github.com/seed52467199/trainer/train"
)

// The average of weights is that of every value, running statistics included; counts
// of batches stay the first's, and nothing else is averaged than one model.
func TestSoup(t *testing.T) {
	dev := device(t)
	make := func(name string, classes int, fill float32) *train.Loaded {
		n := network(t, dev, name, 1, classes, 16, 16)
		for _, p := range n.Params.All() {
			vals := must(p.Read())
			for k := range vals {
				vals[k] += fill * float32(k%7)
			}
			if p.Role == graph.Counter {
				vals[0] = fill
			}
			if err := p.Write(vals); err != nil {
				t.Fatal(err)
			}
		}
		return &train.Loaded{Model: n.Module.(*models.Model), Network: n, Source: name}
	}
	a, b, c, into := make("cifar_resnet20", 5, 1), make("cifar_resnet20", 5, 2), make("cifar_resnet20", 5, 6), make("cifar_resnet20", 5, 0)
	same := func(what string, add float64) {
		t.Helper()
		counters, statistics := 0, 0
		for i, p := range into.Network.Params.All() {
			fresh, got := must(a.Network.Params.All()[i].Read()), must(p.Read())
			if p.Role == graph.Counter {
				if counters++; got[0] != 1 {
					t.Errorf("%s: %s is %v, want the first's", what, p.Name, got)
				}
				continue
			}
			if strings.Contains(p.Name, "running") {
				statistics++
			}
			for k := range got {
				// a holds the fresh value plus k%7
				if want := float64(fresh[k]) + (add-1)*float64(k%7); math.Abs(float64(got[k])-want) > 1e-5 {
					t.Fatalf("%s: %s[%d] is %v, want %v", what, p.Name, k, got[k], want)
				}
			}
		}
		if counters == 0 || statistics == 0 {
			t.Fatal("the network has no statistics to average")
		}
	}
	var s train.Soup
	for _, l := range []*train.Loaded{a, b} {
		if err := s.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Pour(into, c); err != nil {
		t.Fatal(err)
	}
	same("of three", 3)
	if err := s.Pour(into, nil); err != nil {
		t.Fatal(err)
	}
	same("of two", 1.5)
	named := make("cifar_resnet20", 5, 0)
	a.Classes, named.Classes = []string{"a", "b", "c", "d", "e"}, []string{"b", "a", "c", "d", "e"}
	for _, other := range []*train.Loaded{make("cifar_resnet20", 6, 0), make("lenet5", 5, 0), named} {
		if err := s.Add(other); err == nil || !strings.Contains(err.Error(), "cannot be averaged") {
			t.Errorf("%s of %d classes: %v", other.Source, other.Network.Classes, err)
		}
		if err := s.Pour(other, nil); err == nil {
			t.Errorf("%s of %d classes takes the average", other.Source, other.Network.Classes)
		}
	}
	if s.Count() != 2 {
		t.Errorf("%d are in it, want 2", s.Count())
	}
}

// scaled is a batch norm alone: its statistics are those of the images.
type scaled struct{ norm *graph.Norm }

func (s scaled) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return g.Flatten(s.norm.Forward(g, x))
}

// Statistics that are computed anew are the means over batches of the batches' own,
// whatever the norm's momentum and whatever they were before.
func TestMeasureNormsOverBatches(t *testing.T) {
	const images, batch = 6, 2
	pixels := make([]uint8, images*4)
	for i := range pixels {
		pixels[i] = uint8(i * i % 251)
	}
	ds := must(data.FromPixels("six", pixels, 2, 2, 1, make([]int32, images), []string{"a", "b", "c", "d"}))
	p := checkpoint.Preprocessing{Size: [2]int{2, 2}, Channels: 1, Mean: []float64{0}, Std: []float64{1}}
	ps := graph.NewParams(1)
	norm := graph.NewBatchNorm(ps.Root().Sub("bn"), 1, graph.BatchNormConfig{Momentum: 0.03})
	if err := ps.Place(device(t)); err != nil {
		t.Fatal(err)
	}
	n := must(train.NewNetwork(train.Network{Module: scaled{norm}, Params: ps, Height: 2, Width: 2, Channels: 1, Classes: 4, Objective: train.Objective{Name: "cross_entropy"}}, 1))
	mean, variance := 0.0, 0.0
	for b := range images / batch {
		sum, squares, count := 0.0, 0.0, float64(batch*4)
		for _, v := range pixels[b*batch*4 : (b+1)*batch*4] {
			x := float64(v) / 255
			sum += x
			squares += x * x
		}
		mean += sum / count / (images / batch)
		variance += (squares - sum*sum/count) / (count - 1) / (images / batch)
	}
	for range 2 {
		it := must(train.NewEvalLoader(ds, p, batch, 1, true)).Epoch(t.Context(), 0, 0)
		defer it.Close()
		if err := n.MeasureNorms(it); err != nil {
			t.Fatal(err)
		}
		if got := must(norm.Mean.Read())[0]; math.Abs(float64(got)-mean) > 1e-5 {
			t.Errorf("mean %v, want %v", got, mean)
		}
		if got := must(norm.Var.Read())[0]; math.Abs(float64(got)-variance) > 1e-5 {
			t.Errorf("variance %v, want %v", got, variance)
		}
	}
	if !must(n.GathersStatistics()) {
		t.Error("a batch norm is not told to gather statistics")
	}
	norm.Frozen = true
	if must(n.GathersStatistics()) {
		t.Error("a frozen batch norm is told to gather statistics")
	}
}

// Networks gather statistics by what their norms do, whatever their parameters are called.
func TestGathersStatistics(t *testing.T) {
	for _, c := range []struct {
		model, norm string
		want        bool
	}{
		{"lenet5", "", false}, {"cifar_resnet20", "", true}, {"cifar_resnet20", "group:groups=8", false}, {"cifar_resnet20", "bcn:groups=8", true},
		{"cifar_resnet20", "frozen", false}, {"cifar_resnet20", "bcn:groups=8,estimate=true,speed=0.01", false},
	} {
		ps := graph.NewParams(1)
		m, err := models.New(c.model, ps.Root(), models.Options{NumClasses: 4, InChans: 1, ImageSize: 32, Layers: layers.Choice{Norm: c.norm}})
		if err != nil {
			t.Fatal(err)
		}
		if err := ps.Place(device(t)); err != nil {
			t.Fatal(err)
		}
		n := must(train.NewNetwork(train.Network{Module: m, Params: ps, Height: 32, Width: 32, Channels: 1, Classes: 4, Objective: train.Objective{Name: "cross_entropy"}}, 1))
		if got := must(n.GathersStatistics()); got != c.want {
			t.Errorf("%s with %q: %v, want %v", c.model, c.norm, got, c.want)
		}
	}
}
