package train

import (
	"fmt"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/layers"
)

// Loaded is a model with its trained weights, ready to compute.
type Loaded struct {
	Model   *models.Model
	Network *Network
	// Task is what the logits mean; data.Classify where the weights do not tell.
	Task data.Task
	// Classes are the class names by label, or those of the numbers; nil where the weights
	// tell none.
	Classes []string
	// Preprocessing is what the weights expect of an image.
	Preprocessing checkpoint.Preprocessing
	// Meta is the run's description; nil for weights that carry none.
	Meta *checkpoint.Meta
	// Source tells where the weights came from.
	Source string
	// Instead is the model that was asked for, where the weights were trained for
	// another one of the same parameters, which Model then is; "" else.
	Instead string
}

// Names are the names of the classes: those that the weights tell, or else those of
// the data that they are measured on.
func (l *Loaded) Names(ds data.Dataset) []string {
	if l.Classes != nil {
		return l.Classes
	}
	return ds.Classes()
}

// LoadOptions say what weights without a description belong to.
type LoadOptions struct {
	// Model is the registry's name; empty takes the checkpoint's.
	Model string
	// NumClasses is the number of classes; 0 takes the checkpoint's.
	NumClasses int
	// Height and Width, where set, are the size of the images instead of what the
	// weights expect.
	Height, Width int
	// Preprocessing replaces parts of what the weights expect.
	Preprocessing func(*checkpoint.Preprocessing)
}

// Load opens weights and builds their model on a device. path is a run folder, a
// checkpoint, or a file of weights together with the model's name.
func Load(path string, dev graph.Device, o LoadOptions) (*Loaded, error) {
	f, err := openWeights(path)
	if err != nil {
		return nil, err
	}
	if f.Meta != nil && f.Meta.Pretraining != "" {
		return nil, fmt.Errorf("%s was pre-trained without labels (%s) and has no classifier: train one with finetune --weights %s", path, f.Meta.Pretraining, path)
	}
	l := &Loaded{Meta: f.Meta, Source: f.Source, Classes: classNames(f)}
	name, opts := o.Model, models.Options{NumClasses: o.NumClasses}
	if f.Meta != nil {
		if name == "" {
			name = f.Meta.Model.Name
		}
		opts.NumClasses = argument(f.Meta, "num_classes", opts.NumClasses)
		opts.InChans = argument(f.Meta, "in_chans", 0)
		opts.Layers = layersOf(f.Meta)
		if l.Task, err = data.ParseTask(f.Meta.Task); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Source, err)
		}
	}
	if name == "" {
		return nil, fmt.Errorf("%s does not tell what model its weights belong to: name it with --model", path)
	}
	if name, l.Instead, err = rename(name, f); err != nil {
		return nil, err
	}
	info, err := models.Info(name)
	if err != nil {
		return nil, err
	}
	if opts.NumClasses == 0 {
		opts.NumClasses = axis(f.Tensors, info.Classifier, 0)
	}
	if opts.InChans == 0 {
		opts.InChans = axis(f.Tensors, info.FirstConv, 1)
	}
	if opts.NumClasses == 0 {
		opts.NumClasses = info.NumClasses
	}
	if opts.InChans == 0 {
		opts.InChans = info.InChans
	}
	l.Preprocessing = sourcePreprocessing(info, f)
	l.Preprocessing.Channels = opts.InChans
	l.Preprocessing.Mean = channels(l.Preprocessing.Mean, opts.InChans)
	l.Preprocessing.Std = channels(l.Preprocessing.Std, opts.InChans)
	if o.Preprocessing != nil {
		o.Preprocessing(&l.Preprocessing)
	}
	if o.Height > 0 {
		l.Preprocessing.Size = [2]int{o.Height, o.Width}
	}
	height, width := l.Preprocessing.Size[0], l.Preprocessing.Size[1]
	opts.ImageSize = height
	ps := graph.NewParams(0)
	if l.Model, err = models.New(name, ps.Root(), opts); err != nil {
		return nil, err
	}
	if err := ps.Place(dev); err != nil {
		return nil, err
	}
	tensors, _, err := resizePositions(ps, info, f.Tensors)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	if err := LoadWeights(ps, tensors, f.Path); err != nil {
		return nil, err
	}
	l.Network, err = NewNetwork(Network{Module: l.Model, Params: ps, Height: height, Width: width,
		Channels: opts.InChans, Classes: opts.NumClasses, Objective: Objective{Name: "cross_entropy"}}, 0)
	return l, err
}

// rename gives the file's tensors the model's names, where they are published under
// others. It answers with the model that they were trained for and, where that is not
// the one asked for, with the latter.
func rename(model string, f *checkpoint.File) (trained, instead string, err error) {
	var file []string
	for t := range f.Tensors.All() {
		file = append(file, t.Name)
	}
	trained, names := models.Rename(model, file)
	if names == nil {
		return model, "", nil
	}
	if trained != model {
		instead = model
	}
	var list []checkpoint.Tensor
	for t := range f.Tensors.All() {
		t.Name = names[t.Name]
		list = append(list, t)
	}
	f.Tensors, err = checkpoint.NewTensors(list...)
	return trained, instead, err
}

// modelArguments are what a checkpoint has to know of a model's options for Load to
// build it again.
func modelArguments(o models.Options) map[string]any {
	args := map[string]any{"num_classes": o.NumClasses, "in_chans": o.InChans}
	for key, spec := range layerArguments(&o.Layers) {
		if *spec != "" {
			args[key] = *spec
		}
	}
	return args
}

// modelOf puts what weights tell about their model in the place of auto: its name, and
// the layers that were chosen for it where the configuration chooses none.
func modelOf(c *configs.Model, f *checkpoint.File) error {
	if c.Name != configs.AutoModel {
		return nil
	}
	c.Name = f.Metadata["model"]
	if f.Meta != nil {
		c.Name = f.Meta.Model.Name
	}
	if c.Name == "" {
		return fmt.Errorf("model.name is auto, and %s does not tell which model its weights belong to: name the model", f.Path)
	}
	choice := layers.Choice{Norm: c.Norm, Act: c.Act, Attention: c.Attn, Conv: c.Conv}
	if choice != (layers.Choice{}) || f.Meta == nil {
		return nil
	}
	choice = layersOf(f.Meta)
	c.Norm, c.Act, c.Attn, c.Conv = choice.Norm, choice.Act, choice.Attention, choice.Conv
	return nil
}

// layerArguments are the parts of a choice of layers by their names among the
// arguments.
func layerArguments(c *layers.Choice) map[string]*string {
	return map[string]*string{"norm": &c.Norm, "act": &c.Act, "attn": &c.Attention, "conv": &c.Conv}
}

// layersOf are the layers that were chosen for a checkpoint's model.
func layersOf(m *checkpoint.Meta) (c layers.Choice) {
	for key, spec := range layerArguments(&c) {
		*spec, _ = m.Model.Args[key].(string)
	}
	return c
}

// argument is a number among the model's arguments, or fallback.
func argument(m *checkpoint.Meta, name string, fallback int) int {
	if v, ok := m.Model.Args[name].(float64); ok && fallback == 0 {
		return int(v)
	}
	return fallback
}

// axis is the extent of an axis of the first of these layers' weights that the
// tensors have, 0 for none.
func axis(ts *checkpoint.Tensors, layers []string, i int) int {
	for _, name := range layers {
		if t, ok := ts.Get(name + ".weight"); ok && i < len(t.Shape) {
			return t.Shape[i]
		}
	}
	return 0
}
