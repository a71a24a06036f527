package train_test

import (
	"strings"
	"testing"
)

// A batch that the network cannot take is refused before the training that it would end.
func TestLastBatchIsTried(t *testing.T) {
	j := job(t, "model.name=cifar_resnet20", "model.attn=temporal:frames=4", "data.size=16", "train.batch_size=16", "eval.batch_size=64", "train.epochs=1")
	if n := j.ValData.Len(); n%64%4 == 0 {
		t.Fatalf("%d samples end with whole clips", n)
	}
	_, err := j.Trainer("", nil)
	if err == nil || !strings.Contains(err.Error(), "eval.batch_size") || !strings.Contains(err.Error(), "clips of 4 frames") {
		t.Errorf("clips that the last batch cuts: %v", err)
	}
}
