package train

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/mix"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/optim"
	"github.com/seed52467199/trainer/report"
)

// given is a network whose logits are its images plus a parameter of their shape, so
// that the parameter's gradient is that of the logits.
type given struct{ delta *graph.Param }

func (m given) Forward(g *graph.Graph, x *graph.Node) *graph.Node {
	return g.Add(g.Flatten(x), g.Param(m.delta))
}

// givenNetwork is one for logits (n, classes).
func givenNetwork(t *testing.T, o Objective, n, classes int) (*Network, error) {
	t.Helper()
	dev, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	ps := graph.NewParams(1)
	m := given{ps.Root().Param("delta", graph.Shape{n, classes}, graph.Layout{}, graph.Weight, graph.Zeros)}
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	return NewNetwork(Network{Module: m, Params: ps, Height: 1, Width: 1, Channels: classes, Classes: classes, Objective: o}, 1)
}

// TestObjectivesMatchPyTorch compares losses and gradients with what
// testdata/objective.py made.
func TestObjectivesMatchPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/objective.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Objective                Objective
		Logits, Targets, Teacher []float32
		Distill                  Distillation
		Labels                   []int32
		Loss                     float64
		Grad                     []float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	const n, classes = 4, 5
	var largest float64
	for i, c := range cases {
		network, err := givenNetwork(t, c.Objective, n, classes)
		if err != nil {
			t.Fatal(err)
		}
		if c.Teacher != nil {
			if err := network.Teach(c.Distill, says(t, network, c.Teacher, c.Logits), checkpoint.Preprocessing{}, make([]string, classes)); err != nil {
				t.Fatal(err)
			}
		}
		loss, err := network.Backward(&data.Batch{N: n, Images: c.Logits, Labels: c.Labels, Targets: c.Targets}, false)
		if err != nil {
			t.Fatal(err)
		}
		far := math.Abs(loss-c.Loss) / max(1, math.Abs(c.Loss))
		grad := network.Params.Grads().Host()
		for j, g := range unsafe.Slice((*float32)(unsafe.Pointer(&grad[0])), n*classes) {
			far = max(far, math.Abs(float64(g)-c.Grad[j]))
		}
		if !(far < 1e-5) {
			t.Errorf("case %d, %+v: differs by %.2g", i, c.Objective, far)
		}
		largest = max(largest, far)
	}
	t.Logf("largest difference %.2g over %d cases", largest, len(cases))
}

// says is a teacher for a given network that answers logits when it sees images.
func says(t *testing.T, n *Network, logits, images []float32) *Loaded {
	t.Helper()
	teacher, err := givenNetwork(t, Objective{Name: "cross_entropy"}, len(logits)/n.Classes, n.Classes)
	if err != nil {
		t.Fatal(err)
	}
	delta := slices.Clone(logits)
	for i, v := range images {
		delta[i] -= v
	}
	if err := teacher.Params.All()[0].Write(delta); err != nil {
		t.Fatal(err)
	}
	return &Loaded{Network: teacher}
}

