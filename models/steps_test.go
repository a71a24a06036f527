package models_test

import (
	"math"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/graph/op"
	"github.com/seed52467199/trainer/models/internal/formula"
	"github.com/seed52467199/trainer/optim"
)

// start is the value of a parameter to train from, as in testdata/formula.py.
func start(name string, shape graph.Shape) []float32 {
	if len(shape) > 1 {
		w := formula.Parameter(name, shape)
		if len(shape) == 2 {
			for i := range w {
				w[i] *= 0.125
			}
		}
		return w
	}
	w := make([]float32, op.Size(shape))
	if strings.HasSuffix(name, ".weight") || strings.HasSuffix(name, ".running_var") {
		for i := range w {
			w[i] = 1
		}
	}
	return w
}

// trajectory is a golden file of the first steps of training.
type trajectory struct {
	Model            string
	Input            []int
	Classes          int
	LR, Momentum     float64
	WeightDecay      float64 `json:"weight_decay"`
	Losses, Losses32 []float64
	Distance32       map[string][2]float64
	End              map[string]formula.Summary
}

// The first 20 steps of training stay as close to PyTorch's in float64 as
// PyTorch's own in float32 do, up to a factor of three: losses, and at the end
// all weights and running statistics.
func TestStepsFollowPyTorch(t *testing.T) {
	const factor = 3
	for _, file := range []string{"steps_cifar_resnet20.json", "steps_resnet18.json"} {
		want := readGolden[trajectory](t, file)
		t.Run(want.Model, func(t *testing.T) {
			r := newRig(t, want.Model, device(t, cpu.Options{}), op.Float32, graph.Train, want.Input, want.Classes)
			for _, p := range r.ps.All() {
				if err := p.Write(start(p.Name, p.FileShape())); err != nil {
					t.Fatal(err)
				}
			}
			all := optim.GroupBy(r.p.Trained(), func(*graph.Param) (float64, float64) { return 1, want.WeightDecay })
			sgd, err := optim.New(r.ps, optim.Config{Name: "sgd", Momentum: want.Momentum}, all)
			if err != nil {
				t.Fatal(err)
			}
			var ours, theirs float64 // squared distances of the losses
			for i, loss := range want.Losses {
				x, y := formula.Patterned(i, want.Input, want.Classes)
				r.run(t, x, y)
				got, err := r.p.Loss()
				if err != nil {
					t.Fatal(err)
				}
				ours += (got - loss) * (got - loss)
				theirs += (want.Losses32[i] - loss) * (want.Losses32[i] - loss)
				if _, err := sgd.Step(want.LR, 1); err != nil {
					t.Fatal(err)
				}
			}
			check := func(what string, ours, theirs float64) {
				ours, theirs = math.Sqrt(ours), math.Sqrt(theirs)
				if !(ours <= factor*theirs) {
					t.Errorf("%s are %.3g from float64, PyTorch's float32 %.3g: more than %d times as far", what, ours, theirs, factor)
				}
				t.Logf("%s are %.3g from float64, PyTorch's float32 %.3g", what, ours, theirs)
			}
			check("the losses", ours, theirs)
			// Weights and statistics apart, for the larger would hide the smaller.
			var trained, kept [2]float64
			compared := 0
			for _, p := range r.ps.All() {
				end, ok := want.End[p.Name]
				if !ok {
					continue
				}
				compared++
				got, err := p.Read()
				if err != nil {
					t.Fatal(err)
				}
				sums := &kept
				if p.Role.Trained() {
					sums = &trained
				}
				d := formula.Summarize(p.Name, got).Distance(end)
				sums[0] += d * d
				sums[1] += want.Distance32[p.Name][0] * want.Distance32[p.Name][0]
			}
			if compared != len(want.End) {
				t.Errorf("%d of %d tensors compared", compared, len(want.End))
			}
			check("the weights", trained[0], trained[1])
			check("the running statistics", kept[0], kept[1])
		})
	}
}
