package graph

import "github.com/seed52467199/trainer/graph/op"

// Calls lists the operations that compute the outputs, in an order in which they
// could run, as they were built: before any fusion, and without a device. It
// serves to count what a network costs.
func (g *Graph) Calls(outputs ...*Node) ([]op.Call, error) {
	if g.err != nil {
		return nil, g.err
	}
	low, err := lower(g, outputs)
	if err != nil {
		return nil, err
	}
	calls := make([]op.Call, len(low.steps))
	for i, s := range low.steps {
		calls[i] = s.call(g.dtype)
	}
	return calls, nil
}
