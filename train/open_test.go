package train_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/train"
)

// measurements writes a table of n rows: two features far from zero and of other
// sizes, one that is constant, and what is to be learned of them.
func measurements(t testing.TB, n int) string {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	fmt.Fprintln(&b, "far,small,constant,sum,difference")
	for range n {
		x, y := r.Float64(), r.Float64()
		fmt.Fprintf(&b, "%.3f,%.9f,7,%.5f,%.5f\n", 50000+x, 1e-5*y, x+y, x-y)
	}
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func tableSettings(path string, more ...string) []string {
	return append([]string{"data.format=csv", "data.root=" + path, "data.target_columns=sum,difference", "data.mean=auto", "data.std=auto",
		"model.num_classes=0", "model.in_chans=0",
		"data.size=0", "augment.crop=none", "loss.name=mse", "loss.smoothing=0", "optimizer.lr=0.1", "train.batch_size=16", "train.epochs=15"}, more...)
}

// A network of numbers learns a table's values, and its checkpoint tells what it
// takes and what it answers.
func TestTableIsLearned(t *testing.T) {
	path := measurements(t, 200)
	j := job(t, tableSettings(path)...)
	if n := j.Network; n.Classes != 2 || n.Channels != 3 || n.Height != 1 || n.Width != 1 {
		t.Fatalf("the network takes %dx%dx%d and gives %d values", n.Height, n.Width, n.Channels, n.Classes)
	}
	mean, std := j.Config.Data.Mean, j.Config.Data.Std
	if math.Abs(mean[0]-50000.5) > 0.1 || math.Abs(std[0]-0.29) > 0.03 || math.Abs(std[1]/0.29e-5-1) > 0.1 || std[2] != 1 {
		t.Errorf("mean %v, std %v", mean, std)
	}
	folder := t.TempDir()
	tr := trainer(t, j, folder, nil)
	result, err := tr.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if loss := result.Last.TrainLoss; !(loss < 0.003) {
		t.Errorf("a loss of %v after training, want below 0.003 (the values' variance is 0.17)", loss)
	}
	f, err := checkpoint.Open(filepath.Join(folder, checkpoint.FolderName, checkpoint.LastName), checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Meta.Task != "regress" || strings.Join(f.Meta.ClassNames, ",") != "sum,difference" {
		t.Errorf("the checkpoint's task is %q of %v", f.Meta.Task, f.Meta.ClassNames)
	}

	// The checkpoint's own answer to its data.
	l, err := train.Load(folder, device(t), train.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := configs.Parse("config.yaml", []byte(f.Meta.Config), configs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	val, err := train.OpenData(c.Data, "val", l.Classes)
	if err != nil {
		t.Fatal(err)
	}
	loader, err := train.NewEvalLoader(val, l.Preprocessing, 64, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	it := loader.Epoch(context.Background(), 0, 0)
	defer it.Close()
	for it.Next() {
		b := it.Batch()
		out := make([]float32, b.N*2)
		if err := l.Network.Logits(out, b.Images, b.N); err != nil {
			t.Fatal(err)
		}
		for i, v := range b.Targets {
			if d := math.Abs(float64(v - out[i])); d > 0.25 {
				t.Errorf("value %d: %v, want %v", i, out[i], v)
			}
		}
		it.Release(b)
	}
	if it.Err() != nil {
		t.Error(it.Err())
	}
}

// A table whose columns stand in another order is read as the network learned, and
// what has not its features is refused.
func TestTablesOfOtherOrder(t *testing.T) {
	folder, root := t.TempDir(), t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("train.csv", "a,b,sum\n1,20,21.5\n3,40,43.5\n5,10,15.5\n")
	write("val.csv", "sum,b,a\n21.5,20,1\n")
	j := job(t, tableSettings(root, "data.target_columns=sum", "data.task=regress", "train.epochs=1", "train.batch_size=2")...)
	var s data.Sample
	if err := j.ValData.Read(0, &s); err != nil || fmt.Sprint(s.Tensor.Values, s.Tensor.Features) != "[1 20] [a b]" {
		t.Errorf("the val row is %v of %v, %v", s.Tensor.Values, s.Tensor.Features, err)
	}
	if _, err := trainer(t, j, folder, nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := train.Load(folder, device(t), train.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	digits, err := data.Open("digits", "", "val", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	turned, err := data.Open("csv", filepath.Join(root, "val.csv"), "all", data.Options{FeatureColumns: []string{"b", "a"}, TargetColumns: []string{"sum"}})
	if err != nil {
		t.Fatal(err)
	}
	for want, ds := range map[string]data.Dataset{
		"the network takes rows of numbers (a, b), and not images": digits,
		"the data's features are b, a, and the network takes a, b": turned,
	} {
		if _, err := train.NewEvalLoader(ds, l.Preprocessing, 1, 1, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	pictures := l.Preprocessing
	pictures.Features = nil
	if _, err := train.NewEvalLoader(turned, pictures, 1, 1, true); err == nil || !strings.Contains(err.Error(), "has rows of numbers (b, a), and the network takes images") {
		t.Error(err)
	}
}

// Repeats, class balance and a holdout are the configuration's, and classes become a
// network's outputs.
func TestJobSamples(t *testing.T) {
	j := job(t, "augment.repeats=3", "data.sampler=balanced", "data.holdout=100", "data.val_split=holdout", "data.split_seed=3")
	if j.TrainData.Len() != 1400 || j.ValData.Len() != 100 {
		t.Errorf("%d and %d images, want 1400 and 100", j.TrainData.Len(), j.ValData.Len())
	}
	loader, err := j.TrainLoader()
	if err != nil {
		t.Fatal(err)
	}
	if o := loader.Options(); o.Repeats != 3 || o.Sampler != "balanced" || loader.Batches() != 1280/o.BatchSize {
		t.Errorf("%+v, %d batches", o, loader.Batches())
	}
	if j.Config.Data.Task != data.Classify.String() {
		t.Errorf("the task is %s", j.Config.Data.Task)
	}
}

func TestJobRefusesTasks(t *testing.T) {
	path := measurements(t, 30)
	labels := filepath.Join(t.TempDir(), "labels.csv")
	if err := os.WriteFile(labels, []byte("x,labels\n1,a|b\n2,a\n3,b\n4,\n5,a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		set  []string
		want string
	}{
		{tableSettings(path, "loss.name=cross_entropy"), "loss.name is cross_entropy, and the data has numbers to be told: take mse"},
		{tableSettings(labels, "data.target_columns=labels", "loss.name=cross_entropy"), "any number of labels an image: take bce"},
		{tableSettings(path, "data.size=8"), "data.size is 8, and the tensors in " + path + " have 1x1 pixels"},
		{tableSettings(path, "model.in_chans=1"), "model.in_chans is 1, and the data in " + path + " has 3"},
		{tableSettings(path, "augment.crop=pad1"), "augment.crop is pad1, hflip 0 and vflip 0, and the rows of a table can be neither cropped nor flipped"},
		{tableSettings(path, "model.num_classes=3"), "model.num_classes is 3, and the data in " + path + " has 2"},
		{tableSettings(path, "data.sampler=balanced"), "the data has values (sum, difference) and no classes to balance"},
		{[]string{"data.task=regress"}, "data.task is regress, and the data's is classify"},
	} {
		cfg, err := configs.Load("quickstart", configs.Options{Set: c.set})
		if err != nil {
			t.Fatal(err)
		}
		j, err := train.OpenJob(*cfg, device(t))
		if err == nil {
			_, err = j.TrainLoader()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want one with %q", c.set[len(c.set)-1], err, c.want)
		}
	}
}
