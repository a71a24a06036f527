package layers

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
)

// Residual is act(branch(x) + shortcut(x)), the block of He et al. (arXiv 1512.03385).
type Residual struct {
	Branch graph.Module
	// Shortcut is nil where it is x itself.
	Shortcut graph.Module
	// Act is the activation of the sum; nil means none, as in linear bottlenecks.
	Act graph.Module
	// DropPath is the probability of leaving the branch out, for each sample, while
	// training.
	DropPath float64
}

// Forward implements graph.Module.
func (r *Residual) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	y := g.DropPath(r.Branch.Forward(g, x), r.DropPath)
	if r.Shortcut != nil {
		x = r.Shortcut.Forward(g, x)
	}
	if y = g.Add(y, x); r.Act == nil {
		return y
	}
	return r.Act.Forward(g, y)
}

// PreActResidual is branch(y) + shortcut(y), where y is the norm and the activation
// of x: the block of He et al., Identity Mappings in Deep Residual Networks, arXiv
// 1603.05027.
type PreActResidual struct {
	// Pre gives y of x; Branch goes on from there.
	Pre, Branch graph.Module
	// Shortcut takes y, too; nil is where it is x itself.
	Shortcut graph.Module
	// DropPath is the probability of leaving the branch out, for each sample, while
	// training.
	DropPath float64
}

// Forward implements graph.Module.
func (r *PreActResidual) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	y := r.Pre.Forward(g, x)
	if r.Shortcut != nil {
		x = r.Shortcut.Forward(g, y)
	}
	return g.Add(g.DropPath(r.Branch.Forward(g, y), r.DropPath), x)
}

// DropPathRate is the probability for block i of n when that of the last one is
// rate: it grows linearly from 0 (Huang et al., arXiv 1603.09382, as timm spaces it).
func DropPathRate(rate float64, i, n int) float64 {
	if n < 2 {
		return rate
	}
	return rate * float64(i) / float64(n-1)
}

// OptionA is the shortcut without parameters of He et al. (arXiv 1512.03385,
// section 3.3, A): every Stride-th pixel, with zeros for the channels that are
// new, half of them before and half after the old ones: (N, H, W, C) to
// (N, ceil(H/Stride), ceil(W/Stride), Channels).
type OptionA struct{ Stride, Channels int }

// Forward implements graph.Module.
func (o OptionA) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	s := x.Shape()
	if len(s) != 4 || s[3] > o.Channels {
		return g.Fail(fmt.Errorf("option-A shortcut: its input is %v, want (N, H, W, C) with at most %d channels", s, o.Channels))
	}
	if o.Stride > 1 {
		x = g.Slice(x, 1, 0, s[1], o.Stride)
		x = g.Slice(x, 2, 0, s[2], o.Stride)
	}
	if s[3] == o.Channels {
		return x
	}
	before := (o.Channels - s[3]) / 2
	return g.ZeroPad(x, 3, before, o.Channels-s[3]-before)
}
