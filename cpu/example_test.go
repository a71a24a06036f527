package cpu_test

import (
	"encoding/binary"
	"fmt"
	"log"
	"math"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
)

// A Device is what programs run on.
var _ graph.Device = (*cpu.Device)(nil)

// One operation by hand; a graph.Program does this for a whole network.
func Example() {
	dev, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer dev.Close()

	call, err := op.NewCall(op.Activation{Func: op.ReLU}, op.Float32, op.Shape{4})
	if err != nil {
		log.Fatal(err)
	}
	kernel, err := dev.Kernel(call)
	if err != nil {
		log.Fatal(err)
	}
	x, err := dev.Alloc(16)
	if err != nil {
		log.Fatal(err)
	}
	y, err := dev.Alloc(16)
	if err != nil {
		log.Fatal(err)
	}
	for i, v := range []float32{-1, 0, 2, -3} {
		binary.NativeEndian.PutUint32(x.Host()[4*i:], math.Float32bits(v))
	}
	run, err := kernel.Bind(&op.Context{}, []op.Buffer{x}, []op.Buffer{y}, nil)
	if err != nil {
		log.Fatal(err)
	}
	run()
	for i := range 4 {
		fmt.Print(math.Float32frombits(binary.NativeEndian.Uint32(y.Host()[4*i:])), " ")
	}
	// Output: 0 0 2 0
}
