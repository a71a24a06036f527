package op

import "fmt"

// GroupNorm normalises each sample of x (N, ..., C) over all positions and the channels
// of each of Groups groups (Wu and He, arXiv 1803.08494), by their mean and biased
// variance: y = gamma*(x-mean)/sqrt(var+Eps) + beta, with gamma and beta (C). As many
// groups as channels make it instance norm. With Root the mean counts as 0 and the
// variance as the mean of x^2, as in filter response norm (arXiv 1911.09737). Results: y,
// the means and the factors 1/sqrt(...), both (N, Groups).
type GroupNorm struct {
	Groups int
	Eps    float64
	Root   bool
}

// Kind implements Op.
func (GroupNorm) Kind() string { return "group_norm" }

// Infer implements Op.
func (o GroupNorm) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 3 {
		return nil, fmt.Errorf("group_norm: %d inputs, want 3", len(in))
	}
	x := in[0]
	if len(x) < 2 {
		return nil, fmt.Errorf("group_norm: its input is %v, want (N, ..., C)", x)
	}
	c := last(x)
	if o.Groups < 1 || c%o.Groups != 0 {
		return nil, fmt.Errorf("group_norm: %d channels in %d groups; the number of groups should divide that of channels", c, o.Groups)
	}
	return []Shape{x, {x[0], o.Groups}, {x[0], o.Groups}}, checkChannels("group_norm", x, in[1:])
}

// Work implements Op.
func (GroupNorm) Work(in, out []Shape) Work { return perElement(7, in, out) }

// InPlace implements InPlacer.
func (GroupNorm) InPlace() []int { return []int{0} }

// Diff implements Differentiable.
func (o GroupNorm) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	return normDiff(GroupNormGrad(o), false, in, out, dy)
}

// GroupNormGrad is the gradient of a GroupNorm. Inputs: x (N, ..., C), gamma (C), the
// means and factors (N, Groups), dy. Results: dx, dgamma (C) and dbeta (C).
type GroupNormGrad struct {
	Groups int
	Eps    float64
	Root   bool
}

// Kind implements Op.
func (GroupNormGrad) Kind() string { return "group_norm_grad" }

// Infer implements Op.
func (GroupNormGrad) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 5 || !in[0].Eq(in[4]) {
		return nil, fmt.Errorf("group_norm_grad: inputs %v, want x, gamma, the means, the factors and dy", in)
	}
	return []Shape{in[0], in[1], in[1]}, nil
}

// Work implements Op.
func (GroupNormGrad) Work(in, out []Shape) Work { return perElement(12, in, out) }

// InPlace implements InPlacer.
func (GroupNormGrad) InPlace() []int { return []int{4} }
