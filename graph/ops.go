package graph

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
)

// Conv2D is the convolution of x (N, H, W, C) with w (KH, KW, C/groups, K), plus
// bias (K) unless nil.
func (g *Graph) Conv2D(x, w, bias *Node, win op.Window, groups int) *Node {
	if bias == nil {
		return g.Apply(op.Conv2D{Window: win, Groups: groups}, x, w)
	}
	return g.Apply(op.Conv2D{Window: win, Groups: groups, Bias: true}, x, w, bias)
}

// Linear is x (..., I) times w (I, O), plus bias (O) unless nil.
func (g *Graph) Linear(x, w, bias *Node) *Node {
	if bias == nil {
		return g.Apply(op.Linear{}, x, w)
	}
	return g.Apply(op.Linear{Bias: true}, x, w, bias)
}

// Activation applies f with its default parameter.
func (g *Graph) Activation(x *Node, f op.Act) *Node { return g.ActivationAlpha(x, f, DefaultAlpha(f)) }

// ActivationAlpha applies f with a parameter.
func (g *Graph) ActivationAlpha(x *Node, f op.Act, alpha float64) *Node {
	return g.Apply(op.Activation{Func: f, Alpha: alpha}, x)
}

// DefaultAlpha is PyTorch's default parameter of an activation that has one.
func DefaultAlpha(f op.Act) float64 {
	if f == op.LeakyReLU {
		return 0.01
	}
	return 1
}

// ReLU is max(x, 0).
func (g *Graph) ReLU(x *Node) *Node { return g.Activation(x, op.ReLU) }

// MaxPool is the maximum over each window of x (N, H, W, C).
func (g *Graph) MaxPool(x *Node, win op.Window, ceil bool) *Node {
	return g.Apply(op.MaxPool{Window: win, Ceil: ceil}, x)
}

// AvgPool is the mean over each window of x (N, H, W, C).
func (g *Graph) AvgPool(x *Node, win op.Window, ceil, countPad bool) *Node {
	return g.Apply(op.AvgPool{Window: win, Ceil: ceil, CountPad: countPad}, x)
}

// GlobalAvgPool is the mean over height and width: (N, H, W, C) to (N, C).
func (g *Graph) GlobalAvgPool(x *Node) *Node { return g.Apply(op.GlobalAvgPool{}, x) }

// GlobalMaxPool is the maximum over height and width: (N, H, W, C) to (N, C).
func (g *Graph) GlobalMaxPool(x *Node) *Node {
	if x == nil {
		return nil
	}
	s := x.Shape()
	if len(s) != 4 {
		return g.Fail(fmt.Errorf("global_max_pool: its input is %v, want (N, H, W, C)", s))
	}
	win := op.Square(1, 1, 0)
	win.KH, win.KW = s[1], s[2]
	return g.Reshape(g.MaxPool(x, win, false), s[0], s[3])
}

// Add is a + b with broadcasting.
func (g *Graph) Add(a, b *Node) *Node { return g.Apply(op.Add{}, a, b) }

// Sum adds up one value or more.
func (g *Graph) Sum(x ...*Node) *Node {
	sum := x[0]
	for _, y := range x[1:] {
		sum = g.Add(sum, y)
	}
	return sum
}

// Mul is a * b, element by element, with broadcasting.
func (g *Graph) Mul(a, b *Node) *Node { return g.Apply(op.Mul{}, a, b) }

// Sub is a - b with broadcasting. b should be the smaller one.
func (g *Graph) Sub(a, b *Node) *Node { return g.Add(a, g.Scale(b, -1)) }

// Power is (x + shift)^exponent, element by element.
func (g *Graph) Power(x *Node, exponent, shift float64) *Node {
	return g.Apply(op.Power{Exponent: exponent, Shift: shift}, x)
}

// Exp is e^x, element by element.
func (g *Graph) Exp(x *Node) *Node { return g.Apply(op.Exp{}, x) }

// Scale is factor * x.
func (g *Graph) Scale(x *Node, factor float64) *Node { return g.Apply(op.Scale{Factor: factor}, x) }

// Mean is the mean of all elements, a scalar.
func (g *Graph) Mean(x *Node) *Node { return g.Apply(op.Mean{}, x) }

// SumTo sums over the axes along which a value of this shape would have to stretch
// to become x.
func (g *Graph) SumTo(x *Node, shape ...int) *Node { return g.Apply(op.SumTo{Shape: shape}, x) }

// MeanTo is the mean over those axes.
func (g *Graph) MeanTo(x *Node, shape ...int) *Node {
	if x == nil {
		return nil
	}
	return g.Scale(g.SumTo(x, shape...), float64(op.Size(shape))/float64(op.Size(x.Shape())))
}

// MaxTo is the maximum over those axes.
func (g *Graph) MaxTo(x *Node, shape ...int) *Node { return g.Apply(op.MaxTo{Shape: shape}, x) }

// Concat joins values along an axis.
func (g *Graph) Concat(axis int, x ...*Node) *Node { return g.Apply(op.Concat{Axis: axis}, x...) }

// Slice is the part [start, end) of an axis, or each stride-th element of it.
func (g *Graph) Slice(x *Node, axis, start, end, stride int) *Node {
	return g.Apply(op.Slice{Axis: axis, Start: start, End: end, Stride: stride}, x)
}

// ZeroPad puts so many zeros before and after x along an axis. The gradient of a slice is
// what pads.
func (g *Graph) ZeroPad(x *Node, axis, before, after int) *Node {
	if x == nil {
		return nil
	}
	end := before + x.Shape()[axis]
	return g.Apply(op.SliceGrad{Slice: op.Slice{Axis: axis, Start: before, End: end}, Size: end + after}, x)
}

