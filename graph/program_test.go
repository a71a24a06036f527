package graph_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
)

func device(t testing.TB, o cpu.Options) *cpu.Device {
	t.Helper()
	d, err := cpu.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// block is a residual network in miniature: every pattern that fuse knows, a value
// used three times, a shortcut with a norm of its own, and two branches side by side.
type block struct {
	conv1, conv2, short, conv3 *graph.Convolution
	left, right                *graph.Convolution
	bn1, bn2, bnS, bn3, bn4    *graph.Norm
	fc                         *graph.Dense
}

func newBlock(s graph.Scope) *block {
	const width = 22
	return &block{
		conv1: graph.NewConv(s.Sub("conv1"), 3, width, 3, graph.ConvConfig{Pad: 1}), bn1: graph.NewBatchNorm(s.Sub("bn1"), width, graph.BatchNormConfig{}),
		conv2: graph.NewConv(s.Sub("conv2"), width, width, 3, graph.ConvConfig{Pad: 1, Stride: 2}), bn2: graph.NewBatchNorm(s.Sub("bn2"), width, graph.BatchNormConfig{}),
		short: graph.NewConv(s.Sub("short"), width, width, 1, graph.ConvConfig{Stride: 2}), bnS: graph.NewBatchNorm(s.Sub("bnS"), width, graph.BatchNormConfig{}),
		conv3: graph.NewConv(s.Sub("conv3"), width, width, 3, graph.ConvConfig{Pad: 1, Bias: true}), bn3: graph.NewBatchNorm(s.Sub("bn3"), width, graph.BatchNormConfig{}),
		left:  graph.NewConv(s.Sub("left"), width, 8, 1, graph.ConvConfig{Bias: true}),
		right: graph.NewConv(s.Sub("right"), width, width-8, 3, graph.ConvConfig{Pad: 1, Bias: true}),
		bn4:   graph.NewBatchNorm(s.Sub("bn4"), width, graph.BatchNormConfig{}),
		fc:    graph.NewLinear(s.Sub("fc"), width, 4, graph.LinearConfig{}),
	}
}

func (b *block) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	x = g.Activation(b.bn1.Forward(g, b.conv1.Forward(g, x)), op.HardTanh)
	y := b.bn2.Forward(g, b.conv2.Forward(g, x))
	x = g.ReLU(g.Add(y, b.bnS.Forward(g, b.short.Forward(g, x))))
	z := g.ReLU(b.conv3.Forward(g, x))
	x = g.ReLU(g.Add(b.bn3.Forward(g, g.Activation(z, op.SiLU)), x))
	x = g.Concat(3, g.ReLU(b.left.Forward(g, x)), g.ReLU(b.right.Forward(g, x)))
	x = g.Activation(b.bn4.Forward(g, x), op.Mish)
	x = g.Add(x, g.DropPath(g.Activation(x, op.Tanh), 0.3))
	return b.fc.Forward(g, g.Dropout(g.GlobalAvgPool(x), 0.2))
}

type rig struct {
	m       graph.Module
	ps      *graph.Params
	p       *graph.Program
	x, t    *graph.Node
	y, loss *graph.Node
	ws      *graph.Workspace
}

func build(t testing.TB, dev graph.Device, dt op.DType, mode graph.Mode, target graph.Target) *rig {
	t.Helper()
	r := &rig{ps: graph.NewParamsOf(dt, 5)}
	r.m = newBlock(r.ps.Root())
	if err := r.ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	r.ws = graph.NewWorkspace(dev, 9)
	r.compile(t, mode, target)
	return r
}

func (r *rig) compile(t testing.TB, mode graph.Mode, target graph.Target) {
	t.Helper()
	const n = 3
	g := graph.NewOf(r.ps.DType(), mode)
	r.x, r.t = g.Input("x", n, 7, 5, 3), g.Input("t", n)
	r.y = r.m.Forward(g, r.x)
	r.loss = g.CrossEntropy(r.y, r.t, 0.1)
	target.Outputs, target.Loss = []*graph.Node{r.y}, r.loss
	var err error
	if r.p, err = graph.Compile(g, r.ps, r.ws, target); err != nil {
		t.Fatal(err)
	}
}

