package vec

import "github.com/seed52467199/trainer/cpu/isa"

// active is the level whose kernels run.
var active = isa.Active()

// lanes is room for one partial result a lane of the widest vector.
const lanes = 16

// agree panics unless the lengths are n.
func agree(n int, lengths ...int) {
	for _, l := range lengths {
		if l != n {
			panic("vec: slices of different lengths")
		}
	}
}
