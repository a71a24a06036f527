package cpu

import (
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

// TestGradients compares the gradient kernels with central differences of the
// forward kernels, in float64.
func TestGradients(t *testing.T) {
	d := oracle(t)
	for _, e := range examples() {
		if e.large {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			uses := e.uses(t)
			for i, b := range e.back {
				back := uses[i+1]
				grads := results(t, d, back.op, op.Float64, back.shapes, back.in)
				var dys []float64
				for j, s := range b.from {
					if s == dy {
						dys = back.in[j]
					}
				}
				for j, wrt := range b.wrt {
					differences(t, d, uses[0], wrt, dys, grads[j])
				}
			}
			switch e.op.(type) {
			case op.CrossEntropy, op.BCEWithLogits, op.SigmoidFocal, op.SoftmaxFocal, op.Asymmetric, op.SoftmaxAsymmetric, op.JensenShannon,
				op.MSE, op.MAE, op.Huber: // make their gradient themselves
				out := results(t, d, e.op, op.Float64, e.shapes, uses[0].in)
				differences(t, d, uses[0], 0, []float64{1}, out[1])
			}
		})
	}
}

// differences compares the gradient for one input with central differences. The
// loss is the product of the primary result with dy.
func differences(t *testing.T, d *Device, u use, wrt int, dy, grad []float64) {
	t.Helper()
	const h, tolerance = 1e-5, 1e-6
	b := bind(t, d, u.op, op.Float64, u.shapes, u.in)
	loss := func() (sum float64) {
		for i, v := range u.in { // the kernel may have updated them
			if i != wrt {
				set(b.in[i], inputType(b.call, i), v)
			}
		}
		b.run()
		for i, y := range as[float64](b.out[0].Host()) {
			sum += y * dy[i]
		}
		return sum
	}
	x := as[float64](b.in[wrt].Host())
	numeric := make([]float64, len(x))
	for i, v := range u.in[wrt] {
		x[i] = v + h
		above := loss()
		x[i] = v - h
		below := loss()
		x[i] = v
		numeric[i] = (above - below) / (2 * h)
	}
	if worst, at := farthest(grad, numeric); worst > tolerance {
		t.Errorf("gradient for input %d, element %d: %v, central difference %v", wrt, at, grad[at], numeric[at])
	}
}
