package train_test

import (
	"strings"
	"testing"

	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

// Evaluation may see larger images than training; what it measures is what the
// checkpoint gives by itself.
func TestEvalSize(t *testing.T) {
	folder := t.TempDir()
	j := job(t, "model.name=cifar_resnet20", "data.size=8", "eval.size=12", "train.epochs=1", "eval.batch_size=50")
	var last *report.EpochDone
	tr := trainer(t, j, folder, report.Func(func(e report.Event) error {
		if done, ok := e.(*report.EpochDone); ok {
			last = done
		}
		return nil
	}))
	if h, _, _ := tr.Loader.Shape(); h != 8 {
		t.Errorf("training sees images of %d pixels, want 8", h)
	}
	if _, err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := train.Load(folder, device(t), train.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := [2]int{12, 12}; l.Preprocessing.Size != want {
		t.Fatalf("the checkpoint evaluates at %v, want %v", l.Preprocessing.Size, want)
	}
	loader, err := train.NewEvalLoader(j.ValData, l.Preprocessing, 50, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := (&train.Evaluator{Network: l.Network, Loader: loader}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Loss != last.EvalLoss {
		t.Errorf("the checkpoint's loss is %v, training said %v", m.Loss, last.EvalLoss)
	}
}

// A network that cannot take the size is refused before anything is trained.
func TestEvalSizeThatCannotBe(t *testing.T) {
	j := job(t, "model.name=lenet5", "data.size=16", "eval.size=20", "train.epochs=1")
	if _, err := j.Trainer("", nil); err == nil || !strings.Contains(err.Error(), "eval.size: ") {
		t.Errorf("error %v, want one about eval.size", err)
	}
}
