package op

import "fmt"

// Repeater is an Op that does more than make its primary result, such as to update
// an input, so that another operation makes that result again, to the bit.
type Repeater interface {
	// Repeat returns that operation, and which of this one's inputs and then
	// which of its results are its inputs. A nil operation stands for this one.
	Repeat() (o Op, in, out []int)
}

// Repeat implements Repeater: the moments have been taken already.
func (o Conv2D) Repeat() (Op, []int, []int) {
	if !o.Moments {
		return nil, nil, nil
	}
	o.Moments = false
	in := []int{0, 1}
	if o.Bias {
		in = append(in, 2)
	}
	return o, in, nil
}

// Repeat implements Repeater: the statistics of the batch are there already.
func (o BatchNorm) Repeat() (Op, []int, []int) {
	in := []int{bnX, bnGamma, bnBeta}
	if o.Residual {
		in = append(in, bnResidual)
	}
	return BatchNormAgain{o}, in, []int{1, 2}
}

// BatchNormAgain makes the primary result of a BatchNorm again. Inputs: x, gamma,
// beta, with Norm.Residual the value added, and the batch mean and 1/std that the
// first pass left. Result: y, the same bits.
type BatchNormAgain struct{ Norm BatchNorm }

// Kind implements Op.
func (BatchNormAgain) Kind() string { return "batch_norm_again" }

// Infer implements Op.
func (o BatchNormAgain) Infer(in []Shape) ([]Shape, error) {
	if want := 5 + b2i(o.Norm.Residual); len(in) != want {
		return nil, fmt.Errorf("batch_norm_again: %d inputs, want %d", len(in), want)
	}
	return in[:1:1], nil
}

// Work implements Op.
func (o BatchNormAgain) Work(in, out []Shape) Work { return perElement(2, in, out) }

// InPlace implements InPlacer.
func (o BatchNormAgain) InPlace() []int {
	if o.Norm.Residual {
		return []int{3, 0}
	}
	return []int{0}
}
