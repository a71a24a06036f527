package models_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models"
)

func TestUnknownNamesSuggestNearOnes(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"resnet81", "did you mean resnet101 or resnet18 or resnet34?"},
		{"ResNet-50", "did you mean resnet50"},
		{"lenet", "did you mean lenet5?"},
		{"cifar-resnet20", "did you mean cifar_resnet20"},
		{"squeezenet", "did you mean squeezenet1_0 or squeezenet1_1?"},
		{"resnet18d", "did you mean resnet18"},
		{"no_such_network", "; there are "},
		{"", "; there are "},
	} {
		_, err := models.New(c.name, graph.NewParams(1).Root(), models.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%q): %v, want an error with %q", c.name, err, c.want)
		}
		if _, again := models.Info(c.name); again == nil || again.Error() != err.Error() {
			t.Errorf("Info(%q): %v, want %v", c.name, again, err)
		}
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		name string
		o    models.Options
		want string
	}{
		{"resnet18", models.Options{NumClasses: -1}, "model resnet18: the number of classes is -1"},
		{"resnet18", models.Options{InChans: -3}, "the number of input channels is -3"},
		{"resnet18", models.Options{ImageSize: -224}, "the image size is -224"},
		{"resnet18", models.Options{DropRate: 1}, "the dropout probability is 1;"},
		{"resnet18", models.Options{DropRate: -0.5}, "the dropout probability is -0.5;"},
		{"resnet18", models.Options{DropPath: 1.5}, "the drop-path probability is 1.5;"},
		{"squeezenet1_1", models.Options{DropPath: 0.1}, "no residual branches"},
		{"resnet18", models.Options{DropBlock: -0.5}, "the drop-block probability is -0.5;"},
		{"vit_tiny_patch16_224", models.Options{DropBlock: 0.1}, "the model has no place for it"},
		{"lenet5", models.Options{ImageSize: 11}, "model lenet5: images of 11x11 pixels leave nothing"},
	} {
		if _, err := models.New(c.name, graph.NewParams(1).Root(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%s, %+v): %v, want an error with %q", c.name, c.o, err, c.want)
		}
	}
}

// What the configurations say about layers is true of the parameters, and images
// of other sizes and channels, and other classes, change only these layers.
func TestConfigurationsNameTheirLayers(t *testing.T) {
	for _, name := range models.Names() {
		info, err := models.Info(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(info.Mean) != info.InChans || len(info.Std) != info.InChans || len(info.FirstNorm) != len(info.FirstConv) ||
			len(info.Classifier) == 0 || info.Paper == "" || info.CropPct <= 0 || info.CropPct > 1 || info.Interpolation == "" {
			t.Errorf("%s: its configuration is not whole: %+v", name, info)
		}
		own, other := graph.NewParams(1), graph.NewParams(1)
		if _, err := models.New(name, own.Root(), models.Options{}); err != nil {
			t.Fatal(err)
		}
		m, err := models.New(name, other.Root(), models.Options{NumClasses: 3, InChans: 5})
		if err != nil {
			t.Fatal(err)
		}
		if m.Classes != 3 {
			t.Errorf("%s: %d classes, want 3", name, m.Classes)
		}
		var changed []string
		for i, p := range own.All() {
			if !p.Shape.Eq(other.All()[i].Shape) {
				changed = append(changed, p.Name)
			}
		}
		var want []string
		for i, layer := range info.FirstConv {
			want = append(want, layer+".weight")
			hasBias := own.Lookup(layer+".bias") != nil
			norm := info.FirstNorm[i]
			if norm != "" && (hasBias || own.Lookup(norm+".running_mean") == nil) {
				t.Errorf("%s: %s has a bias: %v, and the norm behind it is %q", name, layer, hasBias, norm)
			}
		}
		if len(info.FirstConv) == 0 {
			want = append(want, "fc1.weight") // the perceptron sees the image in a linear layer
		}
		for _, layer := range info.Classifier {
			want = append(want, layer+".weight")
			if own.Lookup(layer+".bias") != nil {
				want = append(want, layer+".bias")
			}
		}
		if !slices.Equal(changed, want) {
			t.Errorf("%s: %v change with channels and classes, its configuration says %v", name, changed, want)
		}
	}
}

func TestInfoSharesNothing(t *testing.T) {
	a, _ := models.Info("resnet18")
	a.Mean[0], a.Classifier[0] = 7, "x"
	if b, _ := models.Info("resnet34"); b.Mean[0] == 7 || b.Classifier[0] == "x" {
		t.Error("changing one model's configuration changed another's")
	}
}

// Stochastic depth grows linearly from nothing at the first block, and dropout
// is where it was asked for; evaluation has neither.
func TestDropRates(t *testing.T) {
	rates := func(name string, mode graph.Mode, o models.Options) (paths, drops []float64) {
		m, err := models.New(name, graph.NewParams(1).Root(), o)
		if err != nil {
			t.Fatal(err)
		}
		g := graph.New(mode)
		calls, err := g.Trace(m.Forward(g, g.Input("images", 1, 64, 64, 3)))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			switch o := c.Op.(type) {
			case op.DropPath:
				paths = append(paths, o.P)
			case op.Dropout:
				drops = append(drops, o.P)
			}
		}
		return paths, drops
	}
	for _, c := range []struct {
		name         string
		mode         graph.Mode
		o            models.Options
		paths, drops []float64
	}{
		{"cifar_resnet20", graph.Train, models.Options{DropPath: 0.5}, []float64{0.0625, 0.125, 0.1875, 0.25, 0.3125, 0.375, 0.4375, 0.5}, nil},
		{"cifar_resnet20", graph.Eval, models.Options{DropPath: 0.5, DropRate: 0.25}, nil, nil},
		{"resnet18", graph.Train, models.Options{DropRate: 0.25}, nil, []float64{0.25}},
		{"squeezenet1_1", graph.Train, models.Options{}, nil, []float64{0.5}},
		{"squeezenet1_1", graph.Train, models.Options{DropRate: models.NoDropout}, nil, nil},
		{"squeezenet1_1", graph.Train, models.Options{DropRate: 0.25}, nil, []float64{0.25}},
		// Squares as large as these small maps: a quarter of the rate, then the rate.
		{"resnet18", graph.Train, models.Options{DropBlock: 0.1}, nil, []float64{0.975, 0.975, 0.9, 0.9}},
		{"resnet18", graph.Eval, models.Options{DropBlock: 0.1}, nil, nil},
		{"resnest14d", graph.Train, models.Options{DropBlock: 0.1}, nil, []float64{0.996, 1 - 0.4/9}}, // before the pool that takes the stride
	} {
		paths, drops := rates(c.name, c.mode, c.o)
		if !slices.Equal(paths, c.paths) || !slices.Equal(drops, c.drops) {
			t.Errorf("%s, %v, %+v: drop path %v, dropout %v; want %v and %v", c.name, c.mode, c.o, paths, drops, c.paths, c.drops)
		}
	}
}

