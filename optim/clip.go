package optim

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Clip bounds gradients.
type Clip struct {
	// Mode is norm, or "": gradients whose joint 2-norm is greater than Most are scaled
	// down to it; value: each is brought between -Most and Most; or agc: adaptive
	// clipping (arXiv 2102.06171), where the norm of each output's gradient is at most
	// Most times that of its weights.
	Mode string
	// Most is the bound, 0 for no clipping.
	Most float64
	// Except tells which parameters agc leaves alone, usually the classifier's; nil
	// for none.
	Except func(name string) bool
}

// ClipModes lists the modes.
func ClipModes() []string { return []string{"norm", "value", "agc"} }

func (c Clip) check() error {
	switch c.Mode {
	case "", "norm", "value", "agc":
		return nil
	}
	return fmt.Errorf("clipping by %q is unknown; known are %v", c.Mode, ClipModes())
}

// byNorm tells whether the gradients' joint norm decides.
func (c Clip) byNorm() bool { return c.Most > 0 && (c.Mode == "" || c.Mode == "norm") }

// clipper changes gradients in place.
type clipper struct {
	how vector // scale and bound
	run func()
}

// newClipper is the clipper of a Clip that is not by norm, nil for none.
func newClipper(ps *graph.Params, c Clip, groups []Group) (*clipper, error) {
	if c.Most <= 0 || c.byNorm() {
		return nil, nil
	}
	how, err := newVector(ps.Device(), 2)
	if err != nil {
		return nil, err
	}
	how.vals[1] = c.Most
	k := &clipper{how: how}
	flat := op.Shape{ps.TrainedLen()}
	if c.Mode == "value" {
		k.run, err = bind(ps, op.ClampGrads{}, []op.Shape{flat, {2}}, []op.Buffer{ps.Grads(), how.buf}, nil)
		return k, err
	}
	var units []op.Units
	for _, g := range groups {
		for _, p := range g.Params {
			if c.Except == nil || !c.Except(p.Name) {
				units = append(units, unitsOf(p))
			}
		}
	}
	k.run, err = bind(ps, op.AdaptiveClip{Units: units}, []op.Shape{flat, flat, {2}}, []op.Buffer{ps.Grads(), ps.Trained(), how.buf}, nil)
	return k, err
}

// unitsOf are the outputs of a parameter: a vector is one.
func unitsOf(p *graph.Param) op.Units {
	u := op.Units{Offset: p.Offset(), Count: 1, Len: p.Len(), Step: 1}
	file := p.FileShape()
	if len(file) < 2 {
		return u
	}
	u.Count, u.Len = file[0], p.Len()/file[0]
	if outputsFirst(p) {
		u.Stride = u.Len
	} else {
		u.Stride, u.Step = 1, u.Count
	}
	return u
}

// clip brings the gradients, multiplied by scale, into bounds.
func (k *clipper) clip(scale float64) error {
	k.how.vals[0] = scale
	if err := k.how.upload(); err != nil {
		return err
	}
	k.run()
	return nil
}
