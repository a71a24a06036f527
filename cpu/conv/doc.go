// Package conv computes 2-D convolutions and their gradients on the CPU, for
// any stride, asymmetric padding, dilation and groups, depthwise included.
//
// Activations are NHWC and contiguous, weights HWIO: (KH, KW, C/Groups, K)
// with the output channel fastest. As in PyTorch, groups are contiguous
// blocks of channels, and the operation is a cross-correlation.
//
// A [Shape] becomes a plan, once: [NewForward], [NewInputGrad] and
// [NewWeightGrad] choose how to cut the work and lay out all tables. A plan
// is then run with slices and scratch memory of the caller's; running
// allocates nothing:
//
//	f, err := conv.NewForward(shape, conv.Epilogue{Bias: true, Clip: simd.Clip{Lo: 0, Hi: 6}}, conv.Auto)
//	scratch := make([]float32, f.ScratchFloats(p.Threads()))
//	f.Run(p, x, w, bias, y, scratch)
//
// [NewHalfForward], [NewHalfInputGrad] and [NewHalfWeightGrad] make plans for
// activations in bfloat16, with sums in float32: direct sums where the processor
// multiplies pairs of bfloat16, minimal filtering where that is faster. What minimal
// filtering multiplies is float32, but bfloat16 in gradients and in an [Epilogue] that is
// Trained.
//
// A plan may be used by one goroutine at a time. Results are the same bits
// whatever the number of threads.
//
// Plans are implicit matrix products, minimal filtering or, of float32 maps of many
// channels and filters of one pixel, Strassen's algorithm; channels that meet no
// others have kernels of their own, and where there are few output channels several
// pixels fill a vector. All use the micro-kernels of the level that
// isa.Active names when the plan is made.
package conv
