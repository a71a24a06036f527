package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/internal/atomicfile"
	"github.com/seed52467199/trainer/train/metric"
)

// predictionFlags say what is written of each image.
type predictionFlags struct {
	path       string
	top, worst int
}

func (p *predictionFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.path, "predictions", "", "write what is right for each image and what was predicted into this .csv file")
	f.IntVar(&p.top, "top", 5, "with --predictions: predicted classes an image")
	f.IntVar(&p.worst, "worst", 0, "with --predictions: only so many images, those of the largest loss, the worst first")
}

func (p *predictionFlags) check() error {
	switch {
	case p.top < 1:
		return fmt.Errorf("--top %d: at least one predicted class is written", p.top)
	case p.worst < 0:
		return fmt.Errorf("--worst %d: it is a number of images", p.worst)
	case p.worst > 0 && p.path == "":
		return errors.New("--worst goes with --predictions FILE.csv")
	}
	return nil
}

// predictions collects what was predicted for each image.
type predictions struct {
	predictionFlags
	ds    data.Dataset
	task  data.Task
	names []string
	rows  []predicted
	probs []float64 // of one image
}

// predicted is one image: its number in the data set, and the likeliest classes with
// their probabilities, or the outputs in their order.
type predicted struct {
	index   int
	loss    float64
	classes []int
	values  []float64
	target  []float32
}

func newPredictions(f predictionFlags, ds data.Dataset, names []string) *predictions {
	p := &predictions{predictionFlags: f, ds: ds, task: data.TaskOf(ds), names: names, probs: make([]float64, len(ds.Classes()))}
	if p.task == data.Regress {
		p.top = len(p.probs)
	}
	p.top = min(p.top, len(p.probs))
	return p
}

// add takes a batch with the network's outputs.
func (p *predictions) add(b *data.Batch, outputs []float32) {
	n := len(p.probs)
	order := make([]int, n)
	for i := range b.N {
		var target []float32
		if len(b.Targets) > 0 {
			target = slices.Clone(b.Targets[i*n : (i+1)*n])
		}
		row := outputs[i*n : (i+1)*n]
		metric.Probabilities(p.probs, row, p.task)
		for c := range order {
			order[c] = c
		}
		if p.task != data.Regress {
			// by the outputs, which still differ where probabilities are rounded to 1
			slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(row[y], row[x]) })
		}
		r := predicted{index: b.Indices[i], loss: metric.ImageLoss(p.task, row, b.Labels[i], target), classes: slices.Clone(order[:p.top]), target: target}
		for _, c := range r.classes {
			r.values = append(r.values, p.probs[c])
		}
		p.rows = append(p.rows, r)
	}
}

// write writes the file.
func (p *predictions) write() error {
	if p.worst > 0 {
		slices.SortStableFunc(p.rows, func(x, y predicted) int { return cmp.Compare(y.loss, x.loss) })
		p.rows = p.rows[:min(p.worst, len(p.rows))]
	}
	return atomicfile.Write(p.path, func(w io.Writer) error {
		table := csv.NewWriter(w)
		table.Write(p.header())
		for i := range p.rows {
			table.Write(p.cells(&p.rows[i]))
		}
		table.Flush()
		return table.Error()
	})
}

// header is name,label,loss,prediction1,probability1 and so on; labels where there may
// be several; or name,loss and for each number X what is right and X_predicted.
func (p *predictions) header() []string {
	if p.task == data.Regress {
		cells := []string{"name", "loss"}
		for _, name := range p.names {
			cells = append(cells, name, name+"_predicted")
		}
		return cells
	}
	cells := []string{"name", "label", "loss"}
	if p.task == data.MultiLabel {
		cells[1] = "labels"
	}
	for k := range p.top {
		cells = append(cells, fmt.Sprintf("prediction%d", k+1), fmt.Sprintf("probability%d", k+1))
	}
	return cells
}

func (p *predictions) cells(r *predicted) []string {
	cells := []string{p.ds.Name(r.index)}
	loss := strconv.FormatFloat(r.loss, 'g', 6, 64)
	if p.task == data.Regress {
		cells = append(cells, loss)
		for c, v := range r.values {
			cells = append(cells, strconv.FormatFloat(float64(r.target[c]), 'g', -1, 32), strconv.FormatFloat(v, 'g', 6, 64))
		}
		return cells
	}
	cells = append(cells, p.label(r), loss)
	for k, c := range r.classes {
		cells = append(cells, className(p.names, c), strconv.FormatFloat(r.values[k], 'g', 6, 64))
	}
	return cells
}

// label is what is right for an image; several classes have a semicolon between them.
func (p *predictions) label(r *predicted) string {
	if r.target == nil {
		return className(p.names, p.ds.Label(r.index))
	}
	var there []string
	for c, y := range r.target {
		if y > 0.5 {
			there = append(there, className(p.names, c))
		}
	}
	return strings.Join(there, ";")
}
