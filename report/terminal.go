package report

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const (
	redrawEvery = 100 * time.Millisecond // the bar moves no more often
	namesShown  = 5                      // of a warning
)

// Terminal tells people how the run goes. On a terminal a progress bar moves
// at the foot, and each epoch leaves one line; elsewhere, as in a file or
// a pipe, there is the line of each epoch and one every so many updates.
type Terminal struct {
	w     io.Writer
	every int
	width func() int // columns; nil where there is no terminal
	bar   bar
	loss  window
	lines window // since the last line of updates

	epochs  int       // of the run
	updates int       // of the run
	began   time.Time // of what the bar measures
	skip    int       // batches done before that
	first   bool      // the next step begins a new measure
	drawn   time.Time

	label, text, buf []byte // reused
}

// NewTerminal writes to w, which should be stderr: stdout is for results. A
// bar is drawn if w is a terminal that can move its cursor; otherwise a line
// is written every so many updates (0: none).
func NewTerminal(w io.Writer, every int) *Terminal {
	t := &Terminal{w: w, every: every, first: true, bar: bar{full: "━", empty: "─"}}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		t.width = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil || columns <= 0 {
				return 80
			}
			return columns
		}
	}
	if !utf8Locale() {
		t.bar = bar{full: "#", empty: "."}
	}
	return t
}

// utf8Locale says whether the terminal's user reads UTF-8. The first variable
// that is set decides, as POSIX has it; unset means yes.
func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}

// Handle prints what the event has to say to people.
func (t *Terminal) Handle(e Event) error {
	switch e := e.(type) {
	case *RunStarted:
		t.epochs, t.updates = e.Epochs, e.Epochs*e.UpdatesPerEpoch
		return t.print(header(e))
	case *EpochStarted:
		t.epochs = e.Epochs
		t.first, t.loss, t.lines = true, window{}, window{}
	case *Step:
		return t.step(e)
	case *EvalStep:
		return t.evalStep(e)
	case *EpochDone:
		t.first = true
		return t.print(t.epochLine(e))
	case *Warning:
		return t.print(warning(e))
	case *Interrupted:
		text := fmt.Sprintf("\nstopped in epoch %d after %s; saved in %s\n", e.Epoch, plural(e.Update, "update"), printable(e.Checkpoint))
		if e.ResumeCommand != "" {
			text += "to go on:  " + printable(e.ResumeCommand) + "\n"
		}
		return t.print(text)
	case *StoppedEarly:
		return t.print(fmt.Sprintf("stopped early, after %d of %s: %s\n", e.Epoch, plural(e.Epochs, "epoch"), printable(e.Reason())))
	case *RunDone:
		return t.print(footer(e))
	case *RunFailed:
		return t.Close() // the error itself is the caller's to print
	case *LRPoint:
		return t.lrPoint(e)
	}
	return nil
}

// Close removes the bar, so that what is printed next stands on a line of its own.
func (t *Terminal) Close() error { return t.print("") }

// print writes whole lines in place of the bar.
func (t *Terminal) print(lines string) error {
	t.buf = t.bar.clear(t.buf[:0])
	t.buf = append(t.buf, lines...)
	return t.flush()
}

func (t *Terminal) flush() error {
	if len(t.buf) == 0 {
		return nil
	}
	if _, err := t.w.Write(t.buf); err != nil {
		return fmt.Errorf("print the progress: %w", err)
	}
	return nil
}

// drawNow says whether the bar should be drawn now. It begins a new measure of
// time where one is due.
func (t *Terminal) drawNow(done, total int) bool {
	now := time.Now()
	if t.first {
		t.first, t.began, t.skip, t.drawn = false, now, done, time.Time{}
	}
	if t.width == nil || now.Sub(t.drawn) < redrawEvery && done < total {
		return false
	}
	t.drawn = now
	return true
}

func (t *Terminal) step(e *Step) error {
	t.loss.add(e)
	t.lines.add(e)
	if t.drawNow(e.Batch, e.Batches) {
		t.label = t.epoch(t.label[:0], e.Epoch)
		b := progress(t.text[:0], e.Batch, e.Batches)
		b = append(b, "  loss "...)
		b = appendFigure(b, t.loss.mean())
		b = append(b, "  lr "...)
		t.text = appendRate(b, e.LR)
		return t.draw(e.Batch, e.Batches, e.ImagesPerSecond)
	}
	if t.width == nil && due(e.Update, t.every) {
		b := t.epoch(t.buf[:0], e.Epoch)
		b = append(b, "  update "...)
		b = appendPadded(b, int64(e.Update), digits(int64(t.updates)), ' ')
		b = append(b, "  batch "...)
		b = appendOf(b, e.Batch, e.Batches)
		b = append(b, "  loss "...)
		b = appendFigure(b, t.lines.take())
		b = append(b, "  lr "...)
		b = appendRate(b, e.LR)
		b = append(b, "  "...)
		b = appendSpeed(b, e.ImagesPerSecond)
		t.buf = append(b, " img/s\n"...)
		return t.flush()
	}
	return nil
}

func (t *Terminal) evalStep(e *EvalStep) error {
	if e.Batch <= 1 {
		t.first = true
	}
	if !t.drawNow(e.Batch, e.Batches) {
		return nil
	}
	t.label = append(t.label[:0], "evaluation"...)
	t.text = progress(t.text[:0], e.Batch, e.Batches)
	return t.draw(e.Batch, e.Batches, e.ImagesPerSecond)
}

