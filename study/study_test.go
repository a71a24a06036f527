package study

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

// open is a study of digits whose trainings only write a summary: variant a reaches 80
// and 90 %, variant b diverges with the second seed.
func open(t *testing.T, dir string, set ...string) (s *Study, trained *[]string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "two.yaml")
	text := "base: quickstart\nset: [train.epochs=2]\nvariants: {a: [], b: [optimizer.lr=0.02]}\nseeds: [1, 2]\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	loaded, err := configs.LoadStudy(file, configs.Options{Set: set})
	if err != nil {
		t.Fatal(err)
	}
	trained = new([]string)
	s = &Study{Study: loaded, Dir: dir, Train: func(_ context.Context, c configs.Config, resume bool) error {
		name, _ := filepath.Rel(dir, c.Output.Dir)
		*trained = append(*trained, filepath.ToSlash(name))
		if c.Optimizer.LR == 0.02 && c.Train.Seed == 2 && !resume {
			if _, err := report.CreateRun(c.Output.Dir, c.YAML()); err != nil {
				return err
			}
			return train.ErrInterrupted
		}
		f := report.RunFolder{Dir: c.Output.Dir}
		if err := os.MkdirAll(f.Dir, 0o755); err != nil {
			return err
		}
		summary, err := report.NewSummary(f.Summary())
		if err != nil {
			return err
		}
		top1 := 70 + 10*float64(c.Train.Seed)
		for epoch, v := range []float64{top1 + 1, top1} {
			err = errors.Join(err, summary.Handle(&report.EpochDone{Epoch: epoch + 1, ImagesPerSecond: 6400, Best: epoch == 0, Metrics: []report.Metric{{Name: "top1", Value: v}}}))
		}
		if resume {
			return &train.NonFiniteError{What: "a batch", Value: math.NaN()}
		}
		return err
	}}
	return s, trained
}

func check(t *testing.T, s *Study) error {
	t.Helper()
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	return s.Check(dev)
}

func nothing(Run, *Result) {}

func TestStudy(t *testing.T) {
	dir := t.TempDir()
	s, trained := open(t, dir)
	if err := check(t, s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), nothing); !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("error %v, want an interruption", err)
	}
	if got := strings.Join(*trained, " "); got != "a/seed-1 b/seed-1 a/seed-2 b/seed-2" {
		t.Errorf("trained %s", got)
	}
	s, trained = open(t, dir)
	if err := check(t, s); err != nil {
		t.Fatal(err)
	}
	table, err := s.Run(t.Context(), nothing)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(*trained, " "); got != "b/seed-2" {
		t.Errorf("the second time trained %s, want b/seed-2 alone", got)
	}
	a, b := table.Rows[0], table.Rows[1]
	if a.Runs != 2 || a.Mean != 85 || math.Abs(a.SD-math.Sqrt(50)) > 1e-9 || a.BestMean != 86 || a.StepMillis != 10 || a.Params == 0 || a.MACs == 0 {
		t.Errorf("a: %+v", a)
	}
	if b.Runs != 2 || b.Diverged != 1 || b.Mean != 80 || b.SD != 0 {
		t.Errorf("b: %+v", b)
	}
	for name, want := range map[string]string{
		"table.md":  "| a | 2 | 85.00 ± 7.07 % | 86.00 ± 7.07 % |",
		"table.csv": "b,2,1,80,,81,,",
		"runs.csv":  "a,2,90,91,1,2,10,",
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s holds %q, %v; want %q", name, text, err, want)
		}
	}
	s, _ = open(t, dir, "train.epochs=3")
	if err := check(t, s); err == nil || !strings.Contains(err.Error(), "variant a: ") || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("error %v, want one that refuses runs under other settings", err)
	}
	s, _ = open(t, dir, "runtime.threads=1")
	if err := check(t, s); err != nil {
		t.Errorf("another number of threads: %v", err)
	}
}

// The figure that chooses the best epoch compares, also where less of it is better.
func TestStudyByAnotherFigure(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir, "eval.metric=loss")
	s.Variants = s.Variants[:1]
	s.Train = func(_ context.Context, c configs.Config, _ bool) error {
		if err := os.MkdirAll(c.Output.Dir, 0o755); err != nil {
			return err
		}
		summary, err := report.NewSummary(report.RunFolder{Dir: c.Output.Dir}.Summary())
		for epoch, loss := range []float64{0.5, 0.25, 0.375} {
			err = errors.Join(err, summary.Handle(&report.EpochDone{Epoch: epoch + 1, EvalLoss: loss * float64(c.Train.Seed), Best: epoch < 2}))
		}
		return err
	}
	if err := check(t, s); err != nil {
		t.Fatal(err)
	}
	table, err := s.Run(t.Context(), nothing)
	if err != nil {
		t.Fatal(err)
	}
	if a := table.Rows[0]; a.Mean != 0.5625 || a.BestMean != 0.375 || table.Results[1].BestEpoch != 2 {
		t.Errorf("%+v, %+v", a, table.Results)
	}
	for name, want := range map[string]string{
		"table.md":             "loss (less is better), best epoch |",
		"table.csv":            "loss_mean,loss_sd,best_loss_mean,best_loss_sd,params,",
		"runs.csv":             "seed,loss,best_loss,best_epoch,epochs,step_ms,diverged\na,1,0.375,0.25,2,3,",
		"a/seed-1/result.json": `"best_loss": 0.25`,
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s holds %q, %v; want %q", name, text, err, want)
		}
	}
	if md := table.Markdown(); !strings.Contains(md, "| 0.5625 ± 0.2652 | 0.3750 ± 0.1768 |") {
		t.Errorf("the table is %s", md)
	}

	// One figure compares all variants, and it has to be measured.
	s, _ = open(t, t.TempDir())
	s.Variants[1].Config.Eval.Metric = "f1"
	if err := check(t, s); err == nil || !strings.Contains(err.Error(), "variant b: its best epoch is chosen by f1") {
		t.Errorf("error %v, want one about two figures", err)
	}
	s, _ = open(t, t.TempDir(), "eval.metric=auc")
	if err := check(t, s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), nothing); err == nil || !strings.Contains(err.Error(), "auc, by which the study compares, is not defined") {
		t.Errorf("error %v, want one about a figure that was not measured", err)
	}
}

// What cannot be built is refused before anything is trained.
func TestCheckBuildsEveryVariant(t *testing.T) {
	s, _ := open(t, t.TempDir())
	s.Variants[1].Config.Model.Norm = "group:groups=7"
	if err := check(t, s); err == nil || !strings.Contains(err.Error(), "variant b: ") {
		t.Errorf("error %v, want one about variant b", err)
	}
}
