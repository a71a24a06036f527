package metric

import (
	"encoding/json"
	"fmt"
	"io"
	"path"

	"github.com/seed52467199/trainer/report"
)

// RealLabels are labels that people gave to images afterwards, any number an image, such
// as ImageNet's reassessed ones (Beyer et al. 2020, arXiv 2006.07159), and how often a
// network names one of them. Images without any do not count.
type RealLabels struct {
	classes    int
	labels     map[string][]int
	images     int
	top1, top5 int
}

// ReadRealLabels reads JSON: a list of the labels of ImageNet's validation images in
// their order, as published in real.json, or an object with the labels by file name.
func ReadRealLabels(r io.Reader, classes int) (*RealLabels, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	labels := map[string][]int{}
	var list [][]int
	if json.Unmarshal(raw, &list) == nil {
		for i, l := range list {
			labels[fmt.Sprintf("ILSVRC2012_val_%08d.JPEG", i+1)] = l
		}
	} else if err := json.Unmarshal(raw, &labels); err != nil {
		return nil, fmt.Errorf("neither a list of lists of labels nor an object with one by file name: %w", err)
	}
	for name, l := range labels {
		for _, c := range l {
			if c < 0 || c >= classes {
				return nil, fmt.Errorf("label %d of %s; there are %d classes, so labels go from 0 to %d", c, name, classes, classes-1)
			}
		}
	}
	return &RealLabels{classes: classes, labels: labels}, nil
}

// Knows tells whether the image of this name, or path, has labels.
func (r *RealLabels) Knows(name string) bool { return len(r.labels[path.Base(name)]) > 0 }

// Add counts the image of this name, or path, with its logits.
func (r *RealLabels) Add(name string, logits []float32) {
	labels := r.labels[path.Base(name)]
	if len(labels) == 0 {
		return
	}
	best := r.classes // the rank of the best of them
	for _, label := range labels {
		best = min(best, rank(logits, label))
	}
	r.images++
	if best == 0 {
		r.top1++
	}
	if best < 5 {
		r.top5++
	}
}

// Figures are real_top1 and real_top5, over the images that have labels.
func (r *RealLabels) Figures() []report.Metric {
	return []report.Metric{{Name: "real_top1", Value: percent(r.top1, r.images)}, {Name: "real_top5", Value: percent(r.top5, r.images)}}
}

// rank is how many classes come before a label. Among equal logits the lower class is
// the larger; a logit that is not a number comes after all others.
func rank(logits []float32, label int) int {
	own, before := logits[label], 0
	if own != own {
		return len(logits)
	}
	for c, x := range logits {
		if x > own || (x == own && c < label) {
			before++
		}
	}
	return before
}
