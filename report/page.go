package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/seed52467199/trainer/internal/atomicfile"
)

const (
	matrixClasses = 30  // of a confusion matrix that is shown as a whole
	pairsShown    = 15  // of classes that are taken for each other
	pageWarnings  = 100 // kept; log.jsonl has them all
)

//go:embed page.gohtml
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// Page keeps report.html: curves of loss, metrics and learning rate, a table
// of epochs, the confusion matrix and the scores by class where epochs carry
// them, warnings and the configuration. The page needs nothing but itself: no
// script, no network. It is rewritten atomically when the run starts, at
// every epoch's end and when the run ends. The epochs are those of the summary.
type Page struct {
	path    string
	summary *Summary

	run       RunStarted
	last      EpochDone // the last one with a confusion matrix or scores
	warnings  []Warning
	warned    int // warnings in all
	status    string
	statement string // more about the status
	early     string // why the run ended before its last epoch
}

// NewPage keeps the page at path. The summary must hear of each event before the page does.
func NewPage(path string, summary *Summary) *Page { return &Page{path: path, summary: summary} }

// Handle takes note of the event and rewrites the page where it should change.
func (p *Page) Handle(e Event) error {
	switch e := e.(type) {
	case *RunStarted:
		p.run = *e
		p.run.Classes = slices.Clone(e.Classes)
		p.status, p.statement, p.last = "running", "", EpochDone{}
	case *EpochDone:
		if e.Confusion != nil || e.PerClass != nil {
			p.last = *e
			p.last.PerClass = slices.Clone(e.PerClass)
			p.last.Confusion = make([][]int, len(e.Confusion))
			for i, row := range e.Confusion {
				p.last.Confusion[i] = slices.Clone(row)
			}
		}
	case *Warning:
		p.warned++
		if len(p.warnings) < pageWarnings {
			w := Warning{Text: e.Text, Names: slices.Clone(e.Names[:min(len(e.Names), pageWarnings)])}
			if more := len(e.Names) - len(w.Names); more > 0 {
				w.Names = append(w.Names, "and "+count(more)+" more")
			}
			p.warnings = append(p.warnings, w)
		}
		return nil
	case *Interrupted:
		p.status = "interrupted"
		p.statement = fmt.Sprintf("in epoch %d after %s", e.Epoch, plural(e.Update, "update"))
		if e.ResumeCommand != "" {
			p.statement += "; to go on: " + e.ResumeCommand
		}
	case *StoppedEarly:
		p.early = e.Reason()
		return nil
	case *RunDone:
		p.status, p.statement = "finished", "in "+clock(e.Time)
		if p.early != "" {
			p.statement += ", early: " + p.early
		}
	case *RunFailed:
		p.status, p.statement = "failed", e.Reason
	default:
		return nil
	}
	return atomicfile.Write(p.path, func(w io.Writer) error { return pageTemplate.Execute(w, p.content()) })
}

// content is what page.gohtml shows.
type content struct {
	Title             string
	Status, Statement string
	Written           string
	Facts             []fact
	Charts            []chart
	Columns           []string
	Rows              []tableRow
	Scored            int // the epoch of what follows
	Matrix            *matrix
	Pairs             []pair
	ScoreColumns      []string
	PerClass          []scoreRow
	Classes           []string
	Warnings          []Warning
	MoreWarnings      int
	Config            string
}

type fact struct{ Name, Value string }

type tableRow struct {
	Cells []string
	Best  bool
}

type scoreRow struct {
	Name, Images string
	Figures      []string
}

// matrix is a confusion matrix as a table: true classes down, predicted ones across.
type matrix struct {
	Names []string
	Rows  []matrixRow
}

type matrixRow struct {
	Name  string
	Cells []matrixCell
}

type matrixCell struct {
	Images int
	Share  string // of the images of the true class, 0 to 1
	Strong bool   // dark enough for light text
	Tip    string
}

// pair is two classes of which one is taken for the other.
type pair struct {
	True, Predicted string
	Images          int
	Percent         string // of the true class
}

func (p *Page) content() content {
	r := &p.run
	c := content{
		Title:        r.Model,
		Status:       p.status,
		Statement:    p.statement,
		Written:      time.Now().UTC().Format("2006-01-02 15:04:05 UTC"),
		Facts:        p.facts(),
		Charts:       p.charts(),
		Classes:      r.Classes,
		Scored:       p.last.Epoch,
		Warnings:     p.warnings,
		MoreWarnings: p.warned - len(p.warnings),
		Config:       r.Config,
	}
	c.Columns, c.Rows = p.table()
	c.Matrix, c.Pairs = p.confusion()
	for _, s := range p.last.PerClass {
		row := scoreRow{Name: s.Name, Images: count(s.Images)}
		c.ScoreColumns = c.ScoreColumns[:0]
		for _, f := range s.Figures {
			c.ScoreColumns = append(c.ScoreColumns, f.Name)
			row.Figures = append(row.Figures, measured(f.Value))
		}
		c.PerClass = append(c.PerClass, row)
	}
	return c
}

