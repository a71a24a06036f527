// Package cpu is the device that computes with the processor: memory and
// kernels for the operations of graph/op.
//
// A [Device] made with [New] turns an [op.Call] (an operation with its shapes
// and element type) into an [op.Kernel] in two steps. For float32 it first looks
// for a fast kernel, made from the loops of packages conv, gemm and vec, which
// use the instruction set in force (see package isa). Where there is none it
// takes the portable kernel. Those exist for every operation, in plain Go and
// generic over float32 and float64: they say in the simplest way what the
// operation means, and every faster kernel and every gradient is tested against
// them. Each family of operations has one file, named like the one in graph/op
// that declares it, and the fast kernels stand beside it in a file ending in
// _fast.
//
// A kernel is a list of stages that run one after another. A stage is a number
// of independent pieces which the device's threads share. Where the pieces are
// cut depends on the operation's shapes alone, and every sum has a fixed order,
// so a result has the same bits for any number of threads.
//
// [op.Kernel.Bind] prepares everything that a run needs; a run allocates
// nothing.
package cpu
