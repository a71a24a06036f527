package main

import (
	"testing"

	"github.com/seed52467199/trainer/models"
)

// Others compare with these batches, so they do not change.
func TestBenchBatch(t *testing.T) {
	for name, want := range map[string]int{"resnet18": 32, "resnet50": 16, "squeezenet1_1": 32, "mobilenetv2_100": 32, "cifar_resnet18": 128,
		"cifar_resnet20": 128, "lenet5": 128} {
		info, err := models.Info(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := benchBatch(name, info); got != want {
			t.Errorf("%s: batch %d, want %d", name, got, want)
		}
	}
}
