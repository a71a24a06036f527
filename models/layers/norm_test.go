package layers_test

import (
	"strings"
	"testing"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models/layers"
)

func TestNormsEqualPyTorch(t *testing.T) {
	compareGolden(t, "norm.json", func(spec string) (layer, error) {
		f, err := layers.ParseNorm(spec)
		return func(s graph.Scope, channels int) graph.Module { return f(s, channels, false) }, err
	})
}

func TestStandardizedConvolutionsEqualPyTorch(t *testing.T) {
	compareGolden(t, "conv_std.json", func(spec string) (layer, error) {
		c, err := layers.ParseConv(spec)
		return func(s graph.Scope, channels int) graph.Module {
			return c.Every(s, channels, 7, 3, graph.ConvConfig{Stride: 2, Pad: 1, Bias: true})
		}, err
	})
}

// An estimated norm whose statistics would never move is refused.
func TestEstimatedNormWantsASpeed(t *testing.T) {
	if _, err := layers.ParseNorm("bcn:estimate=true"); err == nil || !strings.Contains(err.Error(), "speed should be a number above 0") {
		t.Errorf("error %v, want one that asks for a speed", err)
	}
}
