// Package depthwise computes convolutions in which every output channel reads
// one input channel, and their gradients.
//
// There is little to compute for each value: a 3x3 filter multiplies nine times
// where a value of the input is read and one of the output written. So the
// input is read where it lies, once, and the neighbours that a row of the output
// shares with the next are still in cache. The border is no copy with zeros
// around it: along each axis the places of the result fall into runs that meet
// the source through the same taps, and a run at the border has fewer of them.
package depthwise

//go:generate go run ./gen -out kernels_amd64.s -stubs kernels_amd64.go -pkg depthwise
