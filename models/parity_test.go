package models_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/internal/formula"
)

// precisions are the ways in which networks are compared with PyTorch's in float64:
// alike in float64, so that hardly a rounding lies between them, and on the kernels
// that training uses, without and with minimal filtering. Differences are relative:
// of logits to the largest, of the others to the norm. Gradients are read as float32
// even where they are computed in float64, and in float32 each relu near zero can
// turn a path on or off, the more often the coarser the rounding.
var precisions = []struct {
	name                         string
	dtype                        op.DType
	device                       cpu.Options
	logits, gradients, statistic float64
}{
	{"float64", op.Float64, cpu.Options{Strict: true}, 1e-12, 2e-7, 2e-7},
	{"float32_direct", op.Float32, cpu.Options{DirectConvolution: true}, 2e-5, 5e-3, 5e-6},
	{"float32", op.Float32, cpu.Options{}, 2e-5, 2e-2, 5e-6},
}

// rig is a model with formula-made weights in one program.
type rig struct {
	ps     *graph.Params
	p      *graph.Program
	x, y   *graph.Node
	target *graph.Node
}

// newRig compiles a model for images (N, C, H, W).
func newRig(t testing.TB, name string, dev graph.Device, dt op.DType, mode graph.Mode, input []int, classes int) *rig {
	t.Helper()
	r := &rig{ps: graph.NewParamsOf(dt, 1)}
	m, err := models.New(name, r.ps.Root(), models.Options{NumClasses: classes, InChans: input[1], ImageSize: input[2], DropRate: models.NoDropout})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	setFormula(t, r.ps)
	g := graph.NewOf(dt, mode)
	r.x = g.Input("images", input[0], input[2], input[3], input[1])
	r.y = m.Forward(g, r.x)
	target := graph.Target{Outputs: []*graph.Node{r.y}}
	if mode == graph.Train {
		r.target = g.Input("labels", input[0])
		target.Loss = g.CrossEntropy(r.y, r.target, 0)
	}
	if r.p, err = graph.Compile(g, r.ps, graph.NewWorkspace(dev, 1), target); err != nil {
		t.Fatal(err)
	}
	return r
}

