package cpu

import "github.com/seed52467199/trainer/graph/op"

// convolution is the geometry of a convolution and its two gradients.
type convolution struct {
	op.Window
	n, h, w, c int // the input
	oh, ow, k  int // the result
	groups     int
	cg, kg     int // channels of the input and of the result in a group
}

func newConvolution(w op.Window, groups int, x, y op.Shape) convolution {
	return convolution{Window: w, n: x[0], h: x[1], w: x[2], c: x[3], oh: y[1], ow: y[2], k: y[3],
		groups: groups, cg: x[3] / groups, kg: y[3] / groups}
}

// tap is the place that tap k of window o covers along an axis of n elements,
// and whether that is not padding.
func tap(o, stride, k, dilation, pad, n int) (at int, inside bool) {
	at = o*stride + k*dilation - pad
	return at, at >= 0 && at < n
}

// window is the inverse of tap: the window whose tap k covers place at.
func window(at, stride, k, dilation, pad, n int) (o int, exists bool) {
	o = at + pad - k*dilation
	return o / stride, o >= 0 && o%stride == 0 && o/stride < n
}

// outputs is the number of sums that the convolution kernels carry at a time.
const outputs = 64

func conv2D[T number](c op.Call, o op.Conv2D) plan {
	g := newConvolution(o.Window, o.Groups, c.In[0], partOf(c, o))
	p := convForward[T](g, o.Bias, limitsOf[T](o.Clip), max(o.Part.Wide, g.k), o.Part.Start)
	if !o.Moments {
		return into(c, o, p)
	}
	n, ch := columnsOf(c.Out[0])
	return plan{scratch: p.scratch, bind: func(m operands) []stage {
		y, mean, variance := as[T](m.out[0]), as[T](m.out[1]), as[T](m.out[2])
		return append(p.bind(m), channels(ch).stage(func(lo, hi int) {
			var means, vars block
			momentsOf(&means, &vars, y, n, ch, lo, hi)
			for k := lo; k < hi; k++ {
				mean[k], variance[k] = T(means[k-lo]), T(vars[k-lo])
			}
		}))
	}}
}

// partOf is the shape of what a convolution makes, without the other channels of a
// whole of which it is a part.
func partOf(c op.Call, o op.Conv2D) op.Shape {
	y := c.Out[0].Clone()
	y[3] = c.In[1][3]
	return y
}

// into is p after a copy of the whole into which its part goes, where that is wanted.
func into(c op.Call, o op.Conv2D, p plan) plan {
	if !o.Part.Into {
		return p
	}
	n := op.Size(c.Out[0]) * c.DType.Bytes()
	bind := p.bind
	p.bind = func(m operands) []stage {
		whole, y := m.in[len(m.in)-1], m.out[0]
		stages := bind(m)
		if &whole[0] == &y[0] {
			return stages
		}
		return append([]stage{elements(n).stage(func(lo, hi int) { copy(y[lo:hi], whole[lo:hi]) })}, stages...)
	}
	return p
}

func conv2DInputGrad[T number](c op.Call, o op.Conv2DInputGrad) plan {
	p := convInputGrad[T](newConvolution(o.Window, o.Groups, c.Out[0], c.In[0]), o.Add)
	if !o.Norm.On {
		return p
	}
	n, ch := columnsOf(c.Out[0])
	return plan{scratch: p.scratch, bind: func(m operands) []stage {
		g, dgamma, dbeta := as[T](m.out[0]), as[T](m.out[1]), as[T](m.out[2])
		norm := normMaskOf[T](o, m)
		return append(p.bind(m), channels(ch).stage(func(lo, hi int) {
			for k := lo; k < hi; k++ {
				var gs, bs float64
				for i := range n {
					at := i*ch + k
					if !norm.passes(at, k) {
						g[at] = 0
					}
					gs += float64(g[at]) * (float64(norm.x[at]) - float64(norm.mean[k])) * float64(norm.invStd[k])
					bs += float64(g[at])
				}
				dgamma[k], dbeta[k] = T(gs), T(bs)
			}
		}))
	}}
}

// normMask is the operands of an op.NormMask.
type normMask[T number] struct {
	x, mean, invStd []T
	gamma, beta, y  []T
	clip            limits[T]
}

func normMaskOf[T number](o op.Conv2DInputGrad, m operands) normMask[T] {
	in := m.in[2:]
	if o.Add {
		in = in[1:]
	}
	n := normMask[T]{x: as[T](in[0]), mean: as[T](in[1]), invStd: as[T](in[2]), clip: limitsOf[T](o.Norm.Clip)}
	switch {
	case !o.Norm.Clip.On():
	case o.Norm.Residual:
		n.y = as[T](in[3])
	default:
		n.gamma, n.beta = as[T](in[3]), as[T](in[4])
	}
	return n
}

// passes tells whether the value at an element of channel k was inside the clip.
func (n *normMask[T]) passes(at, k int) bool {
	switch {
	case n.y != nil:
		return n.clip.passes(n.y[at])
	case n.gamma != nil:
		return n.clip.passes(T(normalised(n.x[at], n.mean[k], n.invStd[k], n.gamma[k], n.beta[k])))
	}
	return true
}

func conv2DWeightGrad[T number](c op.Call, o op.Conv2DWeightGrad) plan {
	return convWeightGrad[T](newConvolution(o.Window, o.Groups, c.In[0], c.In[1]))
}

