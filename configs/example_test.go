package configs_test

import (
	"fmt"

	"github.com/seed52467199/trainer/configs"
)

func ExampleLoad() {
	c, err := configs.Load("quickstart", configs.Options{Set: []string{"optimizer.lr=0.05"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Model.Name, c.Data.Format, c.Optimizer.LR, c.Schedule.Name)
	// Output: mlp digits 0.05 one_cycle
}

func ExampleLoad_mistake() {
	_, err := configs.Load("quickstart", configs.Options{Set: []string{"optimizer.momentun=0.9"}})
	fmt.Println(err)
	// Output: --set optimizer.momentun=0.9: unknown key optimizer.momentun; did you mean optimizer.momentum?
}

func ExampleParse() {
	text := []byte("extends: quickstart\ntrain:\n  epochs: many\n")
	_, err := configs.Parse("my.yaml", text, configs.Options{})
	fmt.Println(err)
	// Output: my.yaml:3: train.epochs is many, and should be a whole number at least 1
}
