package metric

import (
	"math"

	"github.com/seed52467199/trainer/report"
)

// Precision, recall and F1 of a class, as scores name them.
const (
	precision = "precision"
	recall    = "recall"
	f1        = "f1"
)

// classScores are precision, recall and F1 of each class of a confusion matrix.
func classScores(confusion [][]int) []report.ClassScore {
	scores := make([]report.ClassScore, len(confusion))
	for c, row := range confusion {
		images, predicted := 0, 0
		for k, n := range row {
			images += n
			predicted += confusion[k][c]
		}
		scores[c] = report.ClassScore{Images: images, Figures: rates(row[c], predicted, images)}
	}
	return scores
}

// rates are precision, recall and F1 of a class that is there on so many images,
// predicted on so many, and on so many of them rightly. A rate of nothing is 0.
func rates(right, predicted, there int) []report.Metric {
	return []report.Metric{
		{Name: precision, Value: percent(right, predicted)},
		{Name: recall, Value: percent(right, there)},
		// 2pr/(p+r), without its 0/0 where one of them is a rate of nothing
		{Name: f1, Value: percent(2*right, predicted+there)},
	}
}

// averages adds the means of the classes' rates: balanced_accuracy, the mean recall
// of the classes that have images; f1, precision and recall over the classes that
// are there or predicted; and f1_weighted and precision_weighted, by the classes'
// images. Recall so weighted is top1.
func averages(r *Result) {
	var balanced, p, q, f mean
	pWeighted, fWeighted := 0.0, 0.0
	predicted := make([]int, len(r.Confusion))
	for _, row := range r.Confusion {
		for c, n := range row {
			predicted[c] += n
		}
	}
	for c, s := range r.Classes {
		precise, recalled, both := s.Figures[0].Value, s.Figures[1].Value, s.Figures[2].Value
		if s.Images > 0 {
			balanced.add(recalled)
		}
		if s.Images > 0 || predicted[c] > 0 {
			p.add(precise)
			q.add(recalled)
			f.add(both)
		}
		share := float64(s.Images) / float64(r.Images)
		pWeighted += share * precise
		fWeighted += share * both
	}
	r.add(f1, f.value())
	r.add(precision, p.value())
	r.add(recall, q.value())
	r.add("balanced_accuracy", balanced.value())
	r.add("f1_weighted", fWeighted)
	r.add("precision_weighted", pWeighted)
}

// mean is the mean of the numbers among values; not a number where there are none.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(x float64) {
	if !math.IsNaN(x) {
		m.sum += x
		m.n++
	}
}

func (m *mean) value() float64 { return m.sum / float64(m.n) }

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
