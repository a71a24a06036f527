package report_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/report"
)

// closer counts how often it is closed.
type closer struct {
	report.Func
	closed int
}

func (c *closer) Close() error { c.closed++; return errors.New("closing failed") }

func TestTee(t *testing.T) {
	var heard []string
	hears := func(name string, err error) report.Func {
		return func(report.Event) error { heard = append(heard, name); return err }
	}
	disk := errors.New("disk full")
	last := &closer{Func: hears("last", nil)}
	all := report.Tee(hears("first", nil), nil, hears("second", disk), last)

	err := all.Handle(&report.Step{})
	if !errors.Is(err, disk) {
		t.Errorf("the failure of one listener is reported as %v", err)
	}
	if got := strings.Join(heard, " "); got != "first second last" {
		t.Errorf("heard by %s; an error must not keep an event from the others", got)
	}
	if err := all.Close(); err == nil || last.closed != 1 {
		t.Errorf("Close closed %d times and returned %v", last.closed, err)
	}
}

// TestStepsAllocateNothing holds the promise that reporting an update between
// two lines costs no garbage, for all listeners of a run together.
func TestStepsAllocateNothing(t *testing.T) {
	folder, err := report.CreateRun(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := folder.Listen(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	all := report.Tee(report.NewTerminal(discard{}, 1<<20), files)
	defer all.Close()
	play(t, all, started(), &report.EpochStarted{Epoch: 1, Epochs: 12})
	step := report.Step{Epoch: 1, Batches: 1 << 20, Images: 100, Loss: 1, LR: 0.1, ImagesPerSecond: 10}
	if n := testing.AllocsPerRun(1000, func() {
		step.Update++
		step.Batch++
		if err := all.Handle(&step); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a Step allocates %v times", n)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkStep(b *testing.B) {
	folder, err := report.CreateRun(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	files, err := folder.Listen(50)
	if err != nil {
		b.Fatal(err)
	}
	all := report.Tee(report.NewTerminal(discard{}, 50), files)
	defer all.Close()
	step := report.Step{Epoch: 1, Batches: 1 << 30, Images: 100, Loss: 1, LR: 0.1, ImagesPerSecond: 10}
	b.ReportAllocs()
	for b.Loop() {
		step.Update++
		step.Batch++
		if err := all.Handle(&step); err != nil {
			b.Fatal(err)
		}
	}
}
