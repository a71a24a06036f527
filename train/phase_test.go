package train_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

// pretrained is a file with the weights of a short training on the digits.
func pretrained(t *testing.T, settings ...string) string {
	t.Helper()
	j := job(t, append(settings, "train.epochs=1")...)
	if _, err := trainer(t, j, "", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	weights, err := train.Weights(j.Network.Params)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	if err := checkpoint.WriteSafetensors(path, weights, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// The classifier is trained alone for so many epochs, and then everything.
func TestHeadEpochs(t *testing.T) {
	weights := pretrained(t)
	j := job(t, "finetune.weights="+weights, "finetune.head_epochs=2", "train.epochs=3", "train.batch_size=300")
	read := func() (values [][]float32) {
		for _, p := range j.Network.Params.All() {
			vals, err := p.Read()
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, vals)
		}
		return values
	}
	before := read()
	head := checkpoint.Under(j.Model.Config.Classifier...)
	tr := trainer(t, j, "", report.Func(func(e report.Event) error {
		if done, ok := e.(*report.EpochDone); ok {
			now := read()
			for i, p := range j.Network.Params.All() {
				moved := !slices.Equal(now[i], before[i])
				if want := head(p.Name) || done.Epoch == 3; moved != want {
					t.Errorf("after epoch %d, %s differs from the beginning: %v, want %v", done.Epoch, p.Name, moved, want)
				}
			}
		}
		return nil
	}))
	if _, err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Blocks are released from the last to the first.
func TestUnfreezeEpochs(t *testing.T) {
	settings := []string{"model.name=cifar_resnet20", "data.size=8", "data.train_limit=200"}
	j := job(t, append(settings, "finetune.weights="+pretrained(t, settings...), "finetune.head_epochs=1", "finetune.unfreeze_epochs=2", "train.epochs=4",
		"optimizer.lr=0.001", "train.batch_size=100")...)
	tr := trainer(t, j, "", nil)
	var got [][]string // of each phase, the layers that are left alone
	for _, p := range tr.Phases {
		var names []string
		for _, param := range p.Frozen {
			if strings.HasSuffix(param.Name, "conv1.weight") {
				names = append(names, strings.TrimSuffix(param.Name, "conv1.weight"))
			}
		}
		got = append(got, names)
	}
	all := []string{"", "layer1.0.", "layer1.1.", "layer1.2.", "layer2.0.", "layer2.1.", "layer2.2.", "layer3.0.", "layer3.1.", "layer3.2."}
	if want := [][]string{all, all[:7], all[:4], nil}; !reflect.DeepEqual(got, want) {
		t.Errorf("left alone are %q, want %q", got, want)
	}
	if _, err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A training in phases resumes exactly, within each and between them.
func TestResumeInPhases(t *testing.T) {
	weights := pretrained(t)
	resumesExactly(t, "finetune.weights="+weights, "finetune.head_epochs=1", "train.epochs=3", "train.batch_size=150", "optimizer.name=adamw",
		"optimizer.lr=0.003", "train.ema_decay=0.9")
	resumesExactly(t, "finetune.weights="+weights, "finetune.unfreeze_epochs=2", "train.epochs=4", "train.batch_size=300", "optimizer.momentum=0.9")
	resumesExactly(t, "finetune.weights="+weights, "finetune.head_epochs=1", "train.epochs=2", "train.batch_size=500", "optimizer.momentum=0.9")
}

// Frozen norms keep their statistics, scales and shifts; all else is trained.
func TestFreezeNorm(t *testing.T) {
	settings := []string{"model.name=cifar_resnet20", "data.size=8", "data.train_limit=200"}
	weights := pretrained(t, settings...)
	j := job(t, append(settings, "finetune.weights="+weights, "finetune.freeze_norm=true", "train.epochs=1", "optimizer.lr=0.001")...)
	norms := map[string]bool{}
	var before [][]float32
	for _, p := range j.Network.Params.All() {
		if !p.Role.Trained() {
			norms[p.Layer()] = true
		}
		vals, err := p.Read()
		if err != nil {
			t.Fatal(err)
		}
		before = append(before, vals)
	}
	if _, err := trainer(t, j, "", nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, p := range j.Network.Params.All() {
		vals, err := p.Read()
		if err != nil {
			t.Fatal(err)
		}
		if moved := !slices.Equal(vals, before[i]); moved == norms[p.Layer()] {
			t.Errorf("%s moved: %v, want %v", p.Name, moved, !moved)
		}
	}
}

// A range test before a training in phases sweeps with everything trained, and leaves no
// trace.
func TestFindLRInPhases(t *testing.T) {
	settings := []string{"finetune.weights=" + pretrained(t), "finetune.head_epochs=1", "train.epochs=2", "train.batch_size=100", "lr_find.steps=20"}
	_, found := traceless(t, settings...)
	_, _, whole := search(t, slices.DeleteFunc(slices.Clone(settings), func(s string) bool { return strings.Contains(s, "head_epochs") })...)
	if !reflect.DeepEqual(found, whole) {
		t.Error("the range test before a training in phases finds another curve")
	}
}
