package train

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/mix"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/layers"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/schedule"
	"github.com/seed52467199/trainer/train/metric"
)

// statsSample is how many training images the mean and standard deviation of the
// data are measured on.
const statsSample = 10000

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
	// TrainData and ValData are the two splits; ValData is nil where there is none.
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
	// Unlabelled leaves labels alone: the evaluation split stays closed, and the
	// number of classes is the data's.
	Unlabelled bool
	// Declare, where set, declares further parameters in the job's set, after the
	// model's and before they are placed.
	Declare func(j *Job, s graph.Scope) error
}

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
	if err := j.openData(!o.Unlabelled); err != nil {
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
	if val {
		if j.ValData, err = OpenData(d, d.ValSplit, j.TrainData.Classes()); err != nil {
			return err
		}
	}
	j.Classes = j.TrainData.Classes()
	if d.TrainLimit > 0 {
		j.TrainData = data.Draw(j.TrainData, d.TrainLimit, uint64(d.SplitSeed))
	}
	return nil
}

// settle fills in what the configuration leaves to the data, the model and the
// weights.
func (j *Job) settle(info models.Config, weights *checkpoint.File) error {
	c := j.Config
	if n := len(j.Classes); c.Model.NumClasses == 0 {
		c.Model.NumClasses = n
	} else if c.Model.NumClasses != n {
		what := "classes"
		if data.TaskOf(j.TrainData) == data.Regress {
			what = "values to be learned"
		}
		return fmt.Errorf("model.num_classes is %d, and the data in %s has %d %s: make them agree, or leave model.num_classes 0", c.Model.NumClasses, c.Data.Root, n, what)
	}
	switch {
	case c.Finetune.Gray && c.Model.InChans > 1:
		return fmt.Errorf("model.in_chans is %d, and finetune.gray asks for 1: leave model.in_chans out", c.Model.InChans)
	case c.Finetune.Gray:
		c.Model.InChans = 1
	case c.Model.InChans == 0:
		c.Model.InChans = j.TrainData.Channels()
	}
	if err := j.settleTensors(); err != nil {
		return err
	}
	if c.Data.Size == 0 {
		c.Data.Size = info.InputSize
	}
	if c.Finetune.Gray { // statistics of a recipe made for colour
		if !c.Data.Mean.Auto() {
			c.Data.Mean = channels(c.Data.Mean, 1)
		}
		if !c.Data.Std.Auto() {
			c.Data.Std = channels(c.Data.Std, 1)
		}
	}
	source := sourcePreprocessing(info, weights)
	if weights != nil {
		if c.Data.Mean.Auto() {
			c.Data.Mean = channels(source.Mean, c.Model.InChans)
		}
		if c.Data.Std.Auto() {
			c.Data.Std = channels(source.Std, c.Model.InChans)
		}
	}
	if c.Data.Mean.Auto() || c.Data.Std.Auto() {
		mean, std, err := j.measure()
		if err != nil {
			return err
		}
		if c.Data.Mean.Auto() {
			c.Data.Mean = mean
		}
		if c.Data.Std.Auto() {
			c.Data.Std = std
		}
	}
	size := cmp.Or(c.Eval.Size, c.Data.Size)
	j.Preprocessing = checkpoint.Preprocessing{Size: [2]int{size, size}, Channels: c.Model.InChans,
		Mean: spread(c.Data.Mean, c.Model.InChans), Std: spread(c.Data.Std, c.Model.InChans), CropPct: c.Eval.CropPct, Interpolation: c.Eval.Interpolation}
	j.Preprocessing.Features = featuresOf(j.TrainData)
	return nil
}

// channels adapts statistics of one number of channels to another: colour becomes
// gray by the mean of its channels, gray becomes colour by repetition.
func channels(stats []float64, n int) []float64 {
	if len(stats) == n {
		return stats
	}
	sum := 0.0
	for _, v := range stats {
		sum += v
	}
	return slices.Repeat([]float64{sum / float64(len(stats))}, n)
}

// spread repeats a single number for n channels.
func spread(stats []float64, n int) []float64 {
	if len(stats) == 1 {
		return slices.Repeat(stats, n)
	}
	return stats
}

