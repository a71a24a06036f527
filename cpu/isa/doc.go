// Package isa tells which instruction set the fast kernels may use.
//
// The level is chosen once, from the processor and the operating system, and
// can be forced down (never up) with the environment variable TRAINER_CPU,
// which takes generic, avx2 or avx512. Kernels ask [Active] when they are
// made, not while they run.
package isa
