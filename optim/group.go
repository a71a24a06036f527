package optim

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// Group is a set of parameters that share their hyperparameters.
type Group struct {
	// LRScale multiplies the schedule's learning rate.
	LRScale float64
	// WeightDecay is the group's weight decay.
	WeightDecay float64
	// Params are the members.
	Params []*graph.Param
}

// NoDecay tells whether a parameter is left out of weight decay by the usual rule:
// biases and everything with at most one axis, such as the scales of norms.
func NoDecay(p *graph.Param) bool { return p.Role != graph.Weight || len(p.FileShape()) <= 1 }

// DecayWeights is the usual rule for GroupBy: factor 1, and weight decay for
// all parameters but those of NoDecay.
func DecayWeights(weightDecay float64) func(*graph.Param) (float64, float64) {
	return func(p *graph.Param) (float64, float64) {
		if NoDecay(p) {
			return 1, 0
		}
		return 1, weightDecay
	}
}

// GroupBy sorts parameters into groups by the learning rate factor and weight
// decay that rule gives each, in the order in which these pairs first appear.
func GroupBy(params []*graph.Param, rule func(*graph.Param) (lrScale, weightDecay float64)) []Group {
	type key struct{ scale, decay float64 }
	index := map[key]int{}
	var groups []Group
	for _, p := range params {
		var k key
		k.scale, k.decay = rule(p)
		i, ok := index[k]
		if !ok {
			i = len(groups)
			index[k] = i
			groups = append(groups, Group{LRScale: k.scale, WeightDecay: k.decay})
		}
		groups[i].Params = append(groups[i].Params, p)
	}
	return groups
}

// segments lists where the groups' parameters lie in the flat memory.
func segments(groups []Group) []op.Segment {
	var list []op.Segment
	for i, g := range groups {
		for _, p := range g.Params {
			list = append(list, op.Segment{Offset: p.Offset(), Len: p.Len(), Group: i})
		}
	}
	return list
}
