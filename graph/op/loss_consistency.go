package op

import "fmt"

// MaxSplits is the greatest number of splits of JensenShannon.
const MaxSplits = 16

// JensenShannon is the Jensen-Shannon divergence of the distributions that a network
// gives for several versions of the same pictures (AugMix, Hendrycks et al. 2020, arXiv
// 1912.02781). Logits (Splits*N, K) hold version after version. It is the mean over
// the versions p and the N pictures of sum(p*log(p/m)) for m the mean of the
// versions, at least 1e-7.
type JensenShannon struct{ Splits int }

// Kind implements Op.
func (JensenShannon) Kind() string { return "jensen_shannon" }

// Infer implements Op.
func (o JensenShannon) Infer(in []Shape) ([]Shape, error) {
	if len(in) != 1 || len(in[0]) != 2 || o.Splits < 2 || o.Splits > MaxSplits || in[0][0]%o.Splits != 0 {
		return nil, fmt.Errorf("jensen_shannon: inputs %v, want logits (N, K) with an N that %d splits divide, from 2 to %d of them", in, o.Splits, MaxSplits)
	}
	return []Shape{{}, in[0]}, nil
}

// Work implements Op.
func (JensenShannon) Work(in, out []Shape) Work { return traffic(16*int64(Size(in[0])), in, out) }

// Diff implements Differentiable.
func (JensenShannon) Diff(in []*Node, out, dy *Node) ([]*Node, error) { return lossDiff(out, dy, 1) }
