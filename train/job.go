package train

import (
	"errors"
	"fmt"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/layers"
)

// Job is everything that a configuration names, opened and checked.
type Job struct {
	// Config is the configuration with what was left open filled in: classes,
	// channels, size, mean and standard deviation.
	Config *configs.Config
	// Model is the network's description.
	Model *models.Model
	// Network is the model on the device at the size of training, with its starting
	// weights.
	Network *Network
	// Classes are the class names by label.
	Classes []string
	// Preprocessing is what happens to an image before the network in evaluation.
	Preprocessing checkpoint.Preprocessing
	// TrainData and ValData are the two splits; ValData is nil where nothing is evaluated.
	TrainData, ValData data.Dataset
	// Memory is what training takes; Trainer plans it.
	Memory MemoryPlan
	// Plan says how starting weights were adapted; nil without any.
	Plan *Plan

	unlabelled bool     // see JobOptions
	instead    string   // the model that was asked for; see Plan
	eval       *Network // Network at the size of evaluation
}

// OpenJob opens the data, builds the model on the device and loads the starting
// weights. Whatever is wrong with its input it says before anything is trained.
func OpenJob(c configs.Config, dev graph.Device) (*Job, error) {
	return OpenJobWith(c, dev, JobOptions{})
}

// JobOptions are what a job may have beyond the training of a classifier.
type JobOptions struct {
	// Unlabelled leaves labels alone: those of the two splits need not agree, and the
	// number of classes is the data's. Data.ValSplit may then be NoSplit.
	Unlabelled bool
	// Declare, where set, declares further parameters in the job's set, after the
	// model's and before they are placed.
	Declare func(j *Job, s graph.Scope) error
}

// NoSplit is the Data.ValSplit of a training without labels that measures nothing.
const NoSplit = "none"

// OpenJobWith is OpenJob with options.
func OpenJobWith(c configs.Config, dev graph.Device, o JobOptions) (*Job, error) {
	if o.Unlabelled {
		c.Model.NumClasses = 0
	}
	j := &Job{Config: &c, unlabelled: o.Unlabelled}
	weights, err := j.startingWeights()
	if err != nil {
		return nil, err
	}
	info, err := models.Info(c.Model.Name)
	if err != nil {
		return nil, err
	}
	if err := j.openData(true); err != nil {
		return nil, err
	}
	if err := j.settle(info, weights); err != nil {
		return nil, err
	}
	if err := j.build(dev, o.Declare); err != nil {
		return nil, err
	}
	if !o.Unlabelled {
		if err := j.teach(dev); err != nil {
			return nil, err
		}
	}
	if weights == nil {
		if err := j.whiten(); err != nil {
			return nil, err
		}
		return j, j.freeze()
	}
	j.Plan, err = Adapt(j.Network.Params, j.Model, weights, AdaptOptions{
		Channels: c.Model.InChans, Method: c.Finetune.GrayMethod, Target: j.Preprocessing, Classes: j.Classes})
	if err != nil {
		return nil, err
	}
	j.Plan.Instead = j.instead
	return j, j.freeze()
}

// startingWeights opens the weights that training starts from, nil without any, and
// settles which model they make of the configuration's.
func (j *Job) startingWeights() (weights *checkpoint.File, err error) {
	m := &j.Config.Model
	path, err := j.Config.Finetune.File()
	if err != nil {
		return nil, err
	}
	if path != "" {
		if weights, err = openWeights(path); err != nil {
			return nil, err
		}
		if err := modelOf(m, weights); err != nil {
			return nil, err
		}
		if m.Name, j.instead, err = rename(m.Name, weights); err != nil {
			return nil, err
		}
	}
	if m.Name == configs.AutoModel {
		return nil, errors.New("model.name is auto, and there are no weights that would tell which model is meant: set finetune.weights, or name the model")
	}
	return weights, nil
}

// openData opens the training split and, if asked, that for evaluation.
func (j *Job) openData(val bool) error {
	d := j.Config.Data
	var err error
	if j.TrainData, err = OpenData(d, d.TrainSplit, nil); err != nil {
		return err
	}
	d.Task = data.TaskOf(j.TrainData).String()
	d.FeatureColumns = append(d.FeatureColumns[:0:0], featuresOf(j.TrainData)...) // in the order that the network learns
	j.Config.Data.Task, j.Config.Data.FeatureColumns = d.Task, d.FeatureColumns
	j.Classes = j.TrainData.Classes()
	switch {
	case !val:
	case !j.unlabelled:
		j.ValData, err = OpenData(d, d.ValSplit, j.Classes)
	case d.ValSplit != NoSplit:
		if j.ValData, err = OpenData(d, d.ValSplit, nil); err != nil {
			err = fmt.Errorf("%w; or set data.val_split to %s to measure nothing", err, NoSplit)
		}
	}
	if err != nil {
		return err
	}
	if d.TrainLimit > 0 {
		j.TrainData = data.Draw(j.TrainData, d.TrainLimit, uint64(d.SplitSeed))
	}
	return nil
}

// build makes the model on the device.
func (j *Job) build(dev graph.Device, declare func(*Job, graph.Scope) error) error {
	c := j.Config
	precision, err := op.ParsePrecision(c.Train.Precision)
	if err != nil {
		return fmt.Errorf("train.precision: %w", err)
	}
	objective := Objective{Name: "mse"} // which a pretext takes the place of
	if !j.unlabelled {
		if objective, err = newObjective(c, j.TrainData); err != nil {
			return err
		}
	}
	ps := graph.NewParams(uint64(c.Train.Seed))
	j.Model, err = models.New(c.Model.Name, ps.Root(), models.Options{NumClasses: c.Model.NumClasses, InChans: c.Model.InChans,
		ImageSize: c.Data.Size, DropRate: dropRate(c.Model.Dropout), DropPath: c.Model.DropPath, DropBlock: c.Model.DropBlock,
		Layers: layers.Choice{Norm: c.Model.Norm, Act: c.Model.Act, Attention: c.Model.Attn, Conv: c.Model.Conv}})
	if err != nil {
		return err
	}
	if declare != nil {
		if err := declare(j, ps.Root()); err != nil {
			return err
		}
	}
	if err := ps.Place(dev); err != nil {
		return err
	}
	j.Network, err = NewNetwork(Network{Module: j.Model, Params: ps, Height: c.Data.Size, Width: c.Data.Size,
		Channels: c.Model.InChans, Classes: c.Model.NumClasses, Objective: objective, Precision: precision}, uint64(c.Train.Seed))
	return err
}

// dropRate is model.dropout as models have it, for whom zero is their own.
func dropRate(p float64) float64 {
	switch p {
	case -1:
		return 0
	case 0:
		return models.NoDropout
	}
	return p
}

// teach gives the network its teacher, where it has one.
func (j *Job) teach(dev graph.Device) error {
	d := j.Config.Distill
	teacher, err := newTeacher(j.Config, dev)
	if err != nil || teacher == nil {
		return err
	}
	return j.Network.Teach(Distillation{Alpha: d.Alpha, Temperature: d.Temperature, Hard: d.Mode == "hard"}, teacher, j.Preprocessing, j.Classes)
}

// freeze marks the parameters that the configuration leaves as they are.
func (j *Job) freeze() error {
	if j.Config.Finetune.FreezeNorm {
		FreezeNorms(j.Network.Params)
	}
	return Freeze(j.Network.Params, j.Config.Finetune.Freeze)
}
