package layers_test

import (
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
