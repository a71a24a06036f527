package layers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
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

// A norm whose scale and shift are frozen leaves its running statistics alone in training,
// an estimated one too.
func TestFrozenNormsLeaveTheirStatistics(t *testing.T) {
	for _, spec := range []string{"batch", "bcn:groups=2", "bcn:groups=2,estimate=true,speed=0.1"} {
		f, err := layers.ParseNorm(spec)
		if err != nil {
			t.Fatal(err)
		}
		ps := graph.NewParams(1)
		norm := f(ps.Root(), 4, false)
		for _, frozen := range []bool{false, true} {
			for _, p := range ps.All() {
				p.Frozen = frozen && p.Role.Trained()
			}
			g := graph.New(graph.Train)
			steps, err := g.Trace(norm.Forward(g, g.Input("x", 2, 3, 3, 4)))
			if err != nil {
				t.Fatal(err)
			}
			moves := slices.ContainsFunc(steps, func(s graph.Traced) bool { _, ok := s.Op.(op.Mutator); return ok })
			if moves == frozen {
				t.Errorf("%s, frozen %v: its statistics move %v", spec, frozen, moves)
			}
		}
	}
}
