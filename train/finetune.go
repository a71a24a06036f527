package train

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/adapt"
)

// Plan says how weights of another training were fitted to a model.
type Plan struct {
	// Source is where the weights came from.
	Source string
	// Instead is the model that was asked for, where the weights were trained for
	// another one of the same parameters, which is then trained; "" else.
	Instead string
	// Loaded counts the parameters taken over.
	Loaded int
	// Fresh names the parameters that start anew: a classifier of other classes.
	Fresh []string
	// Sliced tells whether the classifier's rows were chosen by the names of the classes.
	Sliced bool
	// FirstConv names the convolutions whose input channels were adapted, "" for none.
	FirstConv string
	// Method is how.
	Method string
	// Resized names the parameters that were made for images of another size.
	Resized []string
}

// AdaptOptions say what Adapt fits the weights to.
type AdaptOptions struct {
	// Channels is the number of input channels.
	Channels int
	// Method is sum, mean, luma or fold, for a change of channels.
	Method string
	// Target is the preprocessing of the new training, for fold.
	Target checkpoint.Preprocessing
	// Classes are the new training's class names by label, where they are known.
	Classes []string
}

// sourcePreprocessing is how the images were prepared for which weights were
// made: what their checkpoint says, or else the model's usual way.
func sourcePreprocessing(c models.Config, f *checkpoint.File) checkpoint.Preprocessing {
	if f != nil && f.Meta != nil {
		return f.Meta.Preprocessing
	}
	return checkpoint.Preprocessing{Size: [2]int{c.InputSize, c.InputSize}, Channels: c.InChans, Mean: c.Mean, Std: c.Std,
		CropPct: c.CropPct, Interpolation: c.Interpolation}
}

// Adapt loads weights made for other classes, input channels or image sizes into a
// model. Where the weights know every class of o by its name, the classifier takes over
// the rows of these classes, in their order; else it keeps its fresh values where the
// number of classes differs. The first convolutions are adapted where the channels
// differ, and what is learned about positions where the image size does. Everything
// else must fit.
func Adapt(ps *graph.Params, m *models.Model, f *checkpoint.File, o AdaptOptions) (*Plan, error) {
	plan := &Plan{Source: f.Source}
	trained, _, err := rename(m.Name, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	if trained != m.Name {
		return nil, fmt.Errorf("%s holds weights of %s, and the model is %s, which has the same parameters and computes something else with them: make the model %s", f.Path, trained, m.Name, trained)
	}
	have, err := adaptFirstConv(ps, m, f, o, plan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	if have, plan.Resized, err = resizePositions(ps, m.Config, have); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	head := checkpoint.Under(m.Config.Classifier...)
	if have, plan.Sliced, err = sliceClassifier(have, head, classNames(f), o.Classes); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	match, err := checkpoint.Match(Specs(ps), have, checkpoint.MatchOptions{Fresh: head, Unused: head})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	// A classifier is one thing: where its weight does not fit, its bias is not taken.
	whole := true
	for _, name := range match.Fresh {
		whole = whole && !head(name)
	}
	for i, p := range ps.All() {
		switch t := match.Found[i]; {
		case head(p.Name) && !whole:
			plan.Fresh = append(plan.Fresh, p.Name)
			if err := calm(p); err != nil {
				return nil, err
			}
		case t != nil:
			if err := p.Write(t.Float32s()); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Path, err)
			}
			plan.Loaded++
		}
	}
	return plan, nil
}

// freshSpread is the standard deviation of the weights of a classifier that starts anew
// behind trained layers, at most.
const freshSpread = 0.01

// calm scales the fresh weights of a classifier down to freshSpread and takes its
// biases away. Some models start theirs as wide as the number of classes allows, which
// for a few classes means logits of tens and gradients that undo what the weights know.
func calm(p *graph.Param) error {
	vals, err := p.Read()
	if err != nil {
		return err
	}
	sum := 0.0
	for _, v := range vals {
		sum += float64(v) * float64(v)
	}
	factor := 0.0
	if p.Role == graph.Weight {
		factor = min(1, freshSpread/max(math.Sqrt(sum/float64(len(vals))), 1e-30))
	}
	for i := range vals {
		vals[i] *= float32(factor)
	}
	return p.Write(vals)
}