// Losses that do not fit what the data asks are refused in a sentence that names what
// would.
func TestObjectiveFitsTheTask(t *testing.T) {
	three := []float64{1, 2, 3}
	for _, c := range []struct {
		o    Objective
		want string // "" where it is right
	}{
		{Objective{Name: "cross_entropy", ClassWeights: three}, ""},
		{Objective{Name: "cross_entropy", Task: data.MultiLabel}, "loss.name is cross_entropy, and the data has any number of labels an image: take bce, asymmetric or focal"},
		{Objective{Name: "bce", Task: data.Regress}, "loss.name is bce, and the data has numbers to be told: take mse, mae, huber or smooth_l1"},
		{Objective{Name: "huber"}, "loss.name is huber, and the data names one class an image: take cross_entropy, bce, asymmetric, focal, jsd or mse"},
		{Objective{Name: "jsd", Splits: 1}, "loss.name is jsd, which compares versions of an image, and augment.splits is 1"},
		{Objective{Name: "nll"}, `loss.name is "nll", which is unknown`},
		{Objective{Name: "mse", Task: data.Regress, Smoothing: 0.1}, "loss.smoothing is 0.1"},
		{Objective{Name: "mae", Task: data.Regress, ClassWeights: three}, "loss.class_weights is set"},
		{Objective{Name: "asymmetric", ClassWeights: three}, "loss.class_weights is set"},
		{Objective{Name: "asymmetric", Task: data.MultiLabel, ClassWeights: three, PosWeights: three}, ""},
		{Objective{Name: "bce", ClassWeights: three[:2]}, "loss.class_weights has 2 numbers, and the data has 3 classes"},
		{Objective{Name: "bce", PosWeights: three[:2]}, "loss.pos_weight has 2 numbers"},
		{Objective{Name: "cross_entropy", PosWeights: three}, "loss.pos_weight is set"},
		{Objective{Name: "focal", SumClasses: true}, "loss.bce_sum is true"},
		{Objective{Name: "cross_entropy", Threshold: 0.2}, "loss.bce_threshold is 0.2"},
		{Objective{Name: "focal", SumClasses: true, Sigmoid: true}, ""},
	} {
		_, err := givenNetwork(t, c.o, 1, 3)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
}

// tagged is a data set of another task.
type tagged struct {
	data.Dataset
	task    data.Task
	targets [][]float32
}

func (d tagged) Task() data.Task             { return d.task }
func (d tagged) Target(i int, dst []float32) { copy(dst, d.targets[i]) }

// pixels is a data set of single pixels.
func pixels(t *testing.T, labels []int32, classes ...string) data.Dataset {
	t.Helper()
	ds, err := data.FromPixels("pixels", make([]uint8, len(labels)), 1, 1, 1, labels, classes)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestObjectiveOfConfiguration(t *testing.T) {
	one := pixels(t, []int32{0, 0, 0, 1, 1, 2}, "a", "b", "c")
	some := tagged{pixels(t, []int32{0, 0}, "a", "b"), data.MultiLabel, [][]float32{{1, 1}, {0, 1}}}
	load := func(set ...string) *configs.Config {
		c, err := configs.Load("quickstart", configs.Options{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	o, err := newObjective(load("loss.class_weights=balanced", "augment.cutmix=1"), one)
	if err != nil || !slices.Equal(o.ClassWeights, []float64{6. / 9, 1, 2}) || !o.Mixed {
		t.Errorf("%+v, %v; want balanced weights and mixed targets", o, err)
	}
	o, err = newObjective(load("loss.name=focal", "loss.class_weights=balanced", "loss.pos_weight=[3]"), some)
	if err != nil || !slices.Equal(o.ClassWeights, []float64{1, 0.5}) || !slices.Equal(o.PosWeights, []float64{3, 3}) || !o.Sigmoid || o.Mixed || o.Task != data.MultiLabel {
		t.Errorf("%+v, %v; want weights of what is there, and sigmoids", o, err)
	}
	if _, err := newObjective(load("loss.name=focal", "loss.focal_form=softmax"), some); err == nil {
		t.Error("focal with softmax is accepted for many labels")
	}
	if _, err := newObjective(load("loss.name=mse", "loss.class_weights=balanced"), tagged{some.Dataset, data.Regress, some.targets}); err == nil {
		t.Error("balanced weights are accepted for numbers")
	}
	if _, err := newObjective(load("loss.class_weights=balanced"), pixels(t, []int32{0, 2}, "a", "b", "c")); err == nil || !strings.Contains(err.Error(), "shows b") {
		t.Errorf("balanced weights for a class that is not there: %v", err)
	}
}

// learn trains a network on digits that ask something else, and returns the mean loss
// of the first and of the last epoch.
func learn(t *testing.T, task data.Task, o Objective, m *mix.Mixer) (first, last float64) {
	t.Helper()
	digits, err := data.Open("digits", "", "train", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const outputs = 4
	ds := tagged{renamedClasses{digits, make([]string, outputs)}, task, make([][]float32, digits.Len())}
	for i := range ds.targets {
		ds.targets[i] = make([]float32, outputs)
		for b := range ds.targets[i] { // the digit in binary
			ds.targets[i][b] = float32(digits.Label(i) >> b & 1)
		}
	}
	dev, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	ps := graph.NewParams(1)
	model, err := models.New("mlp", ps.Root(), models.Options{NumClasses: outputs, InChans: 1, ImageSize: 8})
	if err != nil {
		t.Fatal(err)
	}
	if err := ps.Place(dev); err != nil {
		t.Fatal(err)
	}
	o.Task = task
	network, err := NewNetwork(Network{Module: model, Params: ps, Height: 8, Width: 8, Channels: 1, Classes: outputs, Objective: o}, 1)
	if err != nil {
		t.Fatal(err)
	}
	pipeline, err := transform.NewTrain(transform.Train{Output: transform.Output{Size: 8, Channels: 1, Mean: []float64{0.3}, Std: []float64{0.37}}})
	if err != nil {
		t.Fatal(err)
	}
	loader, err := data.NewLoader(ds, pipeline, data.LoaderOptions{BatchSize: 50, Shuffle: true, Mix: m})
	if err != nil {
		t.Fatal(err)
	}
	sgd, err := optim.New(ps, optim.Config{Name: "sgd", Momentum: 0.9}, optim.GroupBy(ps.All(), optim.DecayWeights(0)))
	if err != nil {
		t.Fatal(err)
	}
	var losses []float64
	events := report.Func(func(e report.Event) error {
		if done, ok := e.(*report.EpochDone); ok {
			losses = append(losses, done.TrainLoss)
		}
		return nil
	})
	tr := Trainer{Network: network, Optimizer: sgd, Loader: loader, Epochs: 5, LR: func(int) float64 { return 0.02 }, Events: events}
	if _, err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return losses[0], losses[len(losses)-1]
}

// renamedClasses is a data set with other classes.
type renamedClasses struct {
	data.Dataset
	classes []string
}

func (d renamedClasses) Classes() []string { return d.classes }

// Many labels and numbers are learnt, mixed too.
func TestOtherTasksTrain(t *testing.T) {
	mixer, err := mix.New(mix.Options{Mixup: 0.2, CutMix: 1, Prob: 0.5, Switch: 0.5, Mode: "pair"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		task data.Task
		o    Objective
		m    *mix.Mixer
		part float64 // of the first loss that the last may be
	}{
		{data.MultiLabel, Objective{Name: "bce"}, nil, 0.4},
		{data.MultiLabel, Objective{Name: "bce", Smoothing: 0.1}, mixer, 0.9},
		{data.MultiLabel, Objective{Name: "asymmetric", GammaPos: 1, GammaNeg: 4, Clip: 0.05}, nil, 0.4},
		{data.MultiLabel, Objective{Name: "focal", Sigmoid: true, FocalAlpha: 0.25, FocalGamma: 2}, nil, 0.6},
		{data.Regress, Objective{Name: "mse"}, nil, 0.5},
		{data.Regress, Objective{Name: "mae"}, nil, 0.6},
		{data.Regress, Objective{Name: "huber", Delta: 0.5}, mixer, 0.8},
		{data.Regress, Objective{Name: "smooth_l1", Beta: 0.5}, nil, 0.5},
	} {
		first, last := learn(t, c.task, c.o, c.m)
		if !(last < c.part*first) {
			t.Errorf("%v, %s: the loss goes from %.4f to %.4f, want below %v of it", c.task, c.o.Name, first, last, c.part)
		}
	}
}
