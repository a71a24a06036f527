package main_test

import (
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// table reads a CSV file: its rows by the names of its columns.
func table(t testing.TB, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("%s: %d lines, %v", path, len(lines), err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// float reads a cell.
func float(t testing.TB, cell string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What one command writes about one checkpoint agrees with itself, and with the
// training, which chose by one of the figures.
func TestEvalFiles(t *testing.T) {
	dir := t.TempDir()
	run, confusion, predictions := filepath.Join(dir, "run"), filepath.Join(dir, "c.csv"), filepath.Join(dir, "p.csv")
	r := ok(t, quick(2, "--output", run, "--set", "eval.metric=auc")...)
	e := ok(t, "eval", "--checkpoint", run, "--confusion", confusion, "--predictions", predictions, "--top", "2")
	best := r["best"].(map[string]any)
	if best["auc"] != e["auc"] || best["loss"] != e["loss"] || best["ece"] != e["ece"] {
		t.Errorf("training said %v, eval says %v", best, e)
	}
	right, all := 0, 0
	for c, row := range table(t, confusion) {
		for k := range 10 {
			n := int(float(t, row[strconv.Itoa(k)]))
			all += n
			if k == c {
				right += n
			}
		}
	}
	if top1 := e["top1"].(float64); all != int(e["images"].(float64)) || math.Abs(100*float64(right)/float64(all)-top1) > 1e-9 {
		t.Errorf("%d of %d on the diagonal, top1 %v", right, all, top1)
	}
	rows, loss, named := table(t, predictions), 0.0, 0
	for _, row := range rows {
		loss += float(t, row["loss"]) / float64(len(rows))
		if row["label"] == row["prediction1"] {
			named++
			if p := float(t, row["probability1"]); math.Abs(-math.Log(p)-float(t, row["loss"])) > 1e-3 {
				t.Errorf("probability %v of the label, loss %s", p, row["loss"])
			}
		}
	}
	if len(rows) != all || named != right || math.Abs(loss-e["loss"].(float64)) > 1e-4 || len(rows[0]) != 7 {
		t.Errorf("%d rows, %d right, mean loss %v; want %d, %d and %v", len(rows), named, loss, all, right, e["loss"])
	}
	ok(t, "eval", "--checkpoint", run, "--predictions", predictions, "--worst", "7")
	worst := table(t, predictions)
	if len(worst) != 7 || !slices.IsSortedFunc(worst, func(a, b map[string]string) int {
		return int(math.Copysign(1, float(t, b["loss"])-float(t, a["loss"])))
	}) || worst[0]["label"] == worst[0]["prediction1"] {
		t.Errorf("the worst are %v", worst)
	}
}

// Several checkpoints give a row each; one that fails loses no other.
func TestEvalSeveral(t *testing.T) {
	dir := t.TempDir()
	for i, seed := range []string{"1", "2"} {
		ok(t, quick(1, "--output", filepath.Join(dir, "run"+strconv.Itoa(i)), "--seed", seed)...)
	}
	broken := filepath.Join(dir, "runx.safetensors")
	if err := os.WriteFile(broken, []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.csv")
	o := trainer(t, "eval", "--checkpoint", broken, "--checkpoint", filepath.Join(dir, "run[01]"), "--csv", out)
	if o.status != 1 || !strings.Contains(o.stderr, "1 of 3 measurements failed") {
		t.Errorf("status %d, want 1 and how many failed:\n%s", o.status, o.stderr)
	}
	rows := table(t, out)
	if len(rows) != 3 || !strings.Contains(rows[0]["error"], "runx.safetensors") || rows[0]["top1"] != "" {
		t.Fatalf("rows %v", rows)
	}
	for i, row := range rows[1:] {
		e := ok(t, "eval", "--checkpoint", filepath.Join(dir, "run"+strconv.Itoa(i)))
		if row["model"] != "mlp" || row["size"] != "8" || row["params"] != "19210" || row["error"] != "" {
			t.Errorf("row %v", row)
		}
		for _, name := range []string{"top1", "top5", "loss", "ece", "auc", "f1", "images"} {
			if float(t, row[name]) != e[name].(float64) {
				t.Errorf("%s is %s in the table and %v alone", name, row[name], e[name])
			}
		}
	}
	if o := trainer(t, "eval", "--checkpoint", filepath.Join(dir, "run0"), "--tta=crops7"); o.status != 2 || !strings.Contains(o.stderr, "crops10") {
		t.Errorf("an unknown augmentation: status %d, %s", o.status, o.stderr)
	}
	for _, args := range [][]string{{"--checkpoint", filepath.Join(dir, "none*")}, {}, {"--checkpoint", broken, "--worst", "3"},
		{"--checkpoint", broken, "--csv", filepath.Join(dir, "no", "out.csv")}, {"--checkpoint", broken, "--sweep-crop", "1.5"},
		{"--checkpoint", broken, "--sweep-size", "8", "--per-class"}} {
		if o := trainer(t, append([]string{"eval"}, args...)...); o.status != 2 || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("eval %v: status %d, want 2 and one line:\n%s", args, o.status, o.stderr)
		}
	}
}

// A sweep measures every size with every crop, as each is measured alone, and tells
// of sizes that a network cannot take.
func TestEvalSweep(t *testing.T) {
	dir := t.TempDir()
	run, out := filepath.Join(dir, "run"), filepath.Join(dir, "out.csv")
	ok(t, quick(1, "--output", run, "--set", "model.name=vit_tiny_patch16_224", "--set", "data.size=32", "--set", "data.train_limit=64")...)
	o := trainer(t, "eval", "--checkpoint", run, "--sweep-size", "32,48,40", "--sweep-crop", "0.8,1", "--csv", out)
	rows := table(t, out)
	if o.status != 1 || len(rows) != 6 {
		t.Fatalf("status %d and %d rows, want 1 and 6:\n%s", o.status, len(rows), o.stderr)
	}
	for i, row := range rows {
		size, crop := []string{"32", "48", "40"}[i/2], []string{"0.8", "1"}[i%2]
		if row["size"] != size || row["crop_pct"] != crop || (row["error"] != "") != (size == "40") {
			t.Errorf("row %d: %v", i, row)
		}
	}
	alone := ok(t, "eval", "--checkpoint", run, "--set", "data.size=48", "--set", "eval.crop_pct=0.8")
	if float(t, rows[2]["loss"]) != alone["loss"].(float64) || rows[2]["loss"] == rows[3]["loss"] || rows[2]["loss"] == rows[0]["loss"] {
		t.Errorf("losses %v, %v and %v; alone %v", rows[0]["loss"], rows[2]["loss"], rows[3]["loss"], alone["loss"])
	}
}

// Other labels of the images give figures of their own.
func TestEvalRealLabels(t *testing.T) {
	root, dir := folder(t, 3), t.TempDir()
	run, labels := filepath.Join(dir, "run"), filepath.Join(dir, "real.json")
	ok(t, "train", "--config", config(t, root), "--output", run)
	for text, want := range map[string]float64{`{"00.jpg": [0, 1], "01.jpg": []}`: 100, `{"nothing.jpg": [0]}`: -1} {
		if err := os.WriteFile(labels, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if want >= 0 {
			if e := ok(t, "eval", "--checkpoint", run, "--real-labels", labels); e["real_top1"] != want {
				t.Errorf("%s: %v, want %v", text, e["real_top1"], want)
			}
		} else if o := trainer(t, "eval", "--checkpoint", run, "--real-labels", labels); o.status != 2 || !strings.Contains(o.stderr, "real.json") {
			t.Errorf("%s: status %d, want 2 and the file named:\n%s", text, o.status, o.stderr)
		}
	}
}

// An evaluation that is stopped keeps the rows that it has.
func TestEvalInterrupted(t *testing.T) {
	dir := t.TempDir()
	run, out := filepath.Join(dir, "run"), filepath.Join(dir, "out.csv")
	ok(t, quick(1, "--output", run, "--set", "model.name=cifar_resnet20")...)
	crops := strings.Repeat("0.8,0.9,", 1000) + "1"
	c := exec.Command(binary, "eval", "--checkpoint", run, "--sweep-size", "32", "--sweep-crop", crops, "--csv", out, "--quiet")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		time.Sleep(50 * time.Millisecond)
		if b, _ := os.ReadFile(out); strings.Count(string(b), "\n") > 2 {
			break
		}
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	rows := table(t, out)
	if got := c.ProcessState.ExitCode(); got != 130 || len(rows) < 2 || len(rows) > 2000 {
		t.Errorf("status %d and %d rows; want 130 and the rows so far", got, len(rows))
	}
	for _, row := range rows {
		if row["error"] != "" || row["top1"] == "" {
			t.Errorf("row %v", row)
		}
	}
}
