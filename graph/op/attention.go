package op

import "fmt"

// Attention is scaled dot-product attention (Vaswani et al., arXiv 1706.03762) of packed
// queries, keys and values x (N, L, 3*C), in that order, each of Heads heads side by
// side: for each sample and head softmax(q*k'*Scale + bias)*v, side by side again: (N,
// L, C). With Bias a second input (Heads, L, L) is added to the logits. Results: the
// values, and the logarithm of each row's sum of exponentials (N, Heads, L), from which
// the gradient makes the probabilities again instead of keeping them.
type Attention struct {
	Heads int
	Scale float64
	Bias  bool
	// Regions, where there are some, tell for sample n and token t which region
	// Regions[n%len(Regions)][t] it belongs to: tokens of different ones do not see
	// each other, by a logit lower by 100, as in shifted windows (arXiv 2103.14030).
	Regions [][]int
}

// RegionPenalty is what the logit of two tokens of different regions is lower by.
const RegionPenalty = 100

// Kind implements Op.
func (Attention) Kind() string { return "attention" }

// Infer implements Op.
func (o Attention) Infer(in []Shape) ([]Shape, error) {
	if want := 1 + b2i(o.Bias); len(in) != want {
		return nil, fmt.Errorf("attention: %d inputs, want %d", len(in), want)
	}
	x := in[0]
	if len(x) != 3 || o.Heads < 1 || x[2]%(3*o.Heads) != 0 {
		return nil, fmt.Errorf("attention: its input is %v, want queries, keys and values (N, L, 3*C) with C a multiple of %d heads", x, o.Heads)
	}
	n, l := x[0], x[1]
	if want := (Shape{o.Heads, l, l}); o.Bias && !in[1].Eq(want) {
		return nil, fmt.Errorf("attention: its bias is %v, want %v", in[1], want)
	}
	if r := len(o.Regions); r > 0 && n%r != 0 {
		return nil, fmt.Errorf("attention: %d samples for %d lists of regions", n, r)
	}
	for _, r := range o.Regions {
		if len(r) != l {
			return nil, fmt.Errorf("attention: a list of %d regions for %d tokens", len(r), l)
		}
	}
	return []Shape{{n, l, x[2] / 3}, {n, o.Heads, l}}, nil
}

// Work implements Op.
func (o Attention) Work(in, out []Shape) Work {
	n, l, c := int64(out[0][0]), int64(out[0][1]), int64(out[0][2])
	return traffic(4*n*l*l*c, in, out)
}

// Diff implements Differentiable.
func (o Attention) Diff(in []*Node, out, dy *Node) ([]*Node, error) {
	sums, err := Aux(out, 1)
	if err != nil {
		return nil, err
	}
	return applyAll(AttentionGrad(o), len(in), append([]*Node{in[0], out, sums, dy}, in[1:]...)...)
}

// AttentionGrad is the gradient of an Attention. Inputs: x, the result y, the logarithms
// of the sums, dy and, with Bias, the bias. Results: dx and, with Bias, dbias.
type AttentionGrad struct {
	Heads   int
	Scale   float64
	Bias    bool
	Regions [][]int
}

// Kind implements Op.
func (AttentionGrad) Kind() string { return "attention_grad" }

// Infer implements Op.
func (o AttentionGrad) Infer(in []Shape) ([]Shape, error) {
	if want := 4 + b2i(o.Bias); len(in) != want {
		return nil, fmt.Errorf("attention_grad: %d inputs, want %d", len(in), want)
	}
	out := []Shape{in[0]}
	if o.Bias {
		out = append(out, in[4])
	}
	return out, nil
}

// Work implements Op.
func (o AttentionGrad) Work(in, out []Shape) Work {
	n, l, c := int64(in[1][0]), int64(in[1][1]), int64(in[1][2])
	return traffic(10*n*l*l*c, in, out)
}