func (p *Page) facts() []fact {
	r := &p.run
	facts := []fact{
		{"Run", r.RunDir},
		{"Parameters", count(r.Params)},
		{"Images", count(r.TrainImages) + " + " + count(r.ValImages)},
		{"Epochs", fmt.Sprintf("%d of %d", len(p.summary.rows), r.Epochs)},
		{"Batch", count(r.BatchSize)},
		{"Seed", strconv.FormatUint(r.Seed, 10)},
		{"Device", fmt.Sprintf("%s, %s", r.Device, plural(r.Threads, "thread"))},
		{"Activations", size(r.ArenaBytes)},
	}
	if i := lastBest(p.summary.rows); i >= 0 {
		e := &p.summary.rows[i]
		best := fmt.Sprintf("epoch %d", e.Epoch)
		for _, m := range e.Metrics[:min(len(e.Metrics), 1)] {
			best += fmt.Sprintf(", %s %s", m.Name, Figure(m.Value))
		}
		facts = append([]fact{{"Best", best}}, facts...)
	}
	return facts
}

func (p *Page) charts() []chart {
	rows := p.summary.rows
	if len(rows) == 0 {
		return nil
	}
	column := func(of func(*EpochDone) float64) []float64 {
		values := make([]float64, len(rows))
		for i := range rows {
			values[i] = of(&rows[i])
		}
		return values
	}
	var charts []chart
	add := func(title string, all ...series) {
		if c, ok := newChart(title, rows, all...); ok {
			charts = append(charts, c)
		}
	}
	add("Loss",
		series{"training", column(func(e *EpochDone) float64 { return e.TrainLoss })},
		series{"evaluation", column(func(e *EpochDone) float64 { return e.EvalLoss })})
	for _, name := range p.summary.metrics {
		add(name, series{name, column(func(e *EpochDone) float64 { return e.metricOrNaN(name) })})
	}
	add("Learning rate", series{"learning rate", column(func(e *EpochDone) float64 { return e.LR })})
	return charts
}

func (p *Page) table() (columns []string, rows []tableRow) {
	metrics, epochs := p.summary.metrics, p.summary.rows
	columns = slices.Concat([]string{"epoch", "update", "train loss", "eval loss"}, metrics, []string{"lr", "img/s", "time"})
	for i := range epochs {
		e := &epochs[i]
		cells := []string{strconv.Itoa(e.Epoch), count(e.Update), measured(e.TrainLoss), measured(e.EvalLoss)}
		for _, name := range metrics {
			cells = append(cells, measured(e.metricOrNaN(name)))
		}
		cells = append(cells, rate(e.LR), string(appendSpeed(nil, e.ImagesPerSecond)), clock(e.Time))
		rows = append(rows, tableRow{cells, i == lastBest(epochs)})
	}
	return columns, rows
}

// confusion lays the matrix out, unless it is too large to be read, and
// lists the classes that are confused most.
func (p *Page) confusion() (*matrix, []pair) {
	counts := p.last.Confusion
	name := func(class int) string {
		if class < len(p.run.Classes) {
			return p.run.Classes[class]
		}
		return strconv.Itoa(class)
	}
	m := &matrix{}
	var pairs []pair
	for truth, row := range counts {
		images := 0
		for _, n := range row {
			images += n
		}
		line := matrixRow{Name: name(truth)}
		m.Names = append(m.Names, line.Name)
		for predicted, n := range row {
			share := float64(n) / float64(max(images, 1))
			tip := fmt.Sprintf("%s taken for %s: %s%%", name(truth), name(predicted), percent(100*share))
			line.Cells = append(line.Cells, matrixCell{n, strconv.FormatFloat(share, 'f', 3, 64), share > 0.5, tip})
			if n > 0 && predicted != truth {
				pairs = append(pairs, pair{name(truth), name(predicted), n, percent(100 * share)})
			}
		}
		m.Rows = append(m.Rows, line)
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return b.Images - a.Images })
	pairs = pairs[:min(len(pairs), pairsShown)]
	if len(counts) == 0 || len(counts) > matrixClasses {
		m = nil
	}
	return m, pairs
}

func (e *EpochDone) metricOrNaN(name string) float64 {
	if v, ok := e.Metric(name); ok {
		return v
	}
	return math.NaN()
}

// measured is a figure for a table, a dash where there is none.
func measured(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return Figure(v)
}

// percent has one decimal; a dash stands for a rate of nothing.
func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}
