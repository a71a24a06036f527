package train_test

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/train"
)

// taught is the folder of a teacher's run on digits with its own normalisation, and the
// job that made it.
func taught(t *testing.T, set ...string) (folder string, j *train.Job) {
	t.Helper()
	folder = t.TempDir()
	j = job(t, append(set, "train.epochs=4", "train.batch_size=50", "data.mean=[0.1]", "data.std=[0.9]", "train.seed=7")...)
	if _, err := trainer(t, j, folder, nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return folder, j
}

// A student has the same bits for any number of workers, interrupted or not, and learns
// from its teacher alone about what that knows.
func TestDistillationIsExact(t *testing.T) {
	folder, _ := taught(t)
	settings := []string{"train.epochs=2", "train.batch_size=100", "augment.mixup=0.2", "distill.teacher=" + folder, "distill.temperature=2"}
	whole := memory(trained(t, append(settings, "data.workers=1")...))
	if !bytes.Equal(whole, memory(trained(t, append(settings, "data.workers=3")...))) {
		t.Error("other workers give other weights")
	}
	if !bytes.Equal(whole, memory(interrupted(t, settings...))) {
		t.Error("the interrupted training ends with other weights")
	}
	for _, other := range []string{"distill.mode=hard", "distill.alpha=0.9", "distill.temperature=1", "distill.teacher="} {
		if bytes.Equal(whole, memory(trained(t, append(settings, other)...))) {
			t.Errorf("%s changes nothing", other)
		}
	}
	for _, mode := range []string{"soft", "hard"} {
		j := job(t, "train.epochs=4", "train.batch_size=50", "distill.alpha=1", "distill.mode="+mode, "distill.teacher="+folder)
		r, err := trainer(t, j, "", nil).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if top1, _ := r.Best.Metric("top1"); top1 < 85 {
			t.Errorf("a student of %s targets alone has a top-1 of %.1f%%", mode, top1)
		}
	}
}

// A network that is its own teacher has nothing to learn: the divergence is 0, and so
// is its gradient, although the teacher's images are normalised otherwise.
func TestTeacherSeesItsOwnNormalization(t *testing.T) {
	folder, own := taught(t)
	teacher, err := train.Load(folder, device(t), train.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// What a student normalised by (x-0.3)/0.4 sees of pictures that the teacher
	// sees as (x-0.1)/0.9.
	const n = 5
	pixels, _ := grayAndColour(n * 64)
	seen := make([]float32, len(pixels))
	for i, v := range pixels {
		seen[i] = (v*0.9 + 0.1 - 0.3) / 0.4
	}
	want := make([]float32, n*10)
	if err := teacher.Network.Logits(want, pixels, n); err != nil {
		t.Fatal(err)
	}
	j := job(t, "data.mean=[0.3]", "data.std=[0.4]", "distill.alpha=1", "distill.teacher="+folder)
	labels := make([]int32, n)
	loss, err := j.Network.Backward(&data.Batch{N: n, Images: seen, Labels: labels}, false)
	if err != nil {
		t.Fatal(err)
	}
	own2 := make([]float32, n*10)
	if err := j.Network.Logits(own2, seen, n); err != nil {
		t.Fatal(err)
	}
	if divergence := divergence(want, own2, 10); math.Abs(loss-divergence) > 1e-5*divergence {
		t.Errorf("the loss is %v, the divergence from what the teacher says of its own images %v", loss, divergence)
	}
	// The same weights and the same normalisation.
	same, err := train.NewNetwork(train.Network{Module: own.Network.Module, Params: own.Network.Params, Height: 8, Width: 8, Channels: 1, Classes: 10,
		Objective: train.Objective{Name: "cross_entropy"}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := same.Teach(train.Distillation{Alpha: 1, Temperature: 3}, teacher, own.Preprocessing, own.Classes); err != nil {
		t.Fatal(err)
	}
	if loss, err := same.Backward(&data.Batch{N: n, Images: pixels, Labels: labels}, false); err != nil || math.Abs(loss) > 1e-5 {
		t.Errorf("a network diverges from itself by %v (%v)", loss, err)
	}
}

// divergence is the mean of KL(softmax(p) || softmax(q)) over rows of logits.
func divergence(p, q []float32, classes int) (sum float64) {
	logs := func(x []float32) []float64 {
		var total float64
		for _, v := range x {
			total += math.Exp(float64(v))
		}
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = float64(v) - math.Log(total)
		}
		return out
	}
	for at := 0; at < len(p); at += classes {
		a, b := logs(p[at:at+classes]), logs(q[at:at+classes])
		for i := range a {
			sum += math.Exp(a[i]) * (a[i] - b[i])
		}
	}
	return sum / float64(len(p)/classes)
}

// Teachers are asked about the data's classes by name, and refused in a sentence where
// they cannot say.
func TestTeacherFits(t *testing.T) {
	dev := device(t)
	pets := []string{"cat", "dog", "fish", "hen"}
	loaded := func(classes []string, count, chans int) *train.Loaded {
		p := checkpoint.Preprocessing{Size: [2]int{28, 28}, Channels: chans, Mean: slices.Repeat([]float64{0.5}, chans), Std: slices.Repeat([]float64{0.5}, chans)}
		return &train.Loaded{Network: network(t, dev, "lenet5", chans, count, 28, 28), Classes: classes, Preprocessing: p, Source: "T"}
	}
	const n = 3
	gray, _ := grayAndColour(n * 28 * 28)
	for _, c := range []struct {
		name    string
		teacher *train.Loaded
		classes []string
		chans   int
		columns []int // of the teacher; nil where it is refused
		want    string
	}{
		{"the same", loaded(pets, 4, 1), pets, 1, []int{0, 1, 2, 3}, ""},
		{"another order, and more", loaded(pets, 4, 1), []string{"hen", "cat"}, 1, []int{3, 0}, ""},
		{"a colour teacher of gray images", loaded(pets, 4, 3), pets, 1, []int{0, 1, 2, 3}, ""},
		{"no names", loaded(nil, 4, 1), pets, 1, []int{0, 1, 2, 3}, ""},
		{"no names, other number", loaded(nil, 4, 1), pets[:2], 1, nil, "the teacher T tells 4 classes apart, and the data has 2"},
		{"unknown", loaded(pets, 4, 1), []string{"hen", "cow"}, 1, nil, "the teacher T does not know the class cow"},
		{"numbers", loaded([]string{"0", "1", "2", "3"}, 4, 1), []string{"0", "1"}, 1, nil, "which only numbers tell apart"},
		{"a gray teacher of colour images", loaded(pets, 4, 1), pets, 3, nil, "the teacher T takes images of 1 channels, and the network 3"},
	} {
		student := network(t, dev, "lenet5", c.chans, len(c.classes), 28, 28)
		p := checkpoint.Preprocessing{Channels: c.chans, Mean: slices.Repeat([]float64{0.5}, c.chans), Std: slices.Repeat([]float64{0.5}, c.chans)}
		err := student.Teach(train.Distillation{Alpha: 1, Temperature: 1}, c.teacher, p, c.classes)
		if c.columns == nil {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		loss, err := student.Backward(&data.Batch{N: n, Images: gray, Labels: make([]int32, n)}, false)
		if err != nil {
			t.Fatal(err)
		}
		images := gray
		if c.teacher.Network.Channels == 3 {
			_, images = grayAndColour(n * 28 * 28)
		}
		all, chosen, own := make([]float32, 4*n), []float32{}, make([]float32, n*len(c.classes))
		if err := c.teacher.Network.Logits(all, images, n); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for _, k := range c.columns {
				chosen = append(chosen, all[4*i+k])
			}
		}
		if err := student.Logits(own, gray, n); err != nil {
			t.Fatal(err)
		}
		if want := divergence(chosen, own, len(c.classes)); math.Abs(loss-want) > 1e-5 {
			t.Errorf("%s: the loss is %v, want %v", c.name, loss, want)
		}
	}
}

// A teacher that is missing, or of images that the network has not, is refused before
// anything is trained.
func TestDistillationRefuses(t *testing.T) {
	for key, want := range map[string]string{
		filepath.Join(t.TempDir(), "none"): "none",
		"${TRAINER_NO_SUCH_VARIABLE}":      "TRAINER_NO_SUCH_VARIABLE",
	} {
		c, err := configs.Load("quickstart", configs.Options{Set: []string{"distill.teacher=" + key}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := train.OpenJob(*c, device(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// A network with a distillation token learns labels by one classifier and the teacher by
// the other, and answers with the mean of both.
func TestDistillationToken(t *testing.T) {
	const n, side, classes = 3, 32, 5
	dev := device(t)
	gray, _ := grayAndColour(n * side * side)
	examples := &data.Batch{N: n, Images: gray, Labels: []int32{4, 0, 2}}
	teacher := &train.Loaded{Network: network(t, dev, "lenet5", 1, classes, side, side), Preprocessing: checkpoint.Preprocessing{Channels: 1, Mean: []float64{0}, Std: []float64{1}}}
	said := make([]float32, n*classes)
	if err := teacher.Network.Logits(said, gray, n); err != nil {
		t.Fatal(err)
	}
	for i := range said {
		said[i] /= 2 // at the temperature
	}
	for _, d := range []train.Distillation{{Alpha: 0.3, Temperature: 2}, {Alpha: 0.5, Temperature: 1, Hard: true}, {Alpha: 1, Temperature: 2}, {Alpha: 0, Temperature: 2}} {
		student := network(t, dev, "deit_tiny_distilled_patch16_224", 1, classes, side, side)
		m := student.Module.(*models.Model)
		g := graph.New(graph.Eval)
		x := g.Input("images", n, side, side, 1)
		own, taught := m.Network().(*models.DistilledTransformer).Heads(g, x)
		p, err := graph.Compile(g, student.Params, student.Workspace(), graph.Target{Outputs: []*graph.Node{own, taught}})
		if err == nil {
			err = errors.Join(p.Set(x, gray), p.Run())
		}
		a, b, both := make([]float32, n*classes), make([]float32, n*classes), make([]float32, n*classes)
		if err = errors.Join(err, p.Read(own, a), p.Read(taught, b), student.Logits(both, gray, n)); err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for i := range n {
			row := a[i*classes:][:classes]
			sum := 0.0
			for _, v := range row {
				sum += math.Exp(float64(v))
			}
			want += (1 - d.Alpha) * (math.Log(sum) - float64(row[examples.Labels[i]])) / n
		}
		if d.Hard {
			for i := range n {
				row, best, sum := b[i*classes:][:classes], 0, 0.0
				for c := range row {
					sum += math.Exp(float64(row[c]))
					if said[i*classes+c] > said[i*classes+best] {
						best = c
					}
				}
				want += d.Alpha * (math.Log(sum) - float64(row[best])) / n
			}
		} else {
			cool := slices.Clone(b)
			for i := range cool {
				cool[i] /= 2
			}
			want += d.Alpha * 4 * divergence(said, cool, classes)
		}
		for i, v := range both {
			if math.Abs(float64(v)-float64(a[i]+b[i])/2) > 1e-6 {
				t.Errorf("output %d is %v, of %v and %v", i, v, a[i], b[i])
			}
		}
		if err := student.Teach(d, teacher, teacher.Preprocessing, make([]string, classes)); err != nil {
			t.Fatal(err)
		}
		loss, err := student.Backward(examples, false)
		if err != nil || math.Abs(loss-want) > 1e-5 {
			t.Errorf("%+v: the loss is %v (%v), want %v", d, loss, err, want)
		}
		for _, q := range student.Params.All() {
			if q.Name != "head.bias" && q.Name != "head_dist.bias" {
				continue
			}
			grad, err := q.ReadFrom(student.Params.Grads())
			if err != nil {
				t.Fatal(err)
			}
			learns := slices.ContainsFunc(grad, func(v float32) bool { return v != 0 })
			if part := map[string]float64{"head.bias": 1 - d.Alpha, "head_dist.bias": d.Alpha}[q.Name]; learns != (part > 0) {
				t.Errorf("%+v: the gradient of %s is %v", d, q.Name, grad)
			}
		}
	}
}

// The plan counts the teacher: its weights, and what its pass takes more than training.
// Under a limit the student computes the same bits.
func TestPlanMemoryOfTeacher(t *testing.T) {
	const batch, side = 8, 32
	dev := device(t)
	pixels, _ := grayAndColour(batch * side * side)
	examples := &data.Batch{N: batch, Images: pixels, Labels: make([]int32, batch)}
	p := checkpoint.Preprocessing{Channels: 1, Mean: []float64{0.5}, Std: []float64{0.5}}
	student := func(model string) *train.Network {
		t.Helper()
		n := network(t, dev, "cifar_resnet20", 1, 10, side, side)
		teacher := &train.Loaded{Network: network(t, dev, model, 1, 10, side, side), Preprocessing: checkpoint.Preprocessing{Channels: 1, Mean: []float64{0}, Std: []float64{1}}}
		if err := n.Teach(train.Distillation{Alpha: 0.5, Temperature: 2}, teacher, p, make([]string, 10)); err != nil {
			t.Fatal(err)
		}
		return n
	}
	plan := func(n *train.Network, limit int) train.MemoryPlan {
		t.Helper()
		m, err := n.PlanMemory(limit, batch, false, train.Holding{Copies: 1})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	alone := plan(network(t, dev, "cifar_resnet20", 1, 10, side, side), 0)
	small, large := student("cifar_resnet20"), student("cifar_resnet18")
	a, b := plan(small, 0), plan(large, 0)
	if weights := small.Params.Trained().Len(); a.Parameters < alone.Parameters+weights || b.Parameters < alone.Parameters+30<<20 {
		t.Errorf("parameters of %d alone, %d and %d with a teacher", alone.Parameters, a.Parameters, b.Parameters)
	}
	for n, m := range map[*train.Network]train.MemoryPlan{small: a, large: b} {
		if _, err := n.Backward(examples, false); err != nil {
			t.Fatal(err)
		}
		if got := n.Workspace().Bytes(); got != m.Activations.Bytes {
			t.Errorf("the arena has %d bytes, the plan said %d", got, m.Activations.Bytes)
		}
	}
	tight := student("cifar_resnet20")
	wide := plan(tight, 1<<40)
	tight = student("cifar_resnet20")
	m := plan(tight, wide.Total()-wide.Activations.Bytes*2/5)
	if m.Activations.Repeated == 0 {
		t.Errorf("%+v", m)
	}
	if _, err := tight.Backward(examples, false); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(tight.Params.Grads().Host(), small.Params.Grads().Host()) {
		t.Error("other gradients under a limit")
	}
	if n := testing.AllocsPerRun(2, func() { _, _ = tight.Backward(examples, false) }); n != 0 {
		t.Errorf("a pass with a teacher allocates %v times", n)
	}
}
