package optim_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"math"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/optim"
)

// params are a weight (2, 3), its bias (3) and a statistic (3), placed.
func params(t testing.TB) *graph.Params {
	t.Helper()
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	ps := graph.NewParams(1)
	s := ps.Root().Sub("fc")
	s.Param("weight", graph.Shape{2, 3}, graph.LinearLayout(graph.Shape{2, 3}), graph.Weight, graph.Ones)
	s.Param("bias", graph.Shape{3}, graph.Layout{}, graph.Bias, graph.Ones)
	s.Param("mean", graph.Shape{3}, graph.Layout{}, graph.Statistic, graph.Zeros)
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	return ps
}

// trained are the parameters that gradients move.
func trained(ps *graph.Params) []*graph.Param { return ps.All()[:2] }

// setGrads writes the same gradient for every element.
func setGrads(t testing.TB, ps *graph.Params, x float32) {
	t.Helper()
	for _, p := range trained(ps) {
		vals := make([]float32, p.Len())
		for i := range vals {
			vals[i] = x
		}
		if err := p.WriteTo(ps.Grads(), vals); err != nil {
			t.Fatal(err)
		}
	}
}

func first(t testing.TB, p *graph.Param) float64 {
	t.Helper()
	vals, err := p.Read()
	if err != nil {
		t.Fatal(err)
	}
	return float64(vals[0])
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestGroupsDecayWeightsOnly(t *testing.T) {
	groups := optim.GroupBy(trained(params(t)), optim.DecayWeights(0.1))
	if len(groups) != 2 || groups[0].WeightDecay != 0.1 || groups[1].WeightDecay != 0 || groups[1].Params[0].Name != "fc.bias" {
		t.Errorf("groups %+v; want the weight with decay and the bias without", groups)
	}
}

// Each parameter moves by its own group's learning rate and weight decay.
func TestStepUsesTheGroups(t *testing.T) {
	ps := params(t)
	groups := optim.GroupBy(trained(ps), func(p *graph.Param) (float64, float64) {
		if p.Role == graph.Bias {
			return 10, 0
		}
		return 1, 0.5
	})
	o, err := optim.New(ps, optim.Config{Name: "sgd"}, groups)
	if err != nil {
		t.Fatal(err)
	}
	setGrads(t, ps, 2)
	if _, err := o.Step(0.01, 0.5); err != nil {
		t.Fatal(err)
	}
	if got, want := first(t, ps.All()[0]), 1-0.01*(0.5*2+0.5*1); !near(got, want) {
		t.Errorf("weight %v, want %v", got, want)
	}
	if got, want := first(t, ps.All()[1]), 1-0.1*(0.5*2); !near(got, want) {
		t.Errorf("bias %v, want %v", got, want)
	}
	if o.Steps() != 1 {
		t.Errorf("%d steps, want 1", o.Steps())
	}
}

func TestClippingScalesTheJointNorm(t *testing.T) {
	ps := params(t)
	o, err := optim.New(ps, optim.Config{Name: "sgd", Clip: optim.Clip{Most: 1.5}}, optim.GroupBy(trained(ps), optim.DecayWeights(0)))
	if err != nil {
		t.Fatal(err)
	}
	setGrads(t, ps, 4) // nine of them: norm 12, halved by the scale
	norm, err := o.Step(1, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if !near(norm, 6) {
		t.Errorf("norm %v, want 6", norm)
	}
	if got, want := first(t, ps.All()[0]), 1-2*1.5/6; math.Abs(got-want) > 1e-5 {
		t.Errorf("weight %v, want %v", got, want)
	}
}

func TestConfigIsChecked(t *testing.T) {
	ps := params(t)
	for _, c := range []struct {
		config optim.Config
		want   string
	}{
		{optim.Config{Name: "sdg"}, "known are [adafactor adam adamax adamw "},
		{optim.Config{Name: "sgd", Nesterov: true}, "nesterov needs a momentum"},
		{optim.Config{Name: "sgd", Nesterov: true, Momentum: 0.9, Dampening: 0.1}, "no dampening"},
		{optim.Config{Name: "adan", Betas: []float64{0.9, 0.99}}, "2 betas [0.9 0.99], want 3"},
		{optim.Config{Name: "sgd", Clip: optim.Clip{Mode: "nrom"}}, "known are [norm value agc]"},
		{optim.Config{Name: "sgd", LookaheadK: -1}, "lookahead needs"},
	} {
		if _, err := optim.New(ps, c.config, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.config, err, c.want)
		}
	}
}

func TestAverageAndSwap(t *testing.T) {
	ps := params(t)
	e, err := optim.NewEMA(ps)
	if err != nil {
		t.Fatal(err)
	}
	w := ps.All()[0]
	if err := w.Write([]float32{3, 3, 3, 3, 3, 3}); err != nil {
		t.Fatal(err)
	}
	if err := e.Update(0.75); err != nil {
		t.Fatal(err)
	}
	if err := e.Swap(); err != nil {
		t.Fatal(err)
	}
	if got := first(t, w); !near(got, 1.5) {
		t.Errorf("average %v, want 0.75*1 + 0.25*3", got)
	}
	if err := e.Swap(); err != nil {
		t.Fatal(err)
	}
	if got := first(t, w); got != 3 {
		t.Errorf("weight %v after swapping back, want 3", got)
	}
}

// The average in the update's own pass has the bits of a pass of its own, with every
// rule.
func TestStepAveraged(t *testing.T) {
	configs := []optim.Config{{Name: "sgd", Momentum: 0.9, Nesterov: true}, {Name: "adamw", Clip: optim.Clip{Most: 1}}, {Name: "adafactor", Betas: []float64{0.9, 0}},
		{Name: "adam", LookaheadK: 2, LookaheadAlpha: 0.5}}
	for _, name := range optim.Names() {
		configs = append(configs, optim.Config{Name: name, TrustCoeff: 0.1, MaxGradNorm: 1})
	}
	for _, c := range configs {
		var memory [2][]byte
		for i := range memory {
			ps := params(t)
			o, err := optim.New(ps, c, optim.GroupBy(trained(ps)[1:], optim.DecayWeights(0.1)))
			if err != nil {
				t.Fatal(err)
			}
			e, err := optim.NewEMA(ps)
			if err != nil {
				t.Fatal(err)
			}
			for step := range 3 {
				setGrads(t, ps, float32(step+1))
				if i == 0 {
					_, err = o.Step(0.1, 0.5)
					err = errors.Join(err, e.Update(0.7))
				} else {
					_, err = o.StepAveraged(0.1, 0.5, e, 0.7)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, b := range append(e.Buffers(), ps.Trained()) {
				memory[i] = append(memory[i], b.Host()...)
			}
		}
		if !bytes.Equal(memory[0], memory[1]) {
			t.Errorf("%+v: weights or average differ", c)
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	for i, name := range optim.Names() {
		mode := optim.ClipModes()[i%3]
		t.Run(name+" "+mode, func(t *testing.T) { stepAllocatesNothing(t, name, mode) })
	}
}

func stepAllocatesNothing(t *testing.T, name, mode string) {
	ps := params(t)
	o, err := optim.New(ps, optim.Config{Name: name, TrustCoeff: 0.1, MaxGradNorm: 1, Clip: optim.Clip{Mode: mode, Most: 1}, LookaheadK: 2, LookaheadAlpha: 0.5},
		optim.GroupBy(trained(ps), optim.DecayWeights(0.1)))
	if err != nil {
		t.Fatal(err)
	}
	e, err := optim.NewEMA(ps)
	if err != nil {
		t.Fatal(err)
	}
	setGrads(t, ps, 1)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := o.StepAveraged(0.1, 1, e, 0.9); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Step(0.1, 1); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}

// Minimise (w-3)^2 by hand-written gradients.
func Example() {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dev.Close()
	ps := graph.NewParams(1)
	w := ps.Root().Param("w", graph.Shape{1}, graph.Layout{}, graph.Weight, graph.Zeros)
	if err := ps.Place(dev); err != nil {
		log.Fatal(err)
	}
	sgd, err := optim.New(ps, optim.Config{Name: "sgd", Momentum: 0.5}, optim.GroupBy(ps.All(), optim.DecayWeights(0)))
	if err != nil {
		log.Fatal(err)
	}
	for range 60 {
		v, err := w.Read()
		if err != nil {
			log.Fatal(err)
		}
		if err := w.WriteTo(ps.Grads(), []float32{2 * (v[0] - 3)}); err != nil {
			log.Fatal(err)
		}
		if _, err := sgd.Step(0.1, 1); err != nil {
			log.Fatal(err)
		}
	}
	v, err := w.Read()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", v[0])
	// Output: 3.000
}

// What a memory plan counts is what the state takes.
func TestStateBytes(t *testing.T) {
	for _, name := range optim.Names() {
		ps := params(t)
		c := optim.Config{Name: name, Momentum: 0.9, LookaheadK: 5}
		want, err := c.StateBytes(ps)
		if err != nil {
			t.Fatal(err)
		}
		o, err := optim.New(ps, c, optim.GroupBy(trained(ps), optim.DecayWeights(0)))
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, b := range o.Buffers() {
			got += b.Len()
		}
		if got != want || got == 0 {
			t.Errorf("%s keeps %d bytes, and counts %d", name, got, want)
		}
	}
}

// SAM goes rho far in its own measure, and back to the bit.
func TestSAMClimbsAndReturns(t *testing.T) {
	for _, adaptive := range []bool{false, true} {
		ps := params(t)
		if err := ps.All()[0].Write([]float32{2, 2, 2, 2, 2, 2}); err != nil {
			t.Fatal(err)
		}
		setGrads(t, ps, 0.5)
		sam, err := optim.NewSAM(ps, 0.3, adaptive)
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Clone(ps.Trained().Host())
		if err := sam.Ascend(); err != nil {
			t.Fatal(err)
		}
		want := [2]float64{2 + 0.3*0.5/math.Sqrt(9*0.25), 1 + 0.3*0.5/math.Sqrt(9*0.25)}
		if adaptive { // |w*g|² = 6*1 + 3*0.25
			want = [2]float64{2 + 0.3*4*0.5/math.Sqrt(6.75), 1 + 0.3*0.5/math.Sqrt(6.75)}
		}
		if got := [2]float64{first(t, ps.All()[0]), first(t, ps.All()[1])}; !near(got[0], want[0]) || !near(got[1], want[1]) {
			t.Errorf("adaptive=%v: the weights go to %v, want %v", adaptive, got, want)
		}
		if err := sam.Return(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ps.Trained().Host(), before) {
			t.Errorf("adaptive=%v: the weights are not back", adaptive)
		}
	}
}
