package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/internal/atomicfile"
	"github.com/seed52467199/trainer/train/metric"
)

// measurement is a checkpoint at an image size and a crop, and what was found.
type measurement struct {
	checkpoint, model string
	params, size      int
	crop              float64
	tta               string
	result            *metric.Result
	took              time.Duration
	failed            error
}

// measurements are those of one command.
type measurements struct {
	path string // of the CSV, "" for none
	rows []measurement
	best int // the best one's place, -1 for none
}

// evalMany measures every checkpoint at every size and crop. What fails is told in its
// row.
func (a *app) evalMany(ctx context.Context, dev graph.Device, o *evalFlags) error {
	if _, err := o.settings(a); err != nil { // or every row would say it
		return err
	}
	all := measurements{path: o.csv, best: -1}
	if err := all.write(); err != nil { // before anything is computed
		return usage(err)
	}
	own := *o
	for _, own.checkpoint = range o.checkpoints {
		for _, own.size = range orOwn(o.sizes) {
			for _, crop := range orOwn(o.crops) {
				if err := all.add(a.measure(ctx, dev, &own, crop)); err != nil {
					return err
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
				a.say("%s", all.rows[len(all.rows)-1].line())
			}
		}
	}
	if !a.quiet {
		if err := all.print(a.stderr); err != nil {
			return err
		}
	}
	if err := a.result(all.object()); err != nil {
		return err
	}
	return all.failure()
}

// orOwn are the values of a sweep; without any, zero for the weights' own.
func orOwn[T any](values []T) []T {
	if len(values) == 0 {
		return make([]T, 1)
	}
	return values
}

// measure is one measurement; a crop of 0 is the weights' own.
func (a *app) measure(ctx context.Context, dev graph.Device, o *evalFlags, crop float64) measurement {
	m := measurement{checkpoint: o.checkpoint, size: o.size, crop: crop}
	l, cfg, err := o.load(a, dev)
	if err != nil {
		m.failed = err
		return m
	}
	if crop > 0 {
		l.Preprocessing.CropPct = crop
	}
	m.model, m.params = l.Model.Name, l.Network.Params.Count()
	m.size, m.crop, m.tta = l.Preprocessing.Size[0], l.Preprocessing.CropPct, cfg.Eval.TTA
	e, err := a.evaluator(l, cfg, o)
	if err != nil {
		m.failed = err
		return m
	}
	start := time.Now()
	m.result, m.failed = e.Run(ctx)
	m.took = time.Since(start)
	return m
}

// add takes a measurement and writes the rows so far. One that was broken off is none.
func (ms *measurements) add(m measurement) error {
	if errors.Is(m.failed, context.Canceled) {
		return nil
	}
	ms.rows = append(ms.rows, m)
	if m.failed == nil {
		by, _ := metric.Choose(m.result.Task, metric.Auto)
		value, _ := m.result.Figure(by.Name)
		best := value
		if ms.best >= 0 {
			best, _ = ms.rows[ms.best].result.Figure(by.Name)
		}
		if ms.best < 0 || by.Better(value, best) {
			ms.best = len(ms.rows) - 1
		}
	}
	return ms.write()
}

// figures names the figures of all rows, in the order in which they turn up.
func (ms *measurements) figures() []string {
	var names []string
	for _, m := range ms.rows {
		if m.failed != nil {
			continue
		}
		for _, f := range m.result.Figures {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// write writes the rows so far, whole.
func (ms *measurements) write() error {
	if ms.path == "" {
		return nil
	}
	names := ms.figures()
	return atomicfile.Write(ms.path, func(w io.Writer) error {
		table := csv.NewWriter(w)
		table.Write(append([]string{"checkpoint", "model", "params", "size", "crop_pct", "tta", "error", "images", "images_per_s", "loss"}, names...))
		for _, m := range ms.rows {
			table.Write(m.cells(names))
		}
		table.Flush()
		return table.Error()
	})
}

func (m *measurement) cells(figures []string) []string {
	cells := []string{m.checkpoint, m.model, unlessZero(m.params), unlessZero(m.size), orNothing(m.crop), m.tta}
	if m.failed != nil {
		return append(append(cells, m.failed.Error()), make([]string, 3+len(figures))...)
	}
	cells = append(cells, "", strconv.Itoa(m.result.Images), number(m.speed()), number(m.result.Loss))
	for _, name := range figures {
		cell := ""
		if v, ok := m.result.Figure(name); ok {
			cell = number(v)
		}
		cells = append(cells, cell)
	}
	return cells
}

// unlessZero is a number that is not known where it is 0.
func unlessZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// number writes a float so that it reads back the same.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// orNothing is a crop, empty where it is not known.
func orNothing(crop float64) string {
	if crop == 0 {
		return ""
	}
	return number(crop)
}

func (m *measurement) speed() float64 { return float64(m.result.Images) / m.took.Seconds() }

// line tells one measurement as it comes.
func (m *measurement) line() string {
	where := m.checkpoint
	if m.size > 0 {
		where += fmt.Sprintf(" at %d", m.size)
	}
	if m.crop > 0 {
		where += ", crop " + number(m.crop)
	}
	if m.failed != nil {
		return where + ": " + m.failed.Error()
	}
	first, _ := figures(m.result)
	return fmt.Sprintf("%s: %s  loss %.4f", where, first, m.result.Loss)
}

// print prints the table; the best row has a star.
func (ms *measurements) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var told []string
	if ms.best >= 0 {
		task := ms.rows[ms.best].result.Task
		by, _ := metric.Choose(task, metric.Auto)
		told = metric.Told(task, by)
	}
	fmt.Fprint(t, "\ncheckpoint\tmodel\tparams\tsize\tcrop\tloss\t")
	for _, name := range told {
		fmt.Fprintf(t, "%s\t", name)
	}
	fmt.Fprintln(t)
	for i, m := range ms.rows {
		if m.failed != nil {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\tfailed\t\n", m.checkpoint, m.model, unlessZero(m.params), unlessZero(m.size), orNothing(m.crop))
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.4g\t%.4f\t", m.checkpoint, m.model, m.params, m.size, m.crop, m.result.Loss)
		for _, name := range told {
			v, _ := m.result.Figure(name)
			if metric.Percent(name) {
				fmt.Fprintf(t, "%.2f\t", v)
			} else {
				fmt.Fprintf(t, "%.4f\t", v)
			}
		}
		if i == ms.best {
			fmt.Fprint(t, "*")
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// object is the JSON of all measurements, and of the best.
func (ms *measurements) object() map[string]any {
	results := make([]map[string]any, len(ms.rows))
	for i, m := range ms.rows {
		r := map[string]any{}
		if m.failed == nil {
			r = evalObject(m.result, m.took)
		} else {
			r["error"] = m.failed.Error()
		}
		r["checkpoint"], r["model"], r["params"], r["size"], r["crop_pct"], r["tta"] = m.checkpoint, m.model, m.params, m.size, m.crop, m.tta
		results[i] = r
	}
	o := map[string]any{"results": results}
	if ms.best >= 0 {
		o["best"] = results[ms.best]
	}
	return o
}

// failure is the error of a command of which something failed, whose reasons have been
// told.
func (ms *measurements) failure() error {
	failed := 0
	for _, m := range ms.rows {
		if m.failed != nil {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d measurements failed", failed, len(ms.rows))
}