// run computes one batch, whose labels may be nil.
func (r *rig) run(t testing.TB, images, labels []float32) (logits []float64) {
	t.Helper()
	if err := r.p.Set(r.x, images); err != nil {
		t.Fatal(err)
	}
	if labels != nil {
		if err := r.p.Set(r.target, labels); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.p.Run(); err != nil {
		t.Fatal(err)
	}
	logits, err := r.p.ReadFloat64(r.y)
	if err != nil {
		t.Fatal(err)
	}
	return logits
}

// Models give PyTorch's logits for weights and images made by formula.
func TestLogitsEqualPyTorch(t *testing.T) {
	golden := readGolden[map[string]struct {
		Input   []int
		Classes int
		Logits  []float64
	}](t, "logits.json")
	for name, want := range golden {
		for _, precision := range precisions {
			t.Run(name+"/"+precision.name, func(t *testing.T) {
				r := newRig(t, name, device(t, precision.device), precision.dtype, graph.Eval, want.Input, want.Classes)
				got := r.run(t, formula.Images("images", want.Input), nil)
				if d := farthest(got, want.Logits); !(d <= precision.logits) {
					t.Errorf("logits differ by %.2g of the largest, more than %.2g", d, precision.logits)
				} else {
					t.Logf("largest difference %.2g of the largest logit", d)
				}
			})
		}
	}
}

// A pass of training gives PyTorch's loss, logits, running statistics and
// gradient of every parameter.
func TestGradientsEqualPyTorch(t *testing.T) {
	type pass struct {
		Input                 []int
		Classes               int
		Loss                  float64
		Logits                []float64
		Gradients, Statistics map[string]formula.Summary
		Distance32            float64
	}
	golden := readGolden[map[string]pass](t, "gradients.json")
	maps.Copy(golden, readGolden[map[string]pass](t, "zoo_gradients.json"))
	for name, want := range golden {
		if !slices.Contains(models.Names(), name) {
			continue
		}
		// A bias whose result meets nothing but batch norms has the gradient zero, and
		// what is computed for it is all rounding: it counts beside the largest.
		largest := 0.0
		for _, g := range want.Gradients {
			largest = max(largest, g.Norm)
		}
		for _, precision := range precisions {
			t.Run(name+"/"+precision.name, func(t *testing.T) {
				limit := precision.gradients
				if precision.dtype == op.Float32 {
					limit = max(limit, 3*want.Distance32)
				}
				r := newRig(t, name, device(t, precision.device), precision.dtype, graph.Train, want.Input, want.Classes)
				logits := r.run(t, formula.Images("images", want.Input), formula.Labels("labels", want.Input[0], want.Classes))
				loss, err := r.p.Loss()
				if err != nil {
					t.Fatal(err)
				}
				if d := math.Abs(loss/want.Loss - 1); !(d <= precision.logits) {
					t.Errorf("loss %v, PyTorch %v", loss, want.Loss)
				}
				// Statistics of a few pixels make roundings in a deep network larger.
				if d := farthest(logits, want.Logits); !(d <= 5*precision.logits) {
					t.Errorf("logits differ by %.2g of the largest", d)
				}
				compare := func(kind, name string, got []float32, want formula.Summary, tolerance float64) float64 {
					s, norm := formula.Summarize(name, got), want.Norm
					if norm < 1e-9*largest {
						norm = largest
					}
					d := s.Distance(want) / norm
					for i, x := range want.Head {
						d = max(d, math.Abs(s.Head[i]-x)/norm)
					}
					if !(d <= tolerance) {
						t.Errorf("%s of %s differs by %.2g of its norm", kind, name, d)
					}
					return d
				}
				worst, trained := 0.0, 0
				for _, p := range r.ps.All() {
					if s, ok := want.Statistics[p.Name]; ok {
						got, err := p.Read()
						if err != nil {
							t.Fatal(err)
						}
						compare("the statistic", p.Name, got, s, precision.statistic)
					}
					if p.Role.Trained() {
						got, err := p.ReadFrom(r.ps.Grads())
						if err != nil {
							t.Fatal(err)
						}
						trained++
						worst = max(worst, compare("the gradient", p.Name, got, want.Gradients[p.Name], limit))
					}
				}
				if trained != len(want.Gradients) {
					t.Errorf("%d parameters are trained, in PyTorch %d", trained, len(want.Gradients))
				}
				t.Logf("largest difference of a gradient: %.2g of its norm", worst)
			})
		}
	}
}

// Parameters have PyTorch's names, shapes and order, and the counts are the
// published ones.
func TestParametersEqualPyTorch(t *testing.T) {
	golden := readGolden[map[string]struct {
		models.Cost
		Tensors [][2]any
	}](t, "parameters.json")
	published := map[string]int64{
		"resnet18": 11689512, "resnet34": 21797672, "resnet50": 25557032, // torchvision's documentation
		"mobilenetv2_050": 1968680, "mobilenetv2_100": 3504872, "mobilenetv2_140": 6108776, // timm's
		"squeezenet1_0": 1248424, "squeezenet1_1": 1235496,
		"cifar_resnet18": 11173962, "cifar_resnet20": 269722, "cifar_resnet32": 464154, "cifar_resnet44": 658586, "cifar_resnet56": 853018,
		"lenet5": 61706,
	}
	for name, want := range golden {
		t.Run(name, func(t *testing.T) {
			cost, err := models.Measure(name, models.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if cost != want.Cost {
				t.Errorf("%+v, PyTorch %+v", cost, want.Cost)
			}
			if n, ok := published[name]; ok && cost.Params != n {
				t.Errorf("%d parameters, published %d", cost.Params, n)
			}
			ps := graph.NewParams(1)
			if _, err := models.New(name, ps.Root(), models.Options{}); err != nil {
				t.Fatal(err)
			}
			if len(ps.All()) != len(want.Tensors) {
				t.Fatalf("%d tensors, PyTorch %d", len(ps.All()), len(want.Tensors))
			}
			for i, p := range ps.All() {
				var shape graph.Shape
				for _, d := range want.Tensors[i][1].([]any) {
					shape = append(shape, int(d.(float64)))
				}
				if p.Name != want.Tensors[i][0] || !p.FileShape().Eq(shape) {
					t.Errorf("tensor %d is %s %v, in PyTorch %s %v", i, p.Name, p.FileShape(), want.Tensors[i][0], shape)
				}
			}
		})
	}
}
