package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed52467199/trainer/checkpoint"
)

// unlabelled are settings for pre-training on the digits, by method and model.
var unlabelled = map[string][]string{
	"dae":          {"--method", "dae", "--set", "model.name=mlp_500_500_2000", "--set", "pretrain.noise=gaussian", "--set", "pretrain.loss=cross_entropy"},
	"rbm":          {"--method", "rbm", "--set", "model.name=mlp", "--set", "model.act=sigmoid", "--set", "train.ema_decay=0.9"},
	"cae":          {"--method", "cae", "--set", "model.name=lenet5", "--set", "data.size=16", "--set", "optimizer.lr=0.01", "--set", "pretrain.decoder_width=16"},
	"simmim":       {"--method", "simmim", "--set", "model.name=cifar_resnet20", "--set", "data.size=8", "--set", "optimizer.lr=0.01", "--set", "data.train_limit=300", "--set", "train.ema_decay=0.9"},
	"mae":          {"--method", "mae", "--set", "model.name=vit_tiny_patch16_224", "--set", "data.size=64", "--set", "data.train_limit=48", "--set", "pretrain.decoder_width=32", "--set", "pretrain.decoder_depth=1", "--set", "pretrain.decoder_heads=2", "--set", "optimizer.name=adamw", "--set", "optimizer.lr=0.001"},
	"simmim a vit": {"--method", "simmim", "--set", "model.name=vit_tiny_patch16_224", "--set", "data.size=64", "--set", "data.train_limit=32", "--set", "optimizer.name=adamw", "--set", "optimizer.lr=0.001"},
}

// without is a command line of the digits, with statistics and crops for any method.
func without(command string, settings []string, more ...string) []string {
	args := []string{command, "--config", "quickstart", "--set", "train.epochs=2", "--set", "train.batch_size=16", "--set", "augment.crop=none", "--quiet"}
	return append(append(args, settings...), more...)
}

