package cpu

import (
	"github.com/seed52467199/trainer/cpu/vec"
	"github.com/seed52467199/trainer/graph/op"
)

func fastActivation(c op.Call, o op.Activation, workers int) plan {
	if clip := o.Func.Clip(); clip.On() && allHalf(c) {
		lo, hi := bounds(clip).Bounds()
		return mapped(c, workers, func(y, x, _ []uint16) { vec.Clip(y, x, lo, hi) })
	}
	value, _ := vectorFunction(o.Func, float32(o.Alpha))
	if value == nil {
		return plan{}
	}
	return mapped(c, workers, func(y, x, _ []float32) { value(y, x) })
}

func fastActivationGrad(c op.Call, o op.ActivationGrad, workers int) plan {
	if clip := o.Func.Clip(); clip.On() && allHalf(c) {
		lo, hi := bounds(clip).Bounds()
		return mapped(c, workers, func(dx, saved, dy []uint16) { vec.ClipGrad(dx, dy, saved, lo, hi) })
	}
	_, grad := vectorFunction(o.Func, float32(o.Alpha))
	if grad == nil {
		return plan{}
	}
	return mapped(c, workers, func(dx, saved, dy []float32) { grad(dx, dy, saved) })
}

// vectorFunction is an activation and its gradient in package vec, or nil.
func vectorFunction(a op.Act, alpha float32) (value func(y, x []float32), grad func(dx, dy, saved []float32)) {
	switch a {
	case op.ReLU:
		return vec.ReLU, vec.ReLUGrad
	case op.ReLU6:
		return clipping(0, 6)
	case op.LeakyReLU:
		return func(y, x []float32) { vec.LeakyReLU(y, x, alpha) },
			func(dx, dy, x []float32) { vec.LeakyReLUGrad(dx, dy, x, alpha) }
	case op.ELU:
		return exponential(1, alpha, 1)
	case op.CELU:
		if alpha > 0 {
			return exponential(1, alpha, alpha)
		}
	case op.SELU:
		return exponential(seluScale, seluAlpha, 1)
	case op.GELU:
		return vec.GELU, vec.GELUGrad
	case op.GELUTanh:
		return vec.GELUTanh, vec.GELUTanhGrad
	case op.QuickGELU:
		return gating(quickGELU)
	case op.SiLU:
		return gating(1)
	case op.Swish:
		return gating(alpha)
	case op.Softplus:
		return vec.Softplus, vec.SoftplusGrad
	case op.Mish:
		return vec.Mish, vec.MishGrad
	case op.Sigmoid:
		return vec.Sigmoid, vec.SigmoidGrad
	case op.Tanh:
		return vec.Tanh, vec.TanhGrad
	case op.HardSigmoid:
		return vec.HardSigmoid, vec.HardSigmoidGrad
	case op.HardSwish:
		return hardGating(-3, 3)
	case op.HardMish:
		return hardGating(-2, 0)
	case op.HardTanh:
		return clipping(-1, 1)
	}
	return nil, nil
}

func clipping(lo, hi float32) (func(y, x []float32), func(dx, dy, x []float32)) {
	return func(y, x []float32) { vec.Clip(y, x, lo, hi) },
		func(dx, dy, x []float32) { vec.ClipGrad(dx, dy, x, lo, hi) }
}

func exponential(gain, alpha, width float32) (func(y, x []float32), func(dx, dy, x []float32)) {
	return func(y, x []float32) { vec.ELU(y, x, gain, alpha, width) },
		func(dx, dy, x []float32) { vec.ELUGrad(dx, dy, x, gain, alpha, width) }
}

func gating(beta float32) (func(y, x []float32), func(dx, dy, x []float32)) {
	return func(y, x []float32) { vec.SiLU(y, x, beta) },
		func(dx, dy, x []float32) { vec.SiLUGrad(dx, dy, x, beta) }
}

func hardGating(lo, hi float32) (func(y, x []float32), func(dx, dy, x []float32)) {
	return func(y, x []float32) { vec.HardGate(y, x, lo, hi) },
		func(dx, dy, x []float32) { vec.HardGateGrad(dx, dy, x, lo, hi) }
}
