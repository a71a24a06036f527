package optim

import (
	"math"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Norm computes the joint 2-norm of all gradients.
type Norm struct {
	ps  *graph.Params
	out vector
	run func()
}

// NewNorm makes a Norm of the gradients of placed parameters.
func NewNorm(ps *graph.Params) (*Norm, error) { return newNorm(ps, ps.Grads()) }

// newNorm makes the norm of memory like the parameters', or of the product of two.
func newNorm(ps *graph.Params, of ...op.Buffer) (*Norm, error) {
	out, err := newVector(ps.Device(), 1)
	if err != nil {
		return nil, err
	}
	n := &Norm{ps: ps, out: out}
	n.run, err = bind(ps, op.SquaredNorm{}, slices.Repeat([]op.Shape{{ps.TrainedLen()}}, len(of)), of, []op.Buffer{out.buf})
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
