package graph

import (
	"fmt"

	"github.com/seed52467199/trainer/graph/op"
)

// Module is a part of a network. Its constructor declares its parameters; Forward
// adds its computation to a graph, as often as graphs are made.
type Module interface {
	Forward(g *Graph, x *Node) *Node
}

// Func makes a Module of a function without parameters.
type Func func(g *Graph, x *Node) *Node

// Forward implements Module.
func (f Func) Forward(g *Graph, x *Node) *Node { return f(g, x) }

// Sequential runs its modules one after the other.
type Sequential []Module

// Forward implements Module.
func (s Sequential) Forward(g *Graph, x *Node) *Node {
	for _, m := range s {
		x = m.Forward(g, x)
	}
	return x
}

// Convolution is a 2-d convolution with its weight and, where it has one, bias.
type Convolution struct {
	Window op.Window
	Groups int
	Weight *Param
	Bias   *Param // nil without
}

// ConvConfig is what a Convolution needs beyond its channels and kernel size.
// Zero values mean stride 1, no padding, dilation 1, one group, no bias, and the
// scope's initialisation.
type ConvConfig struct {
	Stride, Pad, Dilation, Groups int
	Bias                          bool
	Init                          Init // of the weight
	BiasInit                      Init
	// Window, where KH is set, takes the place of the kernel size, Stride, Pad and Dilation.
	Window op.Window
}

// NewConv declares a k x k convolution from in to out channels as weight and bias.
func NewConv(s Scope, in, out, k int, c ConvConfig) *Convolution {
	if c.Window.KH == 0 {
		c.Window = op.Square(k, max(c.Stride, 1), c.Pad)
		c.Window.DilationH, c.Window.DilationW = max(c.Dilation, 1), max(c.Dilation, 1)
	}
	groups := max(c.Groups, 1)
	if in%groups != 0 || out%groups != 0 {
		s.Fail(fmt.Errorf("%s: %d groups do not divide %d input and %d output channels", s.Name("weight"), groups, in, out))
	}
	shape := Shape{c.Window.KH, c.Window.KW, in / groups, out}
	if c.Init == nil {
		c.Init = s.conv
	}
	if c.Init == nil {
		c.Init = FanInUniform
	}
	m := &Convolution{Window: c.Window, Groups: groups, Weight: s.Param("weight", shape, ConvLayout(shape), Weight, c.Init)}
	if c.Bias {
		if c.BiasInit == nil {
			c.BiasInit = s.bias
		}
		if c.BiasInit == nil {
			c.BiasInit = BiasUniform(shape[0] * shape[1] * shape[2])
		}
		m.Bias = s.Param("bias", Shape{out}, Layout{}, Bias, c.BiasInit)
	}
	return m
}

// Forward implements Module: (N, H, W, in) to (N, OH, OW, out).
func (m *Convolution) Forward(g *Graph, x *Node) *Node {
	return m.Convolve(g, x, g.Param(m.Weight), m.Window)
}

// Convolve is Forward with a weight made of its own, or another window, for layers that
// change either.
func (m *Convolution) Convolve(g *Graph, x, w *Node, win op.Window) *Node {
	return g.Conv2D(x, w, optional(g, m.Bias), win, m.Groups)
}

func optional(g *Graph, p *Param) *Node {
	if p == nil {
		return nil
	}
	return g.Param(p)
}

// Dense is a linear layer with its weight and, where it has one, bias.
type Dense struct {
	Weight *Param
	Bias   *Param // nil without
}

// LinearConfig is what a Dense layer needs beyond its widths.
type LinearConfig struct {
	NoBias         bool
	Init, BiasInit Init
	// MapH and MapW, where set, say that the input is a flattened map of that size,
	// so that files order it channel by channel.
	MapH, MapW int
}

