package train_test

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

// small are the settings of a residual network that trains in a second.
func small(more ...string) []string {
	return append([]string{"model.name=cifar_resnet20", "data.train_limit=200", "train.batch_size=40", "data.size=8", "augment.crop=none", "optimizer.lr=0.05"}, more...)
}

// The weights that SWA ends with are the mean of those at the ends of the epochs from its
// start on, and they are the best.
func TestSWA(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains a residual network twice")
	}
	// The weights at the ends of the epochs of a training without it.
	plain := job(t, small("train.epochs=4")...)
	weight := plain.Network.Params.Lookup("layer2.0.conv1.weight")
	var ends [][]float32
	if _, err := trainer(t, plain, "", report.Func(func(e report.Event) error {
		if _, ok := e.(*report.EpochDone); ok {
			vals, err := weight.Read()
			ends = append(ends, vals)
			return err
		}
		return nil
	})).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	j := job(t, small("train.epochs=4", "train.swa_start=0.75")...)
	r, err := trainer(t, j, "", nil).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := j.Network.Params.Lookup("layer2.0.conv1.weight").Read()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		want := (ends[2][i] + ends[3][i]) / 2
		if math.Abs(float64(v-want)) > 1e-6 {
			t.Fatalf("weight %d is %v, want the mean %v of the last two epochs", i, v, want)
		}
	}
	if r.Best != r.Last {
		t.Error("the averaged weights are not the best")
	}
}

// MeasureNorms finds the statistics to which the running ones go on the same batch.
func TestMeasureNorms(t *testing.T) {
	j := job(t, small("data.train_limit=40")...)
	n := j.Network
	loader, err := j.TrainLoader()
	if err != nil {
		t.Fatal(err)
	}
	epoch := func() *data.Epoch { return loader.Epoch(t.Context(), 0, 0) }
	it := epoch()
	if !it.Next() {
		t.Fatal(it.Err())
	}
	for range 200 {
		if _, err := n.Backward(it.Batch(), false); err != nil {
			t.Fatal(err)
		}
	}
	it.Close()
	want := map[string][]float32{}
	for _, p := range n.Params.All() {
		if p.Role == graph.Statistic {
			if want[p.Name], err = p.Read(); err != nil {
				t.Fatal(err)
			}
			if err := p.Write(make([]float32, p.Len())); err != nil {
				t.Fatal(err)
			}
		}
	}
	it = epoch()
	defer it.Close()
	if err := n.MeasureNorms(it); err != nil {
		t.Fatal(err)
	}
	for name, vals := range want {
		got, err := n.Params.Lookup(name).Read()
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range vals {
			if math.Abs(float64(got[i]-v)) > 1e-5*(1+math.Abs(float64(v))) {
				t.Fatalf("%s[%d] is %v, want %v", name, i, got[i], v)
			}
		}
	}
}

