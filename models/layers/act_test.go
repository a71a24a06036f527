package layers_test

import (
	"strings"
	"testing"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models/layers"
)

func TestActivationsEqualPyTorch(t *testing.T) {
	compareGolden(t, "act.json", func(spec string) (layer, error) {
		f, err := layers.ParseAct(spec)
		return func(s graph.Scope, channels int) graph.Module {
			act := f(s.Sub("act"), channels)
			return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return act.Forward(g, g.Scale(x, 4)) })
		}, err
	})
}

// Names are found in the ways in which libraries write them.
func TestActivationNames(t *testing.T) {
	for _, name := range []string{"relu", "ReLU", "LeakyReLU:alpha=0.2", "hardswish", "HardSigmoid", "hard-mish", "gelu_tanh", "QuickGELU", "swish", "SiLU"} {
		if _, err := layers.ParseAct(name); err != nil {
			t.Error(err)
		}
	}
	for spec, want := range map[string]string{
		"leaky_rely":           "did you mean leaky_relu?",
		"relu:alpha=1":         "layer relu has no option alpha, nor any other",
		"leaky_relu:slope=0.2": "layer leaky_relu has no option slope; it has alpha",
		"celu:alpha=0":         `option alpha is "0"; it should be a number, at least 0.001`,
		"swish:shared=true":    `option shared is "true"; it should be false, unless learned=true`,
	} {
		if _, err := layers.ParseAct(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", spec, err, want)
		}
	}
}

// Parameters of activations start as their papers say and do not decay.
func TestActivationParameters(t *testing.T) {
	for spec, want := range map[string]graph.Shape{"prelu": {5}, "prelu:shared=true": {1}, "swish:learned=true": {5}} {
		ps := graph.NewParams(1)
		f, err := layers.ParseAct(spec)
		if err != nil {
			t.Fatal(err)
		}
		f(ps.Root(), 5)
		if all := ps.All(); len(all) != 1 || !all[0].FileShape().Eq(want) || all[0].Role != graph.Bias {
			t.Errorf("%s declares %v, want one parameter of %v without decay", spec, all, want)
		}
	}
}
