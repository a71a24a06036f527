// Package winograd computes convolutions with filters of 3 by 3 pixels and
// stride 1 by minimal filtering.
//
// The result is cut into tiles of m by m pixels. A tile y, the piece d of the
// source that it reads, and the filter g of a pair of channels meet as
//
//	y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//
// (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
// The elementwise products, summed over source channels, are a matrix product
// of tiles by source channels by columns for each of the (m+2)² positions:
// 36 products in place of 144 for tiles of 4 by 4, 16 in place of 36 for tiles
// of 2 by 2.
package winograd

//go:generate go run ./gen -out kernels_amd64.s -stubs kernels_amd64.go -pkg winograd
