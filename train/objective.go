package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Objective is the loss that training minimises.
type Objective struct {
	// Name is cross_entropy, bce, asymmetric, focal, jsd, mse, mae, huber or smooth_l1.
	Name string
	// Task is what the data asks; the loss has to fit it.
	Task data.Task
	// Mixed tells that batches of Classify carry shares of classes instead of labels.
	Mixed bool
	// Smoothing eps mixes the target with the uniform distribution: eps/C for each
	// class and 1-eps more for the right one. Many labels are moved towards 0.5
	// instead. Mixed targets are smoothed like others, which is the same as mixing
	// smoothed ones.
	Smoothing float64
	// Threshold, where positive, makes smoothed targets of bce above it 1 and
	// others 0, as timm does.
	Threshold float64
	// SumClasses sums bce and focal with sigmoid over the classes, instead of taking
	// the mean.
	SumClasses bool
	// ClassWeights, where set, weigh the classes. cross_entropy of labels is the mean
	// weighted by those of the labels, as in PyTorch; other losses are divided by the
	// number of images or of elements, whatever the weights.
	ClassWeights []float64
	// PosWeights, where set, weigh what is there against what is not, in bce and in
	// asymmetric of many labels.
	PosWeights []float64
	// Sigmoid has focal ask one question a class, as it always does of many labels,
	// with FocalAlpha as the share of what is there, unless that is negative.
	Sigmoid                bool
	FocalAlpha, FocalGamma float64
	// GammaPos, GammaNeg and Clip are those of asymmetric; Clip is for many labels.
	GammaPos, GammaNeg, Clip float64
	// Splits is how many versions of each image a batch has for jsd: cross-entropy of
	// the first, clean ones, plus Consistency times the divergence of all (AugMix,
	// Hendrycks et al. 2020, arXiv 1912.02781).
	Splits      int
	Consistency float64
	// Delta is huber's, Beta that of smooth_l1.
	Delta, Beta float64
}

// losses are the names for each task, the usual one first.
var losses = map[data.Task][]string{
	data.Classify:   {"cross_entropy", "bce", "asymmetric", "focal", "jsd", "mse"},
	data.MultiLabel: {"bce", "asymmetric", "focal"},
	data.Regress:    {"mse", "mae", "huber", "smooth_l1"},
}

// asks says what a task's data sets are, to go with "the data".
var asks = map[data.Task]string{
	data.Classify:   "names one class an image",
	data.MultiLabel: "has any number of labels an image",
	data.Regress:    "has numbers to be told",
}

// Validate refuses a loss that is unknown or does not fit the task, and options that
// it does not have. classes is the number of outputs.
func (o Objective) Validate(classes int) error {
	if fit := losses[o.Task]; !slices.Contains(fit, o.Name) {
		for _, names := range losses {
			if slices.Contains(names, o.Name) {
				return fmt.Errorf("loss.name is %s, and the data %s: take %s", o.Name, asks[o.Task], either(fit))
			}
		}
		return fmt.Errorf("loss.name is %q, which is unknown; for data that %s it may be %s", o.Name, asks[o.Task], either(fit))
	}
	if o.Name == "jsd" && (o.Splits < 2 || o.Splits > op.MaxSplits) {
		return fmt.Errorf("loss.name is jsd, which compares versions of an image, and augment.splits is %d: set it to 3, or from 2 to %d", o.Splits, op.MaxSplits)
	}
	rows := o.Task == data.Classify && (o.Name == "asymmetric" || o.Name == "focal" && !o.Sigmoid)
	switch {
	case o.Smoothing != 0 && o.Task == data.Regress:
		return fmt.Errorf("loss.smoothing is %v, and the data %s: leave it 0", o.Smoothing, asks[o.Task])
	case o.Threshold != 0 && o.Name != "bce":
		return fmt.Errorf("loss.bce_threshold is %v, and loss.name is %s: it goes with bce", o.Threshold, o.Name)
	case o.ClassWeights != nil && (o.Task == data.Regress || o.Name == "mse" || o.Name == "jsd" || rows && o.Name == "asymmetric"):
		return fmt.Errorf("loss.class_weights is set, and loss.name is %s for data that %s, which has none", o.Name, asks[o.Task])
	case o.ClassWeights != nil && len(o.ClassWeights) != classes:
		return fmt.Errorf("loss.class_weights has %d numbers, and the data has %d classes: give one for each, or balanced", len(o.ClassWeights), classes)
	case o.PosWeights != nil && (rows || o.Name != "bce" && o.Name != "asymmetric"):
		return fmt.Errorf("loss.pos_weight is set, and loss.name is %s for data that %s: it goes with bce, and with asymmetric for many labels", o.Name, asks[o.Task])
	case o.PosWeights != nil && len(o.PosWeights) != classes:
		return fmt.Errorf("loss.pos_weight has %d numbers, and the data has %d classes: give one, or one for each", len(o.PosWeights), classes)
	case o.SumClasses && o.Name != "bce" && (o.Name != "focal" || rows):
		return fmt.Errorf("loss.bce_sum is true, and loss.name is %s: it goes with bce and with focal of sigmoids", o.Name)
	}
	return nil
}

