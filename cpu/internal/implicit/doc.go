// Package implicit computes convolutions and matrix products as implicit
// matrix multiplications: the operands are never laid out as the matrices
// that the mathematics multiplies, only read as if they were.
//
// A [Geometry] says how a lattice of output positions reads a source tensor
// through taps. Over it stand three plans:
//
//   - [Rows]: one value for every position and output channel, a sum over taps
//     and source channels. Forward convolution is one such lattice; the input
//     gradient of a convolution with stride s is s·s of them, one for every
//     phase of the stride, each with only the taps that meet it.
//   - [Cols]: one value for every tap, source channel and output channel, a
//     sum over positions: the weight gradient.
//   - [LaneCols]: the same for depthwise convolution. (Depthwise Rows are Rows
//     with a micro-kernel of its own.)
//
// Work is cut into bands of positions that fit the second-level cache. Where
// a band's taps leave the source, the band is first gathered, with its border
// of zeros, into memory of the worker's own; where they do not, the source is
// read in place. How work is cut depends on the shape and the processor's
// micro-kernels alone, never on the number of threads, and every sum has a
// fixed order: results are the same bits for any pool.
package implicit
