// Package acts holds activation functions of one number and their derivatives, right to
// float64's precision however far from zero.
//
// The generic kernels of package cpu, and the portable ones of package vec that the vector
// kernels are held against, apply them to slices. Where a function is a product of x and a
// gate, a gate that is shut lets nothing of an infinite x pass ([Gated]).
package acts