// tensors are the names in one of a run's files.
func tensors(t testing.TB, run, file string) []string {
	t.Helper()
	ts, _, err := checkpoint.ReadSafetensors(filepath.Join(run, "checkpoints", "last", file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for x := range ts.All() {
		names = append(names, x.Name)
	}
	return names
}

// Each method lowers its loss and leaves weights without a classifier, from which
// finetune starts, and which nothing else takes for a trained network.
func TestPretrain(t *testing.T) {
	for method, settings := range unlabelled {
		t.Run(method, func(t *testing.T) {
			run := filepath.Join(t.TempDir(), "run")
			ok(t, without("pretrain", settings, "--output", run)...)
			rows, err := os.ReadFile(filepath.Join(run, "summary.csv"))
			if err != nil {
				t.Fatal(err)
			}
			for _, which := range []string{"train_loss", "eval_loss"} {
				if first, last := loss(t, rows, which, 1), loss(t, rows, which, 2); !(last < first) {
					t.Errorf("%s goes from %v to %v", which, first, last)
				}
			}
			own, extra := tensors(t, run, "weights.safetensors"), tensors(t, run, "scaffold.safetensors")
			if slices.ContainsFunc(own, func(n string) bool { return strings.HasPrefix(n, "pretrain.") || slices.Contains(extra, n) }) {
				t.Errorf("the weights %v hold what is the scaffold's", own)
			}
			var model []string
			for i, s := range settings {
				if s == "--set" && !strings.HasPrefix(settings[i+1], "pretrain.") && !strings.HasPrefix(settings[i+1], "optimizer.") {
					model = append(model, s, settings[i+1])
				}
			}
			o := trainer(t, append([]string{"finetune", "--config", "quickstart", "--set", "train.epochs=1", "--set", "augment.crop=none", "--set", "data.train_limit=48",
				"--weights", run, "--output", filepath.Join(t.TempDir(), "fine")}, model...)...)
			if o.status != 0 || !strings.Contains(o.stderr, "the classifier (") || !strings.Contains(o.stderr, "starts anew") {
				t.Errorf("finetune: status %d\n%s", o.status, o.stderr)
			}
			for _, args := range [][]string{{"eval"}, {"export", "--out", filepath.Join(t.TempDir(), "x.onnx")}, {"predict", "x.png"}} {
				if o := trainer(t, append(args, "--checkpoint", run)...); o.status != 2 || !strings.Contains(o.stderr, "pre-trained without labels ("+strings.Fields(method)[0]+")") {
					t.Errorf("%s: status %d\n%s", args[0], o.status, o.stderr)
				}
			}
			var meta struct{ Pretraining string }
			text, err := os.ReadFile(filepath.Join(run, "checkpoints", "last", "meta.json"))
			if err == nil {
				err = json.Unmarshal(text, &meta)
			}
			if err != nil || meta.Pretraining != strings.Fields(method)[0] {
				t.Errorf("meta.json names the method %q, %v", meta.Pretraining, err)
			}
		})
	}
}

// loss is that of a row of summary.csv.
func loss(t testing.TB, summary []byte, which string, row int) (v float64) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(summary)), "\n")
	column := slices.Index(strings.Split(lines[0], ","), which)
	if column < 0 || row >= len(lines) {
		t.Fatalf("no %s of epoch %d in\n%s", which, row, summary)
	}
	if err := json.Unmarshal([]byte(strings.Split(lines[row], ",")[column]), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// A pre-training that is interrupted or killed again and again ends with the bits of one
// that is not, with its decoder and average.
func TestKilledPretrainingEndsTheSame(t *testing.T) {
	for _, method := range []string{"dae", "rbm"} {
		t.Run(method, func(t *testing.T) {
			settings := append([]string{"--set", "train.save_every_updates=7", "--set", "optimizer.name=adamw", "--set", "data.train_limit=200"}, unlabelled[method]...)
			whole, run := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")
			start := time.Now()
			ok(t, without("pretrain", settings, "--output", whole)...)
			length := time.Since(start)
			interrupted := 0
			for i := 0; ; i++ {
				ctx, cancel := context.WithTimeout(t.Context(), length/5+length*time.Duration((i*37)%100)/200)
				c := exec.CommandContext(ctx, binary, without("pretrain", settings, "--output", run, "--resume", "auto")...)
				c.Cancel = func() error { return c.Process.Signal(syscall.SIGINT) }
				if i%2 == 1 {
					c.Cancel = func() error { return c.Process.Kill() }
				}
				if i > 12 {
					cancel()
					ok(t, without("pretrain", settings, "--output", run, "--resume", "auto")...)
					break
				}
				var errs bytes.Buffer
				c.Stderr = &errs
				err := c.Run()
				cancel()
				code := c.ProcessState.ExitCode()
				if code == 0 { // it ended, perhaps in the moment in which it was told to
					break
				}
				if code != 130 && code != -1 {
					t.Fatalf("start %d: status %d, %v\n%s", i, code, err, errs.String())
				}
				interrupted++
			}
			t.Logf("interrupted %d times", interrupted)
			for _, file := range []string{"weights", "scaffold", "optimizer", "ema"} {
				for _, of := range []string{"last", "best"} {
					want, err := os.ReadFile(filepath.Join(whole, "checkpoints", of, file+".safetensors"))
					if os.IsNotExist(err) && file == "ema" && method == "dae" {
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					if got, err := os.ReadFile(filepath.Join(run, "checkpoints", of, file+".safetensors")); err != nil || !bytes.Equal(got, want) {
						t.Errorf("%s of %s differs from that of the uninterrupted run, %v", file, of, err)
					}
				}
			}
		})
	}
}

// The range test looks at the method's own loss, and --lr auto trains with what it finds
// as if it had been given.
func TestPretrainLR(t *testing.T) {
	settings := unlabelled["cae"]
	find := without("lr-find", settings[2:], "--pretrain", "--set", "pretrain.method=cae")
	o := trainer(t, append(find, "--json")...)
	var r struct {
		Suggestions map[string]float64
		Curve       [][2]float64
	}
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil || o.status != 0 {
		t.Fatalf("status %d, %v\n%s%s", o.status, err, o.stdout, o.stderr)
	}
	if first := r.Curve[0][1]; r.Suggestions["turn4"] == 0 || first > 1.5 { // the loss of a classifier begins at 2.3
		t.Errorf("the loss begins at %g, and the suggestions are %v", first, r.Suggestions)
	}
	auto, given := filepath.Join(t.TempDir(), "auto"), filepath.Join(t.TempDir(), "given")
	found := ok(t, without("pretrain", settings, "--lr", "auto", "--output", auto)...)
	lr, _ := found["lr"].(float64)
	if math.Abs(lr/r.Suggestions["turn4"]-1) > 0.01 || found["best"] == nil || found["method"] != "cae" {
		t.Errorf("the result is %v; turn4 is %g", found, r.Suggestions["turn4"])
	}
	if _, err := os.Stat(filepath.Join(auto, "lr_find.svg")); err != nil {
		t.Errorf("the curve is not drawn: %v", err)
	}
	ok(t, without("pretrain", settings, "--lr", fmt.Sprint(lr), "--output", given)...)
	ok(t, without("pretrain", settings, "--lr", "auto", "--output", auto, "--resume", "auto")...)
	if !bytes.Equal(weights(t, auto), weights(t, given)) {
		t.Error("a rate that is found and the same rate given train other weights")
	}
	if o := trainer(t, without("lr-find", unlabelled["dae"][2:], "--pretrain", "--set", "pretrain.method=dae", "--steps", "20")...); o.status != 0 {
		t.Errorf("status %d\n%s", o.status, o.stderr)
	}
	if o := trainer(t, without("lr-find", nil, "--pretrain")...); o.status != 2 || !strings.Contains(o.stderr, "pretrain.method is none") {
		t.Errorf("without a method: status %d\n%s", o.status, o.stderr)
	}
}

// What cannot be pre-trained is refused before anything is done.
func TestPretrainRefuses(t *testing.T) {
	for _, c := range []struct {
		want string
		args []string
	}{
		{"pretrain.method is none", nil},
		{"which is for vision transformers", []string{"--method", "mae"}},
		{"whose hidden units are logistic", []string{"--method", "rbm"}},
		{"takes pixels for probabilities", []string{"--method", "dae", "--set", "pretrain.loss=cross_entropy", "--set", "data.mean=[0.3]", "--set", "data.std=[0.3]"}},
		{"not within [0, 1]", []string{"--method", "dae", "--set", "pretrain.loss=cross_entropy", "--set", "model.name=mlp_500_500_2000", "--set", "model.act=relu"}},
		{"take cae or simmim", []string{"--method", "dae", "--set", "model.name=lenet5", "--set", "data.size=28"}},
		{"does not keep its features in maps", []string{"--method", "cae"}},
		{"hides the whole image", []string{"--method", "simmim", "--set", "model.name=resnet18", "--set", "data.size=32"}},
		{"set data.size to a multiple", []string{"--method", "simmim", "--set", "model.name=lenet5", "--set", "data.size=28"}},
		{"leaves 0 visible", []string{"--method", "mae", "--set", "model.name=vit_tiny_patch16_224", "--set", "data.size=16"}},
		{"it should divide pretrain.decoder_width", []string{"--method", "mae", "--set", "model.name=vit_tiny_patch16_224", "--set", "data.size=64", "--set", "pretrain.decoder_heads=3"}},
		{"finetune.weights is x", []string{"--method", "dae", "--set", "finetune.weights=x"}},
		{"pretrain.noise is masking", []string{"--method", "dae", "--set", "pretrain.noise_level=1"}},
	} {
		run := filepath.Join(t.TempDir(), "run")
		if o := trainer(t, without("pretrain", c.args, "--output", run)...); o.status != 2 || !strings.Contains(o.stderr, c.want) {
			t.Errorf("%v: status %d, want 2 and %q\n%s", c.args, o.status, c.want, o.stderr)
		}
	}
	run := filepath.Join(t.TempDir(), "run")
	ok(t, without("pretrain", unlabelled["dae"], "--output", run)...)
	if o := trainer(t, without("pretrain", unlabelled["rbm"], "--output", run, "--resume", "auto")...); o.status != 2 || !strings.Contains(o.stderr, "it was made by dae") {
		t.Errorf("going on by another method: status %d\n%s", o.status, o.stderr)
	}
}
