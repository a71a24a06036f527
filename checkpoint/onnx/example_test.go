package onnx_test

import (
	"fmt"
	"log"

	"github.com/seed52467199/trainer/checkpoint/onnx"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
)

// A network with fresh weights as ONNX has it: its norms are part of its convolutions.
func Example() {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dev.Close()
	ps := graph.NewParams(1)
	m, err := models.New("cifar_resnet20", ps.Root(), models.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := ps.Place(dev); err != nil {
		log.Fatal(err)
	}
	e, err := onnx.Export(m, ps, dev, onnx.Options{Name: "cifar_resnet20", Height: 32, Width: 32, Channels: 3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Nodes, "operations; e.Write puts them into a file")
	// Output: 57 operations; e.Write puts them into a file
}
