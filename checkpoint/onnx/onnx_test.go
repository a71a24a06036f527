package onnx_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/seed52467199/trainer/checkpoint/onnx"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/layers"
)

// network is a model with values that leave nothing at zero.
func network(t *testing.T, dev graph.Device, name string, o models.Options) (*models.Model, *graph.Params) {
	t.Helper()
	ps := graph.NewParams(1)
	m, err := models.New(name, ps.Root(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	for _, p := range ps.All() {
		values, r := make([]float32, p.Len()), rng.New(1, p.Name)
		base, spread := 0.0, 0.1
		switch {
		case p.Role == graph.Weight:
			if w, err := p.Read(); err != nil || slices.ContainsFunc(w, func(v float32) bool { return v != 0 }) {
				continue
			}
		case strings.HasSuffix(p.Name, "running_var"), strings.HasSuffix(p.Name, "weight"):
			base, spread = 1, 0.3
		}
		for i := range values {
			values[i] = float32(base + r.Uniform(-spread, spread))
		}
		if err := p.Write(values); err != nil {
			t.Fatal(err)
		}
	}
	return m, ps
}

// logits are a model's for images (N, H, W, C).
func logits(t *testing.T, dev graph.Device, m *models.Model, ps *graph.Params, shape []int, x []float32) []float32 {
	t.Helper()
	g := graph.New(graph.Eval)
	in := g.Input("x", shape...)
	out := m.Forward(g, in)
	p, err := graph.Compile(g, ps, graph.NewWorkspace(dev, 1), graph.Target{Outputs: []*graph.Node{out}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Set(in, x); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	y := make([]float32, op.Size(out.Shape()))
	if err := p.Read(out, y); err != nil {
		t.Fatal(err)
	}
	return y
}

// size is an image's that a model takes and that does not cost much.
func size(name string) int {
	switch {
	case strings.HasPrefix(name, "swin"):
		return 56
	case strings.HasPrefix(name, "lenet"), name == "mlp":
		return 28
	case strings.HasPrefix(name, "cifar"):
		return 32
	}
	return 64
}

// python is an interpreter that can import onnx and onnxruntime; without one the test is
// skipped.
func python(t *testing.T) string {
	t.Helper()
	name := os.Getenv("TRAINER_PYTHON")
	if name == "" {
		name = "python3"
	}
	if err := exec.Command(name, "-c", "import onnx, onnxruntime, numpy").Run(); err != nil {
		t.Skipf("%s has no onnx and onnxruntime to compare with; TRAINER_PYTHON may name one that has", name)
	}
	return name
}

// comparison is one file for testdata/compare.py.
type comparison struct {
	Name   string    `json:"name"`
	File   string    `json:"file"`
	Shape  []int     `json:"shape"` // (N, C, H, W)
	Input  string    `json:"input"` // of float32
	Logits []float32 `json:"logits"`
	Limit  float64   `json:"limit"` // of the largest logit
}

// Every model passes ONNX's checker, and onnxruntime gives its logits to 1e-4 of the
// largest, for a batch of another size than that of the trace.
func TestOnnxruntimeGivesTheLogits(t *testing.T) {
	interpreter := python(t)
	dev, err := cpu.New(cpu.Options{DirectConvolution: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	dir := t.TempDir()
	var list []comparison
	limit, version := 1e-4, 0
	add := func(title, name string, o models.Options, keep bool) {
		o.ImageSize, o.NumClasses = size(name), 7
		m, ps := network(t, dev, name, o)
		chans := m.Options.InChans
		e, err := onnx.Export(m, ps, dev, onnx.Options{Name: name, Height: o.ImageSize, Width: o.ImageSize, Channels: chans, KeepNorms: keep, Opset: version, Producer: "trainer"})
		if err != nil {
			t.Errorf("%s: %v", title, err)
			return
		}
		c := comparison{Name: title, File: filepath.Join(dir, title+".onnx"), Shape: []int{3, chans, o.ImageSize, o.ImageSize}, Input: filepath.Join(dir, title+".f32"), Limit: limit}
		if err := e.Write(c.File); err != nil {
			t.Fatal(err)
		}
		first, last := images(c.Shape)
		if err := os.WriteFile(c.Input, first, 0o600); err != nil {
			t.Fatal(err)
		}
		c.Logits = logits(t, dev, m, ps, []int{3, o.ImageSize, o.ImageSize, chans}, last)
		if slices.ContainsFunc(c.Logits, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }) {
			t.Errorf("%s: the logits are %v", title, c.Logits[:7])
			return
		}
		list = append(list, c)
	}
	for _, name := range models.Names() {
		add(name, name, models.Options{}, false)
	}
	add("resnet18 with its norms", "resnet18", models.Options{}, true)
	// Some layers make a network that was never trained amplify roundings.
	limit = 1e-3
	for _, spec := range []layers.Choice{{Norm: "group:groups=8"}, {Norm: "frn"}, {Norm: "rms"}, {Norm: "instance"}, {Norm: "bcn:groups=8"}, {Conv: "std"}, {Conv: "scaled_std"}} {
		add("cifar_resnet20 "+spec.Norm+spec.Conv, "cifar_resnet20", models.Options{Layers: spec}, false)
	}
	for _, e := range layers.List(layers.Attentions) {
		if e.Name == "lka" {
			continue // its gate is not bounded, and nine untrained ones in a row overflow
		}
		add("cifar_resnet20 "+e.Name, "cifar_resnet20", models.Options{Layers: layers.Choice{Attention: e.Name}}, false)
	}
	for _, e := range layers.List(layers.Acts) {
		add("cifar_resnet20 "+e.Name, "cifar_resnet20", models.Options{Layers: layers.Choice{Act: e.Name}}, false)
	}
	for _, spec := range []string{"swish:beta=1.5", "prelu:shared=true"} {
		add("cifar_resnet20 "+spec, "cifar_resnet20", models.Options{Layers: layers.Choice{Act: spec}}, false)
	}
	add("cifar_resnet20 in clips of 3 frames", "cifar_resnet20", models.Options{Layers: layers.Choice{Attention: "temporal:frames=3"}}, false)
	limit = 1e-4
	for _, opset := range []int{18, 19, 20, 21, 22} {
		version = opset
		add(fmt.Sprintf("cbam_resnet18 in opset %d", opset), "cbam_resnet18", models.Options{}, false)
		add(fmt.Sprintf("vit_tiny_patch16_224 in opset %d", opset), "vit_tiny_patch16_224", models.Options{}, false)
		add(fmt.Sprintf("resnetv2_50x1_bit in opset %d", opset), "resnetv2_50x1_bit", models.Options{}, true)
	}
	version = 0
	for _, spec := range []string{"dcn", "dcnv2", "dcn:offset_groups=2", "dcnv2:offset_groups=4"} {
		add("one deformable convolution, "+spec, deforming(t, spec), models.Options{}, false)
	}
	for _, c := range []layers.RoIConfig{{H: 3, W: 2, Scale: 0.5}, {H: 2, W: 3, Scale: 0.5, Samples: 2, Unaligned: true}} {
		add(fmt.Sprintf("regions %+v", c), pooling(t, fmt.Sprintf("regions %+v", c), func(s graph.Scope) *layers.RoIPool { return layers.NewRoIAlign(c) }), models.Options{}, false)
	}
	manifest, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "manifest.json")
	if err := os.WriteFile(file, manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(interpreter, filepath.Join("testdata", "compare.py"), file).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("compare.py: %v", err)
	}
}

// deforming registers a network of a convolution, a deformable one of stride 2 with a norm,
// and a classifier, and gives its name.
func deforming(t *testing.T, spec string) string {
	t.Helper()
	name := "deforming " + spec
	err := models.Register(models.Spec{
		Name: name, Config: models.Config{InputSize: 24, InChans: 3, NumClasses: 7, Mean: []float64{0.5}, Std: []float64{0.5}, CropPct: 1, Interpolation: "bilinear",
			FirstConv: []string{"conv1"}, FirstNorm: []string{""}, Classifier: []string{"fc"}},
		Build: func(s graph.Scope, o models.Options) (graph.Module, error) {
			style, err := layers.Style{Norm: layers.BatchNorm, Act: layers.Act(op.Tanh)}.With(layers.Choice{Conv: spec})
			if err != nil {
				return nil, err
			}
			return graph.Sequential{
				graph.NewConv(s.Sub("conv1"), o.InChans, 8, 3, graph.ConvConfig{Pad: 1, Bias: true}),
				style.Convolve(s.Sub("conv2"), 8, 6, 3, graph.ConvConfig{Stride: 2, Pad: 1}),
				style.NormAct(s.Sub("bn2"), 6),
				layers.NewPoolHead(s.Sub("fc"), 6, o.NumClasses, 0, graph.LinearConfig{}),
			}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// pooling registers a network that classifies a region of the batch's second image for each
// image, which says what region, and gives its name.
func pooling(t *testing.T, name string, pool func(s graph.Scope) *layers.RoIPool) string {
	t.Helper()
	err := models.Register(models.Spec{
		Name: name, Config: models.Config{InputSize: 64, InChans: 3, NumClasses: 7, Mean: []float64{0.5}, Std: []float64{0.5}, CropPct: 1, Interpolation: "bilinear",
			FirstConv: []string{"conv1"}, FirstNorm: []string{""}, Classifier: []string{"fc"}},
		Build: func(s graph.Scope, o models.Options) (graph.Module, error) {
			conv := graph.NewConv(s.Sub("conv1"), o.InChans, 8, 3, graph.ConvConfig{Stride: 2, Pad: 1, Bias: true})
			sides := layers.NewPoolHead(s.Sub("sides"), 8, 4, 0, graph.LinearConfig{})
			regions := pool(s.Sub("regions"))
			fc := graph.NewLinear(s.Sub("fc"), 6*8, o.NumClasses, graph.LinearConfig{MapH: 2, MapW: 3})
			return graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node {
				x = conv.Forward(g, x)
				r := g.Scale(g.Activation(sides.Forward(g, x), op.Sigmoid), 60)
				from, size := g.Slice(r, 1, 0, 2, 1), g.Slice(r, 1, 2, 4, 1)
				second := g.Power(g.Slice(r, 1, 0, 1, 1), 0, 0)
				return fc.Forward(g, g.Flatten(regions.Forward(g, x, g.Concat(1, second, from, g.Add(from, size)))))
			}), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// images are (N, C, H, W) as bytes and the same as (N, H, W, C).
func images(shape []int) (first []byte, last []float32) {
	n, c, area := shape[0], shape[1], shape[2]*shape[3]
	r := rng.New(1, "images")
	last = make([]float32, n*c*area)
	for b := range n {
		for ch := range c {
			for p := range area {
				v := float32(r.Norm())
				last[(b*area+p)*c+ch] = v
				first = binary.LittleEndian.AppendUint32(first, math.Float32bits(v))
			}
		}
	}
	return first, last
}

// fields are the values of a message's fields of this number.
func fields(t *testing.T, m []byte, number protowire.Number) [][]byte {
	t.Helper()
	var found [][]byte
	for len(m) > 0 {
		num, typ, n := protowire.ConsumeTag(m)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		m = m[n:]
		size := protowire.ConsumeFieldValue(num, typ, m)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		if num == number && typ == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(m)
			found = append(found, v)
		}
		m = m[size:]
	}
	return found
}

// A file has the input, the result and the properties that others look for, and of norms
// behind convolutions nothing is left.
func TestFile(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	m, ps := network(t, dev, "cifar_resnet20", models.Options{})
	for _, keep := range []bool{false, true} {
		e, err := onnx.Export(m, ps, dev, onnx.Options{Name: "net", Height: 32, Width: 32, Channels: 3, KeepNorms: keep, Producer: "trainer", Metadata: map[string]string{"mean": "[0.5]"}})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "net.onnx")
		if err := e.Write(path); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		g := fields(t, file, 7)[0]
		kinds := map[string]int{}
		for _, n := range fields(t, g, 1) {
			kinds[string(fields(t, n, 4)[0])]++
		}
		norms := 0
		if keep {
			norms = 19
		}
		if kinds["Conv"] != 19 || kinds["BatchNormalization"] != norms || kinds["Transpose"] != 0 || kinds["Gemm"] != 1 {
			t.Errorf("KeepNorms %v: the nodes are %v", keep, kinds)
		}
		if in, out := fields(t, fields(t, g, 11)[0], 1)[0], fields(t, fields(t, g, 12)[0], 1)[0]; string(in) != "input" || string(out) != "logits" {
			t.Errorf("the input is %q, the result %q", in, out)
		}
		if p := fields(t, file, 14); len(p) != 1 || !bytes.Contains(p[0], []byte("mean")) {
			t.Errorf("the properties are %q", p)
		}
	}
}

// An opset that cannot be, or that lacks what the network needs, is refused.
func TestOpsets(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	for _, c := range []struct {
		layers layers.Choice
		opset  int
		want   string
	}{
		{layers.Choice{}, 16, "opset 16: it should be from 17 to 22"},
		{layers.Choice{}, 23, "opset 23: it should be from 17 to 22"},
		{layers.Choice{Conv: "dcn"}, 18, "opset 18: it should be from 19 to 22 for deformable convolutions"},
		{layers.Choice{Conv: "dcn"}, 0, ""},
	} {
		m, ps := network(t, dev, "cifar_resnet20", models.Options{Layers: c.layers})
		_, err := onnx.Export(m, ps, dev, onnx.Options{Height: 32, Width: 32, Channels: 3, Opset: c.opset})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v in opset %d: error %v, want %q", c.layers, c.opset, err, c.want)
		}
	}
}

// Pooling that ONNX has not is refused in a sentence.
func TestDeformablePooling(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	name := pooling(t, "regions deformed", func(s graph.Scope) *layers.RoIPool {
		return layers.NewModulatedDeformRoIPool(s, 8, layers.DeformRoIConfig{RoIConfig: layers.RoIConfig{H: 2, W: 3}, Hidden: 5})
	})
	m, ps := network(t, dev, name, models.Options{})
	_, err = onnx.Export(m, ps, dev, onnx.Options{Height: 64, Width: 64, Channels: 3})
	if err == nil || !strings.Contains(err.Error(), "deformable pooling of regions has no translation: ONNX pools them without offsets and masks only") {
		t.Errorf("error %v, want one that says what ONNX lacks", err)
	}
}

// An operation without a translation is named.
func TestUnknownOperation(t *testing.T) {
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParams(1)
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	m := graph.Func(func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Apply(op.SquaredNorm{}, g.Flatten(x)) })
	_, err = onnx.Export(m, ps, dev, onnx.Options{Height: 2, Width: 2, Channels: 1})
	if err == nil || !strings.Contains(err.Error(), "squared_norm") {
		t.Errorf("error %v, want one that names squared_norm", err)
	}
}
