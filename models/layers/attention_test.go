package layers_test

import (
	"testing"

	"github.com/seed52467199/trainer/models/layers"
)

func TestAttentionsEqualPyTorch(t *testing.T) {
	compareGolden(t, "attention.json", func(spec string) (layer, error) {
		f, err := layers.ParseAttention(spec)
		return layer(f), err
	})
}
