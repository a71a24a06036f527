package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
)

func predictCommand(a *app) *cobra.Command {
	var w weightFlags
	var tensors, out string
	var top int
	c := &cobra.Command{
		Use:   "predict --checkpoint P IMAGE...",
		Short: "Label images",
		Long: `Label images with a trained model. With --tensors the raw network runs on the
tensor "input" (N, C, H, W; float32, already normalised) of a safetensors file and
"logits" are written to --out.`,
		Example: `  trainer predict --checkpoint runs/flowers a.jpg b.png
  trainer predict --model squeezenet1_1 --weights W.safetensors --tensors in.safetensors --out out.safetensors`,
		RunE: func(c *cobra.Command, images []string) error {
			switch {
			case tensors == "" && len(images) == 0:
				return usage(errors.New("nothing to predict: name image files, or --tensors IN --out OUT"))
			case tensors != "" && (len(images) > 0 || out == ""):
				return usage(errors.New("--tensors IN goes with --out OUT and without image files"))
			}
			dev, err := openDevice(a.device, a.threads, a.convolution)
			if err != nil {
				return err
			}
			defer dev.Close()
			if tensors != "" {
				return a.predictTensors(&w, dev, tensors, out)
			}
			l, _, err := w.load(a, dev)
			if err != nil {
				return err
			}
			return a.predictImages(l, images, top)
		},
	}
	w.add(c)
	f := c.Flags()
	f.StringVar(&tensors, "tensors", "", "a safetensors file with the tensor input")
	f.StringVar(&out, "out", "", "where to write the tensor logits")
	f.IntVar(&top, "top", 5, "labels an image")
	a.runFlags(c)
	return c
}

// prediction is one label with its probability.
type prediction struct {
	Label string  `json:"label"`
	Class int     `json:"class"`
	Score float64 `json:"score"`
}

func (a *app) predictImages(l *train.Loaded, images []string, top int) error {
	t, err := train.EvalTransform(l.Preprocessing)
	if err != nil {
		return usage(err)
	}
	height, width, channels := t.Shape()
	input := make([]float32, height*width*channels)
	logits := make([]float32, l.Network.Classes)
	var results []map[string]any
	var failed error
	for _, path := range images {
		if err := readImage(input, path, t); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if err := l.Network.Logits(logits, input, 1); err != nil {
			return err
		}
		best := topPredictions(logits, l.Classes, top)
		results = append(results, map[string]any{"file": path, "predictions": best})
		if a.json {
			continue
		}
		fmt.Fprintf(a.stdout, "%s", path)
		for _, p := range best {
			fmt.Fprintf(a.stdout, "\t%s %.2f%%", p.Label, 100*p.Score)
		}
		fmt.Fprintln(a.stdout)
	}
	return errors.Join(usage(failed), a.result(map[string]any{"images": results}))
}

// readImage prepares the picture in a file for the network.
func readImage(dst []float32, path string, t *transform.Pipeline) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var im imaging.Image
	var w transform.Workspace
	if err := imaging.Decode(&im, content, 0); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return t.Apply(dst, &im, &w, nil)
}

// topPredictions are the n likeliest classes, the likeliest first.
func topPredictions(logits []float32, classes []string, n int) []prediction {
	list := make([]prediction, len(logits))
	largest, sum := float64(slices.Max(logits)), 0.0
	for i, x := range logits {
		p := math.Exp(float64(x) - largest)
		list[i] = prediction{Label: className(classes, i), Class: i, Score: p}
		sum += p
	}
	for i := range list {
		list[i].Score /= sum
	}
	slices.SortStableFunc(list, func(x, y prediction) int { return cmp.Compare(y.Score, x.Score) })
	return list[:min(max(n, 1), len(list))]
}

// predictTensors runs the raw network on tensors; the image size is theirs.
func (a *app) predictTensors(w *weightFlags, dev graph.Device, in, out string) error {
	ts, _, err := checkpoint.ReadSafetensors(in)
	if err != nil {
		return usage(err)
	}
	t, ok := ts.Get("input")
	if !ok || len(t.Shape) != 4 || t.DType != checkpoint.F32 {
		return usage(fmt.Errorf("%s: want a float32 tensor named input of shape (N, C, H, W)", in))
	}
	n, c, h, wd := t.Shape[0], t.Shape[1], t.Shape[2], t.Shape[3]
	path, err := w.path()
	if err != nil {
		return err
	}
	l, err := train.Load(path, dev, train.LoadOptions{Model: w.model, NumClasses: w.numClasses, Height: h, Width: wd})
	if err != nil {
		return usage(err)
	}
	if c != l.Network.Channels {
		return usage(fmt.Errorf("%s: input has %d channels, and the network takes %d", in, c, l.Network.Channels))
	}
	const batch = 32
	nchw := t.Float32s()
	image := c * h * wd
	nhwc := make([]float32, image*batch)
	logits := make([]float32, n*l.Network.Classes)
	for at := 0; at < n; at += batch {
		k := min(batch, n-at)
		for i := range k {
			channelsLast(nhwc[i*image:(i+1)*image], nchw[(at+i)*image:], c, h*wd)
		}
		if err := l.Network.Logits(logits[at*l.Network.Classes:(at+k)*l.Network.Classes], nhwc[:k*image], k); err != nil {
			return err
		}
	}
	y, err := checkpoint.FromFloat32s("logits", []int{n, l.Network.Classes}, logits)
	if err != nil {
		return err
	}
	result, err := checkpoint.NewTensors(y)
	if err != nil {
		return err
	}
	if err := checkpoint.WriteSafetensors(out, result, nil); err != nil {
		return usage(err)
	}
	return a.result(map[string]any{"out": out, "images": n, "classes": l.Network.Classes})
}

// channelsLast turns planes of area pixels into pixels of channels values.
func channelsLast(dst, src []float32, channels, area int) {
	for c := range channels {
		for i, v := range src[c*area : (c+1)*area] {
			dst[i*channels+c] = v
		}
	}
}
