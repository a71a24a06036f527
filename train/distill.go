package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Distillation adds what a teacher says about the very images of a batch, augmented
// and mixed as they are, to a network's objective:
//
//	(1-Alpha)*objective + Alpha*T^2*KL(softmax(teacher/T) || softmax(student/T))
//
// (Hinton et al. 2015, arXiv 1503.02531), the mean over the batch, or with Hard
// Alpha times the cross-entropy with the teacher's most likely class (Touvron et al.
// 2021, arXiv 2012.12877). A network with the latter's token has a classifier for each part
// of the loss (see models.DistilledTransformer).
//
// Of many labels each is a distribution of its own, there or not, with sigmoids in place
// of the softmax (as in Yang et al. 2023, arXiv 2308.06453): the divergences' mean over
// the elements, or their sum over the classes where the objective sums; Hard is the binary
// cross-entropy with what the teacher finds likelier than not. Of numbers the teacher's are
// learned by the objective's own loss; they have neither a temperature nor Hard.
//
// The teacher computes as in evaluation and does not change, so that a checkpoint has
// nothing to keep of it.
type Distillation struct {
	// Alpha is the teacher's part of the loss, from 0 to 1.
	Alpha float64
	// Temperature, above 0, divides the logits of both before the softmax or sigmoid; 1
	// for numbers.
	Temperature float64
	// Hard takes the teacher's most likely class, or labels, instead of its distribution.
	Hard bool

	objective Objective // the network's
	teacher   *Network
	columns   []int // the teacher's logit of each class
	// scale and shift make the teacher's channels of the student's, where their
	// normalisation differs; nil where it does not.
	scale, shift []float32
	from         int // channels of the student's images

	images, logits []float32
}

// Teach makes a network learn from a teacher too, before its first pass. p is what happens to the network's
// images, and classes are its classes; both have to fit the teacher. The teacher works
// in the network's memory.
func (n *Network) Teach(d Distillation, teacher *Loaded, p checkpoint.Preprocessing, classes []string) error {
	t := teacher.Network
	switch {
	case !(d.Alpha >= 0 && d.Alpha <= 1) || !d.Hard && !(d.Temperature > 0):
		return fmt.Errorf("distill.alpha is %v and distill.temperature %v; the one must be from 0 to 1, the other above 0", d.Alpha, d.Temperature)
	case n.Objective.Task == data.Regress && d.Hard:
		return fmt.Errorf("distill.mode is hard, and the data %s, of which none is the likeliest: take soft", asks[n.Objective.Task])
	case n.Objective.Task == data.Regress && d.Temperature != 1:
		return fmt.Errorf("distill.temperature is %v, and the data %s, which a teacher tells as they are: leave it 1", d.Temperature, asks[n.Objective.Task])
	case teacher.Meta != nil && teacher.Task != n.Objective.Task:
		return fmt.Errorf("the teacher %s has learned the task %s, and the data %s: take one of the task %s", teacher.Source, teacher.Task, asks[n.Objective.Task], n.Objective.Task)
	case !slices.Equal(p.Features, teacher.Preprocessing.Features):
		return fmt.Errorf("the teacher %s takes %s, and the network %s: they have to take the same", teacher.Source, inputOf(teacher.Preprocessing), inputOf(p))
	case t.Height != n.Height || t.Width != n.Width:
		return fmt.Errorf("the teacher %s takes images of %dx%d, and the network %dx%d", teacher.Source, t.Height, t.Width, n.Height, n.Width)
	case t.Channels != n.Channels && n.Channels != 1:
		return fmt.Errorf("the teacher %s takes images of %d channels, and the network %d: take a teacher of %d, or train on gray images", teacher.Source, t.Channels, n.Channels, n.Channels)
	}
	var err error
	if d.columns, err = teacherColumns(teacher, classes); err != nil {
		return err
	}
	d.teacher, d.from, d.objective = t, n.Channels, n.Objective
	d.scale, d.shift = renormalization(p, teacher.Preprocessing)
	t.ws, t.Precision = n.ws, n.Precision
	n.distill = &d
	clear(n.programs)
	clear(t.programs)
	return nil
}

// inputOf tells what a network takes.
func inputOf(p checkpoint.Preprocessing) string {
	if p.Features == nil {
		return "images"
	}
	return "rows of numbers (" + few(p.Features) + ")"
}

// teacherColumns finds the classes among the teacher's, by their names where it has
// any.
func teacherColumns(teacher *Loaded, classes []string) ([]int, error) {
	own := teacher.Network.Classes
	if own == len(classes) && (teacher.Classes == nil || slices.Equal(teacher.Classes, classes)) {
		columns := make([]int, own)
		for i := range columns {
			columns[i] = i
		}
		return columns, nil
	}
	if teacher.Classes == nil {
		return nil, fmt.Errorf("the teacher %s tells %d classes apart, and the data has %d; it has to know the same", teacher.Source, own, len(classes))
	}
	if columns, ok := rowsByName(teacher.Classes, classes); ok {
		return columns, nil
	}
	for _, name := range classes {
		if !slices.Contains(teacher.Classes, name) {
			return nil, fmt.Errorf("the teacher %s does not know the class %s of the data; it has to know all of them by name", teacher.Source, name)
		}
	}
	return nil, fmt.Errorf("the teacher %s has %d classes, and the data %d, which only numbers tell apart; it has to know the same", teacher.Source, own, len(classes))
}

