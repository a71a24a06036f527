package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The learning rate of every recipe can be drawn, with the data or without it.
func TestConfigShowPlot(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		file, begins string
		args, says   []string
	}{
		{"quick.svg", "<?xml", []string{"quickstart"}, []string{"23 for each epoch"}},
		{"quick.png", "\x89PNG", []string{"quickstart", "--set", "train.grad_accum=4", "--set", "data.mean=auto", "--set", "data.std=auto"}, []string{"6 for each epoch"}},
		{"none.svg", "<?xml", []string{"cifar10-resnet20-quick", "--set", "data.root=/no/such/folder"}, []string{"1 for each epoch", "/no/such/folder"}},
		{"plateau.svg", "<?xml", []string{"quickstart", "--set", "schedule.name=plateau"}, []string{"23 for each epoch"}},
		{"one.svg", "<?xml", []string{"quickstart", "--set", "schedule.name=constant", "--set", "train.epochs=1"}, []string{"23 for each epoch"}},
		{"auto.svg", "<?xml", []string{"finetune"}, []string{"1 for each epoch", "set finetune.weights, or name the model"}},
	} {
		path := filepath.Join(dir, c.file)
		o := trainer(t, append([]string{"config", "show", "--plot", path}, c.args...)...)
		drawn, err := os.ReadFile(path)
		if o.status != 0 || err != nil || !bytes.HasPrefix(drawn, []byte(c.begins)) || !strings.Contains(o.stdout, "optimizer:") {
			t.Errorf("%s: status %d, %v\n%s", c.file, o.status, err, o.stderr)
		}
		if filepath.Ext(path) == ".svg" {
			for _, label := range []string{">epoch<", ">learning rate<"} {
				if !bytes.Contains(drawn, []byte(label)) {
					t.Errorf("%s has no label %s", c.file, label)
				}
			}
		}
		for _, text := range c.says {
			if !strings.Contains(o.stderr, text) {
				t.Errorf("%s: it does not say %q:\n%s", c.file, text, o.stderr)
			}
		}
	}
	for _, recipe := range strings.Fields(trainer(t, "config", "list").stdout) {
		if o := trainer(t, "config", "show", recipe, "--plot", filepath.Join(dir, recipe+".svg")); o.status != 0 {
			t.Errorf("%s: status %d\n%s", recipe, o.status, o.stderr)
		}
	}
	for args, want := range map[string]string{
		"quickstart --plot x.gif": "must end in .svg or .png",
		"quickstart --plot x.svg --set schedule.cooldown_epochs=50 --set schedule.min_lr=0.001": "cooldown_epochs",
	} {
		if o := trainer(t, append([]string{"config", "show"}, strings.Fields(args)...)...); o.status != 2 || !strings.Contains(o.stderr, want) {
			t.Errorf("%s: status %d, want 2 and %q:\n%s", args, o.status, want, o.stderr)
		}
	}
}

// --lr auto finds a rate, says which, trains with it as if it had been given, and keeps
// it over an interruption.
func TestLRAuto(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	settings := []string{"--set", "data.workers=1", "--set", "train.save_every_updates=7"}
	found := ok(t, quick(3, append(settings, "--lr", "auto", "--output", at("found"))...)...)
	lr, is := found["lr"].(float64)
	if !is || lr == 0.1 || lr <= 0 {
		t.Fatalf("the result's lr is %v", found["lr"])
	}
	text, err := os.ReadFile(at("found/config.yaml"))
	if want := fmt.Sprintf("lr: %g", lr); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("config.yaml does not say %s: %v\n%s", want, err, text)
	}
	if _, err := os.Stat(at("found/lr_find.svg")); err != nil {
		t.Errorf("the curve is not drawn: %v", err)
	}
	ok(t, quick(3, append(settings, "--lr", fmt.Sprint(lr), "--output", at("given"), "--set", "data.workers=3")...)...)
	if !bytes.Equal(weights(t, at("found")), weights(t, at("given"))) {
		t.Error("a rate that is found and the same rate given train other weights")
	}
	// An interrupted run goes on with the rate that it found, without looking again.
	c := exec.Command(binary, quick(2000, append(settings, "--lr", "auto", "--output", at("cut"))...)...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		time.Sleep(20 * time.Millisecond)
		if _, err := os.Stat(at("cut/checkpoints/last/meta.json")); err == nil {
			break
		}
	}
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait()
	o := trainer(t, quick(1, append(settings, "--lr", "auto", "--output", at("cut"), "--resume", "auto")...)...)
	text, err = os.ReadFile(at("cut/config.yaml"))
	if o.status != 0 || err != nil || !strings.Contains(string(text), fmt.Sprintf("lr: %g", lr)) || strings.Contains(o.stderr, "valley") {
		t.Errorf("resumed: status %d, %v\n%s\n%s", o.status, err, o.stderr, text)
	}
}