// rounded keeps four decimals, so that configurations stay readable.
func rounded(stats []float64) []float64 {
	out := make([]float64, len(stats))
	for i, v := range stats {
		out[i] = max(math.Round(v*1e4)/1e4, 1e-4)
	}
	return out
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
		ImageSize: c.Data.Size, DropPath: c.Model.DropPath,
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

// TrainLoader makes the loader of training batches. A data set smaller than a
// batch is one short batch.
func (j *Job) TrainLoader() (*data.Loader, error) {
	if j.Preprocessing.Features != nil {
		t, err := data.NewStandardize(j.Preprocessing.Mean, j.Preprocessing.Std)
		if err != nil {
			return nil, err
		}
		return j.trainLoader(t)
	}
	c := j.Config
	t, err := TrainTransform(c.Augment, j.output())
	if err != nil {
		return nil, err
	}
	return j.trainLoader(t)
}

func (j *Job) trainLoader(t data.Transform) (*data.Loader, error) {
	c := j.Config
	policy := data.Replace
	if c.Train.OnBadImage == "stop" {
		policy = data.Stop
	}
	mixer, err := NewMixer(c.Augment, uint64(c.Train.Seed))
	if err != nil {
		return nil, err
	}
	o := data.LoaderOptions{BatchSize: c.Train.BatchSize, Shuffle: c.Data.Shuffle, Sampler: c.Data.Sampler, Repeats: c.Augment.Repeats,
		Workers: c.Data.Workers, Seed: uint64(c.Train.Seed), OnError: policy, Mix: mixer, Splits: c.Augment.Splits}
	o.DropLast = o.Samples(j.TrainData.Len()) >= o.BatchSize
	return data.NewLoader(j.TrainData, t, o)
}

// mixes tells whether training mixes the images of a batch.
func mixes(a configs.Augment) bool { return a.Mixup > 0 || a.CutMix > 0 || a.CutMixMinMax[1] > 0 }

// NewMixer is how a configuration mixes the images of a batch; nil for not at all.
func NewMixer(a configs.Augment, seed uint64) (*mix.Mixer, error) {
	if !mixes(a) {
		return nil, nil
	}
	return mix.New(mix.Options{Mixup: a.Mixup, CutMix: a.CutMix, MinMax: a.CutMixMinMax, Prob: a.MixProb, Switch: a.MixSwitch,
		Mode: a.MixMode, OffEpoch: a.MixOffEpoch, Seed: seed})
}

// TrainTransform is the augmenting preprocessing that a configuration asks for.
func TrainTransform(a configs.Augment, out transform.Output) (*transform.Pipeline, error) {
	return transform.NewTrain(transform.Train{Output: out, Crop: a.Crop, Scale: a.Scale, Ratio: a.Ratio,
		Interpolation: a.Interpolation, HFlip: a.HFlip, Turns: a.HFlipMode == "alternating", VFlip: a.VFlip, Auto: a.Auto,
		ColorJitter: a.ColorJitter, JitterProb: a.ColorJitterProb, GrayProb: a.Grayscale, BlurProb: a.Blur,
		Erase: transform.Erase{Prob: a.Erase, Mode: a.EraseMode, Count: a.EraseCount}})
}

// EvalLoader makes a loader of every sample of ds, in order. For the job's Trainer its
// batches are not larger than the working memory of training allows.
func (j *Job) EvalLoader(ds data.Dataset) (*data.Loader, error) {
	c := j.Config
	batch := min(c.Eval.BatchSize, ds.Len())
	if c.Train.Memory > 0 {
		batch = min(batch, c.Train.BatchSize)
	}
	if room := j.Memory.Activations.Bytes; room > 0 {
		var err error
		if batch, err = j.evalNetwork().evalBatch(batch, room); err != nil {
			if j.Config.Eval.Size > 0 {
				err = fmt.Errorf("eval.size: %w", err)
			}
			return nil, err
		}
	}
	return NewEvalLoader(ds, j.Preprocessing, batch, c.Data.Workers, c.Train.OnBadImage == "stop")
}

// trainedAt is the preprocessing of evaluation at the size of training.
func (j *Job) trainedAt() checkpoint.Preprocessing {
	p := j.Preprocessing
	p.Size = [2]int{j.Config.Data.Size, j.Config.Data.Size}
	return p
}

// evalNetwork is the network at the size of evaluation.
func (j *Job) evalNetwork() *Network {
	if j.eval == nil {
		j.eval = j.Network.At(j.Preprocessing.Size[0], j.Preprocessing.Size[1])
	}
	return j.eval
}

func (j *Job) output() transform.Output { return outputOf(j.trainedAt()) }

func outputOf(p checkpoint.Preprocessing) transform.Output {
	return transform.Output{Size: p.Size[0], Channels: p.Channels, Mean: p.Mean, Std: p.Std}
}

// NewEvalLoader makes a loader of every sample of ds, in order, preprocessed as a
// checkpoint says. Samples that cannot be read are left out unless stop is set.
func NewEvalLoader(ds data.Dataset, p checkpoint.Preprocessing, batch, workers int, stop bool) (*data.Loader, error) {
	t, err := transformFor(ds, p)
	if err != nil {
		return nil, err
	}
	policy := data.Drop
	if stop {
		policy = data.Stop
	}
	return data.NewLoader(ds, t, data.LoaderOptions{BatchSize: min(batch, ds.Len()), Workers: workers, OnError: policy})
}

// EvalTransform is the deterministic preprocessing of pictures that a checkpoint asks
// for.
func EvalTransform(p checkpoint.Preprocessing) (*transform.Pipeline, error) {
	return evalTransform(p, transform.Middle)
}

func evalTransform(p checkpoint.Preprocessing, place transform.Place) (*transform.Pipeline, error) {
	if p.Features != nil {
		return nil, fmt.Errorf("the network takes rows of numbers (%s), and not images", few(p.Features))
	}
	return transform.NewEval(transform.Eval{Output: outputOf(p), CropPct: p.CropPct, Interpolation: p.Interpolation, Place: place})
}

// Trainer makes the trainer of the job. folder is the run folder, "" to keep
// nothing.
func (j *Job) Trainer(folder string, events report.Listener) (*Trainer, error) {
	c := j.Config
	loader, err := j.TrainLoader()
	if err != nil {
		return nil, err
	}
	phases := j.phases()
	if err := j.planMemory(); err != nil { // of the last phase, which trains the most
		return nil, err
	}
	if phases != nil {
		setPhase(j.Network, phases, 0)
	}
	t := &Trainer{Phases: phases, Optimise: j.optimizer, Network: j.Network, Loader: loader, Epochs: c.Train.Epochs, GradAccum: c.Train.GradAccum,
		EMADecay: c.Train.EMADecay, EMAWarmup: c.Train.EMAWarmup, Folder: folder, SaveEvery: c.Train.SaveEveryUpdates, Events: events}
	if j.ValData != nil {
		val, err := j.EvalLoader(j.ValData)
		if err != nil {
			return nil, err
		}
		if t.BestBy, err = j.bestBy(); err != nil {
			return nil, err
		}
		t.Evaluator = &Evaluator{Network: j.evalNetwork(), Loader: val, Ranks: t.BestBy.Name == metric.AUC, Events: events}
		if err := t.Evaluator.Augment(c.Eval.TTA, j.Preprocessing); err != nil {
			return nil, err
		}
	}
	sched, err := schedule.New(c.Schedule, schedule.Span{Epochs: c.Train.Epochs, UpdatesPerEpoch: t.UpdatesPerEpoch(), Seed: uint64(c.Train.Seed)})
	if err != nil {
		return nil, err
	}
	t.LR = func(update int) float64 { return sched.LR(c.Optimizer.LR, update) }
	if c.Schedule.CycleMomentum {
		t.Momentum = sched.Momentum
	}
	t.Plateau = sched.Plateau()
	t.Patience = Patience{Evaluations: c.Train.Patience, MinDelta: c.Train.MinDelta, Start: c.Train.PatienceStart}
	if t.Optimizer, err = j.optimizer(); err != nil {
		return nil, err
	}
	if c.Train.EMADecay > 0 {
		if t.EMA, err = optim.NewEMA(j.Network.Params); err != nil {
			return nil, err
		}
	}
	if c.Train.SWAStart > 0 {
		t.SWA = &SWA{Start: int(c.Train.SWAStart), LR: c.Train.SWALR}
		if c.Train.SWAStart < 1 {
			t.SWA.Start = int(math.Ceil(c.Train.SWAStart * float64(c.Train.Epochs)))
		}
		if t.SWA.Average, err = optim.NewEMA(j.Network.Params); err != nil {
			return nil, err
		}
	}
	if c.Optimizer.SAMRho > 0 {
		if t.SAM, err = optim.NewSAM(j.Network.Params, c.Optimizer.SAMRho, c.Optimizer.SAMAdaptive); err != nil {
			return nil, err
		}
	}
	t.Meta = checkpoint.Meta{
		Model:      checkpoint.ModelMeta{Name: c.Model.Name, Args: modelArguments(j.Model.Options)},
		ClassNames: j.Classes, Preprocessing: j.Preprocessing, Config: string(c.YAML()), Random: checkpoint.Random{Seed: uint64(c.Train.Seed)},
	}
	t.Meta.Task = c.Data.Task
	return t, nil
}

// bestBy is the figure that chooses the best epoch.
func (j *Job) bestBy() (metric.Choice, error) {
	by, err := metric.Choose(data.TaskOf(j.ValData), j.Config.Eval.Metric)
	if err != nil {
		return by, fmt.Errorf("eval.metric: %w", err)
	}
	if n := j.ValData.Len(); by.Name == metric.AUC && !metric.Rankable(n, j.Network.Classes) {
		return by, fmt.Errorf("eval.metric: auc ranks all images by every class, and %d images of %d classes are too many for that: choose another figure", n, j.Network.Classes)
	}
	return by, nil
}

// optimizer makes the configured optimizer over the parameters that are trained.
func (j *Job) optimizer() (*optim.Optimizer, error) {
	c := j.Config
	program, err := j.Network.Program(j.batch(), true)
	if err != nil {
		return nil, err
	}
	if len(program.Trained()) == 0 {
		return nil, fmt.Errorf("finetune.freeze %v leaves no parameter to train", c.Finetune.Freeze)
	}
	groups, err := parameterGroups(c, j.Model, j.Network.Params, program.Trained())
	if err != nil {
		return nil, err
	}
	return optim.New(j.Network.Params, j.updateRule(), groups)
}

func (j *Job) updateRule() optim.Config {
	o := j.Config.Optimizer
	return optim.Config{Name: o.Name, Momentum: o.Momentum, Dampening: o.Dampening, Nesterov: o.Nesterov,
		Betas: o.Betas, Eps: o.Eps, Alpha: o.Alpha, MaxGradNorm: o.MaxGradNorm, TrustCoeff: o.TrustCoeff, TrustClip: o.TrustClip,
		AlwaysAdapt: o.AlwaysAdapt, LookaheadK: o.LookaheadK, LookaheadAlpha: o.LookaheadAlpha,
		MovingMomentum: j.Config.Schedule.CycleMomentum,
		Clip:           optim.Clip{Mode: j.Config.Train.ClipMode, Most: j.Config.Train.ClipGrad, Except: checkpoint.Under(j.Model.Config.Classifier...)}}
}

// batch is the number of images of a training pass.
func (j *Job) batch() int {
	o := data.LoaderOptions{Repeats: j.Config.Augment.Repeats}
	return min(j.Config.Train.BatchSize, o.Samples(j.TrainData.Len())) * j.Config.Augment.Splits
}

// loaderBatches is how many batches a loader holds at a time: those made ahead and
// the one in use.
const loaderBatches = 3

// planMemory compiles the training program under train.memory.
func (j *Job) planMemory() error {
	c := j.Config
	h := Holding{Images: loaderBatches * j.batch()}
	var err error
	if h.Bytes, err = j.updateRule().StateBytes(j.Network.Params); err != nil {
		return err
	}
	if c.Train.EMADecay > 0 || c.Train.SWAStart > 0 {
		h.Copies++
	}
	if c.Optimizer.SAMRho > 0 {
		h.Copies++
		h.Images += (c.Train.GradAccum - 1) * j.batch()
	}
	if j.ValData != nil {
		larger := float64(j.Preprocessing.Size[0]) / float64(c.Data.Size) // than images in training
		h.Images += loaderBatches * int(math.Ceil(float64(min(c.Eval.BatchSize, c.Train.BatchSize, j.ValData.Len())*viewsOf(c.Eval.TTA))*larger*larger))
		by, err := j.bestBy()
		if err != nil {
			return err
		}
		kept := metric.Options{Task: data.TaskOf(j.ValData), Outputs: j.Network.Classes, Ranks: by.Name == metric.AUC}
		h.Evaluation = kept.Bytes(j.ValData.Len())
	}
	j.Memory, err = j.Network.PlanMemory(int(c.Train.Memory), j.batch(), c.Train.GradAccum > 1, h)
	var short *MemoryError
	if errors.As(err, &short) { // train.batch_size counts samples, not versions of them
		short.Batch, short.Smaller = short.Batch/c.Augment.Splits, short.Smaller/c.Augment.Splits
	}
	if short != nil && short.Smaller > 0 {
		return fmt.Errorf("train.memory: %w (train.batch_size; train.grad_accum keeps an update as large)", err)
	}
	if short != nil {
		return fmt.Errorf("train.memory: %w", err)
	}
	return err
}
