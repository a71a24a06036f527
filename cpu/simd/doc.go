// Package simd holds the innermost loops of matrix products and convolutions,
// the micro-kernels, in assembly for AVX2 and AVX-512 and in portable Go.
//
// A micro-kernel keeps one small tile of the result in registers and sums
// over everything else. There are four forms:
//
//   - [Rows]: a tile of pixels by output channels. Its rows are found through
//     tables of offsets, so a tile may run over the end of an image row, or
//     be scattered over every second pixel; the sum runs over taps, each a
//     contiguous piece of every row. Forward convolution, its input gradient,
//     A·B and A·Bᵀ are this form.
//   - [Cols]: a tile of input channels by output channels, summed over pixels:
//     weight gradients and Aᵀ·B.
//   - [LaneRows] and [LaneCols]: the same two where each channel only meets
//     itself: depthwise convolution.
//
// The assembly is written by the program in gen, once for all widths; go
// generate reproduces it. It uses fused multiply-add, so its last bits differ
// from the portable kernels', but one level always gives the same bits.
package simd

//go:generate go run ./gen -out kernels_amd64.s -stubs kernels_amd64.go -pkg simd
//go:generate go run ./gen -set pairs -out pairs_amd64.s -stubs pairs_amd64.go -pkg simd
