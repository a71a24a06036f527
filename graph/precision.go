package graph

import (
	"slices"

	"github.com/seed52467199/trainer/graph/op"
)

// halve lets values that only pass between steps be kept in bfloat16: those that
// are made and read by nothing but operands that halves lists. kept are the values
// that must exist after the run; they stay as they are.
func halve(steps []*step, kept map[*value]bool) {
	allowed := map[*value]bool{}
	few := scant(steps)
	halves := func(s *step) op.Operands {
		if few(s) {
			return op.Operands{}
		}
		return halves(s)
	}
	for _, s := range steps {
		may := halves(s)
		for i, v := range s.out {
			allowed[v] = may.Result(i) && v.home == inArena && v.view == nil && !kept[v]
		}
	}
	for _, s := range steps {
		may := halves(s)
		for i, v := range s.in {
			if !may.Input(i) {
				allowed[v.root()] = false
			}
		}
	}
	for v, ok := range allowed {
		v.half = ok
	}
	markTrained(steps)
}

// markTrained marks the convolutions of a program that has weight gradients.
func markTrained(steps []*step) {
	trains := slices.ContainsFunc(steps, func(s *step) bool {
		_, ok := s.op.(op.Conv2DWeightGrad)
		return ok
	})
	for _, s := range steps {
		if o, ok := s.op.(op.Conv2D); ok && trains {
			o.Trained = true
			s.op = o
		}
	}
}

// fewChannels is how many leave so much of the vectors empty that float32, in which a
// device may join pixels instead, is faster.
const fewChannels = 8

// scant tells which convolutions make, or read from other steps, so few channels.
func scant(steps []*step) func(*step) bool {
	made := map[*value]bool{}
	for _, s := range steps {
		for _, v := range s.out {
			made[v] = true
		}
	}
	few := func(v *value) bool {
		return made[v.root()] && v.root().home == inArena && len(v.shape) == 4 && v.shape[3] < fewChannels
	}
	return func(s *step) bool {
		switch s.op.(type) {
		case op.Conv2D, op.Conv2DWeightGrad, op.Conv2DInputGrad:
			return slices.ContainsFunc(s.in, few) || slices.ContainsFunc(s.out, few)
		}
		return false
	}
}

// halves lists the operands of a step that may be kept in bfloat16: activations
// and their gradients, in operations that most networks are made of. Of a linear
// layer that is the side of the input; the other is that of the logits.
func halves(s *step) op.Operands {
	const first, second = 1, 2
	switch s.op.(type) {
	case op.Conv2DInputGrad:
		return op.Operands{In: activations(s.in) &^ second, Out: first} // not the weights
	case op.Conv2D, op.Activation, op.Dropout, op.DropPath,
		op.AvgPool, op.AvgPoolGrad, op.GlobalAvgPool, op.GlobalAvgPoolGrad, op.MaxPool,
		op.Slice, op.SliceGrad, op.Copy:
		return op.Operands{In: first, Out: first}
	case op.Conv2DWeightGrad:
		return op.Operands{In: first | second}
	case op.ActivationGrad, op.ClipGrad, op.Add:
		return op.Operands{In: first | second, Out: first}
	case op.MaxPoolGrad:
		return op.Operands{In: second, Out: first}
	case op.Concat:
		return op.Operands{In: ^uint64(0), Out: first}
	case op.Linear, op.LinearWeightGrad, op.ColumnSum:
		return op.Operands{In: first}
	case op.LinearInputGrad:
		return op.Operands{Out: first}
	case op.NormActivationGrad:
		return op.Operands{In: activations(s.in), Out: first}
	case op.BatchNorm, op.BatchNormInference, op.BatchNormGrad, op.BatchNormInferenceGrad:
		return op.Operands{In: activations(s.in), Out: activations(s.out)}
	}
	return op.Operands{}
}

// activations lists those operands that are not values of the channels.
func activations(operands []*value) (set uint64) {
	for i, v := range operands {
		if len(v.shape) > 1 {
			set |= 1 << i
		}
	}
	return set
}
