// Package vec computes on slices of float32 with the vector instructions of
// the processor: the loops that all of a network's work outside convolutions
// and matrix products is made of.
//
// Tensors are NHWC. For most functions that means rows of C channels, (rows, C),
// with the channel fastest; elementwise functions see only a flat slice.
//
// # Threads
//
// Every function runs on the calling goroutine, allocates nothing and writes
// nothing beyond its outputs, so callers split work by slicing. Elementwise
// functions and those that keep rows apart give the same bits however the work
// is split. Sums over rows ([ChannelSum], [ChannelMoments], [GradMoments] and
// their like) add to float64 sums, in blocks of [BlockRows] rows: calls one after
// the other over ranges that meet at multiples of BlockRows give the bits of
// one call over all. To use threads and keep the result independent of their
// number, give each chunk of fixed size its own sums and add those up in order.
//
// # Slices
//
// The slices of a call must have lengths that agree, as each function's
// comment says; where they do not it panics, as indexing does. An output may be
// the same slice as an input but must not overlap one otherwise.
//
// # Levels
//
// The assembly for AVX2 and AVX-512 is written by the program in gen, from one
// description of each kernel. isa.Active chooses between them once, at the
// start; package portable takes the place of both on other processors, and is
// what they are tested against. Results of different levels differ in the
// last bits.
package vec

//go:generate go run ./gen -target avx2 -out kernels_avx2_amd64.s -stubs kernels_avx2_amd64.go -pkg vec
//go:generate go run ./gen -target avx512 -out kernels_avx512_amd64.s -stubs kernels_avx512_amd64.go -pkg vec
//go:generate go run ./gen -target dispatch
