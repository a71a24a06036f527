//go:build !amd64

package simd

import "github.com/seed52467199/trainer/cpu/isa"

var pairSet *PairSet

var sets = map[isa.Level]*Set{isa.Generic: goSet}
