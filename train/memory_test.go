package train_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/train"
)

// A training under a limit takes what it says beforehand, and computes the same
// bits; a limit that cannot be kept is refused with what would do.
func TestPlanMemory(t *testing.T) {
	const batch, side = 32, 32
	dev := device(t)
	pixels, _ := grayAndColour(batch * side * side)
	examples := &data.Batch{N: batch, Images: pixels, Labels: make([]int32, batch)}
	run := func(n *train.Network) (float64, []byte) {
		t.Helper()
		loss, err := n.Backward(examples, false)
		if err != nil {
			t.Fatal(err)
		}
		return loss, bytes.Clone(n.Params.Grads().Host())
	}
	free := network(t, dev, "cifar_resnet20", 1, 10, side, side)
	whole, err := free.PlanMemory(0, batch, false, train.Holding{Copies: 1})
	if err != nil {
		t.Fatal(err)
	}
	loss, grads := run(free)
	if whole.Activations.Bytes != free.Workspace().Bytes() || whole.Activations.Repeated != 0 {
		t.Errorf("plan %+v, the arena has %d bytes", whole, free.Workspace().Bytes())
	}
	if weights := free.Params.Trained().Len(); whole.Parameters < 3*weights || whole.Parameters > 3*weights+1<<20 {
		t.Errorf("%d bytes for parameters of %d with their gradients and one copy", whole.Parameters, weights)
	}

	roomy := network(t, dev, "cifar_resnet20", 1, 10, side, side)
	m, err := roomy.PlanMemory(1<<40, batch, true, train.Holding{Copies: 1})
	if err != nil || m.Activations != whole.Activations {
		t.Fatalf("under a limit of a TiB: %+v, %v", m, err)
	}
	tight := network(t, dev, "cifar_resnet20", 1, 10, side, side)
	limit := m.Total() - whole.Activations.Bytes*2/5
	m, err = tight.PlanMemory(limit, batch, true, train.Holding{Copies: 1})
	if err != nil {
		t.Fatal(err)
	}
	if m.Total() > limit || m.Activations.Repeated == 0 || m.Activations.Whole != whole.Activations.Bytes {
		t.Errorf("limit %d: %+v", limit, m)
	}
	tightLoss, tightGrads := run(tight)
	if tightLoss != loss || !bytes.Equal(tightGrads, grads) {
		t.Errorf("loss %v and other gradients than without a limit (%v)", tightLoss, loss)
	}
	if got := tight.Workspace().Bytes(); got != m.Activations.Bytes {
		t.Errorf("the arena has %d bytes, the plan said %d", got, m.Activations.Bytes)
	}

	_, err = network(t, dev, "cifar_resnet20", 1, 10, side, side).PlanMemory(m.Input+m.Parameters+1<<20, batch, false, train.Holding{Copies: 1})
	var short *train.MemoryError
	if !errors.As(err, &short) || !strings.Contains(err.Error(), "would do, or batches of ") {
		t.Fatalf("a limit that leaves a MiB for activations: %v", err)
	}
	if short.Least >= m.Total() || short.Smaller < 1 || short.Smaller >= batch/4 {
		t.Errorf("%+v, and %d bytes do", short, m.Total())
	}
	for _, ask := range []struct{ limit, batch int }{{short.Least + 1<<20, batch}, {short.Plan.Limit + 1<<20, short.Smaller}} {
		if _, err := network(t, dev, "cifar_resnet20", 1, 10, side, side).PlanMemory(ask.limit, ask.batch, false, train.Holding{Copies: 1}); err != nil {
			t.Errorf("what was said to do does not: %v", err)
		}
	}
}
