package optim

import (
	"fmt"
	"math"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// SAM moves weights to where the loss around them is greatest, for gradients from there
// (sharpness-aware minimisation, arXiv 2010.01412). It keeps nothing between updates.
type SAM struct {
	ps      *graph.Params
	rho     float64
	kept    op.Buffer // the weights
	stats   op.Buffer // the running statistics
	rate    vector
	norm    *Norm
	perturb func()
	keep    func()
	restore [2]func()
}

// NewSAM makes a SAM for placed parameters that goes as far as rho. adaptive measures
// distance in units of each weight (arXiv 2102.11600).
func NewSAM(ps *graph.Params, rho float64, adaptive bool) (*SAM, error) {
	s := &SAM{ps: ps, rho: rho}
	var err error
	for _, m := range []struct {
		to *op.Buffer
		n  int
	}{{&s.kept, ps.Trained().Len()}, {&s.stats, ps.Statistics().Len()}} {
		if *m.to, err = ps.Device().Alloc(m.n); err != nil {
			return nil, fmt.Errorf("allocating the weights that SAM comes back to: %w", err)
		}
	}
	if s.rate, err = newVector(ps.Device(), 1); err != nil {
		return nil, err
	}
	if adaptive {
		s.norm, err = newNorm(ps, ps.Grads(), ps.Trained())
	} else {
		s.norm, err = newNorm(ps, ps.Grads())
	}
	if err != nil {
		return nil, err
	}
	flat := op.Shape{ps.TrainedLen()}
	if s.perturb, err = bind(ps, op.Perturb{Adaptive: adaptive}, []op.Shape{flat, flat, flat, {1}}, []op.Buffer{ps.Trained(), ps.Grads(), s.kept, s.rate.buf}, nil); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		run      *func()
		from, to op.Buffer
	}{{&s.keep, ps.Statistics(), s.stats}, {&s.restore[0], s.kept, ps.Trained()}, {&s.restore[1], s.stats, ps.Statistics()}} {
		n := op.Shape{c.from.Len() / ps.DType().Bytes()}
		if *c.run, err = bind(ps, op.Copy{}, []op.Shape{n}, []op.Buffer{c.from}, []op.Buffer{c.to}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Ascend moves the weights by rho along the gradients that are there: w += rho*g/|g|, or
// with adaptive w += rho*w*w*g/|w*g|.
func (s *SAM) Ascend() error {
	norm, err := s.norm.Compute()
	if err != nil {
		return err
	}
	s.rate.vals[0] = s.rho / (norm + 1e-12)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		s.rate.vals[0] = 0 // gradients that are no numbers are found by their loss
	}
	if err := s.rate.upload(); err != nil {
		return err
	}
	s.keep()
	s.perturb()
	return s.ps.Device().Sync()
}

// Return puts the weights back to where Ascend found them, to the bit, and with them the
// running statistics, which are those of the weights and not of where it went.
func (s *SAM) Return() error {
	for _, run := range s.restore {
		run()
	}
	return s.ps.Device().Sync()
}
