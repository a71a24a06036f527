package layers

import (
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// ActFunc declares an activation behind this many channels. Most have no
// parameters and leave the scope alone.
type ActFunc func(s graph.Scope, channels int) graph.Module

// Act is an activation without parameters as an ActFunc.
func Act(f op.Act) ActFunc {
	return func(graph.Scope, int) graph.Module { return graph.Activate(f) }
}

// activations are those that configurations choose from.
var activations = plainActivations()

// plainActivations are the activations of package op.
func plainActivations() []Entry {
	var all []Entry
	for _, f := range op.Acts {
		all = append(all, Entry{Name: string(f), Kind: Acts, Family: "elementwise", act: func(*Spec) ActFunc { return Act(f) }})
	}
	return all
}
