package optim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Config chooses an update rule and its constants.
type Config struct {
	// Name is sgd, adam or adamw.
	Name string
	// Momentum, Dampening and Nesterov are of sgd.
	Momentum, Dampening float64
	Nesterov            bool
	// Betas and Eps are of adam and adamw.
	Betas [2]float64
	Eps   float64
	// MovingMomentum lets SetMomentum change momentum or the first beta from update to
	// update.
	MovingMomentum bool
	// ClipNorm, where positive, scales the gradients so that their joint 2-norm
	// is at most this.
	ClipNorm float64
}

// rule is an update operation with the names of its state, as PyTorch names them.
type rule struct {
	op    op.Op
	slots []string
}

// Names lists the optimizers.
func Names() []string { return []string{"sgd", "adam", "adamw"} }

func (c Config) rule(segs []op.Segment) (rule, error) {
	switch c.Name {
	case "sgd":
		if c.Nesterov && (c.Momentum <= 0 || c.Dampening != 0) {
			return rule{}, errors.New("optimizer sgd: nesterov needs a momentum above 0 and no dampening")
		}
		if c.MovingMomentum && c.Momentum <= 0 {
			return rule{}, errors.New("optimizer sgd: a momentum that moves needs one above 0 to begin with")
		}
		return rule{op.SGDUpdate{Segments: segs, Momentum: c.Momentum, Dampening: c.Dampening, Nesterov: c.Nesterov}, []string{"momentum_buffer"}}, nil
	case "adam", "adamw":
		return rule{op.AdamUpdate{Segments: segs, Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps, Decoupled: c.Name == "adamw"},
			[]string{"exp_avg", "exp_avg_sq"}}, nil
	}
	return rule{}, fmt.Errorf("optimizer %q is unknown; known are %v", c.Name, Names())
}

// Copies is how many times the size of all parameters the optimizer's state takes.
func (c Config) Copies() int {
	r, _ := c.rule(nil)
	return len(r.slots)
}

// Optimizer updates parameters from their gradients.
type Optimizer struct {
	ps     *graph.Params
	clip   float64
	groups []Group
	slots  []string
	state  []op.Buffer // one a slot, laid out like the parameters
	step   int
	rule   op.Op
	in     []op.Buffer // of the update
	shapes []op.Shape
	hyper  vector
	moving *float64 // the momentum, among hyper; nil where it stays
	update func()
	norm   *Norm

	averaged *EMA   // that average moves
	average  func() // updates parameters and average in one pass
}

// New makes an optimizer for the groups' parameters, which must be placed.
func New(ps *graph.Params, c Config, groups []Group) (*Optimizer, error) {
	r, err := c.rule(segments(groups))
	if err != nil {
		return nil, err
	}
	o := &Optimizer{ps: ps, clip: c.ClipNorm, groups: groups, slots: r.slots, rule: r.op}
	flat := op.Shape{ps.TrainedLen()}
	shapes := []op.Shape{flat, flat}
	in := []op.Buffer{ps.Trained(), ps.Grads()}
	for range r.slots {
		b, err := ps.Device().Alloc(ps.Trained().Len())
		if err != nil {
			return nil, fmt.Errorf("allocating the state of optimizer %s: %w", c.Name, err)
		}
		o.state = append(o.state, b)
		shapes, in = append(shapes, flat), append(in, b)
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
	shapes, in = append(shapes, op.Shape{len(o.hyper.vals)}), append(in, o.hyper.buf)
	if o.update, err = bind(ps, r.op, shapes, in, nil); err != nil {
		return nil, err
	}
	o.in, o.shapes = in, shapes
	if o.norm, err = NewNorm(ps); err != nil {
		return nil, err
	}
	return o, nil
}

// SetMomentum changes the momentum of sgd, or the first beta of adam and adamw, from the
// next update on. It does nothing without Config.MovingMomentum.
func (o *Optimizer) SetMomentum(m float64) {
	if o.moving != nil {
		*o.moving = m
	}
}

// Step updates the parameters from gradients multiplied by gradScale, with the
// schedule's learning rate lr and the clipping of Config. It returns the gradients' norm before clipping where it clips, else 0.
func (o *Optimizer) Step(lr, gradScale float64) (norm float64, err error) {
	if norm, err = o.prepare(lr, gradScale); err != nil {
		return norm, err
	}
	o.update()
	return norm, o.ps.Device().Sync()
}

// StepAveraged is Step and then e.Update(decay), in one pass over the memory of the
// parameters.
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
	o.average()
	e.update[1]()
	return norm, o.ps.Device().Sync()
}