// Fine-tuning finds its rate with the parameters that it trains, and the classifier's
// own rate moves along.
func TestFinetuneLRAuto(t *testing.T) {
	from, run := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "run")
	ok(t, quick(1, "--output", from)...)
	r := ok(t, "finetune", "--config", "quickstart", "--weights", from, "--freeze", "fc1*", "--head-lr", "0.2", "--set", "optimizer.lr=0.2",
		"--set", "train.epochs=1", "--lr", "auto", "--output", run)
	text, err := os.ReadFile(filepath.Join(run, "config.yaml"))
	if want := fmt.Sprintf("head_lr: %g", r["lr"]); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("config.yaml does not say %s: %v\n%s", want, err, text)
	}
}

// Where the range test has no answer nothing is trained, and the line says what to do;
// where the run folder is taken it does not even begin.
func TestLRAutoRefuses(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	o := trainer(t, quick(1, "--lr", "auto", "--output", run, "--set", "lr_find.max_lr=1e-4")...)
	if o.status != 1 || !strings.Contains(o.stderr, "trainer: --lr auto: the range test finds no learning rate to train with: ") || !strings.Contains(o.stderr, "raise lr_find.max_lr") {
		t.Errorf("status %d, want 1 and what to do:\n%s", o.status, o.stderr)
	}
	if _, err := os.Stat(filepath.Join(run, "config.yaml")); err == nil {
		t.Error("a run was begun")
	}
	ok(t, quick(1, "--output", run)...)
	if o := trainer(t, quick(1, "--lr", "auto", "--output", run)...); o.status != 2 || strings.Contains(o.stderr, "steepest") {
		t.Errorf("into a used folder: status %d, want 2 before the range test:\n%s", o.status, o.stderr)
	}
	if o := trainer(t, quick(1, "--lr", "fast", "--output", run)...); o.status != 2 || !strings.Contains(o.stderr, "optimizer.lr is fast") {
		t.Errorf("--lr fast: status %d, want 2:\n%s", o.status, o.stderr)
	}
}

// Several sweeps and held-out losses are in the result beside what was there before.
func TestLRFindResult(t *testing.T) {
	r := ok(t, "lr-find", "--config", "quickstart", "--steps", "30", "--set", "lr_find.seeds=2", "--set", "lr_find.val_batches=1", "--set", "lr_find.val_every=2")
	n := len(r["curve"].([]any))
	if n < 10 || len(r["band"].([]any)) != n || len(r["val_curve"].([]any)) != n/2 || len(r["val_band"].([]any)) != n/2 || r["seeds"] != 2.0 {
		t.Errorf("%v", r)
	}
	r = ok(t, "lr-find", "--config", "quickstart", "--steps", "100")
	for _, key := range []string{"band", "val_curve", "seeds"} {
		if _, has := r[key]; has {
			t.Errorf("one sweep of training losses has %s", key)
		}
	}
	for _, key := range []string{"steepest", "valley", "slide", "min10", "turn10", "turn4", "half"} {
		if _, has := r["suggestions"].(map[string]any)[key].(float64); !has {
			t.Errorf("no suggestion %s: %v", key, r["suggestions"])
		}
	}
}

// A run that gets no better ends early and says so.
func TestEarlyStop(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	o := trainer(t, quick(30, "--json", "--output", run, "--set", "train.patience=2", "--set", "train.min_delta=50")...)
	log, err := os.ReadFile(filepath.Join(run, "log.jsonl"))
	const why = "top1 has not improved by more than 50 in 2 evaluations"
	if o.status != 0 || err != nil || !strings.Contains(o.stderr, "stopped early, after 3 of 30 epochs: "+why) ||
		!strings.Contains(o.stdout, `"stopped_early":"`+why) || !bytes.Contains(log, []byte(`"event":"stopped_early"`)) {
		t.Errorf("status %d, %v\n%s\n%s", o.status, err, o.stderr, o.stdout)
	}
}
