package models

import (
	"fmt"
	"slices"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Trunk is a network up to its last map, before pooling and classifier.
type Trunk struct {
	// Features are that map (N, h, w, C).
	Features *graph.Node
	// Sizes are the heights and widths by which a decoder goes back: the features' first
	// and the images' last, and between them those of the maps on the way, as far as
	// each is half as large again as the one before.
	Sizes [][2]int
}

// Trunk adds the network up to its features to a graph, for images x (N, H, W, C). It
// refuses networks that do not keep what they know of an image in maps, such as
// transformers and perceptrons.
func (m *Model) Trunk(g *graph.Graph, x *graph.Node) (Trunk, error) {
	t := Trunk{}
	calls, err := g.Trace(m.Forward(g, x))
	if err != nil {
		return t, err
	}
	images := x.Shape()
	behind := map[int]bool{} // values made of nothing but parameters and what was pooled, or by the classifier
	sizes := map[[2]int]bool{}
	for _, c := range calls {
		late := pools(c) || allBehind(c, behind) || slices.ContainsFunc(c.In, func(in graph.Operand) bool { return m.classifies(in.Param) })
		for _, out := range c.Out {
			behind[out.ID] = late
		}
		s := c.Out[0].Shape
		if late || c.Out[0].Node == nil || !isMap(s, images) || t.Features != nil && places(s) > places(t.Features.Shape()) {
			continue
		}
		t.Features = c.Out[0].Node
		sizes[[2]int{s[1], s[2]}] = true
	}
	if t.Features == nil || len(m.Config.Positions) > 0 || 2*m.tensors(g, t.Features) < m.tensorsOf(calls) {
		return t, fmt.Errorf("model %s does not keep its features in maps; take a convolutional network, such as resnet18", m.Name)
	}
	t.Sizes = back([2]int{t.Features.Shape()[1], t.Features.Shape()[2]}, sizes, [2]int{images[1], images[2]})
	return t, nil
}

// isMap tells whether a value is a map of these images: both its sides are about as many
// times smaller.
func isMap(s, images graph.Shape) bool {
	return len(s) == 4 && s[0] == images[0] && 2*images[1]*s[2] <= 3*images[2]*s[1] && 2*images[2]*s[1] <= 3*images[1]*s[2]
}

// places is the number of places of a map.
func places(s graph.Shape) int { return s[1] * s[2] }

// pools tells whether an operation forgets where in a map something was.
func pools(c graph.Traced) bool {
	switch c.Op.(type) {
	case op.GlobalAvgPool, op.SumTo, op.MaxTo:
		return true
	}
	in, out := c.In[0].Shape, c.Out[0].Shape
	return len(in) == 4 && len(out) == 4 && places(out) == 1 && places(in) >= 9
}

// allBehind tells whether an operation reads nothing but such values and parameters.
func allBehind(c graph.Traced, behind map[int]bool) bool {
	return !slices.ContainsFunc(c.In, func(in graph.Operand) bool { return in.Param == nil && !behind[in.ID] })
}

// back are the sizes from that of the features to that of the images.
func back(from [2]int, sizes map[[2]int]bool, to [2]int) [][2]int {
	way := [][2]int{from}
	if from == to {
		return way
	}
	list := make([][2]int, 0, len(sizes))
	for s := range sizes {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b [2]int) int { return a[0]*a[1] - b[0]*b[1] })
	far := func(a, b [2]int) bool { return 2*b[0] >= 3*a[0] && 2*b[1] >= 3*a[1] }
	for _, s := range list {
		if far(way[len(way)-1], s) && far(s, to) {
			way = append(way, s)
		}
	}
	return append(way, to)
}

// classifies tells whether a parameter is the classifier's; nil is none.
func (m *Model) classifies(p *graph.Param) bool {
	return p != nil && slices.Contains(m.Config.Classifier, p.Layer())
}

// tensors counts the trained tensors beside the classifier's that a node depends on.
func (m *Model) tensors(g *graph.Graph, n *graph.Node) int {
	calls, err := g.Trace(n)
	if err != nil {
		return 0
	}
	return m.tensorsOf(calls)
}

func (m *Model) tensorsOf(calls []graph.Traced) int {
	seen := map[*graph.Param]bool{}
	for _, c := range calls {
		for _, in := range c.In {
			if in.Param != nil && in.Param.Role.Trained() && !m.classifies(in.Param) {
				seen[in.Param] = true
			}
		}
	}
	return len(seen)
}
