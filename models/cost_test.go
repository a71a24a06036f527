package models_test

import (
	"testing"

	"github.com/seed52467199/trainer/models"
)

// Products of matrices inside attentions count: the numbers are those of PyTorch 2.15's
// FlopCounterMode over timm's models, halved, and timm's published activations.
func TestMeasureCountsAttention(t *testing.T) {
	for name, want := range map[string]models.Cost{
		"vit_tiny_patch16_224":         {Params: 5717416, MACs: 1253683200, Activations: 5974636},
		"swin_tiny_patch4_window7_224": {Params: 28288354, MACs: 4490566656, Activations: 17055352},
		"mixer_s32_224":                {Params: 19104624, MACs: 1002426368, Activations: 2278888},
	} {
		if got, err := models.Measure(name, models.Options{}); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}
