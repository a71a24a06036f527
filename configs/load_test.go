package configs

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// write puts files (name, text, name, text ...) into a folder.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func parseText(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("my.yaml", []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRecipes(t *testing.T) {
	want := strings.Fields(`cifar10-fast cifar10-resnet20-quick cifar10-rsb-a2 cifar10-strong deit3-small fashion-mnist fashion-mnist-strong finetune mnist mnist-1000 mnist-dae mnist-rbm mnist-strong pneumonia-gray quickstart rsb-a1 rsb-a2 rsb-a2-gray rsb-a3 rsb-b rsb-c rsb-d squeezenet-finetune timm-ra2 torchvision-v2`)
	if got := Names(); !reflect.DeepEqual(got, want) {
		t.Errorf("Names() = %v, want %v", got, want)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		c, err := Load(name, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Output.Dir != "runs/"+name {
			t.Errorf("%s: output.dir is %q", name, c.Output.Dir)
		}
		if !strings.Contains(string(readme), "| "+name+" |") {
			t.Errorf("README.md has no row for %s", name)
		}
		text, err := Recipe(name)
		if err != nil || !strings.Contains(string(text), "measured: see configs/README.md") {
			t.Errorf("%s does not say where its measured result stands (%v)", name, err)
		}
	}
	if _, err := Recipe("nope"); err == nil {
		t.Error("Recipe of an unknown name gave no error")
	}
}

