package op

import "fmt"

// NormActivationGrad is the gradient of an activation behind a BatchNorm, a form that
// the compiler makes: it makes the norm's result again, so that this need not be
// kept beside the norm's input. Inputs: the norm's x (..., C), its gamma, beta, batch mean
// and 1/std, all (C), and dy (..., C). Result: dy times the activation's derivative.
type NormActivationGrad struct {
	Func  Act
	Alpha float64
}

// Kind implements Op.
func (o NormActivationGrad) Kind() string { return string(o.Func) + "_norm_grad" }

// Infer implements Op.
func (o NormActivationGrad) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 6 || len(in[0]) < 1 || !in[0].Eq(in[5]) {
		return nil, fmt.Errorf("%s: inputs %v, want x, four values of its channels, and dy", o.Kind(), in)
	}
	return in[5:6:6], checkChannels(o.Kind(), in[0], in[1:5])
}

// Work implements Op.
func (o NormActivationGrad) Work(in, out []Shape) Work { return perElement(4, in, out) }

// InPlace implements InPlacer.
func (o NormActivationGrad) InPlace() []int { return []int{5} }
