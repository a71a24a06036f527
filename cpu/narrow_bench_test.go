package cpu

import (
	"fmt"
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

// BenchmarkBatchNormGrad compares activations in float32 and in bfloat16.
func BenchmarkBatchNormGrad(b *testing.B) {
	d := newDevice(b, Options{})
	for _, x := range []op.Shape{{128, 32, 32, 16}, {16, 56, 56, 64}, {16, 28, 28, 512}, {16, 7, 7, 2048}} {
		c := op.Shape{x[3]}
		call, err := op.NewCall(op.BatchNormGrad{Clip: op.ReLU.Clip()}, op.Float32, x, c, c, c, x, c)
		if err != nil {
			b.Fatal(err)
		}
		for _, narrow := range []op.Operands{{}, {In: 1 | 16, Out: 1}} {
			call.Narrow = narrow
			var in [][]float64
			for _, s := range call.In {
				in = append(in, make([]float64, op.Size(s)))
			}
			use := bindCall(b, d, call, in)
			b.Run(fmt.Sprintf("%dx%dx%dx%d/bf16=%v", x[0], x[1], x[2], x[3], !narrow.Empty()), func(b *testing.B) {
				for b.Loop() {
					use.run()
				}
				b.ReportMetric(float64(op.Size(x))*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "elements/ns")
			})
		}
	}
}
