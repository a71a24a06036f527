// Package pixel holds the loops over bytes that decoding and resizing are made
// of, with the vector instructions of the processor.
//
// Every function has a portable twin in Go, which is also what it is tested
// against: the two agree bit for bit, so pictures are the same on every machine.
// All arithmetic is libjpeg's and Pillow's, in integers, but for the
// normalisation of [Norm], whose float32 results are those of its table.
//
// The assembly is written by the program in gen. Where 256 bits hold what there
// is to do at once (a block of a JPEG, the neighbourhood of a pixel) the AVX2
// kernel serves AVX-512 as well; the resampling loops exist in both widths.
// isa.Active chooses.
package pixel

import "github.com/seed52467199/trainer/cpu/isa"

//go:generate go run ./gen -out kernels_amd64.s -stubs kernels_amd64.go -pkg pixel

// active is the level whose kernels run.
var active = isa.Active()
