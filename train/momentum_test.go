package train_test

import (
	"bytes"
	"testing"
)

// A momentum that moves changes what is learned, and one that moves nowhere does not.
func TestCycleMomentum(t *testing.T) {
	for _, optimizer := range []string{"sgd", "adamw"} {
		run := func(set ...string) []byte {
			j := job(t, append([]string{"train.epochs=1", "schedule.name=one_cycle", "optimizer.lr=0.01", "optimizer.name=" + optimizer}, set...)...)
			if _, err := trainer(t, j, "", nil).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			return memory(j)
		}
		plain, moved := run(), run("schedule.cycle_momentum=true")
		still := run("schedule.cycle_momentum=true", "schedule.base_momentum=0.9", "schedule.max_momentum=0.9")
		if bytes.Equal(plain, moved) {
			t.Errorf("%s: the momentum moves, and the weights are those of one that does not", optimizer)
		}
		if !bytes.Equal(plain, still) {
			t.Errorf("%s: the momentum moves from 0.9 to 0.9, and the weights are others than with 0.9", optimizer)
		}
	}
}
