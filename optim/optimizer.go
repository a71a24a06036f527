package optim

import (
	"math"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Optimizer updates parameters from their gradients.
type Optimizer struct {
	ps      *graph.Params
	config  Config
	groups  []Group
	state   state
	slots   []op.Buffer // one a slot of state, laid out like the parameters
	step    int
	rule    op.Update
	in      []op.Buffer // of the update
	shapes  []op.Shape
	hyper   vector
	moving  *float64 // the momentum, among hyper; nil where it stays
	update  func()
	norm    *Norm
	clipper *clipper

	slow vector // how lookahead moves
	sync func()

	averaged *EMA   // that average moves
	average  func() // updates parameters and average in one pass
}

// New makes an optimizer for the groups' parameters, which must be placed.
func New(ps *graph.Params, c Config, groups []Group) (*Optimizer, error) {
	c, family, err := c.fill()
	if err != nil {
		return nil, err
	}
	var params []*graph.Param
	for _, g := range groups {
		params = append(params, g.Params...)
	}
	o := &Optimizer{ps: ps, config: c, groups: groups, state: newState(c, family, ps.DType(), params)}
	if err := o.allocate(c.Name); err != nil {
		return nil, err
	}
	o.rule = op.Update{Rule: o.state.bindRule(family.rule(c), c), Segments: segments(groups)}
	flat := op.Shape{ps.TrainedLen()}
	o.in, o.shapes = []op.Buffer{ps.Trained(), ps.Grads()}, []op.Shape{flat, flat}
	if own := o.state.own; own != nil {
		o.in, o.shapes = append(o.in, own.Statistics()), append(o.shapes, op.Shape{own.Bytes() / own.DType().Bytes()})
	} else {
		for _, b := range o.slots[:o.rule.Rule.States()] {
			o.in, o.shapes = append(o.in, b), append(o.shapes, flat)
		}
	}
	values := op.HyperLen(len(groups))
	if c.MovingMomentum {
		values++
	}
	if o.hyper, err = newVector(ps.Device(), values); err != nil {
		return nil, err
	}
	if c.MovingMomentum {
		o.moving = &o.hyper.vals[values-1]
		*o.moving = c.Momentum
		if c.Name != "sgd" {
			*o.moving = c.Betas[0]
		}
	}
	o.in, o.shapes = append(o.in, o.hyper.buf), append(o.shapes, op.Shape{len(o.hyper.vals)})
	if o.update, err = bind(ps, o.rule, o.shapes, o.in, nil); err != nil {
		return nil, err
	}
	if o.norm, err = NewNorm(ps); err != nil {
		return nil, err
	}
	if o.clipper, err = newClipper(ps, c.Clip, groups); err != nil {
		return nil, err
	}
	return o, o.bindLookahead()
}

// bindLookahead makes what moves the slow weights, if there are any.
func (o *Optimizer) bindLookahead() (err error) {
	if o.config.LookaheadK == 0 {
		return nil
	}
	if o.slow, err = newVector(o.ps.Device(), 2); err != nil {
		return err
	}
	o.slow.vals[0] = o.config.LookaheadAlpha
	flat := o.shapes[0]
	o.sync, err = bind(o.ps, op.Lookahead{}, []op.Shape{flat, flat, {2}}, []op.Buffer{o.ps.Trained(), o.slots[len(o.slots)-1], o.slow.buf}, nil)
	return err
}

// SetMomentum changes the momentum of sgd, or the first beta of adam and its kin, from the
// next update on. It does nothing without Config.MovingMomentum.
func (o *Optimizer) SetMomentum(m float64) {
	if o.moving != nil {
		*o.moving = m
	}
}

// SetLookahead changes LookaheadAlpha from the next update on. It does nothing without
// lookahead.
func (o *Optimizer) SetLookahead(alpha float64) {
	if o.config.LookaheadK > 0 {
		o.slow.vals[0] = alpha
	}
}

// Step updates the parameters from gradients multiplied by gradScale, with the
// schedule's learning rate lr and the clipping of Config. It returns the gradients' norm
// before clipping where it clips by that, else 0.
func (o *Optimizer) Step(lr, gradScale float64) (norm float64, err error) {
	if norm, err = o.prepare(lr, gradScale); err != nil {
		return norm, err
	}
	o.update()
	if err := o.lookahead(); err != nil {
		return norm, err
	}
	return norm, o.ps.Device().Sync()
}

// StepAveraged is Step and then e.Update(decay), in one pass over the memory of the
// parameters where the weights stay where the update puts them.
func (o *Optimizer) StepAveraged(lr, gradScale float64, e *EMA, decay float64) (norm float64, err error) {
	if o.averaged != e {
		if err := o.bindAverage(e); err != nil {
			return 0, err
		}
	}
	if err := e.set(decay); err != nil {
		return 0, err
	}
	if norm, err = o.prepare(lr, gradScale); err != nil {
		return norm, err
	}
	if o.looks() {
		o.update()
		if err := o.lookahead(); err != nil {
			return norm, err
		}
		e.update[0]()
	} else {
		o.average()
	}
	e.update[1]()
	return norm, o.ps.Device().Sync()
}

// looks tells whether the slow weights move at this step.
func (o *Optimizer) looks() bool { return o.config.LookaheadK > 0 && o.step%o.config.LookaheadK == 0 }

// lookahead moves the slow weights where it is their turn.
func (o *Optimizer) lookahead() error {
	if !o.looks() {
		return nil
	}
	o.slow.vals[1] = 0
	if o.step == o.config.LookaheadK {
		o.slow.vals[1] = 1
	}
	if err := o.slow.upload(); err != nil {
		return err
	}
	o.sync()
	return nil
}

// bindAverage makes the update that also moves e. What no group holds is never
// updated, so that its average stays as it is.
func (o *Optimizer) bindAverage(e *EMA) (err error) {
	rule := o.rule
	rule.Average = true
	shapes := append(slices.Clone(o.shapes), o.shapes[0], op.Shape{1})
	if o.average, err = bind(o.ps, rule, shapes, append(slices.Clone(o.in), e.trained, e.decay.buf), nil); err == nil {
		o.averaged = e
	}
	return err
}

// prepare clips and makes the hyperparameters of the next update known.
func (o *Optimizer) prepare(lr, gradScale float64) (norm float64, err error) {
	if o.clipper != nil {
		if err := o.clipper.clip(gradScale); err != nil {
			return 0, err
		}
		gradScale = 1
	}
	byNorm, own := o.config.Clip.byNorm(), o.config.Name == "lamb" && o.config.MaxGradNorm > 0
	if byNorm || own {
		if norm, err = o.GradNorm(gradScale); err != nil {
			return 0, err
		}
		bounded := norm
		if byNorm {
			by := min(1, o.config.Clip.Most/(norm+1e-6)) // the 1e-6 is PyTorch's
			gradScale *= by
			bounded *= by
		}
		if own {
			gradScale /= max(1, bounded/o.config.MaxGradNorm)
		}
	}
	o.step++
	h := o.hyper.vals
	h[op.HyperGradScale], h[op.HyperStep] = gradScale, float64(o.step)
	for i, g := range o.groups {
		at := h[op.HyperShared+i*op.HyperPerGroup:]
		at[op.HyperLR], at[op.HyperWeightDecay] = lr*g.LRScale, g.WeightDecay
	}
	return norm, o.hyper.upload()
}

// GradNorm is the joint 2-norm of the gradients multiplied by gradScale.
func (o *Optimizer) GradNorm(gradScale float64) (float64, error) {
	n, err := o.norm.Compute()
	return n * math.Abs(gradScale), err
}

// Steps is the number of updates so far.
func (o *Optimizer) Steps() int { return o.step }

// SetSteps goes on from an earlier run's Steps.
func (o *Optimizer) SetSteps(n int) { o.step = n }

// Groups are the parameter groups.
func (o *Optimizer) Groups() []Group { return o.groups }
