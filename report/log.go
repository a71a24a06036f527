package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
)

// Log writes log.jsonl: one JSON object per event, appended as it happens.
// Every object has "time" (RFC 3339) and "event" (such as "epoch_done"); its
// other keys are the event's fields in lower_snake_case, durations in
// seconds, and null for a figure that is not finite. Steps are written every
// so many updates, with the mean loss since the last one written;
// EvalSteps are not.
type Log struct {
	file  *os.File
	every int
	loss  window
	line  []byte // reused
}

// NewLog opens the log at path to append to it, and writes a Step every so
// many updates (0: none). A last line that a kill cut short is removed, so
// that every line of the file is an object.
func NewLog(path string, every int) (*Log, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	if err := seekLineEnd(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("go on with the log %s: %w", path, err)
	}
	return &Log{file: file, every: every}, nil
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// Handle appends the event.
func (l *Log) Handle(e Event) error {
	if e, ok := e.(*Step); ok {
		l.loss.add(e)
		if !due(e.Update, l.every) {
			return nil
		}
	}
	l.line = append(l.line[:0], `{"time":"`...)
	l.line = time.Now().UTC().AppendFormat(l.line, "2006-01-02T15:04:05.000Z")
	l.line = append(l.line, '"')
	if !l.fields(e) {
		return nil
	}
	l.line = append(l.line, '}', '\n')
	if _, err := l.file.Write(l.line); err != nil {
		return fmt.Errorf("append to the log: %w", err)
	}
	return nil
}

// fields writes the event's name and fields; false for a kind that is not logged.
func (l *Log) fields(e Event) bool {
	switch e := e.(type) {
	case *RunStarted:
		l.text("event", "run_started")
		l.text("run_dir", e.RunDir)
		l.text("model", e.Model)
		l.text("device", e.Device)
		l.int("threads", int64(e.Threads))
		l.key("seed")
		l.line = strconv.AppendUint(l.line, e.Seed, 10)
		l.int("params", e.Params)
		l.int("arena_bytes", e.ArenaBytes)
		l.int("parameter_bytes", e.Memory.Parameters)
		if m := e.Memory; m.Limit > 0 {
			l.int("memory_limit", m.Limit)
			l.int("memory_saved", m.Saved)
			l.int("layers_recomputed", int64(m.Repeated))
		}
		l.int("train_images", int64(e.TrainImages))
		l.int("val_images", int64(e.ValImages))
		l.int("epochs", int64(e.Epochs))
		l.int("updates_per_epoch", int64(e.UpdatesPerEpoch))
		l.int("batch_size", int64(e.BatchSize))
		l.bool("resumed", e.Resumed)
		l.int("epoch", int64(e.Epoch))
		l.int("update", int64(e.Update))
		l.texts("classes", e.Classes)
		l.texts("metrics", e.Metrics)
		l.text("config", e.Config)
	case *EpochStarted:
		l.text("event", "epoch_started")
		l.int("epoch", int64(e.Epoch))
		l.int("epochs", int64(e.Epochs))
	case *Step:
		l.text("event", "step")
		l.int("epoch", int64(e.Epoch))
		l.int("update", int64(e.Update))
		l.int("batch", int64(e.Batch))
		l.int("batches", int64(e.Batches))
		l.real("lr", e.LR)
		l.real("loss", l.loss.take())
		if e.GradNorm != 0 {
			l.real("grad_norm", e.GradNorm)
		}
		l.real("images_per_s", e.ImagesPerSecond)
	case *EpochDone:
		l.text("event", "epoch_done")
		l.epoch(e)
	case *Checkpointed:
		l.text("event", "checkpointed")
		l.text("path", e.Path)
		l.int("epoch", int64(e.Epoch))
		l.int("update", int64(e.Update))
		l.bool("best", e.Best)
	case *Warning:
		l.text("event", "warning")
		l.text("text", e.Text)
		l.texts("names", e.Names)
	case *Interrupted:
		l.text("event", "interrupted")
		l.int("epoch", int64(e.Epoch))
		l.int("update", int64(e.Update))
		l.text("checkpoint", e.Checkpoint)
		l.text("resume_command", e.ResumeCommand)
	case *StoppedEarly:
		l.text("event", "stopped_early")
		l.int("epoch", int64(e.Epoch))
		l.int("epochs", int64(e.Epochs))
		l.int("update", int64(e.Update))
		l.text("reason", e.Reason())
	case *RunDone:
		l.text("event", "run_done")
		l.text("run_dir", e.RunDir)
		l.real("seconds", e.Time.Seconds())
		l.real("images_per_s", e.ImagesPerSecond)
		l.text("best_by", e.BestBy)
		l.nested("best", e.Best)
		l.nested("last", e.Last)
	case *RunFailed:
		l.text("event", "run_failed")
		l.int("epoch", int64(e.Epoch))
		l.int("update", int64(e.Update))
		l.text("reason", e.Reason)
	case *LRPoint:
		l.text("event", "lr_point")
		l.int("step", int64(e.Step))
		l.int("steps", int64(e.Steps))
		l.real("lr", e.LR)
		l.real("loss", e.Loss)
		l.real("smoothed", e.Smoothed)
	default:
		return false
	}
	return true
}

func (l *Log) nested(key string, e *EpochDone) {
	l.key(key)
	if e == nil {
		l.line = append(l.line, "null"...)
		return
	}
	l.line = append(l.line, '{')
	l.epoch(e)
	l.line = append(l.line, '}')
}

func (l *Log) epoch(e *EpochDone) {
	l.int("epoch", int64(e.Epoch))
	l.int("update", int64(e.Update))
	l.real("train_loss", e.TrainLoss)
	l.real("eval_loss", e.EvalLoss)
	l.key("metrics")
	l.line = append(l.line, '{')
	for _, m := range e.Metrics {
		l.real(m.Name, m.Value)
	}
	l.line = append(l.line, '}')
	l.real("lr", e.LR)
	l.real("seconds", e.Time.Seconds())
	l.real("images_per_s", e.ImagesPerSecond)
	l.bool("best", e.Best)
}

// key writes a key, and a comma unless it is the first of its object.
func (l *Log) key(key string) {
	if l.line[len(l.line)-1] != '{' {
		l.line = append(l.line, ',')
	}
	l.line = appendJSON(l.line, key)
	l.line = append(l.line, ':')
}

func (l *Log) text(key, v string) {
	l.key(key)
	l.line = appendJSON(l.line, v)
}

func (l *Log) texts(key string, vs []string) {
	l.key(key)
	l.line = append(l.line, '[')
	for i, v := range vs {
		if i > 0 {
			l.line = append(l.line, ',')
		}
		l.line = appendJSON(l.line, v)
	}
	l.line = append(l.line, ']')
}

func (l *Log) int(key string, v int64) {
	l.key(key)
	l.line = strconv.AppendInt(l.line, v, 10)
}

func (l *Log) bool(key string, v bool) {
	l.key(key)
	l.line = strconv.AppendBool(l.line, v)
}

func (l *Log) real(key string, v float64) {
	l.key(key)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		l.line = append(l.line, "null"...) // JSON knows no other
		return
	}
	l.line = strconv.AppendFloat(l.line, v, 'g', -1, 64)
}

// appendJSON writes a JSON string. Keys and other plain words, which are all
// that a Step has, are written without an allocation.
func appendJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string cannot fail
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// seekLineEnd moves to the end of a file of lines, after cutting off a last
// line that has no end.
func seekLineEnd(file *os.File) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	var chunk [4096]byte
	for size := end; ; {
		n := min(size, int64(len(chunk)))
		if _, err := file.ReadAt(chunk[:n], size-n); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		i := int64(bytes.LastIndexByte(chunk[:n], '\n'))
		if i < 0 && n < size {
			size -= n
			continue
		}
		size += i + 1 - n // after the newline, or 0
		if size < end {
			if err := file.Truncate(size); err != nil {
				return err
			}
		}
		_, err := file.Seek(size, io.SeekStart)
		return err
	}
}
