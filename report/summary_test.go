package report_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/report"
)

func newSummary(t *testing.T, path string) *report.Summary {
	t.Helper()
	s, err := report.NewSummary(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const summaryHeader = "epoch,update,lr,train_loss,eval_loss,seconds,images_per_s,best,top1,top5\n"

func TestSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.csv")
	s := newSummary(t, path)
	play(t, s, started())
	if got := text(t, path); got != summaryHeader {
		t.Errorf("before the first epoch: %q", got)
	}
	play(t, s,
		&report.EpochDone{Epoch: 1, Update: 15, TrainLoss: 2.5, EvalLoss: math.NaN(), LR: 0.1, Time: 1.5e9, ImagesPerSecond: 10},
		&report.EpochDone{Epoch: 2, Update: 30, TrainLoss: 1.25, EvalLoss: 1, LR: 1e-4, Time: 2e9, ImagesPerSecond: 10, Best: true,
			Metrics: []report.Metric{{Name: "top5", Value: 99.5}, {Name: "top1", Value: 80}, {Name: "f1, macro", Value: 7}}},
	)
	const want = `epoch,update,lr,train_loss,eval_loss,seconds,images_per_s,best,top1,top5,"f1, macro"
1,15,0.1,2.5,,1.5,10,false,,,
2,30,0.0001,1.25,1,2,10,true,80,99.5,7
`
	if got := text(t, path); got != want {
		t.Errorf("summary\n%s\nwant\n%s", got, want)
	}
}

// TestSummaryResumed resumes at every epoch and wants the very file that
// the uninterrupted run writes.
func TestSummaryResumed(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "summary.csv")
	s := newSummary(t, whole)
	play(t, s, started(), epoch(1), epoch(2), epoch(3), epoch(4))
	for from := 1; from <= 5; from++ {
		path := filepath.Join(t.TempDir(), "summary.csv")
		s := newSummary(t, path)
		play(t, s, started(), epoch(1), epoch(2), epoch(3), epoch(4))

		s = newSummary(t, path)
		resumed := started()
		resumed.Resumed, resumed.Epoch = true, from
		play(t, s, resumed)
		if rows := strings.Count(text(t, path), "\n"); rows != from {
			t.Errorf("resumed in epoch %d: %d lines stay, want %d", from, rows, from)
		}
		for n := from; n <= 4; n++ {
			play(t, s, epoch(n))
		}
		if got := text(t, path); got != text(t, whole) {
			t.Errorf("resumed in epoch %d:\n%s\nwant\n%s", from, got, text(t, whole))
		}
	}
}

func TestSummaryOfFreshRunForgets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.csv")
	play(t, newSummary(t, path), started(), epoch(1))
	play(t, newSummary(t, path), started())
	if got := text(t, path); got != summaryHeader {
		t.Errorf("a fresh run keeps %q", got)
	}
}

func TestReadSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.csv")
	bare := &report.EpochDone{Epoch: 2, TrainLoss: math.Inf(1), EvalLoss: 3}
	play(t, newSummary(t, path), started(), epoch(1), bare)
	metrics, rows, err := report.ReadSummary(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"top1", "top5"}; !reflect.DeepEqual(metrics, want) {
		t.Errorf("metrics %q, want %q", metrics, want)
	}
	if want := []report.EpochDone{*epoch(1), *bare}; !reflect.DeepEqual(rows, want) {
		t.Errorf("rows\n%+v\nwant\n%+v", rows, want)
	}
}

func TestSummaryErrors(t *testing.T) {
	if _, _, err := report.ReadSummary(filepath.Join(t.TempDir(), "absent.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent file gives %v", err)
	}
	for _, c := range []struct{ name, content, want string }{
		{"empty", "", "does not begin with the columns"},
		{"other table", "epoch,train_loss\n0,1\n", "does not begin with the columns"},
		{"word", summaryHeader + "1,15,0.1,2,1,1,1,true,1,1\nx,30,0.1,2,1,1,1,true,1,1\n", `line 3: column epoch holds "x"`},
		{"metric", summaryHeader + "1,15,0.1,2,1,1,1,true,1,high\n", `line 2: column top5 holds "high"`},
		{"best", summaryHeader + "1,15,0.1,2,1,1,1,perhaps,1,1\n", `line 2: column best holds "perhaps"`},
		{"short row", summaryHeader + "1,15\n", "wrong number of fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "summary.csv")
			if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := report.NewSummary(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v; want the file and %q", err, c.want)
			}
			if got := text(t, path); got != c.content {
				t.Errorf("the file was changed to %q", got)
			}
		})
	}
}
