package metric

import (
	"math"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/report"
)

// Result is what an evaluation found.
type Result struct {
	// Task is what the data asks.
	Task data.Task
	// Loss is the mean of what the task is about: cross-entropy without smoothing,
	// which is the negative log-likelihood of the label; binary cross-entropy over
	// images and classes; or squared error over images and outputs.
	Loss float64
	// Images is how many were evaluated.
	Images int
	// Figures are the others, in the order in which people want to read them.
	Figures []report.Metric
	// Classes is how well each class, or each output, is recognised. Names are missing.
	Classes []report.ClassScore
	// Confusion counts images by [label][prediction], for data.Classify.
	Confusion [][]int
}

// Figure is the figure of this name, the loss included, and whether there is one.
func (r *Result) Figure(name string) (float64, bool) {
	if name == Loss {
		return r.Loss, true
	}
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value, true
		}
	}
	return math.NaN(), false
}

// Named are the scores by class under these names; a class without one has none.
func (r *Result) Named(classes []string) []report.ClassScore {
	for i := range r.Classes[:min(len(r.Classes), len(classes))] {
		r.Classes[i].Name = classes[i]
	}
	return r.Classes
}

// add adds a figure that is defined.
func (r *Result) add(name string, value float64) {
	if !math.IsNaN(value) {
		r.Figures = append(r.Figures, report.Metric{Name: name, Value: value})
	}
}
