package models_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/internal/formula"
)

// table is where the test of all models writes what it found.
var table = flag.String("table", "", "file for the table of models and their largest differences from PyTorch")

// zooModel is what testdata/zoo.py writes of a model in evaluation.
type zooModel struct {
	Input   []int
	Classes int
	Params  int64
	Tensors int
	Digest  string
	MACs    int64
	Gain    float32
	Logits  []float64
}

// rig makes the model with the weights that zoo.py gave it.
func (z zooModel) rig(t testing.TB, name string, dev graph.Device, dt op.DType) *rig {
	t.Helper()
	r := newRig(t, name, dev, dt, graph.Eval, z.Input, z.Classes)
	for _, p := range r.ps.All() {
		if z.Gain == 1 || len(p.FileShape()) != 4 {
			continue
		}
		w := formula.Parameter(p.Name, p.FileShape())
		for i := range w {
			w[i] *= z.Gain
		}
		if err := p.Write(w); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// digest is a number for all names and shapes of the parameters in order.
func digest(ps *graph.Params) string {
	h := fnv.New64a()
	for _, p := range ps.All() {
		shape := strings.ReplaceAll(strings.Trim(fmt.Sprint([]int(p.FileShape())), "[]"), " ", ", ")
		fmt.Fprintf(h, "%s [%s]\n", p.Name, shape)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// consistsOf compares a model's parameters and its work with PyTorch's.
func (z zooModel) consistsOf(t *testing.T, name string, ps *graph.Params) {
	t.Helper()
	if n := len(ps.All()); n != z.Tensors || digest(ps) != z.Digest {
		t.Errorf("%d tensors, in PyTorch %d, or their names, shapes or order differ: compare with testdata/zoo.py --list %s", n, z.Tensors, name)
	}
	if n := int64(ps.Count()); n != z.Params {
		t.Errorf("%d trained values, in PyTorch %d", n, z.Params)
	}
	cost, err := models.Measure(name, models.Options{NumClasses: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if d := math.Abs(float64(cost.MACs-z.MACs)) / float64(z.MACs); d > 2e-3 {
		t.Errorf("%d multiply-adds, fvcore counts %d", cost.MACs, z.MACs)
	}
}

// Every model has the parameters of timm's or torchvision's of that name and gives
// its logits to 1e-4 of the largest, where convolutions are summed as they are defined.
func TestZooEqualsPyTorch(t *testing.T) {
	golden := readGolden[map[string]zooModel](t, "zoo.json")
	ours := readGolden[map[string]zooModel](t, "logits.json") // parameters.json has what they consist of
	found := map[string]float64{}
	for _, name := range models.Names() {
		want, zoo := golden[name]
		if !zoo {
			want = ours[name]
			want.Gain, golden[name] = 1, want
		}
		if want.Logits == nil {
			t.Errorf("%s has no golden logits: add it to testdata/zoo.py", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			r := want.rig(t, name, device(t, cpu.Options{DirectConvolution: true}), op.Float32)
			if zoo {
				want.consistsOf(t, name, r.ps)
			}
			d := farthest(r.run(t, formula.Images("images", want.Input), nil), want.Logits)
			if !(d <= 1e-4) {
				t.Errorf("logits differ by %.2g of the largest", d)
			}
			found[name] = d
		})
	}
	if *table != "" && !t.Failed() {
		writeTable(t, golden, found)
	}
}

// writeTable writes the models and what they differ from PyTorch's.
func writeTable(t *testing.T, golden map[string]zooModel, found map[string]float64) {
	t.Helper()
	var text strings.Builder
	text.WriteString("# Models\n\nEach computes what timm or torchvision computes under its name, with the same weights: the last column is the largest\n" +
		"difference of a logit from PyTorch's in float64, relative to the largest logit, for images of the size given and\n" +
		"convolutions summed as they are defined (`runtime.convolution: direct`).\n" +
		"`make models-table` writes this page anew; `models/testdata/zoo.py` makes what it compares with.\n\n" +
		"| model | parameters | multiply-adds | compared at | largest difference |\n|---|---:|---:|---:|---:|\n")
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		cost, err := models.Measure(name, models.Options{})
		if err != nil {
			t.Fatal(err)
		}
		in := golden[name].Input
		fmt.Fprintf(w, "| %s | %.2f M | %.2f G | %dx%d | %.1e |\n", name, float64(cost.Params)/1e6, float64(cost.MACs)/1e9, in[2], in[3], found[name])
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*table, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