// adaptFirstConv gives the file's tensors with the first convolution fitted to the
// model's input channels.
func adaptFirstConv(ps *graph.Params, m *models.Model, f *checkpoint.File, o AdaptOptions, plan *Plan) (*checkpoint.Tensors, error) {
	replaced := map[string]checkpoint.Tensor{}
	source := sourcePreprocessing(m.Config, f)
	for i, conv := range m.Config.FirstConv {
		t, ok := f.Tensors.Get(conv + ".weight")
		if !ok || len(t.Shape) != 4 || t.Shape[1] == o.Channels {
			continue
		}
		if len(source.Mean) != t.Shape[1] {
			source.Mean, source.Std = channels(source.Mean, t.Shape[1]), channels(source.Std, t.Shape[1])
		}
		method := adapt.Method(o.Method)
		if o.Channels != 1 {
			method = adapt.Sum
		}
		r, err := adapt.FirstConv(t.Float32s(), t.Shape, o.Channels, method, adapt.Normalisation{Mean: source.Mean, Std: source.Std},
			adapt.Normalisation{Mean: o.Target.Mean, Std: o.Target.Std})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", conv, err)
		}
		shape := []int{t.Shape[0], o.Channels, t.Shape[2], t.Shape[3]}
		if replaced[t.Name], err = checkpoint.FromFloat32s(t.Name, shape, r.Weight); err != nil {
			return nil, err
		}
		if r.Offset != nil {
			if err := addOffset(f, conv, m.Config.FirstNorm[i], r.Offset, replaced); err != nil {
				return nil, err
			}
		}
		plan.Method = string(method)
		if plan.FirstConv != "" {
			plan.FirstConv += ", "
		}
		plan.FirstConv += conv
	}
	return replace(f.Tensors, replaced)
}

// addOffset puts what folding adds to a convolution's result into its bias or,
// where it has none, takes it from the running mean of the batch norm behind it.
func addOffset(f *checkpoint.File, conv, norm string, offset []float32, replaced map[string]checkpoint.Tensor) error {
	name, sign := conv+".bias", float32(1)
	t, ok := f.Tensors.Get(name)
	if !ok {
		name, sign = norm+".running_mean", -1
		if t, ok = f.Tensors.Get(name); !ok {
			return fmt.Errorf("folding the normalisation into %s: it has neither a bias nor a batch norm behind it; use another method", conv)
		}
	}
	vals := t.Float32s()
	for i := range vals {
		vals[i] += sign * offset[i]
	}
	var err error
	replaced[name], err = checkpoint.FromFloat32s(name, t.Shape, vals)
	return err
}

// FreezeNorms marks the scales and shifts of all batch norms as not trained, which then
// normalise by their running statistics and leave these alone.
func FreezeNorms(ps *graph.Params) {
	norms := map[string]bool{}
	for _, p := range ps.All() {
		if p.Role == graph.Statistic {
			norms[p.Layer()] = true
		}
	}
	for _, p := range ps.All() {
		if p.Role.Trained() && norms[p.Layer()] {
			p.Frozen = true
		}
	}
}

// Freeze marks the parameters whose names match one of the patterns, in which *
// stands for any characters, as not trained. A pattern without * also matches
// everything below it, as features matches features.0.weight. A pattern that
// matches nothing is an error.
func Freeze(ps *graph.Params, patterns []string) error {
	for _, pattern := range patterns {
		if err := checkNamed(ps, "finetune.freeze", pattern); err != nil {
			return err
		}
		for _, p := range ps.All() {
			if matches(pattern, p.Name) {
				p.Frozen = true
			}
		}
	}
	return nil
}

func matches(pattern, name string) bool {
	if !strings.Contains(pattern, "*") {
		return name == pattern || strings.HasPrefix(name, pattern+".")
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// matchesAny tells which names match one of the patterns.
func matchesAny(patterns []string) func(name string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
	}
}