func (t *Terminal) lrPoint(e *LRPoint) error {
	if e.Step <= 1 {
		t.first = true
	}
	bar := t.drawNow(e.Step, e.Steps)
	if !bar && (t.width != nil || !due(e.Step, t.every)) {
		return nil
	}
	t.label = append(t.label[:0], "LR range test"...)
	b := progress(t.text[:0], e.Step, e.Steps)
	b = append(b, "  lr "...)
	b = appendRate(b, e.LR)
	b = append(b, "  loss "...)
	t.text = appendFigure(b, e.Smoothed)
	if bar {
		return t.draw(e.Step, e.Steps, 0)
	}
	return t.print(fmt.Sprintf("%s  %s\n", t.label, t.text))
}

// draw shows the bar between label and text, with speed and the time that is left.
func (t *Terminal) draw(done, total int, speed float64) error {
	b := t.text
	if speed > 0 {
		b = append(b, "  "...)
		b = appendSpeed(b, speed)
		b = append(b, " img/s"...)
	}
	if fresh := done - t.skip; fresh > 0 && done < total {
		b = append(b, "  eta "...)
		b = appendClock(b, t.drawn.Sub(t.began)/time.Duration(fresh)*time.Duration(total-done))
	}
	t.text = b
	t.buf = t.bar.draw(t.buf[:0], t.label, t.text, float64(done)/float64(max(total, 1)), t.width()-1)
	return t.flush()
}

// progress writes " 57%  223/391".
func progress(b []byte, done, total int) []byte {
	b = appendPadded(b, int64(100*done/max(total, 1)), 3, ' ')
	b = append(b, "%  "...)
	return appendOf(b, done, total)
}

// epoch writes "epoch  3/10".
func (t *Terminal) epoch(b []byte, epoch int) []byte {
	b = append(b, "epoch "...)
	return appendOf(b, epoch, t.epochs)
}

// epochLine sums an epoch up.
func (t *Terminal) epochLine(e *EpochDone) string {
	b := t.epoch(nil, e.Epoch)
	field := func(name string, v float64) {
		if !math.IsNaN(v) {
			b = append(b, "  "...)
			b = append(b, name...)
			b = append(b, ' ')
			b = appendFigure(b, v)
		}
	}
	field("train loss", e.TrainLoss)
	field("eval loss", e.EvalLoss)
	for _, m := range e.Metrics {
		field(m.Name, m.Value)
	}
	b = append(b, "  lr "...)
	b = appendRate(b, e.LR)
	b = append(b, "  "...)
	b = appendSpeed(b, e.ImagesPerSecond)
	b = append(b, " img/s  "...)
	b = appendClock(b, e.Time)
	if left := t.epochs - e.Epoch; left > 0 {
		b = append(b, "  left "...)
		b = appendClock(b, e.Time*time.Duration(left))
	}
	if e.Best {
		b = append(b, "  best"...)
	}
	return string(append(b, '\n'))
}

// header says what runs.
func header(e *RunStarted) string {
	var s strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&s, "%-9s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	line("run", "%s", e.RunDir)
	line("model", "%s, %s", e.Model, plural(e.Params, "parameter"))
	line("data", "%s for training, %s for validation", plural(e.TrainImages, "image"), count(e.ValImages))
	line("training", "%s of %s, batch %d, seed %d", plural(e.Epochs, "epoch"), plural(e.UpdatesPerEpoch, "update"), e.BatchSize, e.Seed)
	line("device", "%s, %s", e.Device, plural(e.Threads, "thread"))
	if e.ArenaBytes > 0 {
		line("memory", "%s", memory(e))
	}
	if e.Resumed {
		line("resumed", "in epoch %d after %s", e.Epoch, plural(e.Update, "update"))
	}
	return s.String()
}

// memory says what a training takes and what keeping the limit costs.
func memory(e *RunStarted) string {
	m := e.Memory
	text := fmt.Sprintf("%s for parameters and optimizer, %s for activations", size(m.Parameters), size(e.ArenaBytes))
	if m.Limit > 0 {
		text += fmt.Sprintf(", %s for images and the program: %s of %s", size(m.Input), size(m.Parameters+e.ArenaBytes+m.Input), size(m.Limit))
	}
	if m.Repeated > 0 {
		text += fmt.Sprintf("; %s saved by recomputing %s, about %.1f %% more time", size(m.Saved), plural(m.Repeated, "layer"), 100*m.ExtraTime)
	}
	return text
}

// footer says how it ended.
func footer(e *RunDone) string {
	var s strings.Builder
	fmt.Fprintf(&s, "done in %s, %s img/s", clock(e.Time), appendSpeed(nil, e.ImagesPerSecond))
	if e.Best != nil {
		if v, ok := e.Best.Metric(e.BestBy); ok {
			fmt.Fprintf(&s, "; best %s %s in epoch %d", printable(e.BestBy), Figure(v), e.Best.Epoch)
		} else {
			fmt.Fprintf(&s, "; best epoch %d", e.Best.Epoch)
		}
	}
	fmt.Fprintf(&s, "\nrun folder: %s\n", printable(e.RunDir))
	return s.String()
}

// warning is its text and the first of its names.
func warning(e *Warning) string {
	var s strings.Builder
	fmt.Fprintf(&s, "warning: %s\n", printable(e.Text))
	shown := e.Names[:min(len(e.Names), namesShown)]
	for _, name := range shown {
		fmt.Fprintf(&s, "  %s\n", printable(name))
	}
	if more := len(e.Names) - len(shown); more > 0 {
		fmt.Fprintf(&s, "  and %s more, all named in log.jsonl\n", count(more))
	}
	return s.String()
}
