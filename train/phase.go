package train

import (
	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/graph"
)

// Phase is a part of a training in which the same parameters are trained. Each begins
// with a fresh optimizer.
type Phase struct {
	// Epoch is the one that it begins with, from 0.
	Epoch int
	// Frozen are the parameters that it leaves as they are and another phase trains.
	Frozen []*graph.Param
}

// phaseAt is the number of the phase that an epoch belongs to.
func (t *Trainer) phaseAt(epoch int) int {
	k := 0
	for i, p := range t.Phases {
		if p.Epoch <= epoch {
			k = i
		}
	}
	return k
}

// began is the epoch with which the optimizer began: the phase's, or that of the part of
// a run.
func (t *Trainer) began() int {
	if len(t.Phases) > 0 {
		return t.Phases[t.phase].Epoch
	}
	return t.From
}

// enter makes the trained parameters those of the phase of an epoch.
func (t *Trainer) enter(epoch int) error {
	k := t.phaseAt(epoch)
	if k == t.phase || len(t.Phases) == 0 {
		return nil
	}
	setPhase(t.Network, t.Phases, k)
	t.phase = k
	o, err := t.Optimise()
	if err == nil {
		t.Optimizer = o
	}
	return err
}

// enterLast makes the trained parameters those of the last phase, and gives what goes
// back to the present one.
func (t *Trainer) enterLast() (back func(), err error) {
	k, o := t.phase, t.Optimizer
	if n := len(t.Phases); n > 0 {
		err = t.enter(t.Phases[n-1].Epoch)
	}
	return func() {
		if t.phase != k {
			setPhase(t.Network, t.Phases, k)
			t.phase, t.Optimizer = k, o
		}
	}, err
}

// setPhase freezes the parameters that phase k leaves as they are, and no others of
// those that some phase does.
func setPhase(n *Network, phases []Phase, k int) {
	for _, p := range phases {
		for _, param := range p.Frozen {
			param.Frozen = false
		}
	}
	for _, param := range phases[k].Frozen {
		param.Frozen = true
	}
	n.forgetTraining()
}

// phases are the parts of the job's training; nil where the same parameters are
// trained throughout. With starting weights the classifier may be trained alone at
// first, and then the blocks be released from the last to the first (Howard and Ruder,
// arXiv 1801.06146), as many from each epoch to the next.
func (j *Job) phases() (phases []Phase) {
	c := j.Config.Finetune
	if j.Plan == nil || c.HeadEpochs+c.UnfreezeEpochs == 0 {
		return nil
	}
	head := checkpoint.Under(j.Model.Config.Classifier...)
	trained, depth, n := depths(j.Model, j.Network.Params)
	// those of fewer depths than from, the classifier not among them
	below := func(from int) (frozen []*graph.Param) {
		for i, p := range trained {
			if depth[i] < from && !p.Frozen && !head(p.Name) {
				frozen = append(frozen, p)
			}
		}
		return frozen
	}
	if c.HeadEpochs > 0 {
		phases = append(phases, Phase{Frozen: below(n)})
	}
	for k := range c.UnfreezeEpochs {
		released := max(1, (n-1)*(k+1)/(c.UnfreezeEpochs+1))
		phases = append(phases, Phase{Epoch: c.HeadEpochs + k, Frozen: below(n - 1 - released)})
	}
	return append(phases, Phase{Epoch: c.HeadEpochs + c.UnfreezeEpochs})
}
