package layers

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// PixelShuffle makes maps r times as high and wide of r*r times the channels (Shi et al.,
// arXiv 1609.05158): (N, H, W, r*r*C) to (N, r*H, r*W, C), in PyTorch's order.
func PixelShuffle(r int) graph.Module {
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
		if c%(r*r) != 0 {
			return g.Fail(fmt.Errorf("pixel shuffle by %d: %d channels; they should be a multiple of %d", r, c, r*r))
		}
		c /= r * r
		return g.Reshape(g.Permute(g.Reshape(x, n, h, w, c, r, r), 0, 1, 4, 2, 5, 3), n, h*r, w*r, c)
	})
}

// PixelUnshuffle is the inverse of PixelShuffle: (N, r*H, r*W, C) to (N, H, W, r*r*C).
func PixelUnshuffle(r int) graph.Module {
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
		if h%r != 0 || w%r != 0 {
			return g.Fail(fmt.Errorf("pixel unshuffle by %d: a map of %dx%d; its sides should be multiples", r, h, w))
		}
		return g.Reshape(g.Permute(g.Reshape(x, n, h/r, r, w/r, r, c), 0, 1, 3, 5, 2, 4), n, h/r, w/r, c*r*r)
	})
}

// BlurPool smooths a map by a binomial filter of this size before it takes every stride-th
// pixel (Zhang, arXiv 1904.11486), mirrored at the border: (N, H, W, C) to (N,
// ceil(H/stride), ceil(W/stride), C).
func BlurPool(size, stride int) graph.Module {
	weights := []float64{1}
	for range size - 1 {
		next := make([]float64, len(weights)+1)
		for i, w := range weights {
			next[i] += w / 2
			next[i+1] += w / 2
		}
		weights = next
	}
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		for axis := 1; axis <= 2 && x != nil; axis++ {
			x = blurred(g, x, axis, stride, weights)
		}
		return x
	})
}

// blurred filters one axis.
func blurred(g *graph.Graph, x *graph.Node, axis, stride int, weights []float64) *graph.Node {
	shape := x.Shape()
	n := shape[axis]
	pad := (stride - 1 + len(weights) - 1) / 2
	if pad >= n {
		return g.Fail(fmt.Errorf("blur pool: a map of %dx%d is too small to be mirrored by %d pixels", shape[1], shape[2], pad))
	}
	index := make([]int, n+2*pad)
	for i := range index {
		at := i - pad
		if at < 0 {
			at = -at
		} else if at >= n {
			at = 2*(n-1) - at
		}
		index[i] = at
	}
	rest := shape[3]
	if axis == 1 {
		rest *= shape[2]
	}
	x = g.Gather(g.Reshape(x, op.Size(shape)/(n*rest), n, rest), index)
	out := (len(index)-len(weights))/stride + 1
	taps := make([]*graph.Node, len(weights))
	for i, w := range weights {
		taps[i] = g.Scale(g.Slice(x, 1, i, i+(out-1)*stride+1, stride), w)
	}
	to := shape.Clone()
	to[axis] = out
	return g.Reshape(g.Sum(taps...), to...)
}

// DropBlock zeroes squares of size x size pixels of each channel while training, so that
// about a part p of the map is lost, and scales what remains (Ghiasi et al., arXiv
// 1810.12890). Squares may hang over the border, as in timm's fast form; scale multiplies
// the rate.
func DropBlock(p float64, size int, scale float64) graph.Module {
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		if x == nil || p == 0 || !g.Training() {
			return g.Dropout(x, 0) // the stream is counted in evaluation, too
		}
		h, w := x.Shape()[1], x.Shape()[2]
		side := min(size, h, w)
		rate := scale * p * float64(h*w) / float64(side*side) / float64((w-side+1)*(h-side+1))
		ones := g.Power(x, 0, 0)
		seeds := g.Scale(g.Dropout(ones, 1-min(rate, 1)), min(rate, 1))
		lost := g.MaxPool(seeds, squareAround(side), false)
		keep := g.Sub(ones, lost)
		kept := g.Power(g.MeanTo(keep, 1, 1, 1, 1), -1, 1e-7)
		return g.Mul(x, g.Mul(keep, kept))
	})
}

// squareAround is a window of n x n pixels around each pixel.
func squareAround(n int) op.Window {
	w := op.Square(n, 1, n/2)
	w.PadBottom, w.PadRight = (n-1)/2, (n-1)/2
	return w
}
