package metric

import (
	"math"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/report"
)

// regress is the Tally of numbers.
type regress struct {
	images  int
	outputs []output
}

// output sums up one of the numbers.
type output struct {
	absolute, squared float64 // errors
	mean, spread      float64 // of the targets; spread is their summed squared distance from the mean
}

func newRegress(outputs int) *regress { return &regress{outputs: make([]output, outputs)} }

func (t *regress) Images() int { return t.images }

// Add counts a batch of predictions.
func (t *regress) Add(outputs []float32, _ []int32, targets []float32) {
	for at := 0; at < len(outputs); at += len(t.outputs) {
		t.images++
		for c := range t.outputs {
			o, y := &t.outputs[c], float64(targets[at+c])
			miss := float64(outputs[at+c]) - y
			o.absolute += math.Abs(miss)
			o.squared += miss * miss
			// Welford's update: no difference of large sums
			delta := y - o.mean
			o.mean += delta / float64(t.images)
			o.spread += delta * (y - o.mean)
		}
	}
}

// Result has the means over outputs of r2, the coefficient of determination, at most 1;
// of mae, the mean absolute error; and of rmse, the root of the mean squared error. An
// output whose targets are all alike has no r2. The errors are in the targets' units.
func (t *regress) Result() *Result {
	r := &Result{Task: data.Regress, Images: t.images, Classes: make([]report.ClassScore, len(t.outputs))}
	var r2s mean
	mae, rmse := 0.0, 0.0
	n, outputs := float64(t.images), float64(len(t.outputs))
	for c, o := range t.outputs {
		r2 := math.NaN()
		if o.spread > 0 {
			r2 = 1 - o.squared/o.spread
		}
		r2s.add(r2)
		own := []report.Metric{{Name: "r2", Value: r2}, {Name: "mae", Value: o.absolute / n}, {Name: "rmse", Value: math.Sqrt(o.squared / n)}}
		r.Classes[c] = report.ClassScore{Images: t.images, Figures: own}
		r.Loss += o.squared / n / outputs
		mae += own[1].Value / outputs
		rmse += own[2].Value / outputs
	}
	r.add("r2", r2s.value())
	r.add("mae", mae)
	r.add("rmse", rmse)
	return r
}
