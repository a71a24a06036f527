package layers_test

import (
	"math"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models/layers"
)

func TestSpecsThatCannotBe(t *testing.T) {
	attention := func(text string) error { _, err := layers.ParseAttention(text); return err }
	for _, c := range []struct {
		err  error
		want string
	}{
		{attention("ecaa"), `there is no attn layer "ecaa"; did you mean eca?`},
		{attention("sk"), "sk is no attn layer but a conv layer: choose it as conv"},
		{attention("eca:k=4"), `layer eca: option k is "4"; it should be an odd number`},
		{attention("eca:k=x"), `option k is "x"; it should be a whole number, at least 0`},
		{attention("eca:kernel=3"), "layer eca has no option kernel; it has k"},
		{attention("ese:k=3"), "layer ese has no option k, nor any other"},
		{attention("se:reduction=0.5"), "it should be a number, at least 1"},
		{attention("bam:combine=both"), "it should be product or sum"},
		{attention("ge:mlp=perhaps"), "it should be true or false"},
		{attention(""), `layer "": want a name`},
		{attention("eca:"), `layer "eca:": want a name`},
		{attention("eca:k"), `option "k": want key=value`},
		{attention("se:reduction=2,reduction=4"), "option reduction is given twice"},
		{func() error { _, err := layers.ParseNorm("batchnorm"); return err }(), "did you mean batch?"},
		{func() error { _, err := layers.ParseConv("dcnv3"); return err }(), "did you mean dcnv2?"},
		{func() error { _, err := layers.ParseAct("miss"); return err }(), "did you mean mish?"},
		{func() error { _, err := layers.Style{}.With(layers.Choice{Attention: "no"}); return err }(), `there is no attn layer "no"`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", c.err, c.want)
		}
	}
}

// spec is a layer's with all its options as documented.
func spec(e layers.Entry) string {
	if e.Options == "" {
		return e.Name
	}
	return e.Name + ":" + strings.ReplaceAll(e.Options, ", ", ",")
}

// build declares a layer of any kind by its spec over 32 channels.
func build(t *testing.T, s graph.Scope, e layers.Entry) graph.Module {
	t.Helper()
	var m graph.Module
	var err error
	switch e.Kind {
	case layers.Norms:
		var f layers.NormFunc
		if f, err = layers.ParseNorm(spec(e)); err == nil {
			m = f(s, 32, false)
		}
	case layers.Acts:
		var f layers.ActFunc
		if f, err = layers.ParseAct(spec(e)); err == nil {
			m = f(s, 32)
		}
	case layers.Attentions:
		var f layers.AttentionFunc
		if f, err = layers.ParseAttention(spec(e)); err == nil && f != nil {
			m = f(s, 32)
		}
	case layers.Convs:
		st := plain
		if st.Conv, err = layers.ParseConv(spec(e)); err == nil {
			m = st.ConvNormAct(s.Sub("conv"), s.Sub("bn"), 32, 32, 3, 1)
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", spec(e), err)
	}
	return m
}

// Every layer of the catalogue says what it is, takes the options that it documents, and
// runs forward and backward over one image.
func TestCatalogue(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	seen := map[string]bool{}
	for _, e := range layers.List("") {
		t.Run(string(e.Kind)+"/"+e.Name, func(t *testing.T) {
			if key := string(e.Kind) + e.Name; seen[key] {
				t.Error("there are two of this name")
			} else {
				seen[key] = true
			}
			if e.Family == "" || e.Paper == "" && e.Kind == layers.Attentions && e.Name != "none" {
				t.Errorf("family %q, paper %q", e.Family, e.Paper)
			}
			ps := graph.NewParams(1)
			x := ps.Root().Param("x", graph.Shape{1, 5, 7, 32}, graph.Layout{}, graph.Weight, graph.Normal(1))
			m := build(t, ps.Root(), e)
			if m == nil {
				return
			}
			if err := ps.Place(dev); err != nil {
				t.Fatal(err)
			}
			g := graph.New(graph.Train)
			y := m.Forward(g, g.Param(x))
			p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Loss: g.Mean(g.Mul(y, y))})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			if loss, err := p.Loss(); err != nil || !(loss > 0) {
				t.Errorf("the mean square of the result is %v, %v", loss, err)
			}
			norm := 0.0
			if g, err := x.ReadFrom(ps.Grads()); err != nil {
				t.Fatal(err)
			} else {
				for _, v := range g {
					norm += float64(v) * float64(v)
				}
			}
			if !(norm > 0) || math.IsInf(norm, 0) {
				t.Errorf("the squared norm of the input's gradient is %v", norm)
			}
		})
	}
}
