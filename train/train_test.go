package train_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

// A program that builds a model, trains it and saves it with the packages alone.
func Example() {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dev.Close()

	params := graph.NewParams(1)
	model, err := models.New("mlp", params.Root(), models.Options{NumClasses: 10, InChans: 1, ImageSize: 8})
	if err != nil {
		log.Fatal(err)
	}
	if err := params.Place(dev); err != nil {
		log.Fatal(err)
	}
	network, err := train.NewNetwork(train.Network{Module: model, Params: params, Height: 8, Width: 8, Channels: 1, Classes: 10,
		Objective: train.Objective{Name: "cross_entropy"}}, 1)
	if err != nil {
		log.Fatal(err)
	}
	digits, err := data.Open("digits", "", "train", data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	pipeline, err := transform.NewTrain(transform.Train{Output: transform.Output{Size: 8, Channels: 1, Mean: []float64{0.3}, Std: []float64{0.37}}})
	if err != nil {
		log.Fatal(err)
	}
	loader, err := data.NewLoader(digits, pipeline, data.LoaderOptions{BatchSize: 50, Shuffle: true, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	sgd, err := optim.New(params, optim.Config{Name: "sgd", Momentum: 0.9}, optim.GroupBy(params.All()[:], optim.DecayWeights(1e-4)))
	if err != nil {
		log.Fatal(err)
	}
	t := train.Trainer{Network: network, Optimizer: sgd, Loader: loader, Epochs: 4, LR: func(int) float64 { return 0.05 }}
	result, err := t.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	weights, err := train.Weights(params)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := checkpoint.WriteSafetensors(filepath.Join(dir, "digits.safetensors"), weights, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Updates, "updates, loss below 0.5:", result.Last.TrainLoss < 0.5)
	// Output: 120 updates, loss below 0.5: true
}

func device(t testing.TB) *cpu.Device {
	t.Helper()
	d, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// job opens a configuration of digits with these settings on top.
func job(t testing.TB, set ...string) *train.Job {
	t.Helper()
	c, err := configs.Load("quickstart", configs.Options{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	j, err := train.OpenJob(*c, device(t))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func trainer(t testing.TB, j *train.Job, folder string, events report.Listener) *train.Trainer {
	t.Helper()
	tr, err := j.Trainer(folder, events)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// memory is all parameters and statistics as bytes.
func memory(j *train.Job) []byte {
	ps := j.Network.Params
	return append(slices.Clone(ps.Trained().Host()), ps.Statistics().Host()...)
}

// Training in bfloat16 reaches float32's accuracy.
func TestBFloat16LearnsAsWell(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains a residual network twice")
	}
	rate := func(precision string) float64 {
		j := job(t, "model.name=cifar_resnet20", "train.epochs=4", "data.size=8", "augment.crop=none", "optimizer.lr=0.1", "train.batch_size=64", "train.precision="+precision)
		r, err := trainer(t, j, "", nil).Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		top1, _ := r.Best.Metric("top1")
		return top1
	}
	wide, half := rate("f32"), rate("bf16")
	t.Logf("top-1 %.2f%% in f32, %.2f%% in bf16", wide, half)
	if half < wide-1.5 {
		t.Errorf("top-1 is %.2f%% in bf16, %.2f%% in f32", half, wide)
	}
}

// A range test leaves no trace: what is trained after it has the bits of what is
// trained without it, with momentum, dropout, an average and accumulation.
func TestFindLRLeavesNoTrace(t *testing.T) {
	settings := []string{"train.epochs=1", "model.name=cifar_resnet20", "model.drop_path=0.2", "train.ema_decay=0.9", "train.grad_accum=2", "data.size=16"}
	if testing.Short() {
		t.Skip("it trains a residual network twice")
	}
	plain, found := job(t, settings...), job(t, settings...)
	before := memory(found)
	a, b := trainer(t, plain, "", nil), trainer(t, found, "", nil)
	c := configs.Default().LRFind
	c.Steps = 30
	curve, err := b.FindLR(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(curve.Train.Points) < 10 {
		t.Errorf("%d points", len(curve.Train.Points))
	}
	if !bytes.Equal(memory(found), before) {
		t.Error("the range test changed the weights")
	}
	for _, tr := range []*train.Trainer{a, b} {
		if _, err := tr.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(memory(plain), memory(found)) {
		t.Error("training after a range test gives other weights")
	}
}

// Training that is interrupted after every few updates and taken up again ends
// with the bits of one that is not, with every kind of state.
func TestResumeIsExact(t *testing.T) {
	for name, settings := range map[string][]string{
		"adamw, average": {"train.epochs=2", "optimizer.name=adamw", "optimizer.lr=0.003", "train.ema_decay=0.9", "train.clip_grad=1",
			"augment.repeats=2", "data.sampler=balanced"},
		"plateau": {"train.epochs=4", "schedule.name=plateau", "schedule.patience_epochs=1", "schedule.threshold=0.5", "schedule.plateau_cooldown=1",
			"schedule.noise=[0.3]"},
		"moving momentum": {"train.epochs=2", "schedule.name=one_cycle", "schedule.cycle_momentum=true", "train.ema_decay=0.9"},
		"patience":        {"train.epochs=8", "schedule.name=cosine", "schedule.cycle_limit=2", "train.patience=2", "train.min_delta=30", "train.patience_start=1"},
	} {
		t.Run(name, func(t *testing.T) { resumesExactly(t, append(settings, "train.batch_size=300")...) })
	}
}

// So do trainings by every kind of optimizer and average.
func TestResumeIsExactByOptimizer(t *testing.T) {
	residual := []string{"model.name=cifar_resnet20", "model.drop_path=0.1", "data.train_limit=400", "train.batch_size=40", "data.size=8", "augment.crop=none"}
	for _, settings := range [][]string{
		{"optimizer.name=lamb", "train.ema_decay=0.9", "train.ema_warmup=true"},
		{"optimizer.name=adafactor", "optimizer.betas=[0.9, 0]", "train.clip_grad=0.1", "train.clip_mode=agc"},
		{"optimizer.name=adafactor"},
		{"optimizer.name=adan", "optimizer.lookahead_k=2", "train.ema_decay=0.9"},
		{"optimizer.name=rmsprop_tf", "optimizer.layer_decay=0.7", "train.clip_grad=0.01", "train.clip_mode=value"},
		{"optimizer.name=madgrad", "optimizer.lookahead_k=3", "optimizer.lookahead_ramp=2"},
		append(residual, "optimizer.name=muon", "train.swa_start=1", "train.swa_lr=0.001"),
		append(residual, "optimizer.name=sgd", "optimizer.sam_rho=0.05", "train.grad_accum=2"),
	} {
		t.Run(strings.Join(settings, " "), func(t *testing.T) {
			if testing.Short() && settings[0] == residual[0] {
				t.Skip("it trains a residual network twice")
			}
			resumesExactly(t, append([]string{"train.epochs=2", "train.batch_size=300", "optimizer.lr=0.003"}, settings...)...)
		})
	}
}

// resumesExactly trains once in one piece and once with an interruption after every
// third update.
func resumesExactly(t *testing.T, settings ...string) {
	t.Helper()
	if !bytes.Equal(memory(interrupted(t, settings...)), memory(trained(t, settings...))) {
		t.Error("the interrupted training ends with other weights")
	}
}

// trained is the job of these settings when it is done.
func trained(t *testing.T, settings ...string) *train.Job {
	t.Helper()
	j := job(t, settings...)
	if _, err := trainer(t, j, t.TempDir(), nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return j
}

// interrupted is the same of a training that is interrupted after every third update.
func interrupted(t *testing.T, settings ...string) *train.Job {
	t.Helper()
	folder := t.TempDir()
	for starts := 0; ; starts++ {
		if starts > 20 {
			t.Fatal("it never ends")
		}
		j := job(t, settings...)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		left := 3
		tr := trainer(t, j, folder, report.Func(func(e report.Event) error {
			if _, ok := e.(*report.Step); ok {
				if left--; left == 0 {
					cancel()
				}
			}
			return nil
		}))
		if path, _, err := checkpoint.Newest(folder); err == nil {
			s, err := checkpoint.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.Restore(s, path); err != nil {
				t.Fatal(err)
			}
		}
		_, err := tr.Run(ctx)
		if err == nil {
			if starts < 2 {
				t.Errorf("only %d interruptions", starts)
			}
			return j
		}
		if !errors.Is(err, train.ErrInterrupted) {
			t.Fatal(err)
		}
	}
}

// An evaluation that is interrupted is made again, with the weights that it was to measure;
// what it would have told counts once.
func TestInterruptedEvaluation(t *testing.T) {
	settings := []string{"train.epochs=3", "train.batch_size=300", "train.ema_decay=0.9", "eval.batch_size=50"}
	whole := trainer(t, job(t, settings...), t.TempDir(), nil)
	want, err := whole.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for evaluations := range 7 {
		// Every other start ends in the middle of its first evaluation, the others in that
		// of their second.
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		left, rows := 2-evaluations%2, 0
		tr := trainer(t, job(t, settings...), folder, report.Func(func(e report.Event) error {
			switch e := e.(type) {
			case *report.EvalStep:
				if e.Batch == 1 {
					if left--; left == 0 {
						cancel()
					}
				}
			case *report.EpochDone:
				rows++
			}
			return nil
		}))
		if path, _, err := checkpoint.Newest(folder); err == nil {
			if err := tr.Restore(must(checkpoint.Load(path)), path); err != nil {
				t.Fatal(err)
			}
		}
		got, err := tr.Run(ctx)
		if err == nil {
			if evaluations < 2 {
				t.Errorf("only %d interruptions", evaluations)
			}
			if g, w := got.Last.Metrics, want.Last.Metrics; !slices.Equal(g, w) || got.Last.LR != want.Last.LR || got.Last.TrainLoss != want.Last.TrainLoss {
				t.Errorf("the last epoch is %v (loss %v, rate %v), want %v (%v, %v)", g, got.Last.TrainLoss, got.Last.LR, w, want.Last.TrainLoss, want.Last.LR)
			}
			if !slices.Equal(tr.EMA.Buffers()[0].Host(), whole.EMA.Buffers()[0].Host()) {
				t.Error("the average of the weights is another one")
			}
			return
		}
		if !errors.Is(err, train.ErrInterrupted) {
			t.Fatal(err)
		}
		if want := 1 - evaluations%2; rows != want {
			t.Errorf("%d epochs were finished before the evaluation was interrupted, want %d", rows, want)
		}
	}
	t.Error("it never ends")
}

// network is a model with fresh weights.
func network(t testing.TB, dev graph.Device, name string, chans, classes, height, width int) *train.Network {
	t.Helper()
	ps := graph.NewParams(3)
	m, err := models.New(name, ps.Root(), models.Options{NumClasses: classes, InChans: chans, ImageSize: height})
	if err != nil {
		t.Fatal(err)
	}
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	n, err := train.NewNetwork(train.Network{Module: m, Params: ps, Height: height, Width: width, Channels: chans, Classes: classes,
		Objective: train.Objective{Name: "cross_entropy"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// grayAndColour are pixels of one channel, and the same with R=G=B.
func grayAndColour(pixels int) (one, three []float32) {
	one, three = make([]float32, pixels), make([]float32, 3*pixels)
	for i := range one {
		one[i] = float32(math.Sin(float64(i) * 0.7))
		three[3*i], three[3*i+1], three[3*i+2] = one[i], one[i], one[i]
	}
	return one, three
}

// The gray network's logits equal the colour network's on gray images, where the
// normalisation of all channels is the same.
func TestGrayBySumEqualsColour(t *testing.T) {
	dev := device(t)
	colour, gray := network(t, dev, "squeezenet1_1", 3, 7, 48, 40), network(t, dev, "squeezenet1_1", 1, 7, 48, 40)
	weights, err := train.Weights(colour.Params)
	if err != nil {
		t.Fatal(err)
	}
	f := &checkpoint.File{Path: "colour", Tensors: weights, Source: "the colour network"}
	plan, err := train.Adapt(gray.Params, gray.Module.(*models.Model), f, train.AdaptOptions{Channels: 1, Method: "sum",
		Target: checkpoint.Preprocessing{Channels: 1, Mean: []float64{0.5}, Std: []float64{0.5}}})
	if err != nil {
		t.Fatal(err)
	}
	if plan.FirstConv != "features.0" || len(plan.Fresh) != 0 {
		t.Errorf("plan %+v; want features.0 adapted and nothing fresh", plan)
	}
	const n = 2
	one, three := grayAndColour(n * 48 * 40)
	a, b := make([]float32, n*7), make([]float32, n*7)
	if err := colour.Logits(a, three, n); err != nil {
		t.Fatal(err)
	}
	if err := gray.Logits(b, one, n); err != nil {
		t.Fatal(err)
	}
	if gap := largestGap(b, a); gap > 1e-4 {
		t.Errorf("largest difference %.2g of the range, want at most 1e-4", gap)
	}
}

// lenets makes networks of so many classes, with weights that differ with it.
func lenets(t *testing.T) func(classes int) (*graph.Params, *models.Model) {
	dev := device(t)
	return func(classes int) (*graph.Params, *models.Model) {
		t.Helper()
		ps := graph.NewParams(uint64(classes))
		m, err := models.New("lenet5", ps.Root(), models.Options{NumClasses: classes})
		if err != nil {
			t.Fatal(err)
		}
		if err := ps.Place(dev); err != nil {
			t.Fatal(err)
		}
		return ps, m
	}
}

func abs(x float32) float32 { return max(x, -x) }

// A classifier of other classes starts anew, weight and bias; the rest is taken over.
func TestAdaptReplacesTheClassifier(t *testing.T) {
	place := lenets(t)
	source, _ := place(10)
	weights, err := train.Weights(source)
	if err != nil {
		t.Fatal(err)
	}
	f := &checkpoint.File{Path: "w", Tensors: weights}
	for _, c := range []struct{ classes, fresh int }{{10, 0}, {4, 2}} {
		target, m := place(c.classes)
		plan, err := train.Adapt(target, m, f, train.AdaptOptions{Channels: 1, Method: "sum"})
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Fresh) != c.fresh || plan.Loaded != len(target.All())-c.fresh {
			t.Errorf("%d classes: %d loaded, fresh %v; want %d fresh", c.classes, plan.Loaded, plan.Fresh, c.fresh)
		}
		for _, name := range plan.Fresh { // starts with small logits
			vals, err := target.Lookup(name).Read()
			if err != nil {
				t.Fatal(err)
			}
			if largest := slices.MaxFunc(vals, func(a, b float32) int { return cmp.Compare(abs(a), abs(b)) }); abs(largest) > 0.03 {
				t.Errorf("%s starts with %v", name, largest)
			}
		}
	}
	other, m := place(10)
	if _, err := train.Adapt(other, m, &checkpoint.File{Path: "short", Tensors: must(checkpoint.NewTensors())}, train.AdaptOptions{Channels: 1}); err == nil {
		t.Error("weights without any tensor are accepted")
	}
}

// Of a classifier whose classes are known by name, those that are wanted are taken, in
// the order of the new labels; where a name is unknown or means nothing, it starts anew.
func TestAdaptSlicesTheClassifierByName(t *testing.T) {
	place := lenets(t)
	source, m := place(5)
	have, err := train.Weights(source)
	if err != nil {
		t.Fatal(err)
	}
	pets := []string{"cat", "dog", "fish", "hen", "owl"}
	inMeta := &checkpoint.File{Path: "w", Tensors: have, Meta: &checkpoint.Meta{ClassNames: pets}}
	inFile := &checkpoint.File{Path: "w", Tensors: have, Metadata: map[string]string{"class_names": `["cat","dog","fish","hen","owl"]`}}
	numbers := &checkpoint.File{Path: "w", Tensors: have, Meta: &checkpoint.Meta{ClassNames: []string{"0", "1", "2", "3", "4"}}}
	for _, c := range []struct {
		name    string
		file    *checkpoint.File
		classes []string
		rows    []int // of the source; nil: the classifier starts anew
		sliced  bool
	}{
		{"fewer, in another order", inMeta, []string{"hen", "cat"}, []int{3, 0}, true},
		{"names in the file's metadata", inFile, []string{"hen", "cat"}, []int{3, 0}, true},
		{"another order", inMeta, []string{"owl", "hen", "fish", "dog", "cat"}, []int{4, 3, 2, 1, 0}, true},
		{"the same", inMeta, pets, []int{0, 1, 2, 3, 4}, false},
		{"one unknown", inMeta, []string{"hen", "cow"}, nil, false},
		{"numbers of labels", numbers, []string{"0", "1"}, nil, false},
		{"no names here", inMeta, nil, []int{0, 1, 2, 3, 4}, false},
	} {
		classes := len(c.classes)
		if classes == 0 {
			classes = 5
		}
		target, model := place(classes)
		plan, err := train.Adapt(target, model, c.file, train.AdaptOptions{Channels: 1, Method: "sum", Classes: c.classes})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if plan.Sliced != c.sliced || (len(plan.Fresh) > 0) != (c.rows == nil) {
			t.Errorf("%s: sliced %v, fresh %v", c.name, plan.Sliced, plan.Fresh)
		}
		got, err := train.Weights(target)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{".weight", ".bias"} {
			name := m.Config.Classifier[0] + kind
			was, _ := have.Get(name)
			is, _ := got.Get(name)
			from, to, width := was.Float32s(), is.Float32s(), was.Len()/5
			for i, r := range c.rows {
				if !slices.Equal(to[i*width:][:width], from[r*width:][:width]) {
					t.Errorf("%s: row %d of %s is not row %d of the source", c.name, i, name, r)
				}
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The number of training images is the configuration's.
func TestJobTakesPartsOfTheData(t *testing.T) {
	if n := job(t, "data.train_limit=100").TrainData.Len(); n != 100 {
		t.Errorf("%d training images, want 100", n)
	}
}