// SAM's gradients are those at the weights that it climbs to; everything else is as
// after a plain pass.
func TestSAM(t *testing.T) {
	const rho = 0.1
	j := job(t, small("data.train_limit=40", "optimizer.sam_rho=0.1", "optimizer.momentum=0", "optimizer.nesterov=false", "optimizer.weight_decay=0", "schedule.name=constant", "schedule.warmup_epochs=0", "train.epochs=1")...)
	plain := job(t, small("data.train_limit=40", "train.epochs=1")...)
	loader, err := plain.TrainLoader()
	if err != nil {
		t.Fatal(err)
	}
	it := loader.Epoch(t.Context(), 0, 0)
	defer it.Close()
	if !it.Next() {
		t.Fatal(it.Err())
	}
	n := plain.Network
	backward := func() {
		if _, err := n.Backward(it.Batch(), false); err != nil {
			t.Fatal(err)
		}
	}
	read := func(p *graph.Param) []float32 {
		vals, err := p.Read()
		if err != nil {
			t.Fatal(err)
		}
		return vals
	}
	backward()
	statistics := slices.Clone(n.Params.Statistics().Host())
	norm, err := optim.NewNorm(n.Params)
	if err != nil {
		t.Fatal(err)
	}
	size, err := norm.Compute()
	if err != nil {
		t.Fatal(err)
	}
	start, slopes := map[string][]float32{}, map[string][]float32{}
	for _, p := range n.Params.All() {
		if !p.Role.Trained() {
			continue
		}
		w := read(p)
		g, err := p.ReadFrom(n.Params.Grads())
		if err != nil {
			t.Fatal(err)
		}
		start[p.Name], slopes[p.Name] = w, g
		up := make([]float32, len(w))
		for i := range w {
			up[i] = w[i] + float32(rho/size*float64(g[i]))
		}
		if err := p.Write(up); err != nil {
			t.Fatal(err)
		}
	}
	backward()
	if _, err := trainer(t, j, "", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	worst, without := 0.0, 0.0
	for _, p := range n.Params.All() {
		if !p.Role.Trained() {
			continue
		}
		g, err := p.ReadFrom(n.Params.Grads())
		if err != nil {
			t.Fatal(err)
		}
		got := read(j.Network.Params.Lookup(p.Name))
		for i, w := range start[p.Name] {
			worst = max(worst, math.Abs(float64(got[i]-(w-0.05*g[i]))))
			without = max(without, math.Abs(float64(got[i]-(w-0.05*slopes[p.Name][i]))))
		}
	}
	t.Logf("largest difference %.2g, from plain SGD %.2g", worst, without)
	if worst > 1e-2*without {
		t.Errorf("weights differ by %.2g; those of plain SGD by %.2g", worst, without)
	}
	if !slices.Equal(j.Network.Params.Statistics().Host(), statistics) {
		t.Error("the running statistics are not those of the first pass")
	}
}

// The gradients of a last group of batches that is shorter than the others are averaged
// over what it holds.
func TestShortAccumulation(t *testing.T) {
	j := job(t, "data.train_limit=120", "train.batch_size=40", "train.grad_accum=2", "train.epochs=1", "augment.crop=none", "optimizer.momentum=0", "optimizer.nesterov=false", "optimizer.weight_decay=0",
		"schedule.name=constant", "schedule.warmup_epochs=0", "optimizer.lr=0.1")
	plain := job(t, "data.train_limit=120", "train.batch_size=40", "augment.crop=none")
	w := plain.Network.Params.Lookup("fc1.weight")
	loader, err := plain.TrainLoader()
	if err != nil {
		t.Fatal(err)
	}
	it := loader.Epoch(t.Context(), 0, 0)
	defer it.Close()
	for _, group := range []int{2, 1} {
		for k := range group {
			if !it.Next() {
				t.Fatal(it.Err())
			}
			if _, err := plain.Network.Backward(it.Batch(), k > 0); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range plain.Network.Params.All() {
			vals, err := p.Read()
			if err != nil {
				t.Fatal(err)
			}
			g, err := p.ReadFrom(plain.Network.Params.Grads())
			if err != nil {
				t.Fatal(err)
			}
			for i := range vals {
				vals[i] -= 0.1 * g[i] / float32(group)
			}
			if err := p.Write(vals); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := trainer(t, j, "", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := w.Read()
	if err != nil {
		t.Fatal(err)
	}
	got, err := j.Network.Params.Lookup("fc1.weight").Read()
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Fatalf("weight %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// Parameters have the learning rate and the weight decay that depth and names give them.
func TestGroups(t *testing.T) {
	j := job(t, small("optimizer.layer_decay=0.5", "optimizer.weight_decay=0.1", `optimizer.lr_scale=layer1.*=0.1, layer1.2=3`, "optimizer.no_decay=layer2.0.conv1",
		`optimizer.decay_scale=*.bn2.bias=0.2, layer3.0.bn2.bias=0, layer3.0.conv2=3`)...)
	tr := trainer(t, j, "", nil)
	got := map[string][2]float64{}
	for _, g := range tr.Optimizer.Groups() {
		for _, p := range g.Params {
			got[p.Name] = [2]float64{g.LRScale, g.WeightDecay}
		}
	}
	for name, want := range map[string][2]float64{ // the stem, nine blocks, the classifier
		"linear.weight":         {1, 0.1},
		"linear.bias":           {1, 0},
		"layer3.2.conv2.weight": {0.5, 0.1},
		"layer2.0.conv1.weight": {math.Pow(0.5, 6), 0},
		"layer2.0.conv2.weight": {math.Pow(0.5, 6), 0.1},
		"layer1.1.bn1.weight":   {math.Pow(0.5, 8) * 0.1, 0},
		"layer1.2.conv1.weight": {math.Pow(0.5, 7) * 3, 0.1},
		"conv1.weight":          {math.Pow(0.5, 10), 0.1},
		"layer3.0.bn2.bias":     {math.Pow(0.5, 3), 0},
		"layer3.1.bn2.bias":     {math.Pow(0.5, 2), 0.2 * 0.1},
		"layer3.0.conv2.weight": {math.Pow(0.5, 3), 3 * 0.1},
	} {
		if g := got[name]; math.Abs(g[0]-want[0]) > 1e-12 || math.Abs(g[1]-want[1]) > 1e-12 {
			t.Errorf("%s: factor and weight decay %v, want %v", name, g, want)
		}
	}
	for key, setting := range map[string]string{"optimizer.no_decay": "optimizer.no_decay=layer9", "optimizer.lr_scale": "optimizer.lr_scale=layer9=2", "optimizer.decay_scale": "optimizer.decay_scale=layer9=2"} {
		_, err := job(t, small(setting)...).Trainer("", nil)
		if err == nil || !strings.Contains(err.Error(), key+": no parameter is named like \"layer9\"") {
			t.Errorf("%s: error %v", setting, err)
		}
	}
}

// Where SAM climbs nowhere, its training has the bits of a plain one: the second pass sees
// the same masks, and leaves no other trace.
func TestSAMThatStays(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains a residual network twice")
	}
	settings := small("model.drop_path=0.5", "train.epochs=1", "train.grad_accum=2")
	plain, sam := job(t, settings...), job(t, append(settings, "optimizer.sam_rho=1e-30")...)
	for _, j := range []*train.Job{plain, sam} {
		if _, err := trainer(t, j, "", nil).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	counters := 0
	for _, p := range plain.Network.Params.All() {
		a, err := p.Read()
		if err != nil {
			t.Fatal(err)
		}
		b, err := sam.Network.Params.Lookup(p.Name).Read()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a, b) {
			t.Fatalf("%s differs", p.Name)
		}
		if p.Role == graph.Counter {
			counters++
		}
	}
	if counters == 0 {
		t.Error("the network has no batch norms")
	}
}

// Patience watches the weights; where it ends after SWA began, the mean so far takes their
// place, is measured, and is the best. A run that goes on from there is over.
func TestPatienceEndsSWA(t *testing.T) {
	settings := small("train.epochs=9", "train.patience=2", "train.min_delta=1000", "train.patience_start=1")
	var ends [][]float32
	var told []float64
	listen := func(j *train.Job) report.Listener {
		ends, told = nil, nil
		return report.Func(func(e report.Event) error {
			if e, ok := e.(*report.EpochDone); ok {
				vals, err := j.Network.Params.Lookup("layer2.0.conv1.weight").Read()
				ends, told = append(ends, vals), append(told, e.EvalLoss)
				return err
			}
			return nil
		})
	}
	plain := job(t, settings...)
	if _, err := trainer(t, plain, "", listen(plain)).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	weights, losses := ends, told
	folder := t.TempDir()
	j := job(t, append(settings, "train.swa_start=2")...)
	r, err := trainer(t, j, folder, listen(j)).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := len(weights) - 1
	if last != 3 || len(ends) != 4 || r.Stopped == nil || !slices.Equal(told[:last], losses[:last]) {
		t.Fatalf("%d epochs, %d without SWA, losses %v and %v", len(ends), len(weights), told, losses)
	}
	for i, v := range ends[last] {
		want := (weights[1][i] + weights[2][i] + weights[3][i]) / 3
		if math.Abs(float64(v-want)) > 1e-6 {
			t.Fatalf("weight %d is %v, want the mean %v of three epochs", i, v, want)
		}
	}
	m, err := trainer(t, j, "", nil).Evaluator.Run(t.Context())
	if err != nil || m.Loss != told[last] || told[last] == losses[last] {
		t.Errorf("epoch 4 is told with the loss %g; that of the average is %g, %v, that of the weights %g", told[last], m.Loss, err, losses[last])
	}
	if r.Best != r.Last {
		t.Error("the average is not the best")
	}
	path := filepath.Join(folder, checkpoint.FolderName, checkpoint.LastName)
	s, err := checkpoint.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	again := job(t, append(settings, "train.swa_start=2")...)
	tr := trainer(t, again, folder, nil)
	if err := tr.Restore(s, path); err != nil {
		t.Fatal(err)
	}
	if r, err := tr.Run(t.Context()); err != nil || r.Last != nil || r.Stopped == nil || !bytes.Equal(memory(again), memory(j)) {
		t.Errorf("the run that was over goes on: %+v, %v", r, err)
	}
}

// A run that ends before SWA began says that nothing was averaged.
func TestPatienceBeforeSWA(t *testing.T) {
	warned := ""
	j := job(t, small("train.epochs=9", "train.patience=1", "train.min_delta=1000", "train.swa_start=5")...)
	r, err := trainer(t, j, "", report.Func(func(e report.Event) error {
		if e, ok := e.(*report.Warning); ok {
			warned = e.Text
		}
		return nil
	})).Run(t.Context())
	if err != nil || r.Stopped == nil || !strings.Contains(warned, "before epoch 5") {
		t.Errorf("%+v, %v, the warning %q", r, err, warned)
	}
}

// The run is over when patience is at its end, even where the average is an improvement.
func TestAverageIsTheEnd(t *testing.T) {
	j := job(t, "model.name=mlp", "eval.metric=loss", "schedule.name=constant", "schedule.warmup_epochs=0", "optimizer.lr=0.3", "train.seed=1",
		"train.epochs=20", "train.patience=1", "train.swa_start=2")
	var losses []float64
	r, err := trainer(t, j, "", report.Func(func(e report.Event) error {
		if e, ok := e.(*report.EpochDone); ok {
			losses = append(losses, e.EvalLoss)
		}
		return nil
	})).Run(t.Context())
	if err != nil || r.Stopped == nil {
		t.Fatalf("losses %v: %+v, %v", losses, r, err)
	}
	if last := len(losses) - 1; losses[last] >= losses[last-1] {
		t.Errorf("the average is no improvement, which shows nothing: losses %v", losses)
	}
}