// run sets the same inputs each time and returns the loss.
func (r *rig) run(t testing.TB) float64 {
	t.Helper()
	s := rng.New(1, "input")
	x := make([]float32, 3*7*5*3)
	for i := range x {
		x[i] = float32(s.Norm())
	}
	if err := r.p.Set(r.x, x); err != nil {
		t.Fatal(err)
	}
	if err := r.p.Set(r.t, []float32{0, 3, 1}); err != nil {
		t.Fatal(err)
	}
	r.ws.SetDraws(0)
	if err := r.p.Run(); err != nil {
		t.Fatal(err)
	}
	loss, err := r.p.Loss()
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

func f64(b op.Buffer, p *graph.Param) []float64 {
	raw := b.Host()[8*p.Offset() : 8*(p.Offset()+p.Len())]
	out := make([]float64, p.Len())
	for i := range out {
		out[i] = math.Float64frombits(le64(raw[8*i:]))
	}
	return out
}

func le64(b []byte) uint64 {
	v := uint64(0)
	for i := 7; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

func setF64(b op.Buffer, p *graph.Param, i int, x float64) {
	raw := b.Host()[8*(p.Offset()+i):]
	v := math.Float64bits(x)
	for k := range 8 {
		raw[k] = byte(v >> (8 * k))
	}
}

// Every gradient of the miniature network, through fusion, equals central
// differences in float64.
func TestGradientsEqualCentralDifferences(t *testing.T) {
	r := build(t, device(t, cpu.Options{Strict: true}), op.Float64, graph.Train, graph.Target{})
	r.run(t)
	if len(r.p.Trained()) != 21 {
		t.Errorf("%d parameters are trained, want 21", len(r.p.Trained()))
	}
	worst := 0.0
	for _, p := range r.p.Trained() {
		r.run(t) // at the very point about which the loss is moved
		analytic := f64(r.ps.Grads(), p)
		value := f64(r.ps.Trained(), p)
		for i := 0; i < p.Len(); i += 1 + p.Len()/7 {
			const h = 1e-6
			setF64(r.ps.Trained(), p, i, value[i]+h)
			up := r.run(t)
			setF64(r.ps.Trained(), p, i, value[i]-h)
			down := r.run(t)
			setF64(r.ps.Trained(), p, i, value[i])
			numeric := (up - down) / (2 * h)
			diff := math.Abs(numeric-analytic[i]) / (1e-3 + math.Abs(numeric))
			worst = max(worst, diff)
			if diff > 1e-5 {
				t.Errorf("%s[%d]: gradient %v, central difference %v", p.Name, i, analytic[i], numeric)
			}
		}
	}
	t.Logf("largest relative difference %.2g", worst)
}

// Each pattern of fusion is found in the miniature network.
func TestEveryPatternIsFused(t *testing.T) {
	dev := device(t, cpu.Options{})
	has := map[string]bool{}
	for _, mode := range []graph.Mode{graph.Train, graph.Eval} {
		for _, s := range build(t, dev, op.Float32, mode, graph.Target{}).p.Steps() {
			switch o := s.Call.Op.(type) {
			case op.Conv2D:
				has["convolution and clip"] = has["convolution and clip"] || o.Clip.On()
				has["convolution and moments"] = has["convolution and moments"] || o.Moments
				has["convolution and concatenation"] = has["convolution and concatenation"] || o.Part.Into
			case op.BatchNorm:
				has["norm, residual and clip"] = has["norm, residual and clip"] || o.Residual && o.Clip.On()
				has["norm of given moments"] = has["norm of given moments"] || o.Given
			case op.Conv2DInputGrad:
				has["gradient and sum"] = has["gradient and sum"] || o.Add
				has["gradient, clip and sums of the norm"] = has["gradient, clip and sums of the norm"] || o.Norm.Clip.On()
				has["gradient, sums and residual"] = has["gradient, sums and residual"] || o.Norm.Residual
			case op.BatchNormGrad:
				has["norm's gradient of given sums"] = has["norm's gradient of given sums"] || o.Given
			case op.NormActivationGrad:
				has["norm and activation's gradient"] = true
			case op.ClipGrad:
				has["clip's and bias's gradient"] = true
			case op.FoldNorm:
				has["convolution and constant norm"] = true
			case op.Activation:
				if o.Func.Clip().On() {
					t.Errorf("%v: a %s is left", mode, o.Func)
				}
			}
		}
	}
	for _, pattern := range []string{"convolution and clip", "convolution and moments", "convolution and concatenation", "norm, residual and clip",
		"norm of given moments", "gradient and sum", "gradient, clip and sums of the norm", "norm's gradient of given sums",
		"gradient, sums and residual", "norm and activation's gradient", "clip's and bias's gradient", "convolution and constant norm"} {
		if !has[pattern] {
			t.Errorf("no step has %s in one", pattern)
		}
	}
}

// Fusion and reuse of memory change no result.
func TestFusionChangesNothing(t *testing.T) {
	dev := device(t, cpu.Options{Strict: true})
	for _, mode := range []graph.Mode{graph.Train, graph.Eval} {
		plain := build(t, dev, op.Float64, mode, graph.Target{NoFusion: true})
		fused := build(t, dev, op.Float64, mode, graph.Target{})
		if a, b := len(plain.p.Steps()), len(fused.p.Steps()); b >= a {
			t.Errorf("%v: %d steps fused, %d without", mode, b, a)
		}
		if a, b := plain.run(t), fused.run(t); math.Abs(a-b) > 1e-12 {
			t.Errorf("%v: loss %v fused, %v without", mode, b, a)
		}
		for _, p := range fused.p.Trained() {
			a, b := f64(plain.ps.Grads(), plain.ps.Lookup(p.Name)), f64(fused.ps.Grads(), p)
			for i := range a {
				if math.Abs(a[i]-b[i]) > 1e-11 {
					t.Fatalf("%v: gradient of %s[%d] %v fused, %v without", mode, p.Name, i, b[i], a[i])
				}
			}
		}
	}
}

// The fast kernels give the portable ones' loss and gradients.
func TestFastKernelsAgree(t *testing.T) {
	slow := build(t, device(t, cpu.Options{Strict: true}), op.Float32, graph.Train, graph.Target{})
	fast := build(t, device(t, cpu.Options{}), op.Float32, graph.Train, graph.Target{})
	if a, b := slow.run(t), fast.run(t); math.Abs(a-b) > 1e-5 {
		t.Errorf("loss %v, portable %v", b, a)
	}
	for i, p := range fast.ps.All() {
		if !p.Role.Trained() {
			continue
		}
		a, err := slow.ps.All()[i].ReadFrom(slow.ps.Grads())
		if err != nil {
			t.Fatal(err)
		}
		b, err := p.ReadFrom(fast.ps.Grads())
		if err != nil {
			t.Fatal(err)
		}
		for k := range a {
			if math.Abs(float64(a[k]-b[k])) > 1e-5*(1+math.Abs(float64(a[k]))) {
				t.Fatalf("gradient of %s[%d]: %v, portable %v", p.Name, k, b[k], a[k])
			}
		}
	}
}

// scantBlock has a convolution of many channels between ones of few.
type scantBlock struct{ in, wide, out *graph.Convolution }

func (b scantBlock) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return g.GlobalAvgPool(b.out.Forward(g, g.ReLU(b.wide.Forward(g, g.ReLU(b.in.Forward(g, x))))))
}

// Convolutions of few channels are computed in float32, which is faster.
func TestFewChannelsStayFloat32(t *testing.T) {
	r := &rig{ps: graph.NewParamsOf(op.Float32, 5)}
	s := r.ps.Root()
	r.m = scantBlock{graph.NewConv(s.Sub("in"), 3, 16, 3, graph.ConvConfig{}), graph.NewConv(s.Sub("wide"), 16, 16, 3, graph.ConvConfig{Pad: 1}), graph.NewConv(s.Sub("out"), 16, 6, 1, graph.ConvConfig{})}
	dev := device(t, cpu.Options{})
	if err := r.ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	r.ws = graph.NewWorkspace(dev, 9)
	r.compile(t, graph.Train, graph.Target{Precision: op.BFloat16})
	for _, s := range r.p.Steps() {
		few := false
		for _, shape := range slices.Concat(s.Call.In, s.Call.Out) {
			few = few || len(shape) == 4 && shape[3] == 6
		}
		if _, ok := s.Call.Op.(op.Conv2D); ok && few == !s.Call.Narrow.Empty() {
			t.Errorf("%v of shapes %v and %v: bfloat16 %v", s.Call.Op, s.Call.In, s.Call.Out, !s.Call.Narrow.Empty())
		}
	}
}

// A program that keeps its activations in bfloat16 takes less memory, and computes
// what it otherwise would but for rounding, whatever the kernels.
func TestBFloat16IsNear(t *testing.T) {
	for _, o := range []cpu.Options{{}, {Strict: true}} {
		for _, mode := range []graph.Mode{graph.Train, graph.Eval} {
			dev := device(t, o)
			wide := build(t, dev, op.Float32, mode, graph.Target{})
			half := build(t, dev, op.Float32, mode, graph.Target{Precision: op.BFloat16})
			narrow := 0
			for _, s := range half.p.Steps() {
				if !s.Call.Narrow.Empty() {
					narrow++
				}
			}
			if narrow < len(half.p.Steps())/2 {
				t.Errorf("%v: only %d of %d steps touch bfloat16", mode, narrow, len(half.p.Steps()))
			}
			a, b := wide.run(t), half.run(t)
			if a == b || math.Abs(a-b) > 0.02*a {
				t.Errorf("%v: loss %v in bfloat16, %v in float32; want it near but rounded", mode, b, a)
			}
			for i, p := range half.p.Trained() {
				x, errX := wide.p.Trained()[i].ReadFrom(wide.ps.Grads())
				y, errY := p.ReadFrom(half.ps.Grads())
				if errX != nil || errY != nil {
					t.Fatal(errX, errY)
				}
				var dot, xx, yy float64
				for k := range x {
					dot += float64(x[k]) * float64(y[k])
					xx += float64(x[k]) * float64(x[k])
					yy += float64(y[k]) * float64(y[k])
				}
				if math.Sqrt(xx) < 1e-3 {
					continue // a bias before a batch norm: zero but for rounding
				}
				if cos := dot / math.Sqrt(xx*yy); !(cos > 0.98) {
					t.Errorf("the gradient of %s has a cosine of %v with that in float32", p.Name, cos)
				}
			}
		}
	}
}

func TestAccumulateAddsGradients(t *testing.T) {
	dev := device(t, cpu.Options{})
	once := build(t, dev, op.Float64, graph.Train, graph.Target{})
	twice := build(t, dev, op.Float64, graph.Train, graph.Target{Accumulate: true})
	once.run(t)
	twice.run(t)
	twice.run(t)
	for _, p := range twice.p.Trained() {
		a, b := f64(once.ps.Grads(), once.ps.Lookup(p.Name)), f64(twice.ps.Grads(), p)
		for i := range a {
			if math.Abs(2*a[i]-b[i]) > 1e-12 {
				t.Fatalf("%s[%d]: two runs gave %v, one %v", p.Name, i, b[i], a[i])
			}
		}
	}
}

func TestFrozenParametersGetNoGradient(t *testing.T) {
	dev := device(t, cpu.Options{})
	r := &rig{ps: graph.NewParams(5), ws: graph.NewWorkspace(dev, 9)}
	r.m = newBlock(r.ps.Root())
	if err := r.ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	for _, p := range r.ps.All() {
		p.Frozen = p.Name != "fc.weight"
	}
	r.compile(t, graph.Train, graph.Target{})
	if got := r.p.Trained(); len(got) != 1 || got[0].Name != "fc.weight" {
		t.Errorf("trained %v, want fc.weight alone", got)
	}
	for _, s := range r.p.Steps() {
		if _, ok := s.Call.Op.(op.Conv2DWeightGrad); ok {
			t.Error("the program computes a convolution's gradient although all are frozen")
		}
	}
	before := bytes.Clone(r.ps.Statistics().Host())
	r.run(t)
	if !bytes.Equal(r.ps.Statistics().Host(), before) {
		t.Error("a frozen norm's running statistics moved")
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	r := build(t, device(t, cpu.Options{}), op.Float32, graph.Train, graph.Target{})
	r.run(t)
	n := testing.AllocsPerRun(20, func() {
		if err := r.p.Run(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.p.Loss(); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("a run allocates %v times", n)
	}
}

// Programs of one workspace share its arena and do not disturb each other.
func TestProgramsShareTheArena(t *testing.T) {
	dev := device(t, cpu.Options{})
	r := build(t, dev, op.Float32, graph.Train, graph.Target{})
	want := r.run(t)
	size := r.ws.Bytes()
	if size < r.p.ArenaBytes() {
		t.Fatalf("the arena has %d bytes, the program wants %d", size, r.p.ArenaBytes())
	}
	train := r.p
	x, tt, loss := r.x, r.t, r.loss
	r.compile(t, graph.Eval, graph.Target{})
	r.run(t)
	if r.ws.Bytes() != size {
		t.Errorf("evaluation grew the arena from %d to %d bytes", size, r.ws.Bytes())
	}
	r.p, r.x, r.t, r.loss = train, x, tt, loss
	if got := r.run(t); got != want {
		t.Errorf("loss %v after another program ran, %v before", got, want)
	}
}

func BenchmarkTrainStep(b *testing.B) {
	r := build(b, device(b, cpu.Options{}), op.Float32, graph.Train, graph.Target{})
	r.run(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.p.Run(); err != nil {
			b.Fatal(err)
		}
	}
}
