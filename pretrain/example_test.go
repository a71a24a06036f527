package pretrain_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/pretrain"
)

// Pre-train a perceptron on the digits that are part of the program, without a run folder.
func Example() {
	c, err := configs.Load("quickstart", configs.Options{Set: []string{"pretrain.method=dae", "pretrain.epochs=3", "optimizer.name=adam", "optimizer.lr=0.003"}})
	if err != nil {
		log.Fatal(err)
	}
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dev.Close()
	p, err := pretrain.Open(*c, dev)
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Prepare("", nil, nil); err != nil {
		log.Fatal(err)
	}
	r, err := p.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Updates, "updates, mean squared error below 0.5:", r.Last.TrainLoss < 0.5)
	// Output: 69 updates, mean squared error below 0.5: true
}
