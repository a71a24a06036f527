package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests run the real binary, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "trainer-test")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "trainer")
	build := exec.Command("go", "build", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the binary: %v\n%s", err, out)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// outcome is how the binary ended.
type outcome struct {
	status         int
	stdout, stderr string
}

// trainer runs the binary in an empty folder of its own or in dir.
func trainer(t testing.TB, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// ok runs the binary and expects success; it returns the result object.
func ok(t testing.TB, args ...string) map[string]any {
	t.Helper()
	o := trainer(t, append(args, "--json")...)
	if o.status != 0 {
		t.Fatalf("trainer %s: status %d\n%s", strings.Join(args, " "), o.status, o.stderr)
	}
	lines := strings.Split(strings.TrimSpace(o.stdout), "\n")
	var result map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &result); err != nil {
		t.Fatalf("trainer %s: its last line is no JSON object: %v\n%s", strings.Join(args, " "), err, o.stdout)
	}
	return result
}

// quick are settings that make the quick start quicker.
func quick(epochs int, more ...string) []string {
	return append([]string{"train", "--config", "quickstart", "--set", fmt.Sprintf("train.epochs=%d", epochs)}, more...)
}

func weights(t testing.TB, run string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(run, "checkpoints", "last", "weights.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A network with another attention comes back from its checkpoint as it was trained.
func TestChosenLayersComeBack(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	r := ok(t, quick(1, "--output", run, "--set", "model.name=cifar_resnet20", "--set", "model.attn=eca:k=3", "--set", "model.act=mish")...)
	e := ok(t, "eval", "--checkpoint", run)
	if got, want := e["top1"], r["best"].(map[string]any)["top1"]; got != want {
		t.Errorf("eval says %v, training said %v", got, want)
	}
	if o := trainer(t, quick(1, "--output", filepath.Join(t.TempDir(), "run"), "--set", "model.name=cifar_resnet20", "--set", "model.attn=ecaa")...); o.status != 2 || !strings.Contains(o.stderr, "did you mean eca?") {
		t.Errorf("status %d, want 2 and the nearest name:\n%s", o.status, o.stderr)
	}
}

func TestTrainEvaluatePredict(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	r := ok(t, quick(12, "--output", run)...)
	best := r["best"].(map[string]any)["top1"].(float64)
	if best < 90 {
		t.Errorf("top-1 %v after 12 epochs of digits, want at least 90", best)
	}
	e := ok(t, "eval", "--checkpoint", run, "--per-class")
	if got := e["top1"].(float64); got != best {
		t.Errorf("eval says %v, training said %v", got, best)
	}
	if n := len(e["per_class"].([]any)); n != 10 {
		t.Errorf("%d classes in per_class, want 10", n)
	}
	for name, format := range map[string]string{"net.onnx": "", "net.safetensors": "", "net": "onnx"} {
		file := filepath.Join(t.TempDir(), name)
		if ok(t, "export", "--checkpoint", run, "--out", file, "--format", format)["tensors"].(float64) < 4 {
			t.Errorf("%s holds too few tensors", name)
		}
		if info, err := os.Stat(file); err != nil || info.Size() < 10_000 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, name := range []string{"net", "net.pt"} {
		if r := trainer(t, "export", "--checkpoint", run, "--out", filepath.Join(t.TempDir(), name)); r.status != 2 || !strings.Contains(r.stderr, "should end in .onnx or .safetensors") {
			t.Errorf("%s: status %d, %s", name, r.status, r.stderr)
		}
	}
	for _, name := range []string{"config.yaml", "summary.csv", "log.jsonl", "report.html", "checkpoints/best/meta.json", "checkpoints/last/optimizer.safetensors"} {
		if _, err := os.Stat(filepath.Join(run, name)); err != nil {
			t.Errorf("the run folder lacks %s", name)
		}
	}
	again := trainer(t, quick(12, "--output", run)...)
	if again.status != 2 || !strings.Contains(again.stderr, "--resume auto") {
		t.Errorf("training into a used run folder: status %d, %q; want 2 and the remedy", again.status, again.stderr)
	}
}

// Threads, workers, a range test before, and an interruption leave the bits alone.
func TestSameSeedSameBits(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	ok(t, quick(2, "--output", at("a"))...)
	want := weights(t, at("a"))
	ok(t, quick(2, "--output", at("b"), "--threads", "1", "--set", "data.workers=3")...)
	if !bytes.Equal(weights(t, at("b")), want) {
		t.Error("one thread and three workers train other weights than the default")
	}
	ok(t, "lr-find", "--config", "quickstart", "--steps", "40", "--plot", at("lr.svg"))
	ok(t, quick(2, "--output", at("c"), "--seed", "43")...)
	if bytes.Equal(weights(t, at("c")), want) {
		t.Error("another seed trains the same weights")
	}
}

// Augmented gray images are the same whatever the workers.
func TestAugmentedRunsAreTheSame(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	settings := []string{"--set", "augment.auto=rand-m7-mstd0.5-inc1", "--set", "augment.erase=0.25", "--set", "augment.color_jitter=0.4",
		"--set", "augment.force_color_jitter=true", "--set", "augment.interpolation=random"}
	ok(t, quick(1, append(settings, "--output", at("a"), "--threads", "1", "--set", "data.workers=1")...)...)
	ok(t, quick(1, append(settings, "--output", at("b"), "--threads", "2", "--set", "data.workers=3")...)...)
	if !bytes.Equal(weights(t, at("a")), weights(t, at("b"))) {
		t.Error("three workers train other weights than one")
	}
	ok(t, quick(1, "--output", at("c"))...)
	if bytes.Equal(weights(t, at("a")), weights(t, at("c"))) {
		t.Error("augmentation trains the same weights as none")
	}
	for setting, want := range map[string]string{
		"augment.auto=rand-m7-x3":          `augment.auto is rand-m7-x3: the part "x3" is unknown; rand takes m, n`,
		"augment.interpolation=lanczos":    "augment.interpolation is lanczos, and augment.auto rand-m7-mstd0.5-inc1 moves pixels",
		"augment.force_color_jitter=false": "augment.color_jitter is [0.4], and timm leaves it out beside augment.auto",
	} {
		r := trainer(t, quick(1, append(settings, "--output", at("d"), "--set", setting)...)...)
		if r.status != 2 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: status %d, %s", setting, r.status, r.stderr)
		}
	}
}

// A grid shows each image under its class, augmented otherwise in each column.
func TestDataGrid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "grid.png")
	shown := func(args ...string) image.Image {
		r := ok(t, append([]string{"data", "show", "--grid", file, "--samples", "2", "--draws", "3", "--set", "data.format=digits"}, args...)...)
		if r["samples"] != 2.0 || r["draws"] != 3.0 || r["size"] != 8.0 {
			t.Errorf("%v", r)
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		im, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		// Digits of 8x8 are twelve times as large.
		if b := im.Bounds(); b.Dx() != 3*100+4 || b.Dy() != 2*117+4 {
			t.Fatalf("a grid of %v", b)
		}
		return im
	}
	cell := func(im image.Image, row, column int) (cells [64]color.Color) {
		for i := range cells {
			cells[i] = im.At(column*100+4+i%8*12+6, row*117+21+i/8*12+6)
		}
		return cells
	}
	im := shown()
	if cell(im, 0, 0) != cell(im, 0, 1) || cell(im, 0, 0) == cell(im, 1, 0) {
		t.Error("without augmentation, draws of an image should be alike and images should not")
	}
	im = shown("--config", "quickstart", "--set", "augment.auto=rand-m9-p1", "--set", "augment.erase=1", "--set", "model.in_chans=3", "--split", "val")
	if cell(im, 0, 0) == cell(im, 0, 1) || cell(im, 0, 1) == cell(im, 0, 2) {
		t.Error("augmented draws of an image are alike")
	}
	for want, args := range map[string][]string{
		"--samples 0 --draws 8: each must be from 1 to 100": {"--samples", "0"},
		"name one configuration":                            {"mnist", "--config", "mnist"},
		`the part "x" is unknown`:                           {"--set", "augment.auto=rand-x"},
		"data.root is empty":                                {"--set", "data.format=cifar"},
	} {
		if o := trainer(t, append([]string{"data", "show", "--grid", file, "--set", "data.format=digits"}, args...)...); o.status != 2 || !strings.Contains(o.stderr, want) {
			t.Errorf("%v: status %d, %s", args, o.status, o.stderr)
		}
	}
}

// A run that is killed at random moments and resumed ends with the bits of one
// that is not.
func TestKilledRunsEndTheSame(t *testing.T) {
	const kills = 20
	settings := []string{"--set", "train.save_every_updates=3", "--set", "augment.hflip=0.5", "--set", "augment.auto=rand-m7-mstd0.5-inc1", "--set", "augment.erase=0.25", "--quiet"}
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	start := time.Now()
	ok(t, quick(6, append(settings, "--output", whole)...)...)
	length := time.Since(start)
	run := filepath.Join(dir, "killed")
	killed := 0
	for i := 0; ; i++ {
		c := exec.Command(binary, quick(6, append(settings, "--output", run, "--resume", "auto")...)...)
		var errs bytes.Buffer
		c.Stderr = &errs
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// Moments spread over start, updates and checkpoints, by a fixed rule.
		wait := length / 3 * time.Duration((i*37)%100) / 100
		if killed >= kills {
			wait = time.Minute
		}
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("start %d: %v\n%s", i, err, errs.String())
			}
			if killed < kills {
				// It came to its end before its turn: begin another one.
				if !bytes.Equal(weights(t, run), weights(t, whole)) {
					t.Fatalf("after %d kills the weights differ from those of the uninterrupted run", killed)
				}
				os.RemoveAll(run)
				continue
			}
		case <-time.After(wait):
			c.Process.Kill()
			<-done
			killed++
			continue
		}
		break
	}
	if !bytes.Equal(weights(t, run), weights(t, whole)) {
		t.Fatalf("after %d kills the weights differ from those of the uninterrupted run", killed)
	}
	a, err := os.ReadFile(filepath.Join(whole, "summary.csv"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(run, "summary.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(string(b), "\n"), strings.Count(string(a), "\n"); got != want {
		t.Errorf("summary.csv of the killed run has %d lines, want %d", got, want)
	}
}

// Ctrl-C saves, says how to go on, and exits with 130.
func TestInterruptSavesAndSaysHowToGoOn(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	c := exec.Command(binary, quick(2000, "--output", run)...)
	var errs bytes.Buffer
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		time.Sleep(50 * time.Millisecond)
		if _, err := os.Stat(filepath.Join(run, "checkpoints", "last", "meta.json")); err == nil {
			break
		}
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if got := c.ProcessState.ExitCode(); got != 130 {
		t.Errorf("status %d after Ctrl-C, want 130\n%s", got, errs.String())
	}
	if !strings.Contains(errs.String(), "--resume auto") {
		t.Errorf("it does not say how to go on:\n%s", errs.String())
	}
}

// folder makes a folder data set of two classes of small JPEGs, n each.
func folder(t testing.TB, n int) string {
	t.Helper()
	root := t.TempDir()
	for _, split := range []string{"train", "val"} {
		for k, class := range []string{"dark", "light"} {
			dir := filepath.Join(root, split, class)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				im := image.NewRGBA(image.Rect(0, 0, 12, 12))
				for p := range 144 {
					v := uint8(40 + 140*k + (p*7+i*13)%50)
					im.Set(p%12, p/12, color.RGBA{v, v / 2, 255 - v, 255})
				}
				var b bytes.Buffer
				if err := jpeg.Encode(&b, im, nil); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.jpg", i)), b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return root
}

// config writes a configuration for folder data and returns its path.
func config(t testing.TB, root string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.yaml")
	text := fmt.Sprintf(`model: {name: mlp, num_classes: 2}
data: {format: folder, root: %q, size: 8}
optimizer: {lr: 0.05}
train: {epochs: 2, batch_size: 8}
`, root)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func truncate(t testing.TB, path string, keep int64) {
	t.Helper()
	if err := os.Truncate(path, keep); err != nil {
		t.Fatal(err)
	}
}

// Bad input is answered in one line with status 2, and nothing that was there is
// damaged.
func TestBadInput(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good")
	ok(t, quick(1, "--output", good)...)
	before := weights(t, good)
	cases := []struct {
		name string
		args func(t *testing.T) []string
		want []string
	}{
		{"unknown key", func(t *testing.T) []string { return quick(1, "--set", "optimizer.learningrate=1") }, []string{"optimizer.learningrate", "lr"}},
		{"unknown section", func(t *testing.T) []string { return quick(1, "--set", "optimiser.lr=1") }, []string{"optimiser", "optimizer"}},
		{"wrong type", func(t *testing.T) []string { return quick(1, "--set", "optimizer.lr=fast") }, []string{"optimizer.lr", "fast"}},
		{"unknown model", func(t *testing.T) []string { return quick(1, "--set", "model.name=resnet81") }, []string{"resnet81", "resnet18"}},
		{"unknown recipe", func(t *testing.T) []string { return []string{"train", "--config", "quickstrat"} }, []string{"quickstrat", "quickstart"}},
		{"no configuration", func(t *testing.T) []string { return []string{"train"} }, []string{"config"}},
		{"unknown command", func(t *testing.T) []string { return []string{"trian"} }, []string{"trian", "train"}},
		{"unknown subcommand", func(t *testing.T) []string { return []string{"models", "shwo"} }, []string{"shwo", "show"}},
		{"unknown flag", func(t *testing.T) []string { return quick(1, "--rate", "1") }, []string{"--rate"}},
		{"missing folder", func(t *testing.T) []string {
			return []string{"train", "--config", config(t, "/no/such/folder")}
		}, []string{"/no/such/folder"}},
		{"empty class", func(t *testing.T) []string {
			root := folder(t, 3)
			if err := os.Mkdir(filepath.Join(root, "train", "none"), 0o755); err != nil {
				t.Fatal(err)
			}
			return []string{"train", "--config", config(t, root)}
		}, []string{"none"}},
		{"class count", func(t *testing.T) []string {
			return []string{"train", "--config", config(t, folder(t, 3)), "--set", "model.num_classes=5"}
		}, []string{"num_classes", "5", "2"}},
		{"truncated image, told to stop", func(t *testing.T) []string {
			root := folder(t, 4)
			truncate(t, filepath.Join(root, "train", "dark", "02.jpg"), 200)
			return []string{"train", "--config", config(t, root), "--set", "train.on_bad_image=stop", "--set", "data.mean=0.5", "--set", "data.std=0.5"}
		}, []string{"02.jpg"}},
		{"truncated checkpoint", func(t *testing.T) []string {
			broken := filepath.Join(t.TempDir(), "w.safetensors")
			if err := os.WriteFile(broken, before[:len(before)/2], 0o644); err != nil {
				t.Fatal(err)
			}
			return []string{"eval", "--model", "mlp", "--weights", broken, "--set", "data.format=digits"}
		}, []string{"w.safetensors"}},
		{"wrong shapes", func(t *testing.T) []string {
			return []string{"eval", "--model", "lenet5", "--weights", filepath.Join(good, "checkpoints", "last", "weights.safetensors"), "--set", "data.format=digits"}
		}, []string{"weights.safetensors"}},
		{"unwritable output", func(t *testing.T) []string {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			return quick(1, "--output", filepath.Join(file, "run"))
		}, []string{"file"}},
		{"divergence", func(t *testing.T) []string {
			return quick(3, "--set", "optimizer.lr=1e9", "--output", filepath.Join(t.TempDir(), "run"))
		}, []string{"optimizer.lr", "last good checkpoint", "no checkpoint"}[:1]},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			args := c.args(t)
			if args[0] == "train" && !strings.Contains(strings.Join(args, " "), "--output") {
				args = append(args, "--output", filepath.Join(t.TempDir(), "run"))
			}
			if len(args) > 2 {
				args = append(args, "--quiet")
			}
			o := trainer(t, args...)
			if o.status != 2 {
				t.Errorf("status %d, want 2", o.status)
			}
			if n := strings.Count(strings.TrimSpace(o.stderr), "\n"); n != 0 {
				t.Errorf("%d lines, want one:\n%s", n+1, o.stderr)
			}
			for _, w := range c.want {
				if !strings.Contains(o.stderr, w) {
					t.Errorf("%q does not name %q", o.stderr, w)
				}
			}
			t.Log(strings.TrimSpace(o.stderr))
		})
	}
	if !bytes.Equal(weights(t, good), before) {
		t.Error("the good run's weights changed")
	}
}

// A truncated image is named and counted, and training goes on.
func TestTruncatedImageIsCounted(t *testing.T) {
	root := folder(t, 6)
	truncate(t, filepath.Join(root, "train", "dark", "02.jpg"), 200)
	o := trainer(t, "train", "--config", config(t, root), "--set", "data.mean=0.5", "--set", "data.std=0.5", "--output", filepath.Join(t.TempDir(), "run"))
	if o.status != 0 || !strings.Contains(o.stderr, "02.jpg") {
		t.Errorf("status %d; want 0 and the file named:\n%s", o.status, o.stderr)
	}
}

// A run that diverges keeps its last good checkpoint.
func TestDivergenceKeepsTheLastGoodCheckpoint(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	ok(t, quick(2, "--output", run)...)
	before := weights(t, run)
	o := trainer(t, quick(4, "--output", run, "--resume", "auto", "--set", "optimizer.lr=1e30")...)
	if o.status != 2 || !strings.Contains(o.stderr, "last good checkpoint") {
		t.Errorf("status %d, want 2 and the last good checkpoint:\n%s", o.status, o.stderr)
	}
	if !bytes.Equal(weights(t, run), before) {
		t.Error("the last good checkpoint changed")
	}
}

// The same network takes less memory in bf16, and evaluation takes the key, too.
func TestPrecision(t *testing.T) {
	arena := map[string]float64{}
	for _, precision := range []string{"f32", "bf16"} {
		r := ok(t, "profile", "--model", "cifar_resnet20", "--batch", "8", "--steps", "1", "--precision", precision)
		arena[precision], _ = r["arena_bytes"].(float64)
		for _, mode := range []string{"train", "eval"} {
			r := ok(t, "bench", "--model", "lenet5", "--batch", "4", "--steps", "1", "--mode", mode, "--precision", precision)
			if rate, _ := r["images_per_s"].(float64); r["precision"] != precision || rate <= 0 {
				t.Errorf("%s %s: precision %v at %v images/s", mode, precision, r["precision"], r["images_per_s"])
			}
		}
	}
	if a, b := arena["f32"], arena["bf16"]; b <= 0 || b > 0.8*a {
		t.Errorf("%v bytes of working memory in bf16, %v in f32", b, a)
	}
	run := filepath.Join(t.TempDir(), "run")
	ok(t, "train", "--config", "quickstart", "--set", "train.epochs=1", "--set", "model.name=cifar_resnet20", "--set", "train.precision=bf16", "--output", run)
	wide := ok(t, "eval", "--checkpoint", run, "--set", "train.precision=f32")
	half := ok(t, "eval", "--checkpoint", run)
	a, _ := wide["loss"].(float64)
	b, _ := half["loss"].(float64)
	if a == b || b < 0.95*a || b > 1.05*a {
		t.Errorf("the loss is %v in bf16 and %v in f32; want it near but rounded", b, a)
	}
	for _, args := range [][]string{{"bench", "--model", "lenet5", "--precision", "f16"}, {"train", "--config", "quickstart", "--set", "train.precision=half"}} {
		if o := trainer(t, args...); o.status != 2 || strings.Count(o.stderr, "\n") != 1 || !strings.Contains(o.stderr, "bf16") {
			t.Errorf("%v: status %d, %q; want 2 and one line that names bf16", args, o.status, o.stderr)
		}
	}
}

func TestBenchData(t *testing.T) {
	r := ok(t, "bench", "--mode", "data", "--set", "data.format=digits", "--size", "8", "--batch", "10", "--steps", "5", "--workers", "2", "--threads", "1")
	for key, want := range map[string]float64{"workers": 2, "cores": 1, "threads": 1, "batch": 10, "size": 8, "channels": 1} {
		if r[key] != want {
			t.Errorf("%s is %v, want %v", key, r[key], want)
		}
	}
	rate, _ := r["images_per_s"].(float64)
	shares := 0.0
	for _, key := range []string{"decode_share", "resize_share", "rest_share"} {
		share, _ := r[key].(float64)
		shares += share
	}
	if rate <= 0 || r["images_per_s_per_core"] != rate || shares < 99 || shares > 101 {
		t.Errorf("rate %v, a core %v, shares that sum to %v", rate, r["images_per_s_per_core"], shares)
	}
	if r := ok(t, "bench", "--mode", "data", "--set", "data.format=digits", "--model", "lenet5", "--steps", "1"); r["size"] != 28.0 {
		t.Errorf("LeNet-5 takes images of %v, want 28", r["size"])
	}
	for _, args := range [][]string{{}, {"--mode", "data"}, {"--mode", "data", "--data", t.TempDir()}, {"--mode", "data", "--set", "data.format=digits", "--batch", "-1"},
		{"--mode", "data", "--set", "data.format=digits", "--batch", "100000"}, {"--mode", "data", "--set", "data.format=digits", "--model", "nonesuch"}} {
		if o := trainer(t, append([]string{"bench"}, args...)...); o.status != 2 || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("bench %v: status %d, %q; want 2 and one line", args, o.status, o.stderr)
		}
	}
}
