package train_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/schedule/curve"
	"github.com/seed52467199/trainer/train"
)

// search runs the range test of a job.
func search(t *testing.T, set ...string) (*train.Job, *train.Trainer, train.LRCurve) {
	t.Helper()
	j := job(t, set...)
	tr := trainer(t, j, "", nil)
	found, err := j.FindLR(t.Context(), tr)
	if err != nil {
		t.Fatal(err)
	}
	return j, tr, found
}

// traceless is search, after which a job trains as one does that made no range test.
func traceless(t *testing.T, set ...string) (*train.Job, train.LRCurve) {
	t.Helper()
	plain := job(t, set...)
	if _, err := trainer(t, plain, "", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	j, tr, found := search(t, set...)
	if _, err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(memory(plain), memory(j)) {
		t.Error("training after a range test gives other weights")
	}
	return j, found
}

// Several sweeps with held-out losses leave no trace either: with dropout, groups of
// their own rates, an average, accumulation and clipping. And what they find does not
// depend on the workers.
func TestSweepsLeaveNoTrace(t *testing.T) {
	settings := []string{"train.epochs=2", "train.batch_size=100", "train.grad_accum=2", "train.ema_decay=0.9", "train.clip_grad=1", "optimizer.name=adamw",
		"optimizer.lr=0.003", "finetune.head_lr=0.01", "schedule.name=plateau", "train.patience=5",
		"lr_find.steps=40", "lr_find.seeds=3", "lr_find.val_batches=1", "lr_find.val_every=3", "eval.batch_size=50"}
	plain := job(t, settings...)
	if _, err := trainer(t, plain, "", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var first train.LRCurve
	for i, workers := range []string{"1", "4"} {
		j, tr, found := search(t, append(settings, "data.workers="+workers)...)
		if _, err := tr.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(memory(plain), memory(j)) {
			t.Errorf("%s workers: training after a range test gives other weights", workers)
		}
		if i == 0 {
			first = found
		} else if !reflect.DeepEqual(found, first) {
			t.Errorf("%s workers find another curve", workers)
		}
	}
	if n := len(first.Train.Points); n < 20 || len(first.Held.Points) != n/3 {
		t.Errorf("%d points and %d of held-out losses", n, len(first.Held.Points))
	}
	wide := 0
	for i, p := range first.Train.Points {
		if low, high := first.Train.Low[i], first.Train.High[i]; !(low <= p.Loss && p.Loss <= high) {
			t.Errorf("step %d: the mean %g lies outside of %g and %g", i, p.Loss, low, high)
		} else if low < high {
			wide++
		}
	}
	if wide < len(first.Train.Points) {
		t.Errorf("in %d of %d steps the sweeps differ; each has data of its own", wide, len(first.Train.Points))
	}
}

// Of a sweep whose steps are too few for the fall, a second one around the rise has the
// answer, and leaves no trace either.
func TestFinerSweep(t *testing.T) {
	j, found := traceless(t, "train.epochs=1", "lr_find.steps=30")
	c, first := j.Config.LRFind, found.Train.Points[0].LR
	if r := found.Reading; !r.Clear || !strings.Contains(r.Verdict, "(a second sweep, from ") || first <= c.MinLR || r.Suggestions.Turn10 < first {
		t.Errorf("%s; %+v, from %g", r.Verdict, r.Suggestions, first)
	}
}

// The first of several sweeps is the sweep of one.
func TestFirstSweepIsTheOnlyOne(t *testing.T) {
	_, _, one := search(t, "lr_find.steps=12", "lr_find.max_lr=0.1")
	var losses []float64
	j := job(t, "lr_find.steps=12", "lr_find.max_lr=0.1", "lr_find.seeds=2")
	tr := trainer(t, j, "", report.Func(func(e report.Event) error {
		if e, ok := e.(*report.LRPoint); ok {
			losses = append(losses, e.Loss)
		}
		return nil
	}))
	if _, err := j.FindLR(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	for i, p := range one.Train.Points {
		if losses[i] != p.Loss {
			t.Fatalf("step %d: loss %g in the first of two sweeps, %g in one", i, losses[i], p.Loss)
		}
	}
	if slices.Equal(losses[:12], losses[12:]) {
		t.Error("the second sweep sees the data of the first")
	}
}

// The classifier's own rate moves with the one that is found, and what the
// configuration then says is how the run is trained.
func TestAdoptLR(t *testing.T) {
	j, _, found := search(t, "optimizer.lr=0.2", "finetune.head_lr=0.1", "optimizer.lr_base=0.8", "train.epochs=2")
	if !found.Reading.Clear {
		t.Fatalf("the quick start's range test: %s", found.Reading.Verdict)
	}
	lr, name, err := j.AdoptLR(found)
	if err != nil {
		t.Fatal(err)
	}
	c := j.Config
	if s := found.Reading.Suggestions; name != "turn4" || math.Abs(lr/s.Turn4-1) > 0.01 || math.Abs(s.Turn4/s.Turn10-2.5) > 1e-9 {
		t.Errorf("sgd takes %s, %g, of %+v", name, lr, s)
	}
	if lr, name := train.Adopted("adamw", found.Reading.Suggestions); name != "turn10" || lr != found.Reading.Suggestions.Turn10 {
		t.Errorf("adamw takes %s, %g", name, lr)
	}
	if c.Optimizer.LR != lr || c.Optimizer.LRBase != 0 || math.Abs(c.Finetune.HeadLR/lr/0.5-1) > 0.01 {
		t.Errorf("lr %g, lr_base %g, head_lr %g; found %g", c.Optimizer.LR, c.Optimizer.LRBase, c.Finetune.HeadLR, lr)
	}
	if _, err := trainer(t, j, "", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	plain, err := configs.Parse("c", c.YAML(), configs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := train.OpenJob(*plain, device(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trainer(t, p, "", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(memory(j), memory(p)) {
		t.Error("training with the rate in the configuration gives other weights than training after it was found")
	}
}

// Without a clear answer nothing is guessed, and a rate that does not go with the rest
// of the configuration is refused.
func TestAdoptLRRefuses(t *testing.T) {
	j := job(t)
	before := j.Config.Optimizer.LR
	for _, r := range []curve.Reading{
		{Verdict: "no clear valley: V", Suggestions: curve.Suggestions{Steepest: 1, Valley: 1, Min10: 1, Turn10: 1, Turn4: 1}},
		{Verdict: "V", Clear: true},
	} {
		var none *train.NoLRError
		if _, _, err := j.AdoptLR(train.LRCurve{Reading: r}); !errors.As(err, &none) || !strings.Contains(err.Error(), "V; ") || j.Config.Optimizer.LR != before {
			t.Errorf("%v: %v, and optimizer.lr is %g", r, err, j.Config.Optimizer.LR)
		}
	}
	j = job(t, "schedule.name=cosine", "schedule.min_lr=0.01")
	few := curve.Suggestions{Steepest: 1e-4, Valley: 1e-4, Min10: 1e-4, Turn10: 1e-4, Turn4: 1e-4}
	if _, _, err := j.AdoptLR(train.LRCurve{Reading: curve.Reading{Clear: true, Suggestions: few}}); err == nil || !strings.Contains(err.Error(), "schedule.min_lr is 0.01") {
		t.Errorf("a rate below schedule.min_lr: %v", err)
	}
}

// Held-out images that cannot be measured end the test with the reason.
func TestHeldOutFailure(t *testing.T) {
	j := job(t, "train.epochs=1")
	tr := trainer(t, j, "", nil)
	held := *tr.Evaluator
	reason := errors.New("the disk is gone")
	held.Each = func(*data.Batch, []float32) error { return reason }
	if _, err := tr.FindLR(t.Context(), j.Config.LRFind, &held); !errors.Is(err, reason) {
		t.Errorf("error %v, want %v", err, reason)
	}
}
