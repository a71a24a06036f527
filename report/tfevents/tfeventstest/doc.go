// Package tfeventstest reads TensorBoard event files back in tests. It knows
// the format on its own and shares no code with the writer.
package tfeventstest
