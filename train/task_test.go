package train_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
	"github.com/seed52467199/trainer/train/metric"
)

// asked is a data set of pictures of which something else is asked than a class.
type asked struct {
	data.Dataset
	task    data.Task
	targets [][]float32
}

func (a *asked) Task() data.Task             { return a.task }
func (a *asked) Target(i int, dst []float32) { copy(dst, a.targets[i]) }

// quarters are gray pictures of 4x4 whose three first quarters are light or dark by
// chance: which of them are light is asked, or how light each is.
func quarters(t *testing.T, task data.Task, n int) data.Dataset {
	t.Helper()
	pixels := make([]uint8, n*16)
	a := &asked{task: task}
	for i := range n {
		target := make([]float32, 3)
		for q := range 3 {
			level := (i*37 + q*53 + i*i*q*11) % 97
			if task == data.Regress {
				target[q] = float32(level) / 100
			} else if level > 48 {
				target[q] = 1
			}
			for p := range 4 {
				pixels[i*16+(q/2*2+p/2)*4+q%2*2+p%2] = uint8(2 * level)
			}
		}
		a.targets = append(a.targets, target)
	}
	var err error
	if a.Dataset, err = data.FromPixels("quarters", pixels, 4, 4, 1, make([]int32, n), []string{"a", "b", "c"}); err != nil {
		t.Fatal(err)
	}
	return a
}

// other is a trainer of a task in which nothing has one class.
func other(t *testing.T, task data.Task, loss, folder string, events report.Listener) *train.Trainer {
	t.Helper()
	dev := device(t)
	ps := graph.NewParams(1)
	m := must(models.New("mlp", ps.Root(), models.Options{NumClasses: 3, InChans: 1, ImageSize: 4}))
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	n := must(train.NewNetwork(train.Network{Module: m, Params: ps, Height: 4, Width: 4, Channels: 1, Classes: 3, Objective: train.Objective{Name: loss}}, 1))
	out := transform.Output{Size: 4, Channels: 1, Mean: []float64{0.4}, Std: []float64{0.2}}
	loader := must(data.NewLoader(quarters(t, task, 300), must(transform.NewTrain(transform.Train{Output: out})), data.LoaderOptions{BatchSize: 30, Shuffle: true}))
	val := must(data.NewLoader(quarters(t, task, 70), must(transform.NewEval(transform.Eval{Output: out})), data.LoaderOptions{BatchSize: 30}))
	sgd := must(optim.New(ps, optim.Config{Name: "adam", Betas: []float64{0.9, 0.999}, Eps: 1e-8}, optim.GroupBy(ps.All(), optim.DecayWeights(0))))
	return &train.Trainer{Network: n, Optimizer: sgd, Loader: loader, Epochs: 15, LR: func(int) float64 { return 0.005 }, Folder: folder, Events: events,
		Evaluator: &train.Evaluator{Network: n, Loader: val}, Meta: checkpoint.Meta{ClassNames: []string{"a", "b", "c"}}}
}

// Each task is measured by its own figures, told under its own names, and its best
// epoch is the best by its own.
func TestTasks(t *testing.T) {
	for _, c := range []struct {
		task    data.Task
		loss    string
		metrics []string
		scores  []string
		least   float64
	}{
		{data.MultiLabel, "bce", []string{"map", "f1", "f1_micro", "exact_match"}, []string{"ap", "precision", "recall", "f1"}, 95},
		{data.Regress, "mse", []string{"r2", "mae", "rmse"}, []string{"r2", "mae", "rmse"}, 0.8},
	} {
		t.Run(c.task.String(), func(t *testing.T) {
			folder := t.TempDir()
			best, bestEpoch := math.Inf(-1), 0
			tr := other(t, c.task, c.loss, folder, report.Func(func(e report.Event) error {
				if e, ok := e.(*report.EpochDone); ok {
					v := e.Metrics[0].Value
					if e.Best != (v > best) {
						t.Errorf("epoch %d with %v after %v: best is %v", e.Epoch, v, best, e.Best)
					}
					if v > best {
						best, bestEpoch = v, e.Epoch
					}
				}
				return nil
			}))
			if !slices.Equal(tr.Metrics(), c.metrics) {
				t.Errorf("metrics %v, want %v", tr.Metrics(), c.metrics)
			}
			r, err := tr.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if names := namesOf(r.Last.Metrics); !slices.Equal(names, c.metrics) {
				t.Errorf("told %v, want %v", names, c.metrics)
			}
			if s := r.Last.PerClass; len(s) != 3 || s[2].Name != "c" || !slices.Equal(namesOf(s[0].Figures), c.scores) || r.Last.Confusion != nil {
				t.Errorf("scores %v, confusion %v", s, r.Last.Confusion)
			}
			t.Logf("%v, loss %.4f", r.Last.Metrics, r.Last.EvalLoss)
			if best < c.least {
				t.Errorf("the best %s is %v, want at least %v", c.metrics[0], best, c.least)
			}
			s, err := checkpoint.Load(folder + "/checkpoints/best")
			if err != nil {
				t.Fatal(err)
			}
			if b := s.Meta.Best; b == nil || b.Name != c.metrics[0] || b.Value != best || b.Epoch != bestEpoch {
				t.Errorf("the checkpoint's best is %+v, want %v in epoch %d", b, best, bestEpoch)
			}
		})
	}
}

// The best by the loss is that of the lowest; a run that goes on by another figure
// compares anew.
func TestBestByAnotherFigure(t *testing.T) {
	folder := t.TempDir()
	tr := other(t, data.Regress, "mse", folder, nil)
	tr.BestBy = must(metric.Choose(data.Regress, "loss"))
	tr.Epochs = 3
	r, err := tr.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.Best.EvalLoss > r.Last.EvalLoss {
		t.Errorf("the best loss is %v, the last %v", r.Best.EvalLoss, r.Last.EvalLoss)
	}
	path := folder + "/checkpoints/last"
	again := other(t, data.Regress, "mse", folder, nil)
	again.Epochs = 4
	if err := again.Restore(must(checkpoint.Load(path)), path); err != nil {
		t.Fatal(err)
	}
	if r, err = again.Run(context.Background()); err != nil || !r.Last.Best {
		t.Errorf("the first epoch by r2 is not the best of these: %v", err)
	}
}

func namesOf(list []report.Metric) []string {
	var names []string
	for _, m := range list {
		names = append(names, m.Name)
	}
	return names
}
