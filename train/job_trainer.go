package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/schedule"
	"github.com/seed52467199/trainer/train/metric"
)

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
	if o := c.Optimizer; o.LookaheadRamp > 0 {
		t.Lookahead = lookaheadRamp(o.LookaheadAlpha, o.LookaheadRamp, c.Train.Epochs*t.UpdatesPerEpoch())
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

// lookaheadRamp is the part that lookahead keeps at each of so many updates: all at first,
// alpha after the last one. Jordan (arXiv 2404.00498) has an alpha of 1-0.95^5 and a power
// of 3.
func lookaheadRamp(alpha, power float64, updates int) func(update int) float64 {
	return func(update int) float64 {
		return 1 - (1-alpha)*math.Pow(float64(update+1)/float64(updates), power)
	}
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
		Muon: optim.Muon{Steps: o.MuonSteps, Coefficients: o.MuonCoefficients, Scale: o.MuonScale, Unit: o.MuonUnit,
			Rest: o.MuonRest, RestMomentum: o.MuonRestMomentum, Except: matchesAny(o.MuonExcept)},
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