// Reshape gives x another shape of as many elements.
func (g *Graph) Reshape(x *Node, shape ...int) *Node { return g.Apply(op.Reshape{To: shape}, x) }

// Permute puts the axes of x in another order: axis i of the result is axes[i] of x.
func (g *Graph) Permute(x *Node, axes ...int) *Node { return g.Apply(op.Permute{Axes: axes}, x) }

// Gather takes rows of x (..., R, C) by constant indices, zeros for negative ones.
func (g *Graph) Gather(x *Node, index []int) *Node { return g.Apply(op.Gather{Index: index}, x) }

// MatMul is the product of matrices a (..., M, K) and b (..., K, N); transA and transB
// turn them round first.
func (g *Graph) MatMul(a, b *Node, transA, transB bool) *Node {
	return g.Apply(op.MatMul{TransA: transA, TransB: transB}, a, b)
}

// Flatten makes (N, ...) into (N, F).
func (g *Graph) Flatten(x *Node) *Node {
	if x == nil {
		return nil
	}
	s := x.Shape()
	return g.Reshape(x, s[0], op.Size(s[1:]))
}

// Dropout zeroes elements with probability p while training.
func (g *Graph) Dropout(x *Node, p float64) *Node {
	stream := g.nextStream()
	if !g.Training() || p == 0 {
		return x
	}
	return g.Apply(op.Dropout{P: p, Stream: stream}, x)
}

// DropPath zeroes whole samples with probability p while training.
func (g *Graph) DropPath(x *Node, p float64) *Node {
	stream := g.nextStream()
	if !g.Training() || p == 0 {
		return x
	}
	return g.Apply(op.DropPath{P: p, Stream: stream}, x)
}

// Bernoulli is 1 with the probability that each element of x tells, else 0, drawn anew in
// each pass. No gradient passes it.
func (g *Graph) Bernoulli(x *Node) *Node { return g.Apply(op.Bernoulli{Stream: g.nextStream()}, x) }

// Detach is x as a constant: no gradient passes it.
func (g *Graph) Detach(x *Node) *Node { return g.Apply(op.Detach{}, x) }

// Softmax normalises over the last axis.
func (g *Graph) Softmax(x *Node) *Node { return g.Apply(op.Softmax{}, x) }

// CrossEntropy is the mean loss of logits (N, K) against class indices (N) or,
// where the target is (N, K), distributions.
func (g *Graph) CrossEntropy(logits, target *Node, smoothing float64) *Node {
	if logits == nil || target == nil {
		return nil
	}
	return g.Apply(op.CrossEntropy{Soft: target.Dims() == 2, Smoothing: smoothing}, logits, target)
}

// BCEWithLogits is the mean binary cross-entropy of logits and targets of one shape.
func (g *Graph) BCEWithLogits(logits, target *Node, sumClasses bool) *Node {
	return g.Apply(op.BCEWithLogits{SumClasses: sumClasses}, logits, target)
}

// SigmoidFocal is the mean focal loss of logits and targets of one shape, one question
// a class; a negative alpha leaves the balance out.
func (g *Graph) SigmoidFocal(logits, target *Node, alpha, gamma float64) *Node {
	return g.Apply(op.SigmoidFocal{Alpha: alpha, Gamma: gamma}, logits, target)
}

// SoftmaxFocal is the mean focal loss of logits against distributions, both (N, K).
func (g *Graph) SoftmaxFocal(logits, target *Node, gamma float64) *Node {
	return g.Apply(op.SoftmaxFocal{Gamma: gamma}, logits, target)
}

// Asymmetric is the asymmetric loss of logits and targets (N, K), one question a class,
// summed over the classes.
func (g *Graph) Asymmetric(logits, target *Node, gammaPos, gammaNeg, clip float64) *Node {
	return g.Apply(op.Asymmetric{GammaPos: gammaPos, GammaNeg: gammaNeg, Clip: clip}, logits, target)
}

// SoftmaxAsymmetric is the asymmetric loss of logits against distributions, both
// (N, K).
func (g *Graph) SoftmaxAsymmetric(logits, target *Node, gammaPos, gammaNeg, smoothing float64) *Node {
	return g.Apply(op.SoftmaxAsymmetric{GammaPos: gammaPos, GammaNeg: gammaNeg, Smoothing: smoothing}, logits, target)
}

// JensenShannon is the mean divergence of what a network says of several versions of
// the same pictures: logits (splits*N, K), version after version.
func (g *Graph) JensenShannon(logits *Node, splits int) *Node {
	return g.Apply(op.JensenShannon{Splits: splits}, logits)
}

// MSE is the mean squared difference of a prediction and a target of one shape.
func (g *Graph) MSE(prediction, target *Node) *Node { return g.Apply(op.MSE{}, prediction, target) }

// MAE is the mean absolute difference of a prediction and a target of one shape.
func (g *Graph) MAE(prediction, target *Node) *Node { return g.Apply(op.MAE{}, prediction, target) }

// Huber is the mean of Huber's loss, quadratic up to a difference of delta and linear
// beyond.
func (g *Graph) Huber(prediction, target *Node, delta float64) *Node {
	return g.Apply(op.Huber{Delta: delta}, prediction, target)
}

// SmoothL1 is Huber's loss divided by its delta, beta; for a beta of 0 the mean absolute
// difference.
func (g *Graph) SmoothL1(prediction, target *Node, beta float64) *Node {
	if beta == 0 {
		return g.MAE(prediction, target)
	}
	return g.Scale(g.Huber(prediction, target, beta), 1/beta)
}
