package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A teacher of numbers, which alone says what is right, makes a student that tells what it
// does; one that has learned something else is refused.
func TestTeacherOfNumbers(t *testing.T) {
	dir := t.TempDir()
	path := numbersTable(t, dir, 200)
	teacher := learned(t, path, "regress", "mse", "sum, difference", ", feature_columns: [x, y, z]")
	config := numbersConfig(t, dir, path)
	student := func(run string, set ...string) []string {
		args := []string{"train", "--config", config, "--output", filepath.Join(dir, run)}
		for _, s := range set {
			args = append(args, "--set", s)
		}
		return args
	}
	ok(t, student("student", "distill.teacher="+teacher, "distill.alpha=1", "train.epochs=80", "train.batch_size=8")...)
	said := func(run string) []map[string]string {
		out := filepath.Join(dir, "said.csv")
		ok(t, "eval", "--checkpoint", run, "--predictions", out)
		return table(t, out)
	}
	var far, wide float64
	teachers := said(teacher)
	for i, row := range said(filepath.Join(dir, "student")) {
		for _, name := range []string{"sum", "difference"} {
			v, taught, right := float(t, row[name+"_predicted"]), float(t, teachers[i][name+"_predicted"]), float(t, row[name])
			far, wide = far+(v-taught)*(v-taught), wide+(taught-right)*(taught-right)
		}
	}
	if far > wide/4 {
		t.Errorf("the student is %g from its teacher, which is %g from what is right", far, wide)
	}

	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	two := learned(t, numbersTable(t, other, 40), "regress", "mse", "sum, difference", ", feature_columns: [y, x, z]")
	one := learned(t, numbersTable(t, other, 40), "multi_label", "bce", "label", ", feature_columns: [x, y, z]")
	for _, c := range []struct {
		want string
		set  []string
	}{
		{"distill.mode is hard, and the data has numbers to be told", []string{"distill.teacher=" + teacher, "distill.mode=hard"}},
		{"distill.temperature is 2, and the data has numbers to be told", []string{"distill.teacher=" + teacher, "distill.temperature=2"}},
		{"takes rows of numbers (y, x, z), and the network rows of numbers (x, y, z)", []string{"distill.teacher=" + two}},
		{"has learned the task multi_label, and the data has numbers to be told", []string{"distill.teacher=" + one}},
	} {
		o := trainer(t, student("refused", c.set...)...)
		if o.status != 2 || !strings.Contains(o.stderr, c.want) {
			t.Errorf("%v: status %d, %q; want 2 and %q", c.set, o.status, o.stderr, c.want)
		}
	}
}
