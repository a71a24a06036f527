package main_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// learned trains a perceptron on a table, which for pictures names files beside it, and
// returns its run folder.
func learned(t *testing.T, table, task, loss, targets, more string) string {
	t.Helper()
	dir := filepath.Dir(table)
	config, run := filepath.Join(dir, "own.yaml"), filepath.Join(dir, "run-"+task)
	text := fmt.Sprintf("model: {name: mlp}\ndata: {format: csv, root: %s, task: %s, target_columns: [%s]%s}\nloss: {name: %s}\n"+
		"optimizer: {name: adam, lr: 0.01}\ntrain: {epochs: 3, batch_size: 16}\n", table, task, targets, more, loss)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ok(t, "train", "--config", config, "--output", run)
	return run
}

// answers are the predictions of one image or row of a result, by their labels.
func answers(t *testing.T, of any, key string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, p := range of.(map[string]any)["predictions"].([]any) {
		p := p.(map[string]any)
		v, ok := p[key].(float64)
		if !ok {
			t.Fatalf("a prediction is %v and has no %s", p, key)
		}
		all[p["label"].(string)] = v
	}
	return all
}

// The rows of a table are answered as they are evaluated, whatever the order of their
// columns and whether what is to be learned is among them.
func TestPredictRows(t *testing.T) {
	dir := t.TempDir()
	full := numbersTable(t, dir, 40)
	run := learned(t, full, "regress", "mse", "sum, difference", ", feature_columns: [x, y, z]")
	evaluated := filepath.Join(dir, "predictions.csv")
	ok(t, "eval", "--checkpoint", run, "--split", "all", "--predictions", evaluated)
	want := table(t, evaluated)

	bare := filepath.Join(dir, "bare.csv")
	text := "note;Z;y;x\n"
	for _, row := range table(t, full) {
		text += "no number;" + row["z"] + ";" + row["y"] + ";" + row["x"] + "\n"
	}
	if err := os.WriteFile(bare, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	exported := filepath.Join(dir, "net.safetensors")
	ok(t, "export", "--checkpoint", run, "--out", exported)
	for _, c := range [][2]string{{run, full}, {run, bare}, {exported, bare}} {
		rows := ok(t, "predict", "--checkpoint", c[0], c[1])["rows"].([]any)
		if len(rows) != 40 {
			t.Fatalf("%v: %d rows, want 40", c, len(rows))
		}
		for i, row := range rows {
			got := answers(t, row, "value")
			if name := row.(map[string]any)["file"]; name != fmt.Sprintf("%s, line %d", c[1], i+2) {
				t.Errorf("row %d is %v", i, name)
			}
			for label, v := range got {
				if w, err := strconv.ParseFloat(want[i][label+"_predicted"], 64); err != nil || math.Abs(v-w) > 1e-5*(1+math.Abs(w)) {
					t.Errorf("%v, row %d: %s is %v, and evaluated %v (%v)", c, i, label, v, w, err)
				}
			}
		}
	}
	if lines := strings.Split(trainer(t, "predict", "--checkpoint", run, bare).stdout, "\n"); len(lines) != 41 || !strings.HasPrefix(lines[0], bare+", line 2\tsum ") || strings.Count(lines[0], "\t") != 2 {
		t.Errorf("lines %q", lines)
	}

	for name, c := range map[string]struct{ text, want string }{
		"word":    {"x,y,z\n1,2,3\n1,two,3\n", `bad.csv, line 3: the column y has "two", which is no number; the network takes a number there`},
		"missing": {"x,z\n1,2\n", "bad.csv has no column y (which the network takes); it has x, z"},
		"ragged":  {"x,y,z\n1,2\n", "bad.csv: record on line 2: wrong number of fields"},
	} {
		bad := filepath.Join(dir, "bad.csv")
		if err := os.WriteFile(bad, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		o := trainer(t, "predict", "--checkpoint", run, bad, bare)
		if o.status != 2 || !strings.Contains(o.stderr, c.want) || strings.Count(o.stdout, "\n") != 40 {
			t.Errorf("%s: status %d, %q; want 2, %q and the rows of the other table", name, o.status, o.stderr, c.want)
		}
	}
}

// Several labels have a probability each, and numbers are told as they are, of pictures
// too, also after averaging.
func TestPredictPictures(t *testing.T) {
	dir := t.TempDir()
	labels, numbers := "file,left,right\n", "file,light,tilt\n"
	for i := range 48 {
		left, right := uint8(i*37%256), uint8(i*101%256)
		name := fmt.Sprintf("%d.png", i)
		im := image.NewGray(image.Rect(0, 0, 4, 4))
		for p := range im.Pix {
			level := left
			if p%4 > 1 {
				level = right
			}
			im.Set(p%4, p/4, color.Gray{Y: level})
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err == nil {
			err = png.Encode(f, im)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		labels += fmt.Sprintf("%s,%d,%d\n", name, left/128, right/128)
		numbers += fmt.Sprintf("%s,%g,%g\n", name, float64(left)/50+float64(right)/50, 7+float64(left)/255)
	}
	for _, c := range []struct{ task, table, loss, targets, key string }{
		{"multi_label", labels, "bce", "left, right", "score"},
		{"regress", numbers, "mse", "light, tilt", "value"},
	} {
		path := filepath.Join(dir, "pictures.csv")
		if err := os.WriteFile(path, []byte(c.table), 0o644); err != nil {
			t.Fatal(err)
		}
		run := learned(t, path, c.task, c.loss, c.targets, ", size: 4")
		evaluated, soup := filepath.Join(dir, "p.csv"), filepath.Join(dir, "soup-"+c.task)
		ok(t, "eval", "--checkpoint", run, "--split", "all", "--predictions", evaluated)
		ok(t, "soup", "--checkpoint", run, "--checkpoint", run, "--out", soup)
		for _, weights := range []string{run, soup} {
			pictures := ok(t, "predict", "--checkpoint", weights, filepath.Join(dir, "0.png"), filepath.Join(dir, "5.png"))["images"].([]any)
			for k, row := range []map[string]string{table(t, evaluated)[0], table(t, evaluated)[5]} {
				got := answers(t, pictures[k], c.key)
				want := map[string]string{row["prediction1"]: row["probability1"], row["prediction2"]: row["probability2"]}
				if c.key == "value" {
					want = map[string]string{"light": row["light_predicted"], "tilt": row["tilt_predicted"]}
				}
				for label, text := range want {
					if w, err := strconv.ParseFloat(text, 64); err != nil || math.Abs(got[label]-w) > 1e-5*(1+math.Abs(w)) {
						t.Errorf("%s: %s is %v, and evaluated %q", c.task, label, got, text)
					}
				}
			}
		}
	}
}
