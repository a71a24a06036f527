package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/seed52467199/trainer/internal/atomicfile"
)

// summaryColumns come first in every summary.csv; the metrics follow.
var summaryColumns = []string{"epoch", "update", "lr", "train_loss", "eval_loss", "seconds", "images_per_s", "best"}

// Summary keeps summary.csv: a header, then one row an epoch. Its columns are
//
//	epoch,update,lr,train_loss,eval_loss,seconds,images_per_s,best
//
// and one for each metric, in the order of RunStarted.Metrics. A metric that
// turns up later gets a column on the right. A figure that was not measured
// is an empty cell. A resumed run drops the rows of the epochs that it does
// again and adds its own below the others.
//
// The file is rewritten whole and atomically at every epoch's end: it is
// small, and a reader never sees half a row.
type Summary struct {
	path    string
	metrics []string
	rows    []EpochDone
}

// NewSummary keeps the summary at path. One that is already there is read, so
// that a run that cannot be continued fails before it starts.
func NewSummary(path string) (*Summary, error) {
	metrics, rows, err := ReadSummary(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &Summary{path: path, metrics: metrics, rows: rows}, nil
}

// Handle writes the header and the rows that stay when the run starts, and a
// row at each epoch's end.
func (s *Summary) Handle(e Event) error {
	switch e := e.(type) {
	case *RunStarted:
		if !e.Resumed {
			s.metrics, s.rows = nil, nil
		}
		s.metrics, s.rows = union(s.metrics, e.Metrics), before(s.rows, e.Epoch)
		return s.write()
	case *EpochDone:
		s.add(e)
		return s.write()
	}
	return nil
}

func (s *Summary) add(e *EpochDone) {
	for _, m := range e.Metrics {
		s.metrics = union(s.metrics, []string{m.Name})
	}
	s.rows = append(before(s.rows, e.Epoch), keep(e))
}

func (s *Summary) write() error {
	return atomicfile.Write(s.path, func(w io.Writer) error {
		table := csv.NewWriter(w)
		table.Write(slices.Concat(summaryColumns, s.metrics))
		for i := range s.rows {
			table.Write(s.row(&s.rows[i]))
		}
		table.Flush()
		return table.Error()
	})
}

func (s *Summary) row(e *EpochDone) []string {
	row := []string{
		strconv.Itoa(e.Epoch), strconv.Itoa(e.Update), cell(e.LR), cell(e.TrainLoss), cell(e.EvalLoss),
		cell(e.Time.Seconds()), cell(e.ImagesPerSecond), strconv.FormatBool(e.Best),
	}
	for _, name := range s.metrics {
		row = append(row, cell(e.metricOrNaN(name)))
	}
	return row
}

// ReadSummary reads a summary.csv: the names of its metrics and its rows. A
// row carries the metrics that its epoch measured, and NaN for any other figure
// that it did not.
func ReadSummary(path string) (metrics []string, rows []EpochDone, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read the summary: %w", err)
	}
	defer file.Close()
	table := csv.NewReader(file)
	header, err := table.Read()
	fixed := len(summaryColumns)
	if err != nil || len(header) < fixed || !slices.Equal(header[:fixed], summaryColumns) {
		return nil, nil, fmt.Errorf("read the summary: %s does not begin with the columns %q; move the file away to start a new one", path, summaryColumns)
	}
	metrics = header[fixed:]
	for {
		cells, err := table.Read()
		if err == io.EOF {
			return metrics, rows, nil
		}
		line, _ := table.FieldPos(0)
		if err != nil {
			return nil, nil, fmt.Errorf("read the summary %s: %w; mend the row or move the file away", path, err)
		}
		row, err := parseRow(cells, metrics)
		if err != nil {
			return nil, nil, fmt.Errorf("read the summary %s, line %d: %w; mend the row or move the file away", path, line, err)
		}
		rows = append(rows, row)
	}
}

// parseRow reads the cells of one row, which has as many as the header.
func parseRow(cells, metrics []string) (EpochDone, error) {
	var failed error
	column := 0
	next := func() string { column++; return cells[column-1] }
	check := func(err error) {
		if err != nil && failed == nil {
			name := slices.Concat(summaryColumns, metrics)[column-1]
			failed = fmt.Errorf("column %s holds %q", name, cells[column-1])
		}
	}
	whole := func() int {
		v, err := strconv.Atoi(next())
		check(err)
		return v
	}
	real := func() float64 {
		text := next()
		if text == "" {
			return math.NaN()
		}
		v, err := strconv.ParseFloat(text, 64)
		check(err)
		return v
	}
	e := EpochDone{Epoch: whole(), Update: whole(), LR: real(), TrainLoss: real(), EvalLoss: real()}
	if seconds := real(); !math.IsNaN(seconds) {
		e.Time = time.Duration(math.Round(seconds * float64(time.Second)))
	}
	e.ImagesPerSecond = real()
	best, err := strconv.ParseBool(next())
	check(err)
	e.Best = best
	for _, name := range metrics {
		if v := real(); !math.IsNaN(v) {
			e.Metrics = append(e.Metrics, Metric{name, v})
		}
	}
	return e, failed
}

// cell writes a figure so that it reads back as the same float64; NaN is empty.
func cell(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// before keeps the rows of the epochs before the given one.
func before(rows []EpochDone, epoch int) []EpochDone {
	return slices.DeleteFunc(rows, func(r EpochDone) bool { return r.Epoch >= epoch })
}

// keep copies what a row of the summary needs to outlive its event.
func keep(e *EpochDone) EpochDone {
	row := *e
	row.Metrics = slices.Clone(e.Metrics)
	row.Confusion, row.PerClass = nil, nil
	return row
}

// union appends to a the names of b that it lacks.
func union(a, b []string) []string {
	for _, name := range b {
		if !slices.Contains(a, name) {
			a = append(a, name)
		}
	}
	return a
}
