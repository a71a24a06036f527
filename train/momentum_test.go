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

// Lookahead with a ramp keeps less and less; a ramp that is flat is none.
func TestLookaheadRamp(t *testing.T) {
	run := func(set ...string) []byte {
		j := job(t, append([]string{"train.epochs=1", "data.train_limit=600", "train.batch_size=150", "optimizer.name=sgd", "optimizer.lr=0.1", "optimizer.lookahead_k=1"}, set...)...)
		if _, err := trainer(t, j, "", nil).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return memory(j)
	}
	plain, constant := run("optimizer.lookahead_alpha=1"), run("optimizer.lookahead_alpha=0.25")
	if bytes.Equal(plain, constant) {
		t.Fatal("lookahead changes nothing")
	}
	if ramp := run("optimizer.lookahead_alpha=0.25", "optimizer.lookahead_ramp=1"); bytes.Equal(ramp, plain) || bytes.Equal(ramp, constant) {
		t.Error("alpha comes gradually, and the weights are those of one that stays")
	}
	if steep := run("optimizer.lookahead_alpha=0.25", "optimizer.lookahead_ramp=1e-30"); !bytes.Equal(steep, constant) {
		t.Error("alpha comes at once, and the weights are others than those of one that stays")
	}
	if late := run("optimizer.lookahead_alpha=1", "optimizer.lookahead_ramp=3"); !bytes.Equal(late, plain) {
		t.Error("alpha goes from 1 to 1, and the weights are others than without lookahead")
	}
}
