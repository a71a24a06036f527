package train

import (
	"fmt"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/mix"
	"github.com/seed52467199/trainer/data/transform"
)

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
	o := data.LoaderOptions{BatchSize: c.Train.BatchSize, Shuffle: c.Data.Shuffle, Sampler: c.Data.Sampler, Repeats: c.Augment.Repeats, Spread: c.Train.GradAccum,
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
	l, err := NewEvalLoader(ds, j.Preprocessing, batch, c.Data.Workers, c.Train.OnBadImage == "stop")
	if err != nil {
		return nil, err
	}
	return l, j.evalNetwork().Takes(l, ds.Len())
}

// trainedAt is the preprocessing of evaluation at the size of training.
func (j *Job) trainedAt() checkpoint.Preprocessing {
	p := j.Preprocessing
	p.Size = [2]int{j.Config.Data.Size, j.Config.Data.Size}
	return p
}

// evalNetwork is the network at the size of evaluation.
func (j *Job) evalNetwork() *Network {
	if j.Preprocessing.Size == j.trainedAt().Size {
		return j.Network
	}
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

// TrainLoader makes a loader of ds as a training under this configuration does.
func (l *Loaded) TrainLoader(c *configs.Config, ds data.Dataset) (*data.Loader, error) {
	return (&Job{Config: c, TrainData: ds, Preprocessing: l.Preprocessing}).TrainLoader()
}
