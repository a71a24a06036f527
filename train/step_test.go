package train_test

import (
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/train"
)

// step readies a training step of a network on a batch of zeros: forward, loss,
// backward, clip, update and moving average.
func step(t testing.TB, model string, size, batch int) func() {
	t.Helper()
	dev, err := cpu.New(cpu.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParams(1)
	m, err := models.New(model, ps.Root(), models.Options{NumClasses: 10, InChans: 3, ImageSize: size})
	if err != nil {
		t.Fatal(err)
	}
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	network, err := train.NewNetwork(train.Network{Module: m, Params: ps, Height: size, Width: size, Channels: 3, Classes: 10,
		Objective: train.Objective{Name: "cross_entropy"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var trained []*graph.Param
	for _, p := range ps.All() {
		if p.Role.Trained() {
			trained = append(trained, p)
		}
	}
	sgd, err := optim.New(ps, optim.Config{Name: "sgd", Momentum: 0.9, Clip: optim.Clip{Most: 1}}, optim.GroupBy(trained, optim.DecayWeights(1e-4)))
	if err != nil {
		t.Fatal(err)
	}
	average, err := optim.NewEMA(ps)
	if err != nil {
		t.Fatal(err)
	}
	examples := &data.Batch{N: batch, Images: make([]float32, batch*size*size*3), Labels: make([]int32, batch)}
	return func() {
		if _, err := network.Backward(examples, false); err != nil {
			t.Fatal(err)
		}
		if _, err := sgd.StepAveraged(0.1, 1, average, 0.99); err != nil {
			t.Fatal(err)
		}
	}
}

// A training step allocates nothing once its memory is there.
func TestStepAllocatesNothing(t *testing.T) {
	for _, model := range []string{"cifar_resnet20", "squeezenet1_1", "mobilenetv2_050"} {
		run := step(t, model, 32, 4)
		run()
		if n := testing.AllocsPerRun(3, run); n != 0 {
			t.Errorf("a step of %s allocates %v times", model, n)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	run := step(b, "cifar_resnet20", 32, 32)
	run()
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}