// NewLinear declares a linear layer from in to out features as weight and bias.
func NewLinear(s Scope, in, out int, c LinearConfig) *Dense {
	shape := Shape{in, out}
	layout := LinearLayout(shape)
	if c.MapH > 0 {
		layout = FlattenedLinearLayout(shape, c.MapH, c.MapW)
	}
	if c.Init == nil {
		c.Init = FanInUniform
	}
	m := &Dense{Weight: s.Param("weight", shape, layout, Weight, c.Init)}
	if !c.NoBias {
		if c.BiasInit == nil {
			c.BiasInit = BiasUniform(in)
		}
		m.Bias = s.Param("bias", Shape{out}, Layout{}, Bias, c.BiasInit)
	}
	return m
}

// Forward implements Module: (..., in) to (..., out).
func (m *Dense) Forward(g *Graph, x *Node) *Node {
	return g.Linear(x, g.Param(m.Weight), optional(g, m.Bias))
}

// Norm is batch normalisation over the last axis (arXiv 1502.03167).
type Norm struct {
	Gamma, Beta, Mean, Var, Count *Param
	Eps, Momentum                 float64
	// Frozen normalises by the running statistics in training too, and leaves
	// them alone. So does a norm whose scale and shift are both frozen.
	Frozen bool
}

// Fixed tells whether the running statistics stay as they are in training.
func (m *Norm) Fixed() bool { return m.Frozen || m.Gamma.Frozen && m.Beta.Frozen }

// BatchNormConfig holds what differs from PyTorch's defaults: eps 1e-5, momentum
// 0.1, gamma 1.
type BatchNormConfig struct {
	Eps, Momentum float64
	ZeroGamma     bool // start the scale at 0, as for the last norm of a residual block
	Gamma, Beta   Init // draw scale and shift; nil means these constants
}

// NewBatchNorm declares a batch norm of c channels as weight, bias, running_mean,
// running_var and num_batches_tracked.
func NewBatchNorm(s Scope, c int, cfg BatchNormConfig) *Norm {
	if cfg.Eps == 0 {
		cfg.Eps = 1e-5
	}
	if cfg.Momentum == 0 {
		cfg.Momentum = 0.1
	}
	gamma, beta := Ones, Zeros
	if cfg.ZeroGamma {
		gamma = Zeros
	}
	if cfg.Gamma != nil {
		gamma = cfg.Gamma
	}
	if cfg.Beta != nil {
		beta = cfg.Beta
	}
	return &Norm{
		Gamma: s.Param("weight", Shape{c}, Layout{}, Bias, gamma),
		Beta:  s.Param("bias", Shape{c}, Layout{}, Bias, beta),
		Mean:  s.Param("running_mean", Shape{c}, Layout{}, Statistic, Zeros),
		Var:   s.Param("running_var", Shape{c}, Layout{}, Statistic, Ones),
		Count: s.Param("num_batches_tracked", Shape{}, Layout{}, Counter, Zeros),
		Eps:   cfg.Eps, Momentum: cfg.Momentum,
	}
}

// Forward implements Module: (..., C) to the same.
func (m *Norm) Forward(g *Graph, x *Node) *Node {
	gamma, beta, mean, variance := g.Param(m.Gamma), g.Param(m.Beta), g.Param(m.Mean), g.Param(m.Var)
	if g.Training() && !m.Fixed() {
		return g.Apply(op.BatchNorm{Eps: m.Eps, Momentum: m.Momentum}, x, gamma, beta, mean, variance, g.Param(m.Count))
	}
	return g.Apply(op.BatchNormInference{Eps: m.Eps}, x, gamma, beta, mean, variance)
}

// Activate is an activation function as a Module.
type Activate op.Act

// Forward implements Module.
func (a Activate) Forward(g *Graph, x *Node) *Node { return g.Activation(x, op.Act(a)) }

// Drop is dropout with this probability as a Module.
type Drop float64

// Forward implements Module.
func (p Drop) Forward(g *Graph, x *Node) *Node { return g.Dropout(x, float64(p)) }
