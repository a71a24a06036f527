package train

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/report"
)

// drawsStream names, among a checkpoint's random streams, the number of training
// passes, which numbers the masks of dropout.
const drawsStream = "passes"

// Weights are the values of parameters under PyTorch's names and layouts.
func Weights(ps *graph.Params) (*checkpoint.Tensors, error) {
	list := make([]checkpoint.Tensor, 0, len(ps.All()))
	for _, p := range ps.All() {
		vals, err := p.Read()
		if err != nil {
			return nil, err
		}
		var t checkpoint.Tensor
		if p.Role == graph.Counter {
			t, err = checkpoint.FromInt64s(p.Name, p.FileShape(), []int64{int64(vals[0])})
		} else {
			t, err = checkpoint.FromFloat32s(p.Name, p.FileShape(), vals)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return checkpoint.NewTensors(list...)
}

// transfer makes tensors whose values are read one after the other while a file is
// written, through memory that they share.
type transfer struct {
	vals []float32
	raw  []byte
}

// add adds a parameter's value in memory laid out like the parameter's own.
func (x *transfer) add(c *checkpoint.Tensors, name string, p *graph.Param, memory op.Buffer) error {
	if p.Role == graph.Counter {
		vals, err := p.ReadFrom(memory)
		if err != nil {
			return err
		}
		t, err := checkpoint.FromInt64s(name, p.FileShape(), []int64{int64(vals[0])})
		if err != nil {
			return err
		}
		return c.Add(t)
	}
	return c.AddLater(checkpoint.Tensor{Name: name, DType: checkpoint.F32, Shape: p.FileShape()}, func() ([]byte, error) {
		x.vals = grow(x.vals, p.Len())[:p.Len()]
		err := p.ReadInto(x.vals, memory)
		x.raw = checkpoint.AppendFloat32s(x.raw[:0], x.vals)
		return x.raw, err
	})
}

// collect adds one tensor for each of the parameters, its name behind prefix.
func (x *transfer) collect(c *checkpoint.Tensors, prefix string, params []*graph.Param, memory func(graph.Role) op.Buffer) error {
	for _, p := range params {
		if err := x.add(c, prefix+p.Name, p, memory(p.Role)); err != nil {
			return err
		}
	}
	return nil
}

// save writes the checkpoint of this name, and tells. done is the epoch that just
// ended, nil within one.
func (t *Trainer) save(name string, done *report.EpochDone, started time.Time) error {
	s, err := t.state()
	if err != nil {
		return err
	}
	s.Meta.WallSeconds = t.at.wall + time.Since(started).Seconds()
	if done != nil {
		s.Meta.Metrics = map[string]float64{"train_loss": done.TrainLoss}
		if t.Evaluator != nil {
			s.Meta.Metrics["eval_loss"] = done.EvalLoss
		}
		for _, m := range done.Metrics {
			s.Meta.Metrics[m.Name] = m.Value
		}
	}
	path := filepath.Join(t.Folder, checkpoint.FolderName, name)
	if err := checkpoint.Save(path, s); err != nil {
		return err
	}
	t.lastGood = path
	return send(t.Events, &report.Checkpointed{Path: path, Epoch: t.at.epoch, Update: t.at.update, Best: name == checkpoint.BestName})
}

// state is the run as it stands; its tensors are read while they are written.
func (t *Trainer) state() (checkpoint.State, error) {
	s := checkpoint.State{Meta: t.Meta, Weights: new(checkpoint.Tensors)}
	var err error
	var x transfer
	own, scaffold := t.divide()
	ps := t.Network.Params
	live := func(r graph.Role) op.Buffer {
		if r.Trained() {
			return ps.Trained()
		}
		return ps.Statistics()
	}
	average := func(r graph.Role) op.Buffer {
		if r == graph.Counter { // an average of counts means nothing
			return live(r)
		}
		return t.EMA.Memory(r)
	}
	if err := x.collect(s.Weights, "", own, live); err != nil {
		return s, err
	}
	if len(scaffold) > 0 {
		s.Scaffold = new(checkpoint.Tensors)
		if err := x.collect(s.Scaffold, "", scaffold, live); err != nil {
			return s, err
		}
	}
	if s.Optimizer, err = t.optimizerTensors(&x); err != nil {
		return s, err
	}
	if t.EMA != nil {
		s.EMA = new(checkpoint.Tensors)
		if err := x.collect(s.EMA, "", own, average); err != nil {
			return s, err
		}
		if err := x.collect(s.Scaffold, averagePrefix, scaffold, average); err != nil {
			return s, err
		}
	}
	s.Meta.Epoch, s.Meta.Update = t.at.epoch, int64(t.at.update)
	s.Meta.BatchInEpoch, s.Meta.EpochLoss = t.at.batch, t.at.loss
	s.Meta.Best = t.at.best
	s.Meta.Random.Streams = map[string]uint64{drawsStream: t.Network.ws.Draws()}
	return s, t.keepObserved(&s.Meta)
}

// averagePrefix marks averages among the scaffold's tensors.
const averagePrefix = "ema."

// divide sorts the parameters into those of the network and the scaffold.
func (t *Trainer) divide() (own, scaffold []*graph.Param) {
	for _, p := range t.Network.Params.All() {
		if t.Scaffold != nil && t.Scaffold(p.Name) {
			scaffold = append(scaffold, p)
		} else {
			own = append(own, p)
		}
	}
	return own, scaffold
}

// whole is a state's weights together with the scaffold.
func whole(s checkpoint.State) (*checkpoint.Tensors, error) {
	if s.Scaffold == nil {
		return s.Weights, nil
	}
	var list []checkpoint.Tensor
	for t := range s.Weights.All() {
		list = append(list, t)
	}
	for t := range s.Scaffold.All() {
		if !strings.HasPrefix(t.Name, averagePrefix) {
			list = append(list, t)
		}
	}
	return checkpoint.NewTensors(list...)
}

// averageOf finds a parameter's average in a state.
func averageOf(s checkpoint.State, name string) (checkpoint.Tensor, bool) {
	if t, ok := s.EMA.Get(name); ok || s.Scaffold == nil {
		return t, ok
	}
	return s.Scaffold.Get(averagePrefix + name)
}

func (t *Trainer) optimizerTensors(x *transfer) (*checkpoint.Tensors, error) {
	c := new(checkpoint.Tensors)
	return c, t.eachState(func(name string, p *graph.Param, memory op.Buffer) error { return x.add(c, name, p, memory) })
}

// swaPrefix marks SWA's averages among the optimizer's tensors.
const swaPrefix = "swa_average."

// eachState visits the state that stands beside the weights: the optimizer's, and SWA's
// average.
func (t *Trainer) eachState(visit func(name string, p *graph.Param, memory op.Buffer) error) error {
	if err := t.Optimizer.EachState(visit); err != nil || t.SWA == nil {
		return err
	}
	for _, p := range t.Network.Params.All() {
		if p.Role == graph.Counter { // an average of counts means nothing
			continue
		}
		if err := visit(swaPrefix+p.Name, p, t.SWA.Average.Memory(p.Role)); err != nil {
			return err
		}
	}
	return nil
}

// Restore continues from a checkpoint of the same model, data and optimizer.
func (t *Trainer) Restore(s checkpoint.State, path string) error {
	ps := t.Network.Params
	weights, err := whole(s)
	if err != nil {
		return fmt.Errorf("resuming from %s: %w", path, err)
	}
	if err := LoadWeights(ps, weights, path); err != nil {
		return err
	}
	m := s.Meta
	if err := t.enter(m.Epoch); err != nil {
		return err
	}
	steps := int(m.Update) - t.began()*t.UpdatesPerEpoch()
	err = t.eachState(func(name string, p *graph.Param, memory op.Buffer) error {
		if steps == 0 && !strings.HasPrefix(name, swaPrefix) { // the optimizer has yet to begin
			return nil
		}
		if s.Optimizer == nil {
			return fmt.Errorf("resuming from %s: it holds no optimizer state", path)
		}
		tensor, ok := s.Optimizer.Get(name)
		if !ok || !op.Shape(tensor.Shape).Eq(p.FileShape()) {
			return fmt.Errorf("resuming from %s: the optimizer's state lacks %s of shape %v; it was written with another optimizer, model or average", path, name, p.FileShape())
		}
		return p.WriteTo(memory, tensor.Float32s())
	})
	if err != nil {
		return err
	}
	if t.EMA != nil {
		if s.EMA == nil {
			return fmt.Errorf("resuming from %s: it holds no moving average of the weights; set train.ema_decay to 0 or start anew", path)
		}
		for _, p := range ps.All() {
			if p.Role == graph.Counter {
				continue
			}
			tensor, ok := averageOf(s, p.Name)
			if !ok {
				return fmt.Errorf("resuming from %s: the moving average lacks %s", path, p.Name)
			}
			if err := p.WriteTo(t.EMA.Memory(p.Role), tensor.Float32s()); err != nil {
				return err
			}
		}
	}
	if m.BatchInEpoch > t.Loader.Batches() {
		return fmt.Errorf("resuming from %s: it stands at batch %d of an epoch that now has %d; the data or the batch size changed", path, m.BatchInEpoch, t.Loader.Batches())
	}
	t.at = progress{epoch: m.Epoch, batch: m.BatchInEpoch, update: int(m.Update), loss: m.EpochLoss, best: m.Best, wall: m.WallSeconds}
	if steps > 0 || t.From == 0 { // else it is what the part before observed
		if err := t.restoreObserved(m, path); err != nil {
			return err
		}
	}
	t.lastGood = path
	t.Optimizer.SetSteps(steps)
	t.Network.ws.SetDraws(m.Random.Streams[drawsStream])
	if steps > 0 {
		t.lr = t.LR(t.at.update - 1)
	}
	return nil
}

// LoadWeights sets every parameter from tensors under PyTorch's names; path names
// them in errors. Nothing is loaded where anything does not fit.
func LoadWeights(ps *graph.Params, have *checkpoint.Tensors, path string) error {
	m, err := checkpoint.Match(Specs(ps), have, checkpoint.MatchOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i, p := range ps.All() {
		if m.Found[i] == nil {
			continue
		}
		if err := p.Write(m.Found[i].Float32s()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// Specs lists what a file must hold for these parameters. Counters of batches may
// be missing, as they are in old files.
func Specs(ps *graph.Params) []checkpoint.Spec {
	specs := make([]checkpoint.Spec, len(ps.All()))
	for i, p := range ps.All() {
		specs[i] = checkpoint.Spec{Name: p.Name, Shape: p.FileShape(), Optional: p.Role == graph.Counter}
	}
	return specs
}