// convForward makes one row of the result a piece. The result's channels are those
// from start on of pixels that have wide channels.
func convForward[T number](g convolution, bias bool, clip limits[T], wide, start int) plan {
	return overRows(each(g.n*g.oh), func(m operands) func(lo, hi int) {
		x, w, y := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		var b []T
		if bias {
			b = as[T](m.in[2])
		}
		return func(lo, hi int) {
			for p := lo * g.ow; p < hi*g.ow; p++ {
				for group := range g.groups {
					for k := group * g.kg; k < (group+1)*g.kg; k += outputs {
						to := y[p*wide+start:][:g.k]
						convPixel(&g, x, w, b, to[k:min(k+outputs, (group+1)*g.kg)], clip, p, group, k)
					}
				}
			}
		}
	})
}

// convPixel makes y, the results from channel k on of pixel p.
func convPixel[T number](g *convolution, x, w, bias, y []T, clip limits[T], p, group, k int) {
	var sums [outputs]float64
	acc := sums[:len(y)]
	if bias != nil {
		for j := range acc {
			acc[j] = float64(bias[k+j])
		}
	}
	n, oy, ox := p/(g.oh*g.ow), p/g.ow%g.oh, p%g.ow
	for kh := range g.KH {
		iy, inside := tap(oy, g.StrideH, kh, g.DilationH, g.PadTop, g.h)
		if !inside {
			continue
		}
		for kw := range g.KW {
			ix, inside := tap(ox, g.StrideW, kw, g.DilationW, g.PadLeft, g.w)
			if !inside {
				continue
			}
			pixel := x[((n*g.h+iy)*g.w+ix)*g.c+group*g.cg:][:g.cg]
			for c, v := range pixel {
				weights := w[((kh*g.KW+kw)*g.cg+c)*g.k+k:][:len(acc)]
				for j, f := range weights {
					acc[j] += float64(v) * float64(f)
				}
			}
		}
	}
	for j, v := range acc {
		y[j] = clip.value(T(v))
	}
}

// convInputGrad makes one row of the input's gradient a piece. It gathers what
// each window hands back, so that no two pieces write to one place.
func convInputGrad[T number](g convolution, add bool) plan {
	return overRows(each(g.n*g.h), func(m operands) func(lo, hi int) {
		dy, w, dx := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		var before []T
		if add {
			before = as[T](m.in[2])
		}
		return func(lo, hi int) {
			for p := lo * g.w; p < hi*g.w; p++ {
				for c := range g.c {
					sum := convInputSum(&g, dy, w, p, c)
					if add {
						sum += float64(before[p*g.c+c])
					}
					dx[p*g.c+c] = T(sum)
				}
			}
		}
	})
}

// convInputSum is the gradient of channel c of the input's pixel p.
func convInputSum[T number](g *convolution, dy, w []T, p, c int) (sum float64) {
	n, iy, ix := p/(g.h*g.w), p/g.w%g.h, p%g.w
	group := c / g.cg
	for kh := range g.KH {
		oy, exists := window(iy, g.StrideH, kh, g.DilationH, g.PadTop, g.oh)
		if !exists {
			continue
		}
		for kw := range g.KW {
			ox, exists := window(ix, g.StrideW, kw, g.DilationW, g.PadLeft, g.ow)
			if !exists {
				continue
			}
			grads := dy[((n*g.oh+oy)*g.ow+ox)*g.k+group*g.kg:][:g.kg]
			weights := w[((kh*g.KW+kw)*g.cg+c%g.cg)*g.k+group*g.kg:][:g.kg]
			for j, d := range grads {
				sum += float64(d) * float64(weights[j])
			}
		}
	}
	return sum
}

// convWeightGrad makes the weights of one tap and one input channel of each
// group a piece.
func convWeightGrad[T number](g convolution) plan {
	return overRows(each(g.KH*g.KW*g.cg), func(m operands) func(lo, hi int) {
		x, dy, dw := as[T](m.in[0]), as[T](m.in[1]), as[T](m.out[0])
		return func(lo, hi int) {
			for row := lo; row < hi; row++ {
				for group := range g.groups {
					for k := group * g.kg; k < (group+1)*g.kg; k += outputs {
						convWeights(&g, x, dy, dw[row*g.k+k:row*g.k+min(k+outputs, (group+1)*g.kg)], row, group, k)
					}
				}
			}
		}
	})
}

// convWeights makes dw, the gradients from output channel k on of a row (tap
// and input channel) of the weights.
func convWeights[T number](g *convolution, x, dy, dw []T, row, group, k int) {
	var sums [outputs]float64
	acc := sums[:len(dw)]
	kh, kw, c := row/(g.KW*g.cg), row/g.cg%g.KW, group*g.cg+row%g.cg
	for n := range g.n {
		for oy := range g.oh {
			iy, inside := tap(oy, g.StrideH, kh, g.DilationH, g.PadTop, g.h)
			if !inside {
				continue
			}
			for ox := range g.ow {
				ix, inside := tap(ox, g.StrideW, kw, g.DilationW, g.PadLeft, g.w)
				if !inside {
					continue
				}
				v := float64(x[((n*g.h+iy)*g.w+ix)*g.c+c])
				grads := dy[((n*g.oh+oy)*g.ow+ox)*g.k+k:][:len(acc)]
				for j, d := range grads {
					acc[j] += v * float64(d)
				}
			}
		}
	}
	for j, v := range acc {
		dw[j] = T(v)
	}
}
