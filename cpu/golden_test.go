package cpu

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/seed52467199/trainer/graph/op"
)

// value is a value of a golden file.
type value struct {
	Shape op.Shape
	Data  []float64
}

type golden struct {
	Op    string
	Attrs json.RawMessage
	In    []value
	Out   []*value
	Grad  *struct{ Dy, Dx value }
}

// operation makes the operation that a golden case names.
func (g golden) operation() (op.Op, error) {
	for _, o := range []op.Op{op.Conv2D{}, op.Conv2DInputGrad{}, op.Conv2DWeightGrad{}, op.Linear{}, op.LinearInputGrad{}, op.LinearWeightGrad{},
		op.MaxPool{}, op.AvgPool{}, op.AvgPoolGrad{}, op.GlobalAvgPool{}, op.GlobalAvgPoolGrad{},
		op.BatchNorm{}, op.BatchNormGrad{}, op.BatchNormInference{}, op.BatchNormInferenceGrad{},
		op.Softmax{}, op.SoftmaxGrad{}, op.CrossEntropy{}, op.BCEWithLogits{}, op.SigmoidFocal{}, op.SoftmaxFocal{}, op.Asymmetric{},
		op.SoftmaxAsymmetric{}, op.JensenShannon{}, op.MSE{}, op.MAE{}, op.Huber{}, op.RoIAlign{}, op.RoIAlignGrad{}} {
		if o.Kind() == g.Op {
			return decode(o, g.Attrs)
		}
	}
	switch g.Op {
	case "sgd_update":
		return decodeUpdate[op.SGD](g.Attrs)
	case "adam_update":
		return decodeUpdate[op.Adam](g.Attrs)
	case "activation":
		return decode(op.Activation{}, g.Attrs)
	case "activation_grad":
		return decode(op.ActivationGrad{}, g.Attrs)
	}
	return nil, fmt.Errorf("a golden file names the operation %q, which this test does not know", g.Op)
}

func decode(o op.Op, attrs []byte) (op.Op, error) {
	p := reflect.New(reflect.TypeOf(o))
	err := json.Unmarshal(attrs, p.Interface())
	return p.Elem().Interface().(op.Op), err
}

// decodeUpdate reads the segments of an update and the constants of its rule.
func decodeUpdate[R op.Rule](attrs []byte) (op.Op, error) {
	var u struct{ Segments []op.Segment }
	var r R
	err := errors.Join(json.Unmarshal(attrs, &u), json.Unmarshal(attrs, &r))
	return op.Update{Rule: r, Segments: u.Segments}, err
}

// TestPyTorch compares with PyTorch's results, which the scripts in testdata made: in
// float64 with the portable kernels, and in float32 with those that the
// device prefers.
func TestPyTorch(t *testing.T) {
	var cases []golden
	for _, file := range []string{"testdata/golden.json", "testdata/losses.json", "testdata/roi.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var some []golden
		if err := json.Unmarshal(text, &some); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, some...)
	}
	for _, c := range []struct {
		dt        op.DType
		options   Options
		tolerance float64
	}{
		{op.Float64, Options{Strict: true}, 1e-10},
		{op.Float32, Options{}, 1e-5},
	} {
		d := newDevice(t, c.options)
		var largest float64
		for i, g := range cases {
			worst, err := g.compare(t, d, c.dt)
			if err != nil {
				t.Fatal(err)
			}
			if !(worst <= c.tolerance) {
				t.Errorf("case %d, %s%s (%v): differs by %.2g, want at most %.2g", i, g.Op, g.Attrs, c.dt, worst, c.tolerance)
			}
			largest = max(largest, worst)
		}
		t.Logf("%v: largest difference %.2g over %d cases", c.dt, largest, len(cases))
	}
}

// compare is the largest distance between what a device and PyTorch make.
func (g golden) compare(t *testing.T, d *Device, dt op.DType) (worst float64, err error) {
	o, err := g.operation()
	if err != nil {
		return 0, err
	}
	var shapes []op.Shape
	var in [][]float64
	for _, v := range g.In {
		shapes, in = append(shapes, v.Shape), append(in, v.Data)
	}
	got := results(t, d, o, dt, shapes, in)
	if len(got) != len(g.Out) {
		return 0, fmt.Errorf("%s has %d results, the golden file has %d", g.Op, len(got), len(g.Out))
	}
	for i, want := range g.Out {
		if want != nil {
			far, _ := farthest(got[i], want.Data)
			worst = max(worst, far)
		}
	}
	if pool, ok := o.(op.MaxPool); ok {
		_, dx := pooled(t, d, pool, dt, shapes[0], in[0], g.Grad.Dy.Data)
		far, _ := farthest(dx, g.Grad.Dx.Data)
		worst = max(worst, far)
	}
	return worst, nil
}
