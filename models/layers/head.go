package layers

import (
	"fmt"

	"github.com/seed52467199/trainer/graph"
)

// Flatten makes (N, ...) into (N, F).
var Flatten = graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Flatten(x) })

// GlobalAvgPool is the mean over height and width: (N, H, W, C) to (N, C).
var GlobalAvgPool = graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.GlobalAvgPool(x) })

// SpatialMean is GlobalAvgPool that keeps the axes: (N, H, W, C) to (N, 1, 1, C).
var SpatialMean = graph.Func(spatialMean)

// ZeroPad puts n rows and columns of zeros around a map.
func ZeroPad(n int) graph.Module {
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		return g.ZeroPad(g.ZeroPad(x, 1, n, n), 2, n, n)
	})
}

// ChannelShuffle mixes so many groups of channels, one of each in turn (Zhang et al., arXiv
// 1707.01083).
func ChannelShuffle(groups int) graph.Module {
	return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		n, h, w, c := x.Shape()[0], x.Shape()[1], x.Shape()[2], x.Shape()[3]
		if c%groups != 0 {
			return g.Fail(fmt.Errorf("channel shuffle: %d groups do not divide %d channels", groups, c))
		}
		return g.Reshape(g.Permute(g.Reshape(x, n*h*w, groups, c/groups), 0, 2, 1), n, h, w, c)
	})
}

// TokenMean is the mean over tokens: (N, L, C) to (N, C).
var TokenMean = graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
	if x == nil {
		return nil
	}
	n, l, c := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	return g.GlobalAvgPool(g.Reshape(x, n, 1, l, c))
})

// NewPoolHead declares the usual end of a classifier: the mean over height and
// width, dropout, and a linear layer, whose scope is fc: (N, H, W, in) to
// (N, classes).
func NewPoolHead(fc graph.Scope, in, classes int, drop float64, c graph.LinearConfig) graph.Module {
	return graph.Sequential{GlobalAvgPool, graph.Drop(drop), graph.NewLinear(fc, in, classes, c)}
}