// renormalization is what turns images that are normalised for one network into
// those for another: per channel of the latter, a factor and an addend. A gray image
// becomes each channel. nil where nothing is to be done.
func renormalization(from, to checkpoint.Preprocessing) (scale, shift []float32) {
	same := from.Channels == to.Channels
	for c := range to.Channels {
		own := min(c, from.Channels-1)
		scale = append(scale, float32(from.Std[own]/to.Std[c]))
		shift = append(shift, float32((from.Mean[own]-to.Mean[c])/to.Std[c]))
		same = same && from.Std[own] == to.Std[c] && from.Mean[own] == to.Mean[c]
	}
	if same {
		return nil, nil
	}
	return scale, shift
}

// target declares the input for what the teacher says.
func (d *Distillation) target(g *graph.Graph, batch, classes int) *graph.Node {
	if d.Hard && d.objective.Task == data.Classify {
		return g.Input("teacher", batch)
	}
	return g.Input("teacher", batch, classes)
}

// loss adds the teacher's part to the loss of an objective.
func (d *Distillation) loss(g *graph.Graph, own, logits, target *graph.Node) *graph.Node {
	if !d.Hard && d.objective.Task != data.Regress {
		logits = g.Scale(logits, 1/d.Temperature)
	}
	var learned *graph.Node
	switch d.objective.Task {
	case data.MultiLabel:
		learned = g.Apply(op.BCEWithLogits{SumClasses: d.objective.SumClasses}, logits, target)
	case data.Regress:
		learned = d.objective.loss(g, logits, target)
	default:
		learned = g.CrossEntropy(logits, target, 0)
	}
	return g.Add(g.Scale(own, 1-d.Alpha), g.Scale(learned, d.part()))
}

// part is the factor of the teacher's part of the loss.
func (d *Distillation) part() float64 {
	if d.Hard {
		return d.Alpha
	}
	return d.Alpha * d.Temperature * d.Temperature
}

// teach asks the teacher about a batch and fills the target of its part. It returns
// what that part of the loss has in excess: the graph computes cross-entropies, which
// are greater than divergences by the teacher's own entropy.
func (d *Distillation) teach(dst []float32, b *data.Batch, classes int) (excess float64, err error) {
	t := d.teacher
	images := b.Images
	if d.scale != nil {
		images = d.renormalized(images)
	}
	d.logits = grow(d.logits, b.N*t.Classes)
	if err := t.Logits(d.logits[:b.N*t.Classes], images, b.N); err != nil {
		return 0, fmt.Errorf("asking the teacher: %w", err)
	}
	for i := range b.N {
		row := d.logits[i*t.Classes:][:t.Classes]
		if d.objective.Task != data.Classify {
			excess += d.outputs(dst[i*classes:][:classes], row)
			continue
		}
		if d.Hard {
			best := 0
			for c, k := range d.columns {
				if row[k] > row[d.columns[best]] {
					best = c
				}
			}
			dst[i] = float32(best)
			continue
		}
		excess += d.distribution(dst[i*classes:][:classes], row)
	}
	if d.objective.Task == data.MultiLabel && !d.objective.SumClasses {
		excess /= float64(classes)
	}
	return d.part() * excess / float64(b.N), nil
}

// outputs writes what a row of the teacher's outputs says of each label or number, and
// returns the summed entropies of the labels.
func (d *Distillation) outputs(dst, row []float32) (entropy float64) {
	for c, k := range d.columns {
		x := float64(row[k])
		switch {
		case d.objective.Task == data.Regress:
			dst[c] = row[k]
		case !d.Hard:
			x /= d.Temperature
			a := math.Abs(x)
			dst[c] = float32(1 / (1 + math.Exp(-x)))
			entropy += math.Log1p(math.Exp(-a)) + a/(1+math.Exp(a))
		case x > 0:
			dst[c] = 1
		default:
			dst[c] = 0
		}
	}
	return entropy
}

// distribution writes the softmax of a row of the teacher's logits at the temperature,
// and returns its entropy.
func (d *Distillation) distribution(dst, row []float32) (entropy float64) {
	top := math.Inf(-1)
	for _, k := range d.columns {
		top = max(top, float64(row[k]))
	}
	var sum float64
	for _, k := range d.columns {
		sum += math.Exp((float64(row[k]) - top) / d.Temperature)
	}
	for c, k := range d.columns {
		logp := (float64(row[k])-top)/d.Temperature - math.Log(sum)
		p := math.Exp(logp)
		dst[c] = float32(p)
		if p > 0 {
			entropy -= p * logp
		}
	}
	return entropy
}

// renormalized are images (N, H, W, C) as the teacher takes them.
func (d *Distillation) renormalized(images []float32) []float32 {
	to := len(d.scale)
	pixels := len(images) / d.from
	d.images = grow(d.images, pixels*to)
	out := d.images[:pixels*to]
	for c := range to {
		a, b := d.scale[c], d.shift[c]
		for i, at := min(c, d.from-1), c; at < len(out); i, at = i+d.from, at+to {
			out[at] = float32(images[i]*a) + b
		}
	}
	return out
}

// newTeacher opens the teacher of a configuration, for images of this size.
func newTeacher(c *configs.Config, dev graph.Device) (*Loaded, error) {
	path, err := c.Distill.File()
	if err != nil || path == "" {
		return nil, err
	}
	t, err := Load(path, dev, LoadOptions{Model: c.Distill.Model, Height: c.Data.Size, Width: c.Data.Size})
	if err != nil {
		return nil, fmt.Errorf("distill.teacher: %w", err)
	}
	return t, nil
}
