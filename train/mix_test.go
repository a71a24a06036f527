package train_test

import (
	"bytes"
	"testing"

	"github.com/seed52467199/trainer/configs"
)

// Training on mixed batches has the same bits for any number of workers, and
// interrupted after every few updates.
func TestMixedTrainingIsExact(t *testing.T) {
	settings := []string{"train.epochs=3", "train.batch_size=301", "loss.name=bce", "loss.smoothing=0.1", "loss.bce_threshold=0.2",
		"augment.mixup=0.2", "augment.cutmix=1", "augment.mix_mode=elem", "augment.mix_off_epoch=2"}
	whole := memory(trained(t, append(settings, "data.workers=1")...))
	if !bytes.Equal(whole, memory(trained(t, append(settings, "data.workers=3")...))) {
		t.Error("other workers give other weights")
	}
	if !bytes.Equal(whole, memory(interrupted(t, append(settings, "data.workers=2")...))) {
		t.Error("the interrupted training ends with other weights")
	}
	for _, other := range []string{"augment.mix_off_epoch=1", "augment.mix_prob=0", "loss.smoothing=0", "loss.bce_threshold=0"} {
		if bytes.Equal(whole, memory(trained(t, append(settings, other)...))) {
			t.Errorf("%s changes nothing", other)
		}
	}
}

// A range test runs on mixed batches, and every loss for images of one class trains:
// most of the digits are told apart after two epochs.
func TestEveryLossTrains(t *testing.T) {
	for _, settings := range [][]string{
		{"loss.name=cross_entropy", "loss.class_weights=balanced"},
		{"loss.name=cross_entropy", "augment.mixup=0.2", "loss.smoothing=0.1"},
		{"loss.name=bce", "loss.bce_sum=true"},
		{"loss.name=focal"},
		{"loss.name=focal", "loss.focal_form=sigmoid", "loss.bce_sum=true"},
		{"loss.name=asymmetric", "loss.smoothing=0.1"},
		{"loss.name=jsd", "augment.splits=3", "loss.smoothing=0.1", "train.memory=1GiB"},
		{"loss.name=mse", "optimizer.lr=0.2"},
	} {
		j := job(t, append(settings, "train.epochs=3", "train.batch_size=50")...)
		tr := trainer(t, j, "", nil)
		c := configs.Default().LRFind
		c.Steps = 10
		if _, err := tr.FindLR(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
		r, err := tr.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if top1, _ := r.Best.Metric("top1"); top1 < 80 {
			t.Errorf("%v: top-1 is %.1f%%", settings, top1)
		}
	}
}
