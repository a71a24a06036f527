package optim

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// EMA is an exponential moving average of all parameters, running statistics
// included.
type EMA struct {
	ps      *graph.Params
	decay   vector
	trained op.Buffer
	other   op.Buffer
	update  [2]func() // of the trained parameters and of the others
}

// NewEMA starts an average at the parameters' present values.
func NewEMA(ps *graph.Params) (*EMA, error) {
	e := &EMA{ps: ps}
	var err error
	if e.decay, err = newVector(ps.Device(), 1); err != nil {
		return nil, err
	}
	for i, m := range []struct {
		avg  *op.Buffer
		live op.Buffer
	}{{&e.trained, ps.Trained()}, {&e.other, ps.Statistics()}} {
		if *m.avg, err = ps.Device().Alloc(m.live.Len()); err != nil {
			return nil, fmt.Errorf("allocating the moving average of the weights: %w", err)
		}
		flat := op.Shape{m.live.Len() / ps.DType().Bytes()}
		if e.update[i], err = bind(ps, op.EMAUpdate{}, []op.Shape{flat, flat, {1}}, []op.Buffer{*m.avg, m.live, e.decay.buf}, nil); err != nil {
			return nil, err
		}
	}
	return e, e.Update(0)
}

// Update moves the average towards the parameters: decay times the average plus
// 1-decay times the parameters. Optimizer.StepAveraged does so at less cost.
func (e *EMA) Update(decay float64) error {
	if err := e.set(decay); err != nil {
		return err
	}
	for _, run := range e.update {
		run()
	}
	return e.ps.Device().Sync()
}

func (e *EMA) set(decay float64) error {
	e.decay.vals[0] = decay
	return e.decay.upload()
}

// Buffers are the memory of the whole average.
func (e *EMA) Buffers() []op.Buffer { return []op.Buffer{e.trained, e.other} }

// Memory is where the average of a parameter of this role lies, for Param.ReadFrom
// and Param.WriteTo.
func (e *EMA) Memory(r graph.Role) op.Buffer {
	if r.Trained() {
		return e.trained
	}
	return e.other
}

// WarmDecay is the decay of an average at an update, from 1, that begins short: at most
// decay, and 1 - update^(-2/3), as with timm's ModelEmaV3.
func WarmDecay(decay float64, update int) float64 {
	return min(decay, 1-math.Pow(float64(update), -2./3))
}

// Adopt copies the average to the parameters; counters, whose average means nothing, stay
// as they are.
func (e *EMA) Adopt() error {
	counts := map[*graph.Param][]float32{}
	for _, p := range e.ps.All() {
		if p.Role == graph.Counter {
			count, err := p.Read()
			if err != nil {
				return err
			}
			counts[p] = count
		}
	}
	for _, m := range [][2]op.Buffer{{e.trained, e.ps.Trained()}, {e.other, e.ps.Statistics()}} {
		vals := make([]byte, m[0].Len())
		if err := errors.Join(m[0].Download(vals), m[1].Upload(vals)); err != nil {
			return fmt.Errorf("putting the average in the place of the weights: %w", err)
		}
	}
	for p, count := range counts {
		if err := p.Write(count); err != nil {
			return err
		}
	}
	return nil
}

// Swap exchanges the parameters and their average: once to evaluate the average,
// and again to go on training.
func (e *EMA) Swap() error {
	for _, m := range [][2]op.Buffer{{e.trained, e.ps.Trained()}, {e.other, e.ps.Statistics()}} {
		spare := make([]byte, m[0].Len())
		live := make([]byte, m[0].Len())
		for _, err := range []error{m[0].Download(spare), m[1].Download(live), m[0].Upload(live), m[1].Upload(spare)} {
			if err != nil {
				return fmt.Errorf("exchanging the weights and their moving average: %w", err)
			}
		}
	}
	return nil
}
