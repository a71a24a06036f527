package metric

import (
	"cmp"
	"math"
	"slices"
)

// ranking is a list of images by how surely something is there.
type ranking struct {
	list     []ranked
	positive int
	sorted   bool
}

type ranked struct {
	score    float32
	positive bool
}

func (r *ranking) reset() { r.list, r.positive, r.sorted = r.list[:0], 0, false }

func (r *ranking) add(score float32, positive bool) {
	r.list = append(r.list, ranked{score, positive})
	if positive {
		r.positive++
	}
	r.sorted = false
}

// ties visits the groups of images of one score, the highest first: how many of them
// are positive and how many are not.
func (r *ranking) ties(visit func(positive, negative int)) {
	if !r.sorted {
		slices.SortFunc(r.list, func(a, b ranked) int { return cmp.Compare(b.score, a.score) })
		r.sorted = true
	}
	for at := 0; at < len(r.list); {
		score, positive, negative := r.list[at].score, 0, 0
		for ; at < len(r.list) && cmp.Compare(r.list[at].score, score) == 0; at++ {
			if r.list[at].positive {
				positive++
			} else {
				negative++
			}
		}
		visit(positive, negative)
	}
}

// auc is the area under the ROC curve: the probability that a positive is ranked
// before a negative, ties counting half. Not a number where either is missing.
func (r *ranking) auc() float64 {
	negatives := len(r.list) - r.positive
	before, pairs := 0, 0.0 // positives so far
	r.ties(func(positive, negative int) {
		pairs += (float64(before) + float64(positive)/2) * float64(negative)
		before += positive
	})
	return pairs / (float64(r.positive) * float64(negatives))
}

// averagePrecision is the sum over scores, from the highest, of the rise in recall
// times the precision there, without interpolation. Not a number without positives.
func (r *ranking) averagePrecision() float64 {
	if r.positive == 0 {
		return math.NaN()
	}
	seen, right, area := 0, 0, 0.0
	r.ties(func(positive, negative int) {
		seen += positive + negative
		right += positive
		area += float64(positive) * float64(right) / float64(seen)
	})
	return area / float64(r.positive)
}
