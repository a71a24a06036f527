package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
)

// Distillation adds what a teacher says about the very images of a batch, augmented
// and mixed as they are, to a network's objective:
//
//	(1-Alpha)*objective + Alpha*T^2*KL(softmax(teacher/T) || softmax(student/T))
//
// (Hinton et al. 2015, arXiv 1503.02531), the mean over the batch, or with Hard
// Alpha times the cross-entropy with the teacher's most likely class (Touvron et al.
// 2021, arXiv 2012.12877, without its token). The teacher computes as in evaluation
// and does not change, so that a checkpoint has nothing to keep of it.
type Distillation struct {
	// Alpha is the teacher's part of the loss, from 0 to 1.
	Alpha float64
	// Temperature, above 0, divides the logits of both before the softmax.
	Temperature float64
	// Hard takes the teacher's most likely class instead of its distribution.
	Hard bool

	teacher *Network
	columns []int // the teacher's logit of each class
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
	case n.Objective.Task != data.Classify:
		return fmt.Errorf("distill.teacher is set, and the data %s: a teacher is for images of one class", asks[n.Objective.Task])
	case t.Height != n.Height || t.Width != n.Width:
		return fmt.Errorf("the teacher %s takes images of %dx%d, and the network %dx%d", teacher.Source, t.Height, t.Width, n.Height, n.Width)
	case t.Channels != n.Channels && n.Channels != 1:
		return fmt.Errorf("the teacher %s takes images of %d channels, and the network %d: take a teacher of %d, or train on gray images", teacher.Source, t.Channels, n.Channels, n.Channels)
	}
	var err error
	if d.columns, err = teacherColumns(teacher, classes); err != nil {
		return err
	}
	d.teacher, d.from = t, n.Channels
	d.scale, d.shift = renormalization(p, teacher.Preprocessing)
	t.ws, t.Precision = n.ws, n.Precision
	n.distill = &d
	clear(n.programs)
	clear(t.programs)
	return nil
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
	if d.Hard {
		return g.Input("teacher", batch)
	}
	return g.Input("teacher", batch, classes)
}

// loss adds the teacher's part to the loss of an objective.
func (d *Distillation) loss(g *graph.Graph, own, logits, target *graph.Node) *graph.Node {
	part := d.Alpha
	if !d.Hard {
		logits = g.Scale(logits, 1/d.Temperature)
		part *= d.Temperature * d.Temperature
	}
	return g.Add(g.Scale(own, 1-d.Alpha), g.Scale(g.CrossEntropy(logits, target, 0), part))
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
	return d.Alpha * d.Temperature * d.Temperature * excess / float64(b.N), nil
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
