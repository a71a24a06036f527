// Package winograd computes convolutions with fewer products than their definition names:
// those with filters of 3 by 3 pixels and stride 1 or 2 by minimal filtering, those with
// filters of one pixel by Strassen's algorithm in Winograd's variant.
//
// For minimal filtering the result is cut into tiles of m by m pixels. A tile y, the piece
// d of the source that it reads, and the filter g of a pair of channels meet as
//
//	y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//
// (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
// The elementwise products, summed over source channels, are a matrix product
// of tiles by source channels by columns for each of the (m+2)² positions:
// 36 products in place of 144 for tiles of 4 by 4, 16 in place of 36 for tiles
// of 2 by 2. With stride 2 the even pixels of the source meet two taps along an axis and the
// odd ones the third; both are filtered to the same positions, where their products are
// summed: 81 in place of 144 for tiles of 4 by 4.
//
// Strassen's algorithm has the same form. Source, weights and result are matrices cut into
// quarters: half of the pixels by half of the channels. A tile is two pixels, one of either
// half; sums of its quarters and of the weights' are the factors of 7 products in place of
// 8, of half as many channels by half as many columns each.
//
// The transforms mix values of different size, so that rounding counts for more. For
// values without a pattern and 128 channels the errors of a result deviate from the exact
// one by 4e-7 of its own deviation with tiles of 2 by 2, by 1.1e-6 with tiles of 4 by 4 and by
// 1.5e-6 with stride 2; for 1024 channels by 1.1e-6 with Strassen's algorithm, where sums
// in order deviate by 6e-7.
// Where the transforms are rounded to bfloat16 before they are multiplied ([NewPairRows]),
// it is 0.4 % and 1.2 %, the rounding of the result included, which alone is 0.17 %.
package winograd

//go:generate go run ./gen -out kernels_amd64.s -stubs kernels_amd64.go -pkg winograd