// either joins names for a sentence.
func either(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// newObjective reads the loss that a configuration asks for on a data set.
func newObjective(c *configs.Config, ds data.Dataset) (Objective, error) {
	l := c.Loss
	o := Objective{Name: l.Name, Task: data.TaskOf(ds), Mixed: mixes(c.Augment), Smoothing: l.Smoothing, Threshold: l.BCEThreshold, SumClasses: l.BCESum,
		ClassWeights: l.ClassWeights.List, FocalAlpha: l.FocalAlpha, FocalGamma: l.FocalGamma,
		Splits: c.Augment.Splits, Consistency: l.JSDAlpha, GammaPos: l.AsymGammaPos, GammaNeg: l.AsymGammaNeg, Clip: l.AsymClip, Delta: l.HuberDelta, Beta: l.SmoothL1Beta}
	o.Sigmoid = l.FocalForm == "sigmoid" || l.FocalForm == "auto" && o.Task == data.MultiLabel
	if !o.Sigmoid && o.Task == data.MultiLabel && o.Name == "focal" {
		return o, fmt.Errorf("loss.focal_form is softmax, and the data %s: take sigmoid", asks[o.Task])
	}
	if n := len(l.PosWeight); n == 1 {
		o.PosWeights = slices.Repeat(l.PosWeight, len(ds.Classes()))
	} else if n > 1 {
		o.PosWeights = l.PosWeight
	}
	var err error
	if l.ClassWeights.Balanced {
		if o.Task == data.Regress {
			return o, fmt.Errorf("loss.class_weights is balanced, and the data %s: leave it []", asks[o.Task])
		}
		o.ClassWeights, err = balanced(ds)
	}
	return o, err
}

// balanced are weights that let every class count alike: the number of samples
// divided by the number of classes and by that of the class's own samples.
func balanced(ds data.Dataset) ([]float64, error) {
	classes := ds.Classes()
	counts := make([]float64, len(classes))
	target := make([]float32, len(classes))
	targeted, _ := ds.(data.Targeted)
	for i := range ds.Len() {
		if targeted == nil {
			counts[ds.Label(i)]++
			continue
		}
		targeted.Target(i, target)
		for c, v := range target {
			counts[c] += float64(v)
		}
	}
	for c, n := range counts {
		if n == 0 {
			return nil, fmt.Errorf("loss.class_weights is balanced, and no training image shows %s: leave that class out of the data, or give the weights as a list", classes[c])
		}
		counts[c] = float64(ds.Len()) / (float64(len(classes)) * n)
	}
	return counts, nil
}

// dense tells whether the target is a value for each class instead of an index.
func (o Objective) dense() bool {
	return o.Name != "cross_entropy" && o.Name != "jsd" || o.Mixed || o.ClassWeights != nil
}

// target declares the input for the labels of a batch.
func (o Objective) target(g *graph.Graph, batch, classes int) *graph.Node {
	if o.dense() {
		return g.Input("target", batch, classes)
	}
	return g.Input("target", batch)
}

// loss adds the loss to a graph.
func (o Objective) loss(g *graph.Graph, logits, target *graph.Node) *graph.Node {
	many := o.Task == data.MultiLabel
	switch o.Name {
	case "bce":
		return g.Apply(op.BCEWithLogits{SumClasses: o.SumClasses, Weight: o.ClassWeights, PosWeight: o.PosWeights}, logits, target)
	case "focal":
		if o.Sigmoid {
			return g.Apply(op.SigmoidFocal{Alpha: o.FocalAlpha, Gamma: o.FocalGamma, SumClasses: o.SumClasses, Weight: o.ClassWeights}, logits, target)
		}
		return g.SoftmaxFocal(logits, target, o.FocalGamma)
	case "asymmetric":
		if many {
			return g.Apply(op.Asymmetric{GammaPos: o.GammaPos, GammaNeg: o.GammaNeg, Clip: o.Clip, Weight: o.ClassWeights, PosWeight: o.PosWeights}, logits, target)
		}
		return g.SoftmaxAsymmetric(logits, target, o.GammaPos, o.GammaNeg, o.Smoothing)
	case "jsd":
		if logits == nil {
			return nil
		}
		n := logits.Shape()[0] / o.Splits
		clean := g.CrossEntropy(g.Slice(logits, 0, 0, n, 1), g.Slice(target, 0, 0, n, 1), o.Smoothing)
		return g.Add(clean, g.Scale(g.JensenShannon(logits, o.Splits), o.Consistency))
	case "mse":
		return g.MSE(logits, target)
	case "mae":
		return g.MAE(logits, target)
	case "huber":
		return g.Huber(logits, target, o.Delta)
	case "smooth_l1":
		return g.SmoothL1(logits, target, o.Beta)
	}
	if o.dense() { // smoothed by fill
		return g.CrossEntropy(logits, target, 0)
	}
	return g.CrossEntropy(logits, target, o.Smoothing)
}

// fill writes the target of a batch: dst has the size of target's input.
func (o Objective) fill(dst []float32, b *data.Batch, classes int) {
	if !o.dense() {
		for i, l := range b.Labels {
			dst[i] = float32(l)
		}
		return
	}
	if len(b.Targets) > 0 {
		copy(dst, b.Targets)
	} else {
		clear(dst)
		for i, l := range b.Labels {
			dst[i*classes+int(l)] = 1
		}
	}
	o.smooth(dst, classes)
	if o.Name == "bce" && o.Threshold > 0 {
		for i, t := range dst {
			dst[i] = 0
			if t > float32(o.Threshold) {
				dst[i] = 1
			}
		}
	}
	if o.ClassWeights != nil && (o.Name == "cross_entropy" || o.Name == "focal" && !o.Sigmoid) {
		o.weigh(dst, b, classes)
	}
}

// smooth smooths targets where their loss does not do it.
func (o Objective) smooth(dst []float32, classes int) {
	even := 1 / float64(classes)
	switch {
	case o.Smoothing == 0 || o.Task == data.Classify && o.Name == "asymmetric":
		return
	case o.Task == data.MultiLabel:
		even = 0.5
	}
	for i, t := range dst {
		dst[i] = float32(float64(t)*(1-o.Smoothing) + even*o.Smoothing)
	}
}

// weigh multiplies the targets by their classes' weights: a loss that is a sum over
// -target*log(p) is weighted by that. The mean of cross-entropies of labels becomes
// one weighted by theirs.
func (o Objective) weigh(dst []float32, b *data.Batch, classes int) {
	scale := 1.0
	if o.Name == "cross_entropy" && len(b.Targets) == 0 {
		var sum float64
		for _, l := range b.Labels {
			sum += o.ClassWeights[l]
		}
		scale = float64(b.N) / sum
	}
	for at := 0; at < len(dst); at += classes {
		for c, w := range o.ClassWeights {
			dst[at+c] = float32(float64(dst[at+c]) * w * scale)
		}
	}
}
