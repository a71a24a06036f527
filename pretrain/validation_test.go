package pretrain_test

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/pretrain"
	"github.com/seed52467199/trainer/report"
)

// listen collects a run's epochs.
func listen(epochs *[]report.EpochDone) report.Listener {
	return report.Func(func(e report.Event) error {
		if e, ok := e.(*report.EpochDone); ok {
			*epochs = append(*epochs, *e)
		}
		return nil
	})
}

// What is told of the validation images is the mean squared difference of the images and
// their mean-field reconstruction by the averaged weights, whatever the batches.
func TestValidationLoss(t *testing.T) {
	for _, batch := range []string{"256", "50"} {
		var epochs []report.EpochDone
		folder := t.TempDir()
		p := open(t, folder, listen(&epochs), 1, "pretrain.method=rbm", "model.act=sigmoid", "train.epochs=1", "data.train_limit=200", "eval.batch_size="+batch)
		if _, err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		average, _, err := checkpoint.ReadSafetensors(filepath.Join(folder, "checkpoints", "last", "ema.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		scaffold, _, err := checkpoint.ReadSafetensors(filepath.Join(folder, "checkpoints", "last", "scaffold.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		read := func(from *checkpoint.Tensors, name string) []float32 {
			x, ok := from.Get(name)
			if !ok {
				t.Fatalf("there is no %s", name)
			}
			return x.Float32s()
		}
		w, up, down := read(average, "fc1.weight"), read(average, "fc1.bias"), read(scaffold, "ema.pretrain.visible1.bias")
		logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
		loader, err := p.Job.EvalLoader(p.Job.ValData)
		if err != nil {
			t.Fatal(err)
		}
		it := loader.Epoch(t.Context(), 0, 0)
		defer it.Close()
		sum, n := 0.0, 0
		for it.Next() {
			b := it.Batch()
			for i := range b.N {
				x := b.Images[i*len(down) : (i+1)*len(down)]
				again := make([]float64, len(down))
				for h := range up {
					row, unit := w[h*len(down):(h+1)*len(down)], float64(up[h])
					for k, v := range x {
						unit += float64(row[k]) * float64(v)
					}
					unit = logistic(unit)
					for k := range again {
						again[k] += unit * float64(row[k])
					}
				}
				for k, v := range x {
					off := logistic(again[k]+float64(down[k])) - float64(v)
					sum += off * off
				}
				n += len(x)
			}
			it.Release(b)
		}
		if want, got := sum/float64(n), epochs[0].EvalLoss; n != p.Job.ValData.Len()*len(down) || math.Abs(got/want-1) > 1e-5 {
			t.Errorf("batches of %s: the validation loss is %g, want %g", batch, got, want)
		}
	}
}

// The masks and the noise of validation are the same in each epoch: with a learning rate
// that moves nothing so is the loss. Training's change.
func TestValidationDrawsTheSame(t *testing.T) {
	for name, settings := range map[string][]string{
		"dae":    {"pretrain.method=dae", "pretrain.noise_level=0.5"},
		"simmim": {"pretrain.method=simmim", "model.name=vit_tiny_patch16_224", "data.size=48", "data.train_limit=80"},
		"mae": {"pretrain.method=mae", "model.name=vit_tiny_patch16_224", "data.size=48", "data.train_limit=80",
			"pretrain.decoder_width=32", "pretrain.decoder_heads=2", "pretrain.decoder_depth=1"},
	} {
		t.Run(name, func(t *testing.T) {
			var epochs []report.EpochDone
			p := open(t, "", listen(&epochs), 2, append(settings, "train.epochs=2", "optimizer.lr=1e-30", "augment.hflip=0", "data.holdout=60", "data.val_split=holdout")...)
			if _, err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if a, b := epochs[0].EvalLoss, epochs[1].EvalLoss; a != b || !(a > 0) {
				t.Errorf("the validation losses of the same weights are %g and %g", a, b)
			}
			if a, b := epochs[0].TrainLoss, epochs[1].TrainLoss; a == b {
				t.Errorf("both training losses are %g", a)
			}
		})
	}
}

// Each layer has its own best epoch, and the run's is that of the last one, even where the
// loss of a lower one is less.
func TestBestOfTheLastLayer(t *testing.T) {
	var epochs []report.EpochDone
	folder := t.TempDir()
	p := open(t, folder, listen(&epochs), 2, "pretrain.method=dae", "model.name=mlp_500_500_2000", "train.epochs=2", "data.train_limit=300", "train.batch_size=16",
		"train.grad_accum=1", "train.ema_decay=0", "optimizer.name=sgd", "optimizer.lr=0.01", "data.mean=[0]", "data.std=[4]", "train.clip_grad=0", "augment.hflip=0")
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	least := slices.MinFunc(epochs, func(a, b report.EpochDone) int {
		if a.EvalLoss < b.EvalLoss {
			return -1
		}
		return 1
	})
	if least.Epoch > 4 {
		t.Fatalf("the least loss is that of epoch %d: the test shows nothing: %v", least.Epoch, epochs)
	}
	for _, layer := range []int{0, 2, 4} {
		if !epochs[layer].Best {
			t.Errorf("epoch %d is the first of a layer, and not its best so far", layer+1)
		}
	}
	s, err := checkpoint.Load(filepath.Join(folder, "checkpoints", "best"))
	if err != nil || s.Meta.Epoch < 5 || r.Best == nil || r.Best.Epoch != s.Meta.Epoch {
		t.Errorf("the best is of epoch %d and told as %+v, %v", s.Meta.Epoch, r.Best, err)
	}
}

// A layer that gets no better ends, and the next begins with the update that it would
// have begun with.
func TestPatienceEndsALayer(t *testing.T) {
	var epochs []report.EpochDone
	stopped := 0
	all := listen(&epochs)
	p := open(t, "", report.Func(func(e report.Event) error {
		if _, ok := e.(*report.StoppedEarly); ok {
			stopped++
		}
		return all.Handle(e)
	}), 1, "pretrain.method=dae", "model.name=mlp_500_500_2000", "train.epochs=9", "data.train_limit=80", "train.patience=1", "train.min_delta=10")
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var numbers, updates []int
	for _, e := range epochs {
		numbers, updates = append(numbers, e.Epoch), append(updates, e.Update)
	}
	if !slices.Equal(numbers, []int{1, 2, 10, 11, 19, 20}) || updates[2] != 9*updates[0]+updates[0] {
		t.Errorf("epochs %v, updates %v", numbers, updates)
	}
	if stopped != 3 || r.Stopped == nil {
		t.Errorf("%d layers were stopped, the last %+v", stopped, r.Stopped)
	}
}

// A range test leaves no trace, and measures the method's own loss.
func TestFindLRLeavesNoTrace(t *testing.T) {
	settings := []string{"pretrain.method=simmim", "model.name=cifar_resnet20", "data.size=8", "train.epochs=1", "data.train_limit=200", "model.drop_path=0.1",
		"lr_find.steps=20", "lr_find.seeds=2", "lr_find.val_batches=1", "eval.batch_size=64"}
	plain, tried := t.TempDir(), t.TempDir()
	for _, folder := range []string{plain, tried} {
		var epochs []report.EpochDone
		p := open(t, folder, listen(&epochs), 2, settings...)
		if folder == tried {
			found, err := p.FindLR(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Train.Points) < 10 || len(found.Held.Points) != len(found.Train.Points) {
				t.Errorf("%d points and %d held out", len(found.Train.Points), len(found.Held.Points))
			}
			// The mean absolute difference of hidden pixels, which lie within 3 deviations.
			if first := found.Train.Points[0].Loss; !(first > 0 && first < 2) {
				t.Errorf("the loss begins at %g", first)
			}
		}
		if _, err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := files(t, tried)
	for name, want := range files(t, plain) {
		if !bytes.Equal(got[name], want) {
			t.Errorf("after a range test %s differs", name)
		}
	}
}

// Nothing is measured where there is no split to measure, if it is said so.
func TestWithoutValidation(t *testing.T) {
	var epochs []report.EpochDone
	folder := t.TempDir()
	p := open(t, folder, listen(&epochs), 1, "pretrain.method=dae", "train.epochs=1", "data.train_limit=80", "data.val_split=none")
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(epochs[0].EvalLoss) || r.Best != nil || p.BestBy() != "" {
		t.Errorf("a loss of %g, the best %+v by %q", epochs[0].EvalLoss, r.Best, p.BestBy())
	}
	if _, err := checkpoint.Load(filepath.Join(folder, "checkpoints", "best")); err == nil {
		t.Error("there is a best checkpoint")
	}
	c, err := configs.Load("quickstart", configs.Options{Set: []string{"pretrain.method=dae", "data.val_split=other"}})
	if err != nil {
		t.Fatal(err)
	}
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	if _, err := pretrain.Open(*c, dev); err == nil || !strings.Contains(err.Error(), `no split "other"`) || !strings.Contains(err.Error(), "data.val_split to none") {
		t.Errorf("a split that is not there: %v", err)
	}
}

// What plateau and patience learn from evaluations begins with each layer, also where the
// run goes on from the checkpoint between two layers.
func TestEachLayerObservesAnew(t *testing.T) {
	settings := []string{"pretrain.method=rbm", "model.name=mlp_500_500_2000", "model.act=sigmoid", "train.epochs=4", "data.train_limit=80",
		"train.ema_decay=0", "augment.hflip=0", "optimizer.name=sgd", "optimizer.lr=1e-20", "optimizer.weight_decay=0", "train.patience=3",
		"schedule.name=plateau", "schedule.warmup_epochs=1", "schedule.warmup_lr=1e-20", "schedule.patience_epochs=0"}
	want := []float64{1e-20, 1e-20, 1e-20, 1e-21}
	check := func(epochs []report.EpochDone) {
		t.Helper()
		for _, e := range epochs {
			if lr := want[(e.Epoch-1)%4]; math.Abs(e.LR/lr-1) > 1e-9 {
				t.Errorf("epoch %d: LR %g, want %g", e.Epoch, e.LR, lr)
			}
		}
	}
	var epochs []report.EpochDone
	folder, killed := t.TempDir(), errors.New("killed")
	p := open(t, folder, report.Func(func(e report.Event) error {
		if e, ok := e.(*report.EpochStarted); ok && e.Epoch == 5 {
			return killed
		}
		return listen(&epochs).Handle(e)
	}), 1, settings...)
	if _, err := p.Run(t.Context()); !errors.Is(err, killed) || len(epochs) != 4 {
		t.Fatalf("%d epochs, %v", len(epochs), err)
	}
	check(epochs)
	epochs = nil
	p = open(t, folder, listen(&epochs), 1, settings...)
	path, _, err := checkpoint.Newest(folder)
	if err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Restore(s, path); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(t.Context()); err != nil || len(epochs) != 8 {
		t.Fatalf("%d epochs, %v", len(epochs), err)
	}
	check(epochs)
}
