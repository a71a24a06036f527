package report_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed52467199/trainer/report"
)

// records reads a log back, one object a line.
func records(t *testing.T, path string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for line := range strings.Lines(string(text)) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, r)
	}
	return all
}

func TestLogLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock stands at 2000-01-01
		path := filepath.Join(t.TempDir(), "log.jsonl")
		log, err := report.NewLog(path, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		play(t, log,
			&report.Step{Epoch: 1, Update: 1, Batch: 1, Batches: 4, Images: 30, Loss: 1},
			&report.Step{Epoch: 1, Update: 2, Batch: 2, Batches: 4, Images: 10, Loss: 5, LR: 0.1, ImagesPerSecond: 8},
			&report.Step{Epoch: 1, Update: 3, Batch: 3, Batches: 4, Images: 10, Loss: 9},
			&report.EvalStep{Batch: 1, Batches: 2},
			&report.EpochDone{Epoch: 1, Update: 4, TrainLoss: math.Inf(1), EvalLoss: math.NaN(), Metrics: []report.Metric{{Name: "to\"p1", Value: 12.5}}},
		)
		got, _ := os.ReadFile(path)
		const want = `{"time":"2000-01-01T00:00:00.000Z","event":"step","epoch":1,"update":2,"batch":2,"batches":4,"lr":0.1,"loss":2,"images_per_s":8}
{"time":"2000-01-01T00:00:00.000Z","event":"epoch_done","epoch":1,"update":4,"train_loss":null,"eval_loss":null,"metrics":{"to\"p1":12.5},"lr":0,"seconds":0,"images_per_s":0,"best":false}
`
		if string(got) != want {
			t.Errorf("the log holds\n%s\nwant\n%s", got, want)
		}
	})
}

func TestLogOfEveryKind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	log, err := report.NewLog(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	play(t, log,
		started(),
		&report.EpochStarted{Epoch: 1, Epochs: 12},
		&report.Step{Epoch: 1, Update: 1, Images: 1, GradNorm: 2.5},
		epoch(1),
		&report.Checkpointed{Path: "checkpoints/last", Epoch: 1, Update: 15, Best: true},
		&report.Warning{Text: "broken\nline", Names: []string{"ä.jpg", "\x00"}},
		&report.Interrupted{Epoch: 2, Update: 20, Checkpoint: "c", ResumeCommand: "trainer train"},
		&report.RunDone{RunDir: "runs/x", BestBy: "top1", Best: epoch(1)},
		&report.RunFailed{Epoch: 2, Update: 21, Reason: "loss is not finite"},
		&report.LRPoint{Step: 1, Steps: 100, LR: 1e-5, Loss: 2, Smoothed: 2},
	)
	all := records(t, path)
	var names []string
	for _, r := range all {
		names = append(names, r["event"].(string))
	}
	want := strings.Fields("run_started epoch_started step epoch_done checkpointed warning interrupted run_done run_failed lr_point")
	if !reflect.DeepEqual(names, want) {
		t.Fatalf("events %q, want %q", names, want)
	}
	for _, c := range []struct {
		record int
		key    string
		want   any
	}{
		{0, "classes", []any{"cat", "dog"}},
		{0, "params", 61706.0},
		{2, "grad_norm", 2.5},
		{5, "text", "broken\nline"},
		{5, "names", []any{"ä.jpg", "\x00"}},
		{7, "last", nil},
	} {
		if got := all[c.record][c.key]; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s of %s is %v, want %v", c.key, names[c.record], got, c.want)
		}
	}
	if best := all[7]["best"].(map[string]any); best["epoch"] != 1.0 {
		t.Errorf("run_done has best %v", best)
	}
}

func TestLogGoesOn(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 9000) + `"}`
	for _, c := range []struct{ name, before, kept string }{
		{"whole", "{}\n{}\n", "{}\n{}\n"},
		{"torn", "{}\n{\"eve", "{}\n"},
		{"torn at once", "{\"eve", ""},
		{"empty", "", ""},
		{"torn and long", "{}\n" + long, "{}\n"},
		{"long", long + "\n", long + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log.jsonl")
			if err := os.WriteFile(path, []byte(c.before), 0o644); err != nil {
				t.Fatal(err)
			}
			log, err := report.NewLog(path, 0)
			if err != nil {
				t.Fatal(err)
			}
			play(t, log, &report.EpochStarted{Epoch: 2, Epochs: 3})
			log.Close()
			text, _ := os.ReadFile(path)
			rest, ok := strings.CutPrefix(string(text), c.kept)
			if !ok || strings.Count(rest, "\n") != 1 {
				t.Errorf("kept %.40q…, want %.40q… and one line more", text, c.kept)
			}
			records(t, path)
		})
	}
}