// Every model has dropout where it is asked for.
func TestDropoutOfEveryModel(t *testing.T) {
	for _, name := range models.Names() {
		m, err := models.New(name, graph.NewParams(1).Root(), models.Options{DropRate: 0.125})
		if err != nil {
			t.Fatal(err)
		}
		g := graph.New(graph.Train)
		o := m.Options
		calls, err := g.Trace(m.Forward(g, g.Input("images", 1, o.ImageSize, o.ImageSize, o.InChans)))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(calls, func(c graph.Traced) bool { d, ok := c.Op.(op.Dropout); return ok && d.P == 0.125 }) {
			t.Errorf("%s has none", name)
		}
	}
}

func TestRegister(t *testing.T) {
	if err := models.Register(models.Spec{
		Name:   "deep_mlp",
		Config: models.Config{InputSize: 8, InChans: 1, NumClasses: 10, Classifier: []string{"fc3"}},
		Build:  perceptron,
	}); err != nil {
		t.Fatal(err)
	}
	defer models.Forget("deep_mlp")
	cost, err := models.Measure("deep_mlp", models.Options{NumClasses: 4})
	if want := int64(64*16 + 16 + 16*16 + 16 + 16*4 + 4); err != nil || cost.Params != want {
		t.Errorf("a registered model has %d parameters, want %d; %v", cost.Params, want, err)
	}
	if err := models.Register(models.Spec{Name: "resnet18", Build: perceptron}); err == nil {
		t.Error("a second resnet18 was taken")
	}
	if err := models.Register(models.Spec{Name: "nothing"}); err == nil {
		t.Error("a model without Build was taken")
	}
}

func perceptron(s graph.Scope, o models.Options) (graph.Module, error) {
	return models.NewMLP(s, []int{16, 16}, op.GELU, o)
}

// The image is too small for the network: the error says what did not fit.
func TestImageTooSmall(t *testing.T) {
	ps := graph.NewParams(1)
	m, err := models.New("squeezenet1_1", ps.Root(), models.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dev := device(t, cpu.Options{})
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Eval)
	y := m.Forward(g, g.Input("images", 1, 8, 8, 3))
	if _, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Outputs: []*graph.Node{y}}); err == nil || !strings.Contains(err.Error(), "smaller than the 3x3 window") {
		t.Errorf("error %v, want one that says that the map is too small", err)
	}
}
