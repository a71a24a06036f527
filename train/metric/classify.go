package metric

import (
	"math"

	"github.com/seed52467199/trainer/data"
)

// classify is the Tally of one class an image.
type classify struct {
	classes     int
	top1, top5  int
	loss, brier float64
	images      int
	confusion   [][]int
	calibration calibration

	ranks  bool
	odds   []float32 // (N, classes), where ranks are kept
	labels []int32
	exps   []float64 // of one image
}

func newClassify(classes int, ranks bool) *classify {
	t := &classify{classes: classes, ranks: ranks, confusion: make([][]int, classes), exps: make([]float64, classes)}
	for i := range t.confusion {
		t.confusion[i] = make([]int, classes)
	}
	return t
}

func (t *classify) Images() int { return t.images }

// Add counts a batch of logits. Among equal logits the lower class is taken as the
// larger one. A logit that is not a number is never the largest.
func (t *classify) Add(logits []float32, labels []int32, _ []float32) {
	for i, label := range labels {
		row := logits[i*t.classes : (i+1)*t.classes]
		best := 0
		for c, x := range row {
			if x > row[best] || row[best] != row[best] {
				best = c
			}
		}
		before := rank(row, int(label))
		if before == 0 {
			t.top1++
		}
		if before < 5 {
			t.top5++
		}
		t.confusion[label][best]++
		t.images++
		t.probabilities(row, best, int(label))
	}
}

// probabilities counts what depends on the softmax of one image's logits.
func (t *classify) probabilities(row []float32, best, label int) {
	// rest is the sum of exp(x - largest) without the largest itself, which is 1: the
	// odds of a class that is all but certain would drown in a sum that holds it.
	largest, rest := float64(row[best]), 0.0
	for c, x := range row {
		t.exps[c] = math.Exp(float64(x) - largest)
		if c != best {
			rest += t.exps[c]
		}
	}
	sum := 1 + rest
	t.loss += math.Log(sum) + largest - float64(row[label])
	for c, e := range t.exps {
		miss := e / sum
		if c == label {
			miss = 1 - miss
		}
		t.brier += miss * miss
	}
	t.calibration.add(1/sum, best == label)
	if !t.ranks {
		return
	}
	for c, e := range t.exps {
		others := sum - e
		if c == best {
			others = rest
		}
		t.odds = append(t.odds, float32(float64(row[c])-largest-math.Log(others)))
	}
	t.labels = append(t.labels, int32(label))
}

// Result has top1 and top5, the rates at which the label's logit is the largest and
// among the five largest; f1, precision and recall averaged over classes and weighted
// by their images (see averages); ece and mce (see calibration); brier, the mean
// squared distance of the probabilities from the truth, summed over classes (Brier
// 1950; with two classes it is twice what is also called so); and auc.
func (t *classify) Result() *Result {
	n := float64(t.images)
	r := &Result{Task: data.Classify, Loss: t.loss / n, Images: t.images, Confusion: t.confusion}
	r.add(Top1, percent(t.top1, t.images))
	r.add("top5", percent(t.top5, t.images))
	r.Classes = classScores(t.confusion)
	averages(r)
	ece, mce := t.calibration.errors()
	r.add("ece", ece)
	r.add("mce", mce)
	r.add("brier", t.brier/n)
	if t.ranks {
		r.add(AUC, 100*t.auc())
	}
	return r
}

// auc is the area under the ROC curve: of the second class for two of them, else the
// mean over the classes against all others.
func (t *classify) auc() float64 {
	var one ranking
	area := func(class int) float64 {
		one.reset()
		for i, label := range t.labels {
			one.add(t.odds[i*t.classes+class], int(label) == class)
		}
		return one.auc()
	}
	if t.classes == 2 {
		return area(1)
	}
	var m mean
	for class := range t.classes {
		m.add(area(class))
	}
	return m.value()
}
