// Package portable computes everything that package vec does, in plain Go and
// for float32 or float64.
//
// It is what vec falls back on where there is no assembly for the processor,
// and the oracle that the assembly is tested against; with float64 it is the
// one that gradients are checked with. Functions have the names and the
// meaning of vec's, where they are documented in full; transcendental
// functions are evaluated in float64, and sums are made in float64.
package portable

// Float is the element type.
type Float interface{ float32 | float64 }
