package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed52467199/trainer/internal/atomicfile"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train/metric"
)

// evalResult prints what an evaluation found.
func (a *app) evalResult(m *metric.Result, names []string, perClass bool, took time.Duration) error {
	first, more := figures(m)
	a.say("%s  loss %.4f  on %d images in %s", first, m.Loss, m.Images, took.Round(time.Millisecond))
	if more != "" {
		a.say("%s", more)
	}
	r := evalObject(m, took)
	if !perClass {
		return a.result(r)
	}
	scores := m.Named(names)
	classes := make([]map[string]any, len(scores))
	for i, s := range scores {
		classes[i] = map[string]any{"name": s.Name, "images": s.Images}
		for _, f := range s.Figures {
			classes[i][f.Name] = finiteOrNil(f.Value)
		}
	}
	r["per_class"] = classes
	if m.Confusion != nil {
		r["confusion"] = m.Confusion
	}
	if !a.quiet {
		if err := printScores(a.stderr, scores); err != nil {
			return err
		}
	}
	return a.result(r)
}

// evalObject is the JSON of an evaluation.
func evalObject(m *metric.Result, took time.Duration) map[string]any {
	r := map[string]any{"loss": finiteOrNil(m.Loss), "images": m.Images, "images_per_s": float64(m.Images) / took.Seconds()}
	for _, f := range m.Figures {
		r[f.Name] = finiteOrNil(f.Value)
	}
	return r
}

// figures are the figures of an evaluation for people, in a line of those that each
// epoch of a training tells and one of the others; rates have a percent sign.
func figures(m *metric.Result) (first, more string) {
	by, _ := metric.Choose(m.Task, metric.Auto)
	told := metric.Told(m.Task, by)
	var lines [2][]string
	for _, f := range m.Figures {
		line := &lines[0]
		if !slices.Contains(told, f.Name) {
			line = &lines[1]
		}
		format := "%s %.4f"
		if metric.Percent(f.Name) {
			format = "%s %.2f%%"
		}
		*line = append(*line, fmt.Sprintf(format, metric.Title(f.Name), f.Value))
	}
	return strings.Join(lines[0], "  "), strings.Join(lines[1], "  ")
}

// printScores prints the table of classes or outputs.
func printScores(w io.Writer, scores []report.ClassScore) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i, s := range scores {
		if i == 0 {
			fmt.Fprint(t, "name\timages\t")
			for _, f := range s.Figures {
				fmt.Fprintf(t, "%s\t", f.Name)
			}
			fmt.Fprintln(t)
		}
		fmt.Fprintf(t, "%s\t%d\t", s.Name, s.Images)
		for _, f := range s.Figures {
			fmt.Fprintf(t, "%.4g\t", f.Value)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// writeConfusion writes a confusion matrix: a row for each true class, a column for
// each predicted one.
func writeConfusion(path string, confusion [][]int, names []string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		table := csv.NewWriter(w)
		table.Write(append([]string{"true"}, names...))
		for c, row := range confusion {
			cells := []string{className(names, c)}
			for _, n := range row {
				cells = append(cells, strconv.Itoa(n))
			}
			table.Write(cells)
		}
		table.Flush()
		return table.Error()
	})
}
