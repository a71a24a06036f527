package op

import "fmt"

// FoldNorm makes a BatchNormInference part of the convolution or linear layer before
// it: from the layer's weight (..., K), gamma (K), beta (K), running mean (K), running
// variance (K) and, with Bias, the layer's bias (K) it gives the weight (..., K) and
// the bias (K) of one layer that does both. The compiler makes it where nothing else
// needs what lies between them.
type FoldNorm struct {
	Eps  float64
	Bias bool
}

// Kind implements Op.
func (FoldNorm) Kind() string { return "fold_norm" }

// Infer implements Op.
func (o FoldNorm) Infer(in []Shape) ([]Shape, error) {
	if want := 5 + b2i(o.Bias); len(in) != want {
		return nil, fmt.Errorf("fold_norm: %d inputs, want %d", len(in), want)
	}
	w := in[0]
	if len(w) < 2 {
		return nil, fmt.Errorf("fold_norm: its weight is %v, want (..., K)", w)
	}
	k := Shape{w[len(w)-1]}
	for _, s := range in[1:] {
		if !s.Eq(k) {
			return nil, fmt.Errorf("fold_norm: an input is %v, want %v for a weight %v", s, k, w)
		}
	}
	return []Shape{w, k}, nil
}

// Work implements Op.
func (FoldNorm) Work(in, out []Shape) Work { return perElement(1, in, out) }
