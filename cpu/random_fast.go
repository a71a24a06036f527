package cpu

import (
	"math"

	"github.com/seed52467199/trainer/graph/op"
)

// fastDropout has the masks of dropout. A kept element costs the same as a dropped
// one: with a branch between them every other one is mispredicted.
func fastDropout(c op.Call, o op.Dropout) plan {
	return elementwise(op.Size(c.Out[0]), func(m operands) func(lo, hi int) {
		x, y := floats(m.in[0]), floats(m.out[0])
		ctx, scale := m.ctx, float32(1/(1-o.P))
		return func(lo, hi int) { // lo is even, as a grain is
			mask := newMask(ctx, o.P, o.Stream)
			from, to := x[lo:hi], y[lo:hi]
			even := len(from) &^ 1
			for i := 0; i < even; i += 2 {
				draws := mask.pair((lo + i) / 2)
				to[i] = mask.apply(from[i]*scale, uint32(draws))
				to[i+1] = mask.apply(from[i+1]*scale, uint32(draws>>32))
			}
			if even < len(from) {
				to[even] = mask.apply(from[even]*scale, uint32(mask.pair((lo+even)/2)))
			}
		}
	})
}

// apply is v where the draw keeps it, else zero.
func (m mask) apply(v float32, draw uint32) float32 {
	dropped := uint32(int64(uint64(draw)-uint64(m.least)) >> 63)
	return math.Float32frombits(math.Float32bits(v) &^ dropped)
}
