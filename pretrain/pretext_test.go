package pretrain

import (
	"math"
	"testing"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/train"
)

// rig is one part of a method in a program of its own.
type rig struct {
	ps     *graph.Params
	ws     *graph.Workspace
	p      *graph.Program
	images *graph.Node
	e      train.Exercise
}

// newRig compiles part k of a method for a batch of n images, with these settings of a
// configuration that names the model.
func newRig(t testing.TB, dt op.DType, n, part int, c configs.Config) *rig {
	t.Helper()
	dev, err := cpu.New(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	r := &rig{ps: graph.NewParamsOf(dt, 3)}
	m, err := models.New(c.Model.Name, r.ps.Root(), models.Options{NumClasses: 3, InChans: c.Model.InChans, ImageSize: c.Data.Size})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := methods[c.Pretrain.Method](&train.Job{Config: &c, Model: m}, r.ps.Root().Sub(scaffold))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	g := graph.NewOf(dt, graph.Train)
	r.images = g.Input("images", n, c.Data.Size, c.Data.Size, c.Model.InChans)
	r.e = parts[part].Build(g, r.images)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	r.ws = graph.NewWorkspace(dev, 7)
	target := graph.Target{Loss: r.e.Loss}
	if r.e.Report != nil {
		target.Outputs = []*graph.Node{r.e.Report}
	}
	if r.p, err = graph.Compile(g, r.ps, r.ws, target); err != nil {
		t.Fatal(err)
	}
	return r
}

// run computes loss and gradients for a batch.
func (r *rig) run(t testing.TB, b *data.Batch) float64 {
	t.Helper()
	if err := r.p.Set(r.images, b.Images); err != nil {
		t.Fatal(err)
	}
	for _, in := range r.e.Inputs {
		vals := make([]float32, op.Size(in.Node.Shape()))
		in.Fill(vals, b)
		if err := r.p.Set(in.Node, vals); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.p.Run(); err != nil {
		t.Fatal(err)
	}
	loss, err := r.p.Loss()
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

// batch has n images of size x size pixels in [0, 1).
func batch(n, size, channels int) *data.Batch {
	b := &data.Batch{N: n, Epoch: 2, Height: size, Width: size, Channels: channels, Images: make([]float32, n*size*size*channels)}
	r := rng.New(1, "images")
	for i := range b.Images {
		b.Images[i] = r.Float32()
	}
	for i := range n {
		b.Indices = append(b.Indices, 10*i)
	}
	return b
}

// settings is a configuration of a method.
func settings(method, model string, size, channels int, more func(*configs.Pretrain)) configs.Config {
	c := configs.Default()
	c.Model.Name, c.Model.InChans, c.Data.Size = model, channels, size
	c.Pretrain.Method, c.Pretrain.DecoderWidth, c.Pretrain.DecoderDepth, c.Pretrain.DecoderHeads = method, 24, 1, 3
	if more != nil {
		more(&c.Pretrain)
	}
	return c
}

// tiny are networks small enough for central differences.
func init() {
	vit := func(s graph.Scope, o models.Options) (graph.Module, error) {
		return models.NewViT(s, models.ViTConfig{Patch: 4, Width: 8, Depth: 2, Heads: 2, PlaceClass: true}, o)
	}
	net := func(s graph.Scope, o models.Options) (graph.Module, error) {
		c := models.ResNetConfig{Depths: []int{1, 1}, Widths: []int{4, 6}, Branch: models.BasicBranch, Shortcut: models.OptionA, Stem: models.SmallImageStem(4), Classifier: "fc"}
		c.Style = decoderStyle
		return models.NewResNet(s, c, o)
	}
	for name, build := range map[string]func(graph.Scope, models.Options) (graph.Module, error){"tiny_vit": vit, "tiny_resnet": net} {
		classifier := map[string]string{"tiny_vit": "head", "tiny_resnet": "fc"}[name]
		if err := models.Register(models.Spec{Name: name, Build: build, Config: models.Config{InputSize: 16, InChans: 3, NumClasses: 10, Classifier: []string{classifier}}}); err != nil {
			panic(err)
		}
	}
}

// The gradients of every part of every method equal central differences in float64: of
// several values of every parameter, and of no parameter that they should leave alone.
func TestGradientsEqualCentralDifferences(t *testing.T) {
	for _, c := range []struct {
		name     string
		part     int
		untaught int // trained parameters of the model, and other parts' decoders, without a gradient
		c        configs.Config
	}{
		{"dae tied", 0, 2, settings("dae", "mlp", 4, 2, nil)},
		{"dae second layer", 1, 8, settings("dae", "mlp_500_500_2000", 4, 1, nil)},
		{"dae untied gaussian cross-entropy", 0, 2, settings("dae", "mlp", 4, 2, func(c *configs.Pretrain) { c.Tied, c.Noise, c.Loss = false, "gaussian", "cross_entropy" })},
		{"cae", 0, 2, settings("cae", "tiny_resnet", 8, 3, nil)},
		{"cae gaussian cross-entropy", 0, 2, settings("cae", "tiny_resnet", 8, 1, func(c *configs.Pretrain) { c.Noise, c.Loss = "gaussian", "cross_entropy" })},
		{"mae", 0, 2, settings("mae", "tiny_vit", 16, 3, nil)},
		{"mae pixels", 0, 2, settings("mae", "tiny_vit", 16, 1, func(c *configs.Pretrain) { c.NormPixels = false })},
		{"simmim maps", 0, 2, settings("simmim", "tiny_resnet", 8, 3, nil)},
		{"simmim tokens", 0, 2, settings("simmim", "tiny_vit", 16, 3, func(c *configs.Pretrain) { c.MaskPatch = 8 })},
	} {
		t.Run(c.name, func(t *testing.T) {
			const n, h, tolerance = 3, 2e-5, 1e-3
			r := newRig(t, op.Float64, n, c.part, c.c)
			b := batch(n, c.c.Data.Size, c.c.Model.InChans)
			r.run(t, b)
			trained := map[*graph.Param]bool{}
			for _, p := range r.p.Trained() {
				trained[p] = true
			}
			untaught := 0
			for _, p := range r.ps.All() {
				if p.Role.Trained() && !trained[p] {
					untaught++
				}
			}
			if untaught != c.untaught {
				t.Errorf("%d parameters get no gradient, want %d", untaught, c.untaught)
			}
			grads := map[*graph.Param][]float32{}
			for p := range trained {
				var err error
				if grads[p], err = p.ReadFrom(r.ps.Grads()); err != nil {
					t.Fatal(err)
				}
			}
			scale := 0.0
			for _, g := range grads {
				for _, v := range g {
					scale = max(scale, math.Abs(float64(v)))
				}
			}
			for _, p := range r.p.Trained() {
				g := grads[p]
				vals, err := p.Read()
				if err != nil {
					t.Fatal(err)
				}
				for k := range 3 {
					i := (k*37 + 1) % len(vals)
					at := func(x float32) float64 {
						old := vals[i]
						vals[i] = x
						if err := p.Write(vals); err != nil {
							t.Fatal(err)
						}
						vals[i] = old
						return r.run(t, b)
					}
					above, below := vals[i]+h, vals[i]-h
					numeric := (at(above) - at(below)) / (float64(above) - float64(below))
					if d := math.Abs(numeric - float64(g[i])); d > tolerance*scale {
						t.Errorf("%s[%d]: gradient %.6g, central difference %.6g", p.Name, i, g[i], numeric)
					}
				}
				if err := p.Write(vals); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
