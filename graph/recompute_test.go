package graph_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/internal/rng"
)

// deep is a network of residual blocks with everything that makes repeating hard:
// running statistics, masks, pools with winners, joined channels, a view, and
// a value that is used far from where it is made.
type deep struct {
	stem   *graph.Convolution
	norm   *graph.Norm
	blocks []deepBlock
	fc     *graph.Dense
}

type deepBlock struct {
	conv1, conv2 *graph.Convolution
	norm1, norm2 *graph.Norm
}

func newDeep(s graph.Scope) *deep {
	d := &deep{stem: graph.NewConv(s.Sub("stem"), 3, 8, 3, graph.ConvConfig{Pad: 1}), norm: graph.NewBatchNorm(s.Sub("norm"), 8, graph.BatchNormConfig{})}
	for i := range 6 {
		s := s.Sub(fmt.Sprint("block", i))
		d.blocks = append(d.blocks, deepBlock{
			graph.NewConv(s.Sub("conv1"), 8, 8, 3, graph.ConvConfig{Pad: 1}), graph.NewConv(s.Sub("conv2"), 8, 8, 1, graph.ConvConfig{Bias: true}),
			graph.NewBatchNorm(s.Sub("norm1"), 8, graph.BatchNormConfig{}), graph.NewBatchNorm(s.Sub("norm2"), 8, graph.BatchNormConfig{}),
		})
	}
	d.fc = graph.NewLinear(s.Sub("fc"), 16*3*2, 4, graph.LinearConfig{})
	return d
}

func (d *deep) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	x = g.ReLU(d.norm.Forward(g, d.stem.Forward(g, x)))
	early := x
	for i, b := range d.blocks {
		y := g.ReLU(b.norm1.Forward(g, b.conv1.Forward(g, x)))
		y = b.norm2.Forward(g, b.conv2.Forward(g, g.Dropout(y, 0.1)))
		x = g.ReLU(g.Add(g.DropPath(y, 0.2), x))
		if i%2 == 1 {
			x = g.Activation(x, op.SiLU)
		}
	}
	x = g.MaxPool(g.Concat(3, x, early), op.Square(2, 2, 0), false)
	return d.fc.Forward(g, g.Flatten(x))
}

// deepRun compiles the network and runs it twice, so that the second run finds
// the arena as the first one left it.
func deepRun(t *testing.T, dev graph.Device, dt op.DType, target graph.Target) (ps *graph.Params, p *graph.Program, loss float64, err error) {
	t.Helper()
	const n, h, w = 3, 7, 5
	ps = graph.NewParamsOf(dt, 5)
	d := newDeep(ps.Root())
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	g := graph.NewOf(dt, graph.Train)
	x, labels := g.Input("x", n, h, w, 3), g.Input("labels", n)
	y := d.Forward(g, x)
	target.Outputs, target.Loss = []*graph.Node{y}, g.CrossEntropy(y, labels, 0.1)
	if p, err = graph.Compile(g, ps, graph.NewWorkspace(dev, 9), target); err != nil {
		return nil, nil, 0, err
	}
	pixels := make([]float32, n*h*w*3)
	s := rng.New(1, "input")
	for i := range pixels {
		pixels[i] = float32(s.Norm())
	}
	for range 2 {
		if err := errors.Join(p.Set(x, pixels), p.Set(labels, []float32{0, 3, 1}), p.Run()); err != nil {
			t.Fatal(err)
		}
	}
	if loss, err = p.Loss(); err != nil {
		t.Fatal(err)
	}
	return ps, p, loss, nil
}

// Whatever the limit, the loss, the gradients and the running statistics are the
// same bits, and the working memory keeps the limit; one below what is possible
// is refused with what would do.
func TestMemoryLimitChangesNoBit(t *testing.T) {
	for _, c := range []struct {
		dt     op.DType
		strict bool
		target graph.Target
	}{
		{op.Float32, false, graph.Target{}}, {op.Float32, false, graph.Target{NoFusion: true}}, {op.Float32, false, graph.Target{Accumulate: true}},
		{op.Float32, true, graph.Target{}}, {op.Float32, false, graph.Target{Precision: op.BFloat16}}, {op.Float32, true, graph.Target{Precision: op.BFloat16}},
		{op.Float64, true, graph.Target{}}, {op.Float64, true, graph.Target{NoFusion: true}},
	} {
		t.Run(fmt.Sprintf("%v strict=%v unfused=%v accumulate=%v precision=%v", c.dt, c.strict, c.target.NoFusion, c.target.Accumulate, c.target.Precision), func(t *testing.T) {
			dev := device(t, cpu.Options{Strict: c.strict})
			plain, p, want, err := deepRun(t, dev, c.dt, c.target)
			if err != nil {
				t.Fatal(err)
			}
			whole, repeated := p.ArenaBytes(), 0
			arena, _ := p.ArenaAndPeak()
			check := func(limit int) error {
				target := c.target
				target.Memory = limit
				ps, p, loss, err := deepRun(t, dev, c.dt, target)
				if err != nil {
					return err
				}
				m := p.MemoryPlan()
				if m.Bytes > limit || m.Bytes != p.ArenaBytes() || m.Whole != whole || m.Repeated == 0 || m.ExtraTime <= 0 {
					t.Errorf("limit %d of %d: plan %+v, arena %d", limit, whole, m, p.ArenaBytes())
				}
				repeated = max(repeated, m.Repeated)
				if loss != want {
					t.Errorf("limit %d of %d: loss %v, want %v", limit, whole, loss, want)
				}
				if !bytes.Equal(ps.Grads().Host(), plain.Grads().Host()) {
					t.Errorf("limit %d of %d: other gradients", limit, whole)
				}
				if !bytes.Equal(ps.Statistics().Host(), plain.Statistics().Host()) {
					t.Errorf("limit %d of %d: other running statistics", limit, whole)
				}
				return nil
			}
			for percent := 95; ; percent -= 5 {
				limit := whole - arena + arena*percent/100
				err := check(limit)
				if err == nil {
					continue
				}
				var short *graph.MemoryError
				if !errors.As(err, &short) {
					t.Fatal(err)
				}
				if percent > 60 {
					t.Errorf("%d%% of the memory is refused: %v", percent, err)
				}
				if short.Limit != limit || short.Least <= limit || short.Least > whole {
					t.Errorf("limit %d of %d: %+v", limit, whole, short)
				}
				if short.Least == whole {
					break
				}
				if err := check(short.Least); err != nil {
					t.Errorf("what was said to do does not: %v", err)
				}
				break
			}
			if repeated < 12 {
				t.Errorf("at most %d steps were repeated, want 12 at some limit", repeated)
			}
		})
	}
}
