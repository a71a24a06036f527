package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Without a configuration, fine-tuning takes the model and its layers from the weights.
func TestFinetuneFindsTheModel(t *testing.T) {
	base, tuned := filepath.Join(t.TempDir(), "base"), filepath.Join(t.TempDir(), "tuned")
	ok(t, quick(2, "--output", base, "--set", "model.name=cifar_resnet20", "--set", "model.attn=eca:k=3")...)
	digits := []string{"--set", "data.format=digits", "--set", "data.size=8", "--set", "train.epochs=2", "--set", "augment.hflip=0"}
	ok(t, append([]string{"finetune", "--weights", base, "--output", tuned}, digits...)...)
	config, err := os.ReadFile(filepath.Join(tuned, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"name: cifar_resnet20", "eca:k=3", "head_epochs: 1"} {
		if !strings.Contains(string(config), want) {
			t.Errorf("the configuration lacks %q:\n%s", want, config)
		}
	}
	bare := filepath.Join(base, "checkpoints", "last", "weights.safetensors")
	copied := filepath.Join(t.TempDir(), "weights.safetensors")
	text, err := os.ReadFile(bare)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, text, 0o644); err != nil {
		t.Fatal(err)
	}
	o := trainer(t, append([]string{"finetune", "--weights", copied, "--output", tuned + "2"}, digits...)...)
	if o.status != 2 || !strings.Contains(o.stderr, "does not tell which model") {
		t.Errorf("status %d, want 2 and that the file tells no model:\n%s", o.status, o.stderr)
	}
}

// Every recipe takes --gray, whatever channels it was made for: what it then lacks is its data.
func TestGrayWithEveryRecipe(t *testing.T) {
	for _, recipe := range strings.Fields(trainer(t, "config", "list").stdout) {
		for _, gray := range []string{"--gray", "--set=finetune.gray=true"} {
			o := trainer(t, "train", "--config", recipe, gray, "--output", filepath.Join(t.TempDir(), "run"), "--set", "model.name=cifar_resnet20",
				"--set", "finetune.weights=", "--set", "data.format=folder", "--set", "data.root=/no/such/folder")
			if o.status != 2 || !strings.Contains(o.stderr, "there is no /no/such/folder") {
				t.Errorf("%s with %s: status %d, %s", recipe, gray, o.status, o.stderr)
			}
		}
	}
	for _, command := range [][]string{{"lr-find"}, {"pretrain", "--method", "simmim"}} {
		o := trainer(t, append(command, "--config", "cifar10-fast", "--gray", "--set", "data.format=folder", "--set", "data.root=/no/such/folder", "--set", "data.holdout=0")...)
		if o.status != 2 || !strings.Contains(o.stderr, "there is no /no/such/folder") {
			t.Errorf("%s with --gray: status %d, %s", command[0], o.status, o.stderr)
		}
	}
}
