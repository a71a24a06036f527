package optim_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/optim"
)

// golden is what testdata/optim_golden.py writes.
type golden struct {
	Shapes              map[string][]int
	Kinds               map[string]string
	Start, Target, Push map[string][]float64
	Decays              []float64
	Cases               []goldenCase
}

type goldenCase struct {
	Config    goldenConfig
	LR, Decay float64
	Weights   map[string][]float64
	State     map[string][4]float64 // size, first, last, root mean square
}

// goldenConfig is a Config that can be read.
type goldenConfig struct {
	optim.Config
	Muon struct {
		optim.Muon
		Except string // the beginning of the names
	}
	Clip struct {
		Mode string
		Most float64
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	text, err := os.ReadFile("testdata/optim_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// place declares the parameters of the golden file, in the layouts of layers.
func (g golden) place(t testing.TB, dt op.DType, o cpu.Options) *graph.Params {
	t.Helper()
	dev, err := cpu.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParamsOf(dt, 1)
	var names []string
	for name := range g.Shapes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		file := graph.Shape(g.Shapes[name])
		shape, layout, role := file, graph.Layout{}, graph.Weight
		switch g.Kinds[name] {
		case "conv":
			shape = graph.Shape{file[2], file[3], file[1], file[0]}
			layout = graph.ConvLayout(shape)
		case "linear":
			shape = graph.Shape{file[1], file[0]}
			layout = graph.LinearLayout(shape)
		}
		ps.Root().Param(name, shape, layout, role, graph.Zeros)
	}
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	for _, p := range ps.All() {
		if err := p.Write(narrow(g.Start[p.Name])); err != nil {
			t.Fatal(err)
		}
	}
	return ps
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// setGrads writes the gradients that the script made of the weights, at update i.
func (g golden) setGrads(t testing.TB, ps *graph.Params, i int) {
	t.Helper()
	for _, p := range ps.All() {
		w, err := p.Read()
		if err != nil {
			t.Fatal(err)
		}
		for k := range w {
			w[k] = float32((float64(w[k])-g.Target[p.Name][k])*0.5 + g.Push[p.Name][k]*(0.3*float64(i%3-1)))
		}
		if err := p.WriteTo(ps.Grads(), w); err != nil {
			t.Fatal(err)
		}
	}
}

// Ten updates by every optimizer end where PyTorch's and timm's do, state included.
func TestAgainstPyTorch(t *testing.T) {
	g := readGolden(t)
	const tolerance = 1e-5
	seen := map[string]bool{}
	for _, c := range g.Cases {
		config := c.Config.Config
		config.Clip = optim.Clip{Mode: c.Config.Clip.Mode, Most: c.Config.Clip.Most, Except: func(name string) bool { return strings.HasPrefix(name, "fc") }}
		config.Muon = c.Config.Muon.Muon
		if head := c.Config.Muon.Except; head != "" {
			config.Muon.Except = func(name string) bool { return strings.HasPrefix(name, head) }
		}
		seen[config.Name] = true
		for _, dt := range []op.DType{op.Float64, op.Float32} {
			t.Run(fmt.Sprintf("%+v/%v", c.Config, dt), func(t *testing.T) {
				ps := g.place(t, dt, cpu.Options{})
				groups := optim.GroupBy(ps.All(), func(p *graph.Param) (float64, float64) {
					if len(p.FileShape()) <= 1 {
						return 0.5, 0
					}
					return 1, c.Decay
				})
				o, err := optim.New(ps, config, groups)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 10 {
					g.setGrads(t, ps, i)
					if _, err := o.Step(c.LR*min(1, float64(i)/2), 1); err != nil {
						t.Fatal(err)
					}
				}
				for _, p := range ps.All() {
					got, err := p.Read()
					if err != nil {
						t.Fatal(err)
					}
					if far := distance(got, c.Weights[p.Name]); !(far <= tolerance) {
						t.Errorf("%s: differs by %.2g of its size", p.Name, far)
					}
				}
				states := 0
				if err := o.EachState(func(name string, p *graph.Param, memory op.Buffer) error {
					want, ok := c.State[name]
					if !ok {
						return fmt.Errorf("there is a state %s, which PyTorch has not", name)
					}
					states++
					got, err := p.ReadFrom(memory)
					if err != nil {
						return err
					}
					if float64(len(got)) != want[0] {
						return fmt.Errorf("state %s has %d elements, want %v", name, len(got), want[0])
					}
					square := 0.0
					for _, v := range got {
						square += float64(v) * float64(v)
					}
					is := []float64{float64(got[0]), float64(got[len(got)-1]), math.Sqrt(square / float64(len(got)))}
					for i, v := range is {
						if !(math.Abs(v-want[i+1]) <= 3*tolerance*want[3]) {
							t.Errorf("%s: first, last and size are %v, want %v", name, is, want[1:])
						}
					}
					return nil
				}); err != nil {
					t.Error(err)
				}
				if states != len(c.State) {
					t.Errorf("%d states, PyTorch has %d", states, len(c.State))
				}
			})
		}
	}
	for _, name := range optim.Names() {
		if !seen[name] {
			t.Errorf("%s is not compared with PyTorch", name)
		}
	}
}

// A moving average with warm-up begins as timm's.
func TestWarmDecay(t *testing.T) {
	for i, want := range readGolden(t).Decays {
		if got := optim.WarmDecay(0.9, i+1); math.Abs(got-want) > 1e-12 {
			t.Errorf("update %d: decay %v, with timm %v", i+1, got, want)
		}
	}
}

// distance is the largest difference in units of the root mean square.
func distance(got []float32, want []float64) float64 {
	worst, size := 0.0, 0.0
	for i, v := range want {
		worst = max(worst, math.Abs(float64(got[i])-v))
		size += v * v
	}
	return worst / max(math.Sqrt(size/float64(len(want))), 1e-9)
}
