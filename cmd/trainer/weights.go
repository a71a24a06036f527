package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/train"
)

// weightFlags name trained weights.
type weightFlags struct {
	checkpoint, model, weights string
	numClasses                 int
	size                       int            // of the images; 0: as the weights tell
	flags                      []configs.Flag // settings that flags stand for
}

func (w *weightFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&w.checkpoint, "checkpoint", "", "a run folder, a checkpoint or a file of weights")
	w.addOthers(c)
}

// addOthers adds the flags beside --checkpoint.
func (w *weightFlags) addOthers(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&w.weights, "weights", "", "a file of weights that carries no configuration; then with --model")
	f.StringVar(&w.model, "model", "", "the model that the weights belong to")
	f.IntVar(&w.numClasses, "num-classes", 0, "classes of the weights (default: as they tell)")
	c.MarkFlagsMutuallyExclusive("checkpoint", "weights")
}

func (w *weightFlags) path() (string, error) {
	switch {
	case w.checkpoint != "":
		return w.checkpoint, nil
	case w.weights != "":
		return w.weights, nil
	}
	return "", usage(errors.New("no weights: name them with --checkpoint P, or with --model NAME --weights FILE"))
}

// load opens the weights on a device. Settings about preprocessing win over what
// the weights say.
func (w *weightFlags) load(a *app, dev graph.Device) (*train.Loaded, *configs.Config, error) {
	path, err := w.path()
	if err != nil {
		return nil, nil, err
	}
	// The settings are checked before the file is read: with the configuration of
	// the checkpoint's run beneath them, or with the defaults.
	given, err := w.settings(a)
	if err != nil {
		return nil, nil, err
	}
	l, err := train.Load(path, dev, train.LoadOptions{Model: w.model, NumClasses: w.numClasses, Height: w.size, Width: w.size,
		Preprocessing: func(p *checkpoint.Preprocessing) { override(p, given) }})
	if err != nil {
		return nil, nil, usage(err)
	}
	if l.Instead != "" {
		a.say("%s holds weights of %s, which is used instead of %s", path, l.Model.Name, l.Instead)
	}
	cfg := given
	if l.Meta != nil && l.Meta.Config != "" {
		cfg, err = configs.Parse("the configuration in "+l.Source, []byte(l.Meta.Config), configs.Options{Set: a.set, Flags: w.flags})
		if err != nil {
			return nil, nil, usage(err)
		}
	}
	l.Network.Precision, err = op.ParsePrecision(cfg.Train.Precision)
	return l, cfg, usage(err)
}

// settings are those that were given, over the defaults.
func (w *weightFlags) settings(a *app) (*configs.Config, error) {
	c, err := configs.Load("", configs.Options{Set: a.set, Flags: w.flags})
	return c, usage(err)
}

// with opens a device and the weights on it for use.
func (w *weightFlags) with(a *app, use func(dev graph.Device, l *train.Loaded, cfg *configs.Config) error) error {
	dev, err := openDevice(a.device, a.threads, a.convolution)
	if err != nil {
		return err
	}
	defer dev.Close()
	l, cfg, err := w.load(a, dev)
	if err != nil {
		return err
	}
	return use(dev, l, cfg)
}

// override puts settings that were given over what the weights expect.
func override(p *checkpoint.Preprocessing, c *configs.Config) {
	def := configs.Default()
	if c.Data.Size > 0 {
		p.Size = [2]int{c.Data.Size, c.Data.Size}
	}
	if !c.Data.Mean.Auto() {
		p.Mean = c.Data.Mean
	}
	if !c.Data.Std.Auto() {
		p.Std = c.Data.Std
	}
	if c.Eval.CropPct != def.Eval.CropPct {
		p.CropPct = c.Eval.CropPct
	}
	if c.Eval.Interpolation != def.Eval.Interpolation {
		p.Interpolation = c.Eval.Interpolation
	}
}

// className is the name of a class, or its number where the weights tell none.
func className(names []string, label int) string {
	if label < len(names) {
		return names[label]
	}
	return fmt.Sprint(label)
}
