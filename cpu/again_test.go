package cpu

import (
	"slices"
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

// TestRepetitionGivesTheSameBits runs the operations that stand in for others when
// their result is made again.
func TestRepetitionGivesTheSameBits(t *testing.T) {
	repeated := 0
	for _, e := range examples() {
		o, ok := e.op.(op.Repeater)
		if !ok {
			continue
		}
		again, fromIn, fromOut := o.Repeat()
		if again == nil {
			continue
		}
		repeated++
		use := e.uses(t)[0]
		for _, d := range []struct {
			*Device
			op.DType
		}{{newDevice(t, Options{}), op.Float32}, {oracle(t), op.Float32}, {oracle(t), op.Float64}} {
			first := bind(t, d.Device, use.op, d.DType, use.shapes, use.in)
			first.run()
			var shapes []op.Shape
			var in [][]float64
			for _, i := range fromIn {
				shapes, in = append(shapes, use.shapes[i]), append(in, use.in[i])
			}
			for _, i := range fromOut {
				shapes, in = append(shapes, first.call.Out[i]), append(in, first.output(i))
			}
			got := results(t, d.Device, again, d.DType, shapes, in)[0]
			if !slices.Equal(got, first.output(0)) {
				t.Errorf("%s, %s, %v: the repetition gives other bits", e.name, d.Name(), d.DType)
			}
		}
	}
	if repeated < 20 {
		t.Errorf("%d examples have a repetition, want at least 20", repeated)
	}
}
