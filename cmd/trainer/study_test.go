package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func studyFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStudy(t *testing.T) {
	file := studyFile(t, "base: quickstart\nset: [train.epochs=2]\nvariants:\n  plain: []\n  slow: [optimizer.lr=0.03]\nseeds: [3, 4]\n")
	dir := filepath.Join(t.TempDir(), "study")
	if o := trainer(t, "study", "--config", file, "--output", dir, "--dry-run"); o.status != 0 || strings.Count(o.stdout, "to do") != 4 {
		t.Fatalf("the list of runs: status %d, %q, %q", o.status, o.stdout, o.stderr)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a list of runs made the study's folder")
	}
	r := ok(t, "study", "--config", file, "--output", dir)
	variants := r["variants"].([]any)
	if len(variants) != 2 || len(r["runs"].([]any)) != 4 {
		t.Fatalf("result %v, want 2 variants and 4 runs", r)
	}
	for _, v := range variants {
		if row := v.(map[string]any); row["runs"].(float64) != 2 || row["top1_mean"].(float64) < 50 || row["params"].(float64) == 0 {
			t.Errorf("row %v", row)
		}
	}
	// A run is what train makes of the same settings.
	single := filepath.Join(t.TempDir(), "single")
	ok(t, quick(2, "--set", "optimizer.lr=0.03", "--seed", "4", "--output", single)...)
	if string(weights(t, single)) != string(weights(t, filepath.Join(dir, "slow", "seed-4"))) {
		t.Error("the study's run has other weights than the same training alone")
	}
	// What is lost is made again, the same; what is finished stays.
	before, err := os.ReadFile(filepath.Join(dir, "table.md"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "plain", "seed-3")); err != nil {
		t.Fatal(err)
	}
	o := trainer(t, "study", "--config", file, "--output", dir)
	if o.status != 0 || strings.Count(o.stderr, "seed 3") == 0 || strings.Contains(o.stderr, "slow, seed") {
		t.Errorf("going on: status %d\n%s", o.status, o.stderr)
	}
	accuracies := func(table string) (cells []string) {
		for _, line := range strings.Split(table, "\n") {
			if parts := strings.Split(line, "|"); len(parts) > 5 {
				cells = append(cells, strings.Join(parts[:5], "|"))
			}
		}
		return cells
	}
	if a, b := strings.Join(accuracies(string(before)), "\n"), strings.Join(accuracies(o.stdout), "\n"); a != b {
		t.Errorf("the table was\n%s\nand is\n%s", a, b)
	}
}

// A study of numbers compares by theirs.
func TestStudyOfNumbers(t *testing.T) {
	dir := t.TempDir()
	table := numbersTable(t, dir, 60)
	file := studyFile(t, "base: "+numbersConfig(t, dir, table)+"\nset: [eval.metric=mae, train.epochs=2]\nvariants: {fast: [], slow: [optimizer.lr=1.0e-6]}\nseeds: [1, 2]\n")
	r := ok(t, "study", "--config", file, "--output", filepath.Join(dir, "study"))
	fast, slow := r["variants"].([]any)[0].(map[string]any), r["variants"].([]any)[1].(map[string]any)
	if r["figure"] != "mae" || r["lower_is_better"] != true || fast["mae_mean"].(float64) >= slow["mae_mean"].(float64) || fast["top1_mean"] != nil {
		t.Errorf("result %v", r)
	}
	run := ok(t, "train", "--config", numbersConfig(t, dir, table), "--output", filepath.Join(dir, "run"), "--set", "train.epochs=2", "--set", "eval.metric=mae", "--seed", "1")
	if got, want := r["runs"].([]any)[0].(map[string]any)["mae"], run["last"].(map[string]any)["mae"]; got != want {
		t.Errorf("mae %v in the study, and %v of the same training alone", got, want)
	}
}

// numbersTable writes a table of the features x, y and z, and of sum and difference, which
// depend on them; its label does not.
func numbersTable(t *testing.T, dir string, rows int) string {
	t.Helper()
	text := "x,y,z,label,sum,difference\n"
	for i := range rows {
		x, y, z := float64(i*37%101)/50, float64(i*53%97)-48, float64(i*i*11%89)/1000
		text += fmt.Sprintf("%g,%g,%g,%d,%g,%g\n", x, y, z, i%2, x+y/48, x-y/48+5)
	}
	path := filepath.Join(dir, "numbers.csv")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// numbersConfig is a configuration that learns from such a table.
func numbersConfig(t *testing.T, dir, table string) string {
	t.Helper()
	path := filepath.Join(dir, "numbers.yaml")
	text := "model: {name: mlp}\ndata: {format: csv, root: " + table + ", feature_columns: [x, y, z], target_columns: [sum, difference], task: regress}\nloss: {name: mse}\n" +
		"optimizer: {name: adam, lr: 0.01}\ntrain: {epochs: 20, batch_size: 16}\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStudyRefusals(t *testing.T) {
	good := "base: quickstart\nvariants: {a: []}\n"
	for _, c := range []struct {
		text, want string
		flags      []string
	}{
		{"base: quickstart\nvariants: {a: [], b: [model.name=resnet81]}\n", "own.yaml:2: model.name is", nil},
		{"base: quickstart\nvariants: {a: [], b: [model.attn=eca]}\n", "variant b: ", nil},
		{good, "a study has its own", []string{"--seed", "3"}},
		{good, "sets train.seed for each run itself", []string{"--set", "train.seed=3"}},
	} {
		dir := filepath.Join(t.TempDir(), "study")
		o := trainer(t, append([]string{"study", "--config", studyFile(t, c.text), "--output", dir}, c.flags...)...)
		if o.status != 2 || !strings.Contains(o.stderr, c.want) {
			t.Errorf("%q %v: status %d, %q; want 2 and %q", c.text, c.flags, o.status, o.stderr, c.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q %v: a study that cannot begin made its folder", c.text, c.flags)
		}
	}
}
