package layers

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// SameConv is a convolution padded as TensorFlow pads, as a ConvFunc: the result has the
// extent of the map divided by the stride and rounded up, and where the padding that takes
// is odd, more of it lies behind. It depends on the map's size and ignores c.Pad.
func SameConv(s graph.Scope, in, out, k int, c graph.ConvConfig) graph.Module {
	conv := graph.NewConv(s, in, out, k, c)
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		return conv.Convolve(g, x, g.Param(conv.Weight), SamePadded(conv.Window, x.Shape()[1], x.Shape()[2]))
	})
}

// SamePadded is a window with TensorFlow's padding for a map of height h and width w.
func SamePadded(win op.Window, h, w int) op.Window {
	pads := func(extent, k, stride, dilation int) (before, after int) {
		total := max(0, ((extent+stride-1)/stride-1)*stride+dilation*(k-1)+1-extent)
		return total / 2, total - total/2
	}
	win.PadTop, win.PadBottom = pads(h, win.KH, win.StrideH, win.DilationH)
	win.PadLeft, win.PadRight = pads(w, win.KW, win.StrideW, win.DilationW)
	return win
}