// bindAverage makes the update that also moves e. What no group holds is never
// updated, so that its average stays as it is.
func (o *Optimizer) bindAverage(e *EMA) (err error) {
	var rule op.Op
	switch r := o.rule.(type) {
	case op.SGDUpdate:
		r.Average = true
		rule = r
	case op.AdamUpdate:
		r.Average = true
		rule = r
	}
	shapes := append(slices.Clone(o.shapes), o.shapes[0], op.Shape{1})
	if o.average, err = bind(o.ps, rule, shapes, append(slices.Clone(o.in), e.trained, e.decay.buf), nil); err == nil {
		o.averaged = e
	}
	return err
}

// prepare clips and makes the hyperparameters of the next update known.
func (o *Optimizer) prepare(lr, gradScale float64) (norm float64, err error) {
	if o.clip > 0 {
		if norm, err = o.GradNorm(gradScale); err != nil {
			return 0, err
		}
		gradScale *= min(1, o.clip/(norm+1e-6)) // the 1e-6 is PyTorch's
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

// Slots names the state kept for each parameter, as PyTorch does.
func (o *Optimizer) Slots() []string { return o.slots }

// Groups are the parameter groups.
func (o *Optimizer) Groups() []Group { return o.groups }

// Slot is the memory of one slot's state, laid out like Params.Trained, nil for
// an unknown name. Param.ReadFrom and WriteTo give it in file order.
func (o *Optimizer) Slot(name string) op.Buffer {
	if i := slices.Index(o.slots, name); i >= 0 {
		return o.state[i]
	}
	return nil
}

// vector is a small float64 vector in the device's memory.
type vector struct {
	vals []float64
	raw  []byte
	buf  op.Buffer
}

func newVector(dev graph.Device, n int) (vector, error) {
	b, err := dev.Alloc(8 * n)
	return vector{vals: make([]float64, n), raw: make([]byte, 8*n), buf: b}, err
}

func (v *vector) upload() error {
	for i, x := range v.vals {
		binary.NativeEndian.PutUint64(v.raw[8*i:], math.Float64bits(x))
	}
	return v.buf.Upload(v.raw)
}

func (v *vector) download() error {
	if err := v.buf.Download(v.raw); err != nil {
		return err
	}
	for i := range v.vals {
		v.vals[i] = math.Float64frombits(binary.NativeEndian.Uint64(v.raw[8*i:]))
	}
	return nil
}

// bind makes an operation on fixed memory of the parameters' device into a function.
func bind(ps *graph.Params, o op.Op, shapes []op.Shape, in, out []op.Buffer) (func(), error) {
	c, err := op.NewCall(o, ps.DType(), shapes...)
	if err != nil {
		return nil, err
	}
	k, err := ps.Device().Kernel(c)
	if err != nil {
		return nil, err
	}
	scratch, err := ps.Device().Alloc(max(k.ScratchBytes(), 1))
	if err != nil {
		return nil, err
	}
	return k.Bind(&op.Context{}, in, out, scratch)
}

// Norm computes the joint 2-norm of all gradients.
type Norm struct {
	ps  *graph.Params
	out vector
	run func()
}

// NewNorm makes a Norm of the gradients of placed parameters.
func NewNorm(ps *graph.Params) (*Norm, error) {
	out, err := newVector(ps.Device(), 1)
	if err != nil {
		return nil, err
	}
	n := &Norm{ps: ps, out: out}
	n.run, err = bind(ps, op.SquaredNorm{}, []op.Shape{{ps.TrainedLen()}}, []op.Buffer{ps.Grads()}, []op.Buffer{out.buf})
	return n, err
}

// Compute is the norm now.
func (n *Norm) Compute() (float64, error) {
	n.run()
	if err := n.ps.Device().Sync(); err != nil {
		return 0, err
	}
	err := n.out.download()
	return math.Sqrt(n.out.vals[0]), err
}
