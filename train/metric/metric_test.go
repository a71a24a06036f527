package metric_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/train/metric"
)

// golden is what testdata/make_golden.py wrote.
type golden struct {
	Task             string
	Classes          int
	Outputs, Targets []float32
	Labels           []int32
	Figures          map[string]float64
	Scores           map[string][]float64
	Confusion        [][]int
}

func (g *golden) task() data.Task {
	for _, t := range []data.Task{data.MultiLabel, data.Regress} {
		if t.String() == g.Task {
			return t
		}
	}
	return data.Classify
}

// tally counts the images in batches of so many.
func (g *golden) tally(batch int) metric.Tally {
	t := metric.New(metric.Options{Task: g.task(), Outputs: g.Classes, Ranks: true})
	for at := 0; at < len(g.Outputs); at += batch * g.Classes {
		end := min(at+batch*g.Classes, len(g.Outputs))
		var labels []int32
		var targets []float32
		if g.Labels != nil {
			labels = g.Labels[at/g.Classes : end/g.Classes]
		} else {
			targets = g.Targets[at:end]
		}
		t.Add(g.Outputs[at:end], labels, targets)
	}
	return t
}

// Every figure is that of scikit-learn, and does not depend on the batches.
func TestGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]*golden
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for name, g := range cases {
		t.Run(name, func(t *testing.T) {
			largest := 0.0
			same := func(what string, got, want float64) {
				t.Helper()
				gap := math.Abs(got-want) / max(1, math.Abs(want))
				largest = max(largest, gap)
				if !(gap < 1e-9) {
					t.Errorf("%s is %.12g, want %.12g", what, got, want)
				}
			}
			r := g.tally(7).Result()
			if want := len(g.Outputs) / g.Classes; r.Images != want {
				t.Errorf("%d images, want %d", r.Images, want)
			}
			if len(r.Figures)+1 != len(g.Figures) {
				t.Errorf("figures %v, want those of %v", r.Figures, g.Figures)
			}
			for name, want := range g.Figures {
				got, _ := r.Figure(name)
				same(name, got, want)
			}
			for c, s := range r.Classes {
				if len(s.Figures) != len(g.Scores) {
					t.Errorf("class %d has %v", c, s.Figures)
				}
				for _, f := range s.Figures {
					same(f.Name, f.Value, g.Scores[f.Name][c])
				}
			}
			if !slices.EqualFunc(r.Confusion, g.Confusion, slices.Equal) {
				t.Errorf("confusion %v, want %v", r.Confusion, g.Confusion)
			}
			whole := g.tally(len(g.Outputs)).Result()
			if whole.Loss != r.Loss || !slices.Equal(whole.Figures, r.Figures) {
				t.Errorf("one batch gives %v, batches of seven %v", whole, r)
			}
			loss := 0.0
			for i := range r.Images {
				var label int32
				var target []float32
				if g.Labels != nil {
					label = g.Labels[i]
				} else {
					target = g.Targets[i*g.Classes:]
				}
				loss += metric.ImageLoss(r.Task, g.Outputs[i*g.Classes:(i+1)*g.Classes], label, target)
			}
			same("the mean of the images' losses", loss/float64(r.Images), g.Figures["loss"])
			t.Logf("largest difference %.2g", largest)
		})
	}
}

var nan = float32(math.NaN())

func TestTop(t *testing.T) {
	for _, c := range []struct {
		name       string
		logits     []float32
		label      int32
		top1, top5 float64
		predicted  int
	}{
		{"right", []float32{0, 3, 1, 2, 0, 0, 0}, 1, 100, 100, 1},
		{"second", []float32{0, 3, 4, 2, 0, 0, 0}, 1, 0, 100, 2},
		{"fifth", []float32{6, 5, 4, 3, 2, 1, 0}, 4, 0, 100, 0},
		{"sixth", []float32{6, 5, 4, 3, 2, 1, 0}, 5, 0, 0, 0},
		{"all alike, label last", []float32{1, 1, 1, 1, 1, 1, 1}, 6, 0, 0, 0},
		{"all alike, label first", []float32{1, 1, 1, 1, 1, 1, 1}, 0, 100, 100, 0},
		{"label not a number", []float32{1, nan, 1, 1, 1, 1, 1}, 1, 0, 0, 0},
		{"first not a number", []float32{nan, 2, 1, 1, 1, 1, 1}, 1, 100, 100, 1},
	} {
		tl := metric.New(metric.Options{Outputs: 7})
		tl.Add(c.logits, []int32{c.label}, nil)
		r := tl.Result()
		top1, _ := r.Figure("top1")
		top5, _ := r.Figure("top5")
		if top1 != c.top1 || top5 != c.top5 || r.Confusion[c.label][c.predicted] != 1 {
			t.Errorf("%s: top1 %v top5 %v confusion %v, want %v, %v and prediction %d", c.name, top1, top5, r.Confusion[c.label], c.top1, c.top5, c.predicted)
		}
		if math.IsNaN(r.Loss) != slices.ContainsFunc(c.logits, func(x float32) bool { return x != x }) {
			t.Errorf("%s: loss %v", c.name, r.Loss)
		}
	}
}

