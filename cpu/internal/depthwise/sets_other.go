//go:build !amd64

package depthwise

import "github.com/seed52467199/trainer/cpu/isa"

var kernels = map[isa.Level]*Kernels{isa.Generic: goKernels}