// What a recipe is meant to say, through all that it extends.
func TestRecipeValues(t *testing.T) {
	c, err := Load("fashion-mnist", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Model.Name != "lenet5" || c.Data.Root != "/usr/share/datasets/fashion-mnist" || c.Data.Format != "idx" ||
		c.Optimizer.LR != 0.05 || !c.Optimizer.Nesterov || c.Schedule.Name != "one_cycle" || c.Train.BatchSize != 128 {
		t.Errorf("fashion-mnist lost something on the way from base/small and mnist:\n%s", c.YAML())
	}
	if c, err = Load("pneumonia-gray", Options{}); err != nil || !c.Finetune.Gray || c.Finetune.Weights == "" || c.Model.InChans != 1 {
		t.Errorf("pneumonia-gray: %v\n%s", err, c.YAML())
	}
}

func TestLayersWinInOrder(t *testing.T) {
	dir := write(t,
		"root.yaml", "model: {name: resnet18}\ndata: {mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}\ntrain: {epochs: 1, batch_size: 1, seed: 1, grad_accum: 7}\n",
		"sub/middle.yaml", "extends: ../root.yaml\ndata: {mean: auto, std: auto}\ntrain: {epochs: 2, batch_size: 2, seed: 2}\n",
		"top.yml", "extends: sub/middle.yaml\ntrain: {epochs: 3, batch_size: 3}\n",
	)
	c, err := Load(filepath.Join(dir, "top.yml"), Options{
		Set:   []string{"train.epochs=4", "train.epochs=5", "runtime.threads=2"},
		Flags: []Flag{{"--threads", "runtime.threads", "6"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := [...]any{c.Train.Epochs, c.Train.BatchSize, c.Train.Seed, c.Train.GradAccum, c.Runtime.Threads, c.Data.Mean.Auto(), c.Output.Dir}
	want := [...]any{5, 3, int64(2), 7, 6, true, "runs/top"}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestExtendsRecipe(t *testing.T) {
	dir := write(t, "my.yaml", "extends: quickstart\ntrain: {epochs: 3}\n")
	c, err := Load(filepath.Join(dir, "my.yaml"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data.Format != "digits" || c.Train.Epochs != 3 || c.Output.Dir != "runs/my" {
		t.Errorf("got\n%s", c.YAML())
	}
}

// A file beside the one that extends it comes before what the program carries.
func TestExtendsEmbeddedBase(t *testing.T) {
	for _, name := range []string{"base/mnist-mlp", "base/mnist-mlp.yaml"} {
		dir := write(t, "my.yaml", "extends: "+name+"\n")
		c, err := Load(filepath.Join(dir, "my.yaml"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Model.Name != "mlp_500_500_2000" {
			t.Errorf("%s: the model is %s", name, c.Model.Name)
		}
	}
	dir := write(t, "my.yaml", "extends: base/mnist-mlp.yaml\n", "base/mnist-mlp.yaml", "model: {name: lenet5}\n")
	c, err := Load(filepath.Join(dir, "my.yaml"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Model.Name != "lenet5" {
		t.Errorf("the file beside it was not taken: the model is %s", c.Model.Name)
	}
}

func TestNoFile(t *testing.T) {
	c, err := Load("", Options{Flags: []Flag{{"--model", "model.name", "lenet5"}}, Set: []string{"data.format=cifar"}})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Model.Name, want.Data.Format = "lenet5", "cifar"
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got\n%s", c.YAML())
	}
}

func TestSetReadsEveryKind(t *testing.T) {
	c, err := Load("quickstart", Options{Set: []string{
		"optimizer.lr=5e-4", "optimizer.betas=0.8, 0.99", "data.mean=[0.1]", "data.std=0.2", "data.root=/a b/c=d,e",
		"finetune.freeze=features.*,\"conv1\"", "schedule.milestones=[]", "data.shuffle=false", "train.epochs=1e2", "train.seed=9007199254740993",
		"augment.crop=pad12", "augment.color_jitter=0.3",
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Optimizer.LR, c.Optimizer.Betas, c.Data.Mean, c.Data.Std, c.Data.Root, c.Finetune.Freeze, c.Schedule.Milestones, c.Data.Shuffle, c.Train.Epochs, c.Train.Seed, c.Augment.Crop, c.Augment.ColorJitter}
	want := []any{5e-4, []float64{0.8, 0.99}, Stats{0.1}, Stats{0.2}, "/a b/c=d,e", []string{"features.*", "conv1"}, []float64{}, false, 100, int64(9007199254740993), "pad12", []float64{0.3}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for text, want := range map[string]ClassWeights{"balanced": {Balanced: true}, "1,0.5": {List: []float64{1, 0.5}}, "[]": {}} {
		if c, err := Load("quickstart", Options{Set: []string{"loss.class_weights=" + text}}); err != nil || !reflect.DeepEqual(c.Loss.ClassWeights, want) {
			t.Errorf("%s is read as %v (%v)", text, c.Loss.ClassWeights, err)
		}
	}
	if c, err = Load("mnist", Options{Set: []string{"data.mean=auto", "data.std=auto"}}); err != nil || !c.Data.Mean.Auto() {
		t.Errorf("auto on top of a list: %v", err)
	}
}

func TestYAMLTolerance(t *testing.T) {
	c := parseText(t, `
# a comment
"model": {name: resnet18}   # quoted keys are keys
augment:
  # hflip: 0.5
optimizer:
  lr: 5e-4
  eps: 1e-8
train: {epochs: 1e1, batch_size: 64.0, seed: 007}
finetune: {freeze: [conv1, "layer1.*"]}
data:
  root: '${X}/y'
`)
	if c.Optimizer.LR != 5e-4 || c.Optimizer.Eps != 1e-8 || c.Train.Epochs != 10 || c.Train.BatchSize != 64 || c.Train.Seed != 7 ||
		c.Data.Root != "${X}/y" || len(c.Finetune.Freeze) != 2 {
		t.Errorf("got\n%s", c.YAML())
	}
}

// Each configuration is wrong in one way; the error must say all of this.
func TestProblems(t *testing.T) {
	const m = "model: {name: resnet18}\n"
	tests := []struct{ name, text, want string }{
		{"unknown key", m + "optimizer:\n  momentun: 0.9\n", "my.yaml:3: unknown key optimizer.momentun; did you mean optimizer.momentum?"},
		{"name from elsewhere", m + "optimizer: {learning_rate: 0.9}\n", "my.yaml:2: unknown key optimizer.learning_rate; did you mean optimizer.lr?"},
		{"upper case", m + "optimizer: {LR: 0.9}\n", "unknown key optimizer.LR; did you mean optimizer.lr?"},
		{"wrong section", m + "train: {weight_decay: 0.9}\n", "unknown key train.weight_decay; did you mean optimizer.weight_decay?"},
		{"nothing like it", m + "output: {zzzzzz: 1}\n", "unknown key output.zzzzzz; output has dir"},
		{"unknown section", m + "optimiser: {lr: 1}\n", "my.yaml:2: unknown key optimiser; did you mean optimizer?"},
		{"key at the top", m + "batch_size: 3\n", "unknown key batch_size; did you mean train.batch_size or eval.batch_size?"},
		{"section from elsewhere", m + "lr_scheduler: {name: step}\n", "did you mean schedule?"},
		{"key of another type", "1: 2\n", "my.yaml:1: unknown key 1; the sections are model, data"},
		{"not a section", m + "train: 3\n", "my.yaml:2: train is 3, and should be a map of keys"},
		{"not a map", "- a\n", "my.yaml:1: the configuration is a list of 1, and should be a map of keys"},
		{"text for a number", m + "train:\n  epochs: ten\n", "my.yaml:3: train.epochs is ten, and should be a whole number at least 1"},
		{"number in quotes", m + "optimizer: {lr: \"0.1\"}\n", `optimizer.lr is the text "0.1" in quotes, and should be a number above 0`},
		{"fraction for a whole number", m + "train: {epochs: 1.5}\n", "train.epochs is 1.5, and should be a whole number"},
		{"too large a whole number", m + "train: {seed: 1e30}\n", "train.seed is 1e30, and should be a whole number"},
		{"hexadecimal", m + "train: {seed: 0x10}\n", "train.seed is 0x10, and should be a whole number"},
		{"not a number", m + "optimizer: {lr: .nan}\n", "optimizer.lr is .nan, and should be a number above 0"},
		{"infinite", m + "optimizer: {lr: 1e999}\n", "and should be a number above 0"},
		{"yes for true", m + "data: {shuffle: yes}\n", `data.shuffle is yes, and should be true or false`},
		{"number for text", m + "data: {root: 12}\n", `data.root is 12, and should be a text; if that is meant, put it in quotes: "12"`},
		{"null", m + "train:\n  epochs:\n", "my.yaml:3: train.epochs is empty, and should be a whole number"},
		{"map for a number", m + "train: {epochs: {a: 1}}\n", "train.epochs is a map of keys, and should be"},
		{"list for a number", m + "train: {epochs: [1]}\n", "train.epochs is a list of 1, and should be"},
		{"number for a list", m + "schedule: {milestones: 3}\n", "schedule.milestones is 3, and should be a list of numbers above 0, such as [30, 60]"},
		{"list with a text", m + "schedule: {milestones: [3, x]}\n", "schedule.milestones is a list with x, and should be a list of numbers"},
		{"three for a pair", m + "augment: {scale: [0.1, 0.2, 0.3]}\n", "augment.scale is a list of 3, and should be a list of two numbers above 0 and at most 1, such as [0.08, 1]"},
		{"another word than auto", m + "data: {mean: imagenet}\n", "data.mean is imagenet, and should be auto or a list of numbers"},
		{"no statistics", m + "data: {mean: []}\n", "data.mean is a list of 0, and should be auto or"},
		{"texts", m + "finetune: {freeze: [1]}\n", "finetune.freeze is a list of 1, and should be a list of texts, such as [a, b]; put 1 in quotes"},
		{"text for texts", m + "finetune: {freeze: a}\n", "finetune.freeze is a, and should be a list of texts"},
		{"anchor", m + "train: {epochs: &a 3}\n", "train.epochs is &a 3, and should be a whole number"},
		{"out of range", m + "optimizer: {lr: -1}\n", "my.yaml:2: optimizer.lr is -1, and should be a number above 0"},
		{"open end", m + "loss: {smoothing: 1}\n", "loss.smoothing is 1, and should be a number at least 0 and below 1"},
		{"probability", m + "augment: {hflip: 1.5}\n", "augment.hflip is 1.5, and should be a number at least 0 and at most 1"},
		{"weights of classes", m + "loss: {class_weights: even}\n", "loss.class_weights is even, and should be balanced or a list of numbers at least 0, one for each class"},
		{"weight of a class", m + "loss: {class_weights: [1, -1]}\n", "loss.class_weights is [1, -1], and should be balanced or a list"},
		{"one of a list", m + "optimizer: {betas: [0.9, 1]}\n", "optimizer.betas is [0.9, 1], and should be a list of numbers at least 0 and below 1, such as [0.9, 0.99]"},
		{"zero deviation", m + "data: {mean: [0.5], std: [0]}\n", "data.std is [0], and should be auto or a list of numbers above 0"},
		{"unknown name", m + "optimizer: {name: adamv}\n", "optimizer.name is adamv, and should be one of sgd, lars, rmsprop, rmsprop_tf, adam, adamw, nadamw, radam, adamax, lamb, lion, adan, adafactor, madgrad, muon; did you mean adam?"},
		{"betas of adan", m + "optimizer: {name: adan, betas: [0.9, 0.99]}\n", "optimizer.betas is [0.9, 0.99], and should have 3 numbers for adan, or none for its own"},
		{"factors", m + "optimizer: {lr_scale: [fc]}\n", "optimizer.lr_scale is [fc], and fc should be a pattern of names and a factor of at least 0, such as *.offset=0.1"},
		{"factors of the decay", m + "optimizer: {decay_scale: [fc]}\n", "optimizer.decay_scale is [fc], and fc should be a pattern of names and a factor of at least 0, such as *.offset=0.1"},
		{"pattern of a factor", m + "optimizer: {lr_scale: [\"[=2\"]}\n", "is not a pattern"},
		{"pattern without decay", m + "optimizer: {no_decay: [\"[\"]}\n", "is not a pattern"},
		{"two averages", m + "train: {swa_start: 0.5, ema_decay: 0.9}\n", "train.swa_start is 0.5, and train.ema_decay is 0.9; either average would be the weights that the run is for"},
		{"an average too late", m + "train: {swa_start: 11}\n", "train.swa_start is 11, and should be an epoch up to train.epochs, which is 10, or a share of them below 1"},
		{"half an epoch", m + "train: {swa_start: 1.5}\n", "train.swa_start is 1.5, and should be an epoch"},
		{"a rate without average", m + "train: {swa_lr: 0.1}\n", "train.swa_lr is 0.1, and needs train.swa_start, which is 0"},
		{"warm-up of no average", m + "train: {ema_warmup: true}\n", "train.ema_warmup is true, and needs train.ema_decay, which is 0"},
		{"format of the future", m + "data: {format: coco}\n", "data.format is coco, which is not available in this version"},
		{"mixup", m + "augment: {mixup: -0.2}\n", "my.yaml:2: augment.mixup is -0.2, and should be a number at least 0"},
		{"splits of mixed images", m + "augment: {splits: 3, cutmix: 1}\n", "my.yaml:2: augment.splits is 3, and should be 1, because images are mixed"},
		{"splits for jsd", m + "loss: {name: jsd}\n", "augment.splits is 1, and should be 3 or another number above 1, because loss.name is jsd"},
		{"box of CutMix", m + "augment: {cutmix_minmax: [0.9, 0.2]}\n", "augment.cutmix_minmax is [0.9, 0.2], and should be in ascending order"},
		{"erasing", m + "augment: {erase: 2}\n", "augment.erase is 2, and should be a number at least 0 and at most 1"},
		{"two jitters", m + "augment: {color_jitter: [1, 2]}\n", "augment.color_jitter is [1, 2], and should be one number, three for brightness, contrast and saturation, or a fourth of at most 0.5 for hue"},
		{"jitter beside auto", m + "augment: {color_jitter: 0.4, auto: rand-m9}\n", "augment.color_jitter is [0.4], and timm leaves it out beside augment.auto rand-m9: make it [], or set augment.force_color_jitter true for both"},
		{"interpolation of auto", m + "augment: {interpolation: lanczos, auto: v0}\n", "augment.interpolation is lanczos, and augment.auto v0 moves pixels by nearest, bilinear, bicubic or random alone"},
		{"repeats", m + "augment: {repeats: -1}\n", "augment.repeats is -1, and should be a whole number at least 0"},
		{"half an image", m + "data: {holdout: 2.5}\n", "data.holdout is 2.5, and should be a whole number of images, or a share below 1"},
		{"sampler in order", m + "data: {sampler: sqrt, shuffle: false}\n", "data.sampler is sqrt, and draws at random, but data.shuffle is false"},
		{"shape", m + "augment: {crop: pad}\n", "augment.crop is pad, and should be none, rrc, padN (such as pad4) or padN_reflect"},
		{"device", m + "runtime: {device: \"cuda:x\"}\n", `runtime.device is "cuda:x", and should be auto, cpu, cuda or cuda:N`},
		{"model missing", "train: {epochs: 3}\n", "my.yaml: model.name is missing, and should be the name of a model"},
		{"no text at all", "", "my.yaml: model.name is missing"},
		{"syntax", m + "train: {epochs: 3\n", "my.yaml:2: is not YAML"},
		{"key twice", m + "train: {epochs: 3}\ntrain: {epochs: 3}\n", "my.yaml:3: is not YAML: mapping key \"train\" already defined"},
		{"two documents", m + "---\n" + m, "my.yaml:3: starts a second document"},
		{"extends a number", m + "extends: 3\n", "my.yaml:2: extends is 3, and should be a recipe's name or a file"},
		{"extends nothing there", "extends: nope\n", "my.yaml:1: extends nope: there is no such recipe, and no such file"},
		{"extends no file", "extends: ./nope.yaml\n", "my.yaml:1: extends ./nope.yaml: nope.yaml: the configuration cannot be read: no such file"},

		{"mean without std", m + "data: {mean: [0.5]}\n", "data.std is auto, and data.mean is [0.5]; either both are auto or neither is"},
		{"lengths", m + "data: {mean: [0.5], std: [0.1, 0.2]}\n", "data.std is [0.1, 0.2], and data.mean is [0.5]; both should have one number for each channel"},
		{"channels", "model: {name: a, in_chans: 3}\ndata: {mean: [0.5, 0.5], std: [0.1, 0.2]}\n", "my.yaml:2: data.mean is [0.5, 0.5], and should have one number, or one for each of the 3 input channels"},
		{"dropout", "model: {name: a, dropout: -0.5}\n", "my.yaml:1: model.dropout is -0.5, and should be a probability, or -1 for the model's own"},
		{"gray", "model: {name: a, in_chans: 3}\nfinetune: {gray: true}\n", "my.yaml:1: model.in_chans is 3, and should be 1 or 0, because finetune.gray is true"},
		{"scale", m + "augment: {scale: [1, 0.5]}\n", "augment.scale is [1, 0.5], and should be in ascending order"},
		{"nesterov", m + "optimizer: {nesterov: true, momentum: 0}\n", "optimizer.nesterov is true, and needs optimizer.momentum above 0"},
		{"warm-up too long", m + "train: {epochs: 3}\nschedule: {warmup_epochs: 5}\n", "my.yaml:3: schedule.warmup_epochs is 5, and should be at most train.epochs, which is 3"},
		{"warm-up of one_cycle", m + "schedule: {name: one_cycle, warmup_epochs: 1}\n", "should be 0, because one_cycle warms up by itself"},
		{"min_lr", m + "schedule: {min_lr: 1}\n", "schedule.min_lr is 1, and should be at most optimizer.lr, which is 0.1"},
		{"no milestones", m + "schedule: {name: multistep}\n", "schedule.milestones is [], and multistep needs at least one"},
		{"milestones", m + "schedule: {name: multistep, milestones: [3, 2]}\n", "schedule.milestones is [3, 2], and should be in ascending order"},
		{"momenta", m + "schedule: {base_momentum: 0.99}\n", "schedule.base_momentum is 0.99, and should be at most schedule.max_momentum"},
		{"momentum that does not move", m + "schedule: {name: cosine, cycle_momentum: true}\n", "schedule.cycle_momentum is true, and should be false, because schedule.name is cosine"},
		{"no momentum to move", m + "schedule: {name: one_cycle, cycle_momentum: true}\noptimizer: {momentum: 0}\n", "because optimizer.momentum is 0"},
		{"a cool-down in which nothing is learned", m + "schedule: {cooldown_epochs: 2}\n", "schedule.cooldown_epochs is 2, and schedule.min_lr is 0"},
		{"a cool-down that is too long", m + "schedule: {cooldown_epochs: 9, warmup_epochs: 1, min_lr: 0.01}\n", "should be below train.epochs without schedule.warmup_epochs, which is 9"},
		{"one_cycle with a cool-down", m + "schedule: {name: one_cycle, cooldown_epochs: 1, min_lr: 0.01}\n", "because one_cycle ends far below its start by itself"},
		{"tanh backwards", m + "schedule: {tanh_low: 4}\n", "schedule.tanh_low is 4, and should be below schedule.tanh_high, which is 3"},
		{"noise backwards", m + "schedule: {noise: [0.5, 0.2]}\n", "should be in ascending order"},
		{"too much noise", m + "schedule: {noise: [0.1, 0.2, 0.3]}\n", "should be two shares of the run, or one"},
		{"plateau above the LR", m + "schedule: {name: plateau, min_lr: 0.5}\n", "schedule.min_lr is 0.5, and should be at most optimizer.lr"},
		{"a prefix for plateau", m + "schedule: {name: plateau, warmup_prefix: true}\n", "should be false, because plateau waits"},
		{"pattern", m + "finetune: {freeze: [\"a[\"]}\n", `finetune.freeze is ["a["], and "a[" is not a pattern`},
		{"sweep", m + "lr_find: {min_lr: 20}\n", "lr_find.max_lr is 10, and should be above lr_find.min_lr, which is 20"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("my.yaml", []byte(test.text), Options{})
			var invalid Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("got error %v, want an Invalid", err)
			}
			if len(invalid) != 1 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %s\nwant %s", invalid.Lines(), test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has more than one line: %q", err)
			}
		})
	}
}

func TestProblemsOfOptions(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"no value", Options{Set: []string{"optimizer.lr"}}, "--set optimizer.lr: should be key.path=value, such as --set optimizer.lr=0.1"},
		{"no key", Options{Set: []string{"=3"}}, "--set =3: should be key.path=value"},
		{"unknown key", Options{Set: []string{"optimizer.lrr=1"}}, "--set optimizer.lrr=1: unknown key optimizer.lrr; did you mean optimizer.lr?"},
		{"key without its section", Options{Set: []string{"lr=1"}}, "unknown key lr; did you mean optimizer.lr?"},
		{"deeper", Options{Set: []string{"optimizer.lr.x=1"}}, "unknown key optimizer.lr.x"},
		{"section", Options{Set: []string{"optimizer=1"}}, "optimizer is a section; set one of its keys, such as optimizer.name"},
		{"extends", Options{Set: []string{"extends=mnist"}}, "extends belongs in a file"},
		{"wrong type", Options{Set: []string{"train.epochs=many"}}, "--set train.epochs=many: train.epochs is many, and should be a whole number at least 1"},
		{"out of range", Options{Set: []string{"optimizer.lr=0"}}, "--set optimizer.lr=0: optimizer.lr is 0, and should be a number above 0"},
		{"infinite", Options{Set: []string{"optimizer.lr=inf"}}, `optimizer.lr is inf, and should be a number above 0`},
		{"empty", Options{Set: []string{"optimizer.lr="}}, `optimizer.lr is "", and should be`},
		{"flag", Options{Flags: []Flag{{"--threads", "runtime.threads", "-1"}}}, "--threads -1: runtime.threads is -1, and should be a whole number at least 0"},
		{"auto", Options{CheckAuto: func(string) error { return errors.New("the part x is unknown") }, Set: []string{"augment.auto=rand-x"}}, "--set augment.auto=rand-x: augment.auto is rand-x: the part x is unknown"},
		{"model", Options{CheckModel: func(string) error { return errors.New("there is none; did you mean mlp?") }, Set: []string{"model.name=mpl"}}, "--set model.name=mpl: model.name is mpl: there is none; did you mean mlp?"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load("quickstart", test.o)
			var invalid Invalid
			if !errors.As(err, &invalid) || len(invalid) != 1 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestAllProblemsAreReported(t *testing.T) {
	_, err := Parse("my.yaml", []byte("model: {nam: x}\noptimizer: {lr: a}\ntrain: {epoch: 3}\n"), Options{})
	var invalid Invalid
	if !errors.As(err, &invalid) || len(invalid) != 3 {
		t.Fatalf("got %v", err)
	}
	if !strings.HasSuffix(err.Error(), "did you mean model.name? (and 2 more problems)") || strings.Count(invalid.Lines(), "\n") != 2 {
		t.Errorf("got %v\n%s", err, invalid.Lines())
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := write(t,
		"weights.yaml", "PK\x03\x04\x00\x00",
		"huge.yaml", "model: {name: "+strings.Repeat("a", maxFile)+"}\n",
		"a.yaml", "extends: b.yaml\nmodel: {name: x}\n",
		"b.yaml", "extends: sub/../a.yaml\n",
		"self.yaml", "extends: self.yaml\n",
		"bad/base.yaml", "train: {epochs: x}\n",
		"child.yaml", "extends: bad/base.yaml\nmodel: {name: x}\n",
	)
	tests := []struct{ path, want string }{
		{"weights.yaml", "is not a configuration"},
		{"huge.yaml", "is not a configuration"},
		{"nope.yaml", "the configuration cannot be read: no such file or directory"},
		{"mnist.yaml", "did you mean the recipe mnist?"},
		{"a.yaml", "b.yaml:1: extends goes round in a circle: "},
		{"self.yaml", "self.yaml:1: extends goes round in a circle: "},
		{"child.yaml", "base.yaml:1: train.epochs is x"},
		{"bad/", "is a folder; name a configuration file, such as "},
	}
	for _, test := range tests {
		_, err := Load(dir+"/"+test.path, Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.path, err, test.want)
		}
	}
	for name, want := range map[string]string{
		"quikstart": "quikstart: there is no such recipe, and no such file; did you mean quickstart? (recipes: cifar10-fast, ",
		"xyzzy":     "xyzzy: there is no such recipe, and no such file (recipes: ",
	} {
		if _, err := Load(name, Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestEffectiveConfigurationLoadsBack(t *testing.T) {
	odd := Default()
	odd.Model.Name = "true"
	odd.Data.Root = "a: b # \"c\"\\ ${D}\u00e9\t\U0001F600 "
	odd.Data.TrainSplit, odd.Data.ValSplit = "12", "nan"
	odd.Data.Mean, odd.Data.Std = Stats{0.1, 1e-7, 0}, Stats{1, 2, 1e9}
	odd.Finetune.Freeze = []string{"*", "a,b", "- x", ""}
	odd.Optimizer.LR, odd.Optimizer.Eps = 1.0/3, 5e-324
	odd.Schedule.Milestones = []float64{1, 2.5, 1e3}
	odd.Train.Seed = 1<<63 - 1
	odd.Loss.ClassWeights.List = []float64{0.5, 1e-7}
	balanced := Default()
	balanced.Model.Name, balanced.Loss.ClassWeights.Balanced = "a", true
	all := map[string]*Config{"odd": &odd, "balanced": &balanced}
	for _, name := range Names() {
		c, err := Load(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		all[name] = c
	}
	for name, c := range all {
		back, err := Parse("config.yaml", c.YAML(), Options{})
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, c.YAML())
			continue
		}
		if !reflect.DeepEqual(back, c) {
			t.Errorf("%s: YAML gives back another configuration:\n%s\n%s", name, c.YAML(), back.YAML())
		}
		text, err := c.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var object Config
		if err := json.Unmarshal(text, &object); err != nil || !reflect.DeepEqual(&object, c) {
			t.Errorf("%s: JSON gives back another configuration (%v):\n%s", name, err, text)
		}
		if back, err = Parse("config.json", text, Options{}); err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%s: JSON read as YAML gives another configuration (%v)", name, err)
		}
	}
}

func TestValidate(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	c.Optimizer.LR = 0
	c.Data.Mean = Stats{}
	err := c.Validate()
	if err == nil || err.Error() != "the configuration: data.mean is empty, and should be auto or a list of numbers, such as [0.5] (and one more problem)" {
		t.Errorf("got %v", err)
	}
}

func TestPaths(t *testing.T) {
	t.Setenv("TRAINER_TEST_DIR", "/data")
	t.Setenv("TRAINER_TEST_EMPTY", "")
	tests := []struct{ root, want, wrong string }{
		{"${TRAINER_TEST_DIR}/mnist", "/data/mnist", ""},
		{"/a/$b/{c}", "/a/$b/{c}", ""},
		{"${TRAINER_TEST_UNSET}/mnist", "", "the environment variable TRAINER_TEST_UNSET is not set; set it, or set data.root"},
		{"${TRAINER_TEST_EMPTY}/mnist", "", "the environment variable TRAINER_TEST_EMPTY is not set"},
		{"", "", "data.root is empty, and should be where the idx data is"},
	}
	for _, test := range tests {
		got, err := Data{Format: "idx", Root: test.root}.Dir()
		if test.wrong == "" && (err != nil || got != test.want) {
			t.Errorf("%s: got %q, %v", test.root, got, err)
		}
		if test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%q: got %v, want %s", test.root, err, test.wrong)
		}
	}
	if dir, err := (Data{Format: "digits", Root: "${TRAINER_TEST_UNSET}"}).Dir(); err != nil || dir != "" {
		t.Errorf("digits: %q, %v", dir, err)
	}
	if file, err := (Finetune{}).File(); err != nil || file != "" {
		t.Errorf("no weights: %q, %v", file, err)
	}
	if dir, err := (Output{Dir: "${TRAINER_TEST_DIR}/run"}).Folder(); err != nil || dir != "/data/run" {
		t.Errorf("output: %q, %v", dir, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		text, err := Recipe(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("model: {name: x}\ntrain: &a {epochs: 5e0}\neval: *a\n<<: *a\n? [1]\n: !!int 3\n"))
	f.Add([]byte("a: |\n  x\n- \"\\u12\"\n%YAML 1.1\n--- !t\n..."))
	f.Fuzz(func(t *testing.T, text []byte) {
		text = []byte(strings.ReplaceAll(string(text), keyExtends, "e")) // other files are out of bounds here
		c, err := Parse("fuzz.yaml", text, Options{})
		if err != nil {
			var invalid Invalid
			if !errors.As(err, &invalid) {
				t.Errorf("not an Invalid: %v", err)
			}
			return
		}
		back, err := Parse("back.yaml", c.YAML(), Options{})
		if err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("does not load back (%v):\n%s", err, c.YAML())
		}
	})
}