// Large logits neither overflow nor lose the order of what is all but certain.
func TestLargeLogits(t *testing.T) {
	tl := metric.New(metric.Options{Outputs: 2, Ranks: true})
	tl.Add([]float32{1000, 1000, -2000, 0, -50, 0, 0, 80, 0, 90}, []int32{0, 0, 0, 0, 1}, nil)
	r := tl.Result()
	if want := (math.Ln2 + 2000 + 50 + 80) / 5; math.Abs(r.Loss-want) > 1e-9 {
		t.Errorf("loss %v, want %v", r.Loss, want)
	}
	if auc, _ := r.Figure("auc"); auc != 75 { // 90 is above 80, 50 and 0, below 2000
		t.Errorf("auc %v, want three of four", auc)
	}
}

// What is not defined is left out instead of being a number.
func TestUndefined(t *testing.T) {
	one := metric.New(metric.Options{Outputs: 3, Ranks: true})
	one.Add([]float32{1, 0, 0, 1, 0, 0}, []int32{0, 0}, nil)
	if auc, ok := one.Result().Figure("auc"); ok {
		t.Errorf("auc of images of one class is %v", auc)
	}
	// a class without images counts in none of the means
	if f, _ := one.Result().Figure("f1"); f != 100 {
		t.Errorf("f1 %v, want 100", f)
	}
	none := metric.New(metric.Options{Task: data.MultiLabel, Outputs: 2})
	none.Add([]float32{1, -1, -1, -1}, nil, []float32{1, 0, 1, 0})
	r := none.Result()
	if m, _ := r.Figure("map"); m != 100 || !math.IsNaN(r.Classes[1].Figures[0].Value) {
		t.Errorf("map %v and %v of a class that is nowhere", m, r.Classes[1])
	}
	flat := metric.New(metric.Options{Task: data.Regress, Outputs: 1})
	flat.Add([]float32{1, 2}, nil, []float32{5, 5})
	if r2, ok := flat.Result().Figure("r2"); ok {
		t.Errorf("r2 of one value is %v", r2)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		task  data.Task
		name  string
		want  string // "" where it is refused
		lower bool
	}{
		{data.Classify, "auto", "top1", false},
		{data.MultiLabel, "auto", "map", false},
		{data.Regress, "auto", "r2", false},
		{data.Regress, "rmse", "rmse", true},
		{data.Classify, "loss", "loss", true},
		{data.Classify, "map", "", false},
		{data.Regress, "top1", "", false},
	} {
		got, err := metric.Choose(c.task, c.name)
		if (err != nil) != (c.want == "") || got.Name != c.want || got.Lower != c.lower {
			t.Errorf("%s of %s: %v, %v; want %q", c.name, c.task, got, err, c.want)
		}
		if err == nil && got.Better(1, 2) != c.lower {
			t.Errorf("%s: 1 is better than 2: %v", c.name, !c.lower)
		}
	}
	by, _ := metric.Choose(data.Classify, "auc")
	if told := metric.Told(data.Classify, by); !slices.Equal(told, []string{"auc", "top1", "top5", "f1", "ece"}) {
		t.Errorf("told %v", told)
	}
}

// Real labels count where one of them is named, and images without any do not.
func TestRealLabels(t *testing.T) {
	r, err := metric.ReadRealLabels(strings.NewReader("[[3], [], [0, 5], [6]]"), 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, logits := range [][]float32{{0, 0, 0, 1, 0, 0, 0}, {9, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 9, 0}, {6, 5, 4, 3, 2, 1, 0}} {
		name := fmt.Sprintf("val/n0/ILSVRC2012_val_%08d.JPEG", i+1)
		if r.Knows(name) != (i != 1) {
			t.Errorf("it knows %s: %v", name, r.Knows(name))
		}
		r.Add(name, logits)
	}
	r.Add("unknown.jpg", make([]float32, 7))
	if f := r.Figures(); f[0].Value != 100*2/3. || f[1].Value != 100*2/3. {
		t.Errorf("%v, want two of three", f)
	}
	named, err := metric.ReadRealLabels(strings.NewReader(`{"a.jpg": [1, 6]}`), 7)
	if err != nil {
		t.Fatal(err)
	}
	named.Add("x/a.jpg", []float32{6, 5, 4, 3, 2, 1, 0})
	if f := named.Figures(); f[0].Value != 0 || f[1].Value != 100 {
		t.Errorf("%v, want it second", f)
	}
	for _, bad := range []string{"[[7]]", `{"a": [-1]}`, `{"a": 1}`, "["} {
		if _, err := metric.ReadRealLabels(strings.NewReader(bad), 7); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
