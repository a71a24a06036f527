package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed52467199/trainer/internal/atomicfile"
	"github.com/seed52467199/trainer/internal/atomicfile/faultfs"
)

// stateAt is a state whose every part tells the update it is of.
func stateAt(t testing.TB, update int64) State {
	t.Helper()
	one := func(name string, v float32) *Tensors {
		values := make([]float32, 300)
		for i := range values {
			values[i] = v + float32(i)
		}
		x, err := FromFloat32s(name, []int{3, 100}, values)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewTensors(x)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	return State{
		Weights:   one("model.weight", float32(update)),
		Optimizer: one("momentum/model.weight", float32(update)+0.5),
		EMA:       one("model.weight", float32(update)+0.25),
		Meta: Meta{
			FormatVersion: FormatVersion, TrainerVersion: "test", SavedAt: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
			Model:         ModelMeta{Name: "lenet5", Args: map[string]any{"num_classes": 10.0}},
			ClassNames:    []string{"cat", "dog"},
			Preprocessing: Preprocessing{Size: [2]int{28, 28}, Channels: 1, Mean: []float64{0.1}, Std: []float64{0.3}, CropPct: 1, Interpolation: "bilinear"},
			Epoch:         int(update / 10), Update: update, BatchInEpoch: 10, EpochLoss: MeanLoss{Sum: 12.5, Images: 320},
			Metrics:  map[string]float64{"top1": 97.5},
			Best:     &BestMetric{Name: "top1", Value: 98, Epoch: 1},
			Random:   Random{Seed: math.MaxUint64, Streams: map[string]uint64{"dropout": 7}},
			Schedule: json.RawMessage(`{"step":5}`),
			Config:   "model: {name: lenet5}\n", WallSeconds: 12.5,
		},
	}
}

func sameState(a, b State) bool {
	a.Meta.Files, b.Meta.Files = nil, nil
	for _, s := range []*State{&a, &b} { // JSON's white space may differ
		var v any
		json.Unmarshal(s.Meta.Schedule, &v)
		s.Meta.Schedule, _ = json.Marshal(v)
	}
	return equal(a.Weights, b.Weights) && equal(a.Optimizer, b.Optimizer) && equal(a.EMA, b.EMA) && reflect.DeepEqual(a.Meta, b.Meta)
}

func mustSave(t testing.TB, dir string, s State) {
	t.Helper()
	if err := Save(dir, s); err != nil {
		t.Fatal(err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run", FolderName, LastName)
	for update := int64(1); update <= 3; update++ {
		want := stateAt(t, update)
		mustSave(t, dir, want)
		got, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !sameState(got, want) {
			t.Errorf("update %d: loaded %+v, want %+v", update, got.Meta, want.Meta)
		}
	}
	if left, err := atomicfile.Leftovers(dir); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	// Parts that are not used leave no file, and come back as nil.
	bare := stateAt(t, 4)
	bare.Optimizer, bare.EMA = nil, nil
	mustSave(t, dir, bare)
	if got, err := Load(dir); err != nil || got.Optimizer != nil || got.EMA != nil {
		t.Errorf("loaded %v and %v, %v, want neither optimizer nor EMA", got.Optimizer, got.EMA, err)
	}
}

func TestSaveRefusesWhatJSONCannotHold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), LastName)
	mustSave(t, dir, stateAt(t, 1))
	bad := stateAt(t, 2)
	bad.Meta.Metrics["loss"] = math.NaN()
	if err := Save(dir, bad); err == nil || !strings.Contains(err.Error(), "metric loss is NaN") {
		t.Errorf("error %v does not name the metric", err)
	}
	if got, err := Load(dir); err != nil || got.Meta.Update != 1 {
		t.Errorf("after the refusal: update %d, %v, want 1", got.Meta.Update, err)
	}
}

// TestSaveSurvivesDeathAtEveryStep dies at each call that changes the disk, on
// top of a good checkpoint, and then again at each call of the next save.
func TestSaveSurvivesDeathAtEveryStep(t *testing.T) {
	states := []State{stateAt(t, 0), stateAt(t, 1), stateAt(t, 2), stateAt(t, 3)}
	whole := func(s State) bool {
		u := s.Meta.Update
		return u >= 0 && u <= 3 && sameState(s, states[u])
	}
	for step := 0; ; step++ {
		run := t.TempDir()
		dir := filepath.Join(run, FolderName, LastName)
		mustSave(t, dir, states[1])
		disk := &faultfs.FS{DieAt: step}
		died := save(atomicfile.Writer{FS: disk}, dir, states[2])
		again := save(atomicfile.Writer{FS: &faultfs.FS{DieAt: step/2 + 3}}, dir, states[3])

		s, err := Load(dir)
		if err != nil || !whole(s) || s.Meta.Update < 1 {
			t.Errorf("dead at step %d: Load: update %d, %v", step, s.Meta.Update, err)
		}
		path, _, err := Newest(run)
		if err != nil {
			t.Fatalf("dead at step %d: %v", step, err)
		}
		n, err := Load(path)
		if err != nil || !whole(n) || n.Meta.Update < s.Meta.Update {
			t.Errorf("dead at step %d: Newest: update %d, %v", step, n.Meta.Update, err)
		}
		f, err := Open(run, Options{Last: true})
		if err != nil || f.Tensors.Len() != 1 {
			t.Errorf("dead at step %d: Open: %v", step, err)
		}
		if died == nil && again == nil {
			if step < 20 {
				t.Errorf("only %d steps: the fault was never met", step)
			}
			return
		}
		if died == nil && n.Meta.Update < 2 {
			t.Errorf("dead at step %d of the second save: the first one is lost", step)
		}
	}
}

