package pretrain

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/optim"
)

// golden is what testdata/make_golden.py writes.
type golden struct {
	RBM struct {
		LR, Momentum, Decay float64
		Steps               []struct {
			Error                   float64
			Weight, Hidden, Visible []float64
		}
	}
	MAE       maeGolden
	MAEPixels maeGolden `json:"mae pixels"`
}

type maeGolden struct {
	Visible   [][]int
	Loss      float64
	Gradients map[string][2]float64
}

func readGolden(t testing.TB) (g golden) {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// fill gives every parameter the value that make_golden.py gives it.
func fill(t testing.TB, ps *graph.Params) {
	t.Helper()
	for _, p := range ps.All() {
		name := strings.TrimPrefix(p.Name, scaffold+".")
		phase := 0
		for _, c := range []byte(name) {
			phase += int(c)
		}
		vals := make([]float32, p.Len())
		for i := range vals {
			w := math.Sin(0.7*float64(i) + float64(phase%97))
			if len(p.FileShape()) == 1 && strings.HasSuffix(name, "weight") {
				vals[i] = float32(1 + 0.1*w)
			} else {
				vals[i] = float32(0.3 * w)
			}
		}
		if err := p.Write(vals); err != nil {
			t.Fatal(err)
		}
	}
}

// pixels are the images of make_golden.py.
func pixels(n, size, channels int) *data.Batch {
	b := batch(n, size, channels)
	for i := range b.Images {
		b.Images[i] = float32(0.5 + 0.5*math.Sin(0.37*math.Pow(float64(i), 1.1)))
	}
	return b
}

// near compares with a golden value.
func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s is %.8g, want %.8g", what, got, want)
	}
}

// Three updates of contrastive divergence, with momentum and weight decay, are those of
// numpy.
func TestRBMEqualsNumpy(t *testing.T) {
	if err := models.Register(models.Spec{Name: "tiny_mlp", Config: models.Config{InputSize: 3, InChans: 1, NumClasses: 3, Classifier: []string{"fc2"}},
		Build: func(s graph.Scope, o models.Options) (graph.Module, error) {
			return models.NewMLP(s, []int{5}, op.Sigmoid, o)
		}}); err != nil {
		t.Fatal(err)
	}
	want := readGolden(t).RBM
	r := newRig(t, op.Float32, 4, 0, settings("rbm", "tiny_mlp", 3, 1, nil))
	fill(t, r.ps)
	sgd, err := optim.New(r.ps, optim.Config{Name: "sgd", Momentum: want.Momentum}, optim.GroupBy(r.p.Trained(), optim.DecayWeights(want.Decay)))
	if err != nil {
		t.Fatal(err)
	}
	b := pixels(4, 3, 1)
	for i, step := range want.Steps {
		r.run(t, b)
		told := make([]float32, 1)
		if err := r.p.Read(r.e.Report, told); err != nil {
			t.Fatal(err)
		}
		near(t, "the reconstruction's error", float64(told[0]), step.Error, 1e-6)
		if _, err := sgd.Step(want.LR, 1); err != nil {
			t.Fatal(err)
		}
		for name, values := range map[string][]float64{"fc1.weight": step.Weight, "fc1.bias": step.Hidden, "pretrain.visible1.bias": step.Visible} {
			got, err := r.ps.Lookup(name).Read()
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range values {
				if math.Abs(float64(got[k])-v) > 2e-6 {
					t.Errorf("update %d: %s[%d] is %.8g, want %.8g", i+1, name, k, got[k], v)
				}
			}
		}
	}
}

// The masked autoencoder's loss and gradients are those of one around timm's vision
// transformer.
func TestMAEEqualsPyTorch(t *testing.T) {
	g := readGolden(t)
	for name, want := range map[string]maeGolden{"norm": g.MAE, "pixels": g.MAEPixels} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, op.Float64, 3, 0, settings("mae", "tiny_vit", 16, 3, func(c *configs.Pretrain) { c.NormPixels = name == "norm" }))
			fill(t, r.ps)
			// The patches that the golden file leaves visible.
			r.e.Inputs[0].Fill = func(dst []float32, _ *data.Batch) {
				clear(dst)
				for i, list := range want.Visible {
					for k, at := range list {
						dst[(i*len(list)+k)*16+at] = 1
					}
				}
			}
			r.e.Inputs[1].Fill = func(dst []float32, _ *data.Batch) {
				for i := range dst {
					dst[i] = 1
				}
				for i, list := range want.Visible {
					for _, at := range list {
						dst[i*16+at] = 0
					}
				}
			}
			near(t, "the loss", r.run(t, pixels(3, 16, 3)), want.Loss, 1e-6)
			compared := 0
			for _, p := range r.p.Trained() {
				summary, ok := want.Gradients[strings.TrimPrefix(p.Name, scaffold+".")]
				if !ok {
					t.Errorf("PyTorch has no gradient of %s", p.Name)
					continue
				}
				compared++
				grad, err := p.ReadFrom(r.ps.Grads())
				if err != nil {
					t.Fatal(err)
				}
				squares, product := 0.0, 0.0
				for i, v := range grad {
					squares += float64(v) * float64(v)
					product += float64(v) * math.Sin(0.3*float64(i)+1)
				}
				near(t, p.Name+"'s norm", math.Sqrt(squares), summary[0], 1e-5)
				near(t, p.Name+"'s product", product, summary[1], 1e-5)
			}
			if compared != len(want.Gradients) {
				t.Errorf("%d of %d gradients compared", compared, len(want.Gradients))
			}
		})
	}
}
