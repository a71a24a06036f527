package metric

import (
	"math"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/report"
)

// multiLabel is the Tally of any number of classes an image.
type multiLabel struct {
	classes int
	images  int
	exact   int
	loss    float64
	logits  []float32 // (N, classes)
	there   []bool    // (N, classes)
}

func newMultiLabel(classes int) *multiLabel { return &multiLabel{classes: classes} }

func (t *multiLabel) Images() int { return t.images }

// Add counts a batch of logits. A class is there where its target is above a half,
// and predicted where its probability, the logit's sigmoid, is.
func (t *multiLabel) Add(logits []float32, _ []int32, targets []float32) {
	for at := 0; at < len(logits); at += t.classes {
		exact := true
		for c, x := range logits[at : at+t.classes] {
			y := targets[at+c]
			there := y > 0.5
			exact = exact && there == (x > 0)
			t.there = append(t.there, there)
			t.loss += binaryCrossEntropy(float64(x), float64(y))
		}
		t.logits = append(t.logits, logits[at:at+t.classes]...)
		t.images++
		if exact {
			t.exact++
		}
	}
}

// binaryCrossEntropy of a logit, in a form that does not overflow.
func binaryCrossEntropy(x, y float64) float64 {
	return max(x, 0) - x*y + math.Log1p(math.Exp(-math.Abs(x)))
}

// Result has map, the mean of the classes' average precision (see ranking); f1 and
// f1_micro, the mean of the classes' F1 and that of all decisions together; and
// exact_match, the rate of images of which every class is right. map leaves out the
// classes that are on no image, f1 those that are also predicted on none.
func (t *multiLabel) Result() *Result {
	r := &Result{Task: data.MultiLabel, Loss: t.loss / float64(t.images*t.classes), Images: t.images, Classes: make([]report.ClassScore, t.classes)}
	var precisions, f1s mean
	var one ranking
	allRight, allPredicted, allThere := 0, 0, 0
	for c := range r.Classes {
		one.reset()
		right, predicted := 0, 0
		for at := c; at < len(t.logits); at += t.classes {
			one.add(t.logits[at], t.there[at])
			if t.logits[at] > 0 {
				predicted++
				if t.there[at] {
					right++
				}
			}
		}
		ap := 100 * one.averagePrecision()
		s := report.ClassScore{Images: one.positive, Figures: append([]report.Metric{{Name: "ap", Value: ap}}, rates(right, predicted, one.positive)...)}
		precisions.add(ap)
		if one.positive > 0 || predicted > 0 {
			f1s.add(s.Figures[len(s.Figures)-1].Value)
		}
		allRight, allPredicted, allThere = allRight+right, allPredicted+predicted, allThere+one.positive
		r.Classes[c] = s
	}
	r.add("map", precisions.value())
	r.add(f1, f1s.value())
	r.add("f1_micro", percent(2*allRight, allPredicted+allThere))
	r.add("exact_match", percent(t.exact, t.images))
	return r
}
