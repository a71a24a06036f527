package train

import (
	"math"

	"github.com/seed52467199/trainer/report"
)

// Metrics are the results of an evaluation. Rates are in percent.
type Metrics struct {
	// Top1 is the rate at which the largest logit is the label's; Top5 that at
	// which the label is among the five largest.
	Top1, Top5 float64
	// Loss is the mean cross-entropy, without smoothing.
	Loss float64
	// Images is how many were evaluated.
	Images int
	// Confusion counts images by [label][prediction].
	Confusion [][]int
}

// tally collects Metrics batch by batch.
type tally struct {
	classes    int
	top1, top5 int
	loss       float64
	images     int
	confusion  [][]int
}

func newTally(classes int) *tally {
	t := &tally{classes: classes, confusion: make([][]int, classes)}
	for i := range t.confusion {
		t.confusion[i] = make([]int, classes)
	}
	return t
}

// add counts a batch of logits (N, classes). Among equal logits the lower class
// is taken as the larger one. A logit that is not a number is never the largest.
func (t *tally) add(logits []float32, labels []int32) {
	for i, label := range labels {
		row := logits[i*t.classes : (i+1)*t.classes]
		best := 0
		rank := 0
		own := row[label]
		for c, x := range row {
			if x > row[best] || row[best] != row[best] {
				best = c
			}
			if x > own || (x == own && c < int(label)) {
				rank++
			}
		}
		if own != own {
			rank = t.classes
		}
		if rank == 0 {
			t.top1++
		}
		if rank < 5 {
			t.top5++
		}
		t.confusion[label][best]++
		t.loss += crossEntropy(row, int(label))
		t.images++
	}
}

// crossEntropy is -log softmax(row)[label].
func crossEntropy(row []float32, label int) float64 {
	largest := float64(row[0])
	for _, x := range row {
		largest = max(largest, float64(x))
	}
	sum := 0.0
	for _, x := range row {
		sum += math.Exp(float64(x) - largest)
	}
	return math.Log(sum) + largest - float64(row[label])
}

func (t *tally) metrics() Metrics {
	n := float64(t.images)
	return Metrics{Top1: 100 * float64(t.top1) / n, Top5: 100 * float64(t.top5) / n, Loss: t.loss / n, Images: t.images, Confusion: t.confusion}
}

// PerClass is how well each class is recognised. A rate without images to count
// is 0.
func (m Metrics) PerClass(names []string) []report.ClassScore {
	scores := make([]report.ClassScore, len(m.Confusion))
	for c, row := range m.Confusion {
		images, predicted := 0, 0
		for k, n := range row {
			images += n
			predicted += m.Confusion[k][c]
		}
		s := report.ClassScore{Images: images, Precision: percent(row[c], predicted), Recall: percent(row[c], images)}
		if c < len(names) {
			s.Name = names[c]
		}
		if sum := s.Precision + s.Recall; sum > 0 {
			s.F1 = 2 * s.Precision * s.Recall / sum
		}
		scores[c] = s
	}
	return scores
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
