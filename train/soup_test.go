package train_test

import (
	"math"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
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