// TestSaveSurvivesKill saves in a process that is killed at moments that
// differ, as a user's training is.
func TestSaveSurvivesKill(t *testing.T) {
	const folder = "CHECKPOINT_TEST_KILLED_RUN"
	if dir := os.Getenv(folder); dir != "" {
		for update := int64(1); ; update++ {
			if err := Save(dir, stateAt(t, update)); err != nil {
				fmt.Println(err)
				os.Exit(3)
			}
		}
	}
	run := t.TempDir()
	dir := filepath.Join(run, FolderName, LastName)
	mustSave(t, dir, stateAt(t, 0))
	for kill := range 12 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSaveSurvivesKill$")
		cmd.Env = append(os.Environ(), folder+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+11*kill) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		path, _, err := Newest(run)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil || !sameState(got, stateAt(t, got.Meta.Update)) {
			t.Errorf("kill %d: %s holds update %d: %v", kill, path, got.Meta.Update, err)
		}
	}
}

func TestLoadFindsDamage(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"weights.safetensors is damaged: its checksum is": func(dir string) error { return flip(filepath.Join(dir, weightsFile), 500) },
		"optimizer.safetensors is damaged: its checksum":  func(dir string) error { return flip(filepath.Join(dir, optimizerFile), 500) },
		"ema.safetensors is damaged: it has 700 bytes":    func(dir string) error { return os.Truncate(filepath.Join(dir, emaFile), 700) },
		"weights.safetensors cannot be opened":            func(dir string) error { return os.Remove(filepath.Join(dir, weightsFile)) },
		"meta.json: it is truncated or no JSON":           func(dir string) error { return os.Truncate(filepath.Join(dir, metaFile), 100) },
		"meta.json cannot be read":                        func(dir string) error { return os.Remove(filepath.Join(dir, metaFile)) },
		"format version 99 and this trainer reads versions up to 1": func(dir string) error {
			return edit(filepath.Join(dir, metaFile), `"format_version": 1`, `"format_version": 99`)
		},
		"epoch is a JSON string where int was expected": func(dir string) error {
			return edit(filepath.Join(dir, metaFile), `"epoch": 0,`, `"epoch": "x",`)
		},
	} {
		run := t.TempDir()
		last, best := filepath.Join(run, FolderName, LastName), filepath.Join(run, FolderName, BestName)
		mustSave(t, best, stateAt(t, 5))
		mustSave(t, last, stateAt(t, 9))
		if path, skipped, err := Newest(run); err != nil || path != last || len(skipped) != 0 {
			t.Errorf("undamaged: Newest is %s, %v, %v", path, skipped, err)
		}
		if err := damage(last); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(last); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), last) {
			t.Errorf("Load: error %v does not say %q", err, name)
		}
		path, skipped, err := Newest(run)
		if err != nil || path != best || len(skipped) != 1 || skipped[0].Path != last || !strings.Contains(skipped[0].Reason.Error(), name) {
			t.Errorf("%s: Newest is %s, skipped %v, %v, want best", name, path, skipped, err)
		}
		if err := os.RemoveAll(best); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Newest(run); !errors.Is(err, ErrNoCheckpoint) || !strings.Contains(err.Error(), name) {
			t.Errorf("Newest: error %v does not say %q", err, name)
		}
	}
	if _, _, err := Newest(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, ErrNoCheckpoint) {
		t.Errorf("no run folder: %v", err)
	}
}

func flip(path string, at int) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[at] ^= 1
	return os.WriteFile(path, b, 0o666)
}

func edit(path, from, to string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(b), from) {
		return fmt.Errorf("%s does not hold %s", path, from)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(b), from, to, 1)), 0o666)
}

func TestCheckWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := CheckWritable(filepath.Join(file, "run")); err == nil || !strings.Contains(err.Error(), filepath.Join(file, "run")) {
		t.Errorf("error %v does not name the folder", err)
	}
	if err := CheckWritable(filepath.Join(t.TempDir(), "run")); err != nil {
		t.Error(err)
	}
}
