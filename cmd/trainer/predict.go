package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/data/imaging"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
	"github.com/seed52467199/trainer/train/metric"
)

func predictCommand(a *app) *cobra.Command {
	var w weightFlags
	var tensors, out string
	var top int
	c := &cobra.Command{
		Use:   "predict --checkpoint P IMAGE_OR_TABLE...",
		Short: "Label images, or tell their numbers",
		Long: `Label images with a trained model, one a line: the likeliest classes, each label's own
probability where an image may have several, or the numbers that were learned. A model
of a table's rows takes tables (csv) that have the columns it has learned from, whatever
other columns there are, and answers with a line for each row. With --tensors the raw
network runs on the tensor "input" (N, C, H, W; float32, already normalised) of a
safetensors file and "logits" are written to --out.`,
		Example: `  trainer predict --checkpoint runs/flowers a.jpg b.png
  trainer predict --checkpoint runs/houses --json new.csv
  trainer predict --model squeezenet1_1 --weights W.safetensors --tensors in.safetensors --out out.safetensors`,
		RunE: func(c *cobra.Command, files []string) error {
			switch {
			case tensors == "" && len(files) == 0:
				return usage(errors.New("nothing to predict: name image files or tables, or --tensors IN --out OUT"))
			case tensors != "" && (len(files) > 0 || out == ""):
				return usage(errors.New("--tensors IN goes with --out OUT and without other files"))
			}
			dev, err := openDevice(a.device, a.threads, a.convolution)
			if err != nil {
				return err
			}
			defer dev.Close()
			if tensors != "" {
				return a.predictTensors(&w, dev, tensors, out)
			}
			l, cfg, err := w.load(a, dev)
			if err != nil {
				return err
			}
			p := predicting{app: a, l: l, top: top, results: []map[string]any{}, probs: make([]float64, l.Network.Classes)}
			if l.Preprocessing.Features != nil {
				return p.tables(c.Context(), files, cfg)
			}
			return p.images(files)
		},
	}
	w.add(c)
	f := c.Flags()
	f.StringVar(&tensors, "tensors", "", "a safetensors file with the tensor input")
	f.StringVar(&out, "out", "", "where to write the tensor logits")
	f.IntVar(&top, "top", 5, "labels an image or row; of numbers there are all")
	a.runFlags(c)
	return c
}

// predicting answers for one image or row after the other.
type predicting struct {
	*app
	l       *train.Loaded
	top     int
	results []map[string]any
	probs   []float64
}

// images answers for pictures, and goes on after one that cannot be read.
func (p *predicting) images(paths []string) error {
	t, err := train.EvalTransform(p.l.Preprocessing)
	if err != nil {
		return usage(err)
	}
	height, width, channels := t.Shape()
	input := make([]float32, height*width*channels)
	outputs := make([]float32, p.l.Network.Classes)
	var failed error
	for _, path := range paths {
		if err := readImage(input, path, t); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if err := p.l.Network.Logits(outputs, input, 1); err != nil {
			return err
		}
		p.answer(path, outputs)
	}
	return errors.Join(usage(failed), p.result(map[string]any{"images": p.results}))
}

// tables answers for the rows of tables, and goes on after one that cannot be read.
func (p *predicting) tables(ctx context.Context, paths []string, cfg *configs.Config) error {
	var failed error
	for _, path := range paths {
		ds, err := data.OpenFeatures(path, p.l.Preprocessing.Features)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		loader, err := train.NewEvalLoader(ds, p.l.Preprocessing, cfg.Eval.BatchSize, 1, true)
		if err != nil {
			return usage(err)
		}
		if err := p.rows(loader.Epoch(ctx, 0, 0), ds); err != nil {
			return err
		}
	}
	return errors.Join(usage(failed), p.result(map[string]any{"rows": p.results}))
}

// rows answers for all rows of one table.
func (p *predicting) rows(it *data.Epoch, ds data.Dataset) error {
	defer it.Close()
	n := p.l.Network.Classes
	var outputs []float32
	for it.Next() {
		b := it.Batch()
		outputs = slices.Grow(outputs[:0], b.N*n)[:b.N*n]
		if err := p.l.Network.Logits(outputs, b.Images, b.N); err != nil {
			return err
		}
		for i, row := range b.Indices {
			p.answer(ds.Name(row), outputs[i*n:(i+1)*n])
		}
		it.Release(b)
	}
	return it.Err()
}

// answer tells what the outputs for one image or row say.
func (p *predicting) answer(name string, outputs []float32) {
	best := p.predictions(outputs)
	if p.json {
		p.results = append(p.results, map[string]any{"file": name, "predictions": best})
		return
	}
	fmt.Fprint(p.stdout, name)
	for _, x := range best {
		if x.Value != nil {
			fmt.Fprintf(p.stdout, "\t%s %.6g", x.Label, *x.Value)
		} else {
			fmt.Fprintf(p.stdout, "\t%s %.2f%%", x.Label, 100**x.Score)
		}
	}
	fmt.Fprintln(p.stdout)
}

// prediction is one label with its probability, or one number with its value.
type prediction struct {
	Label string   `json:"label"`
	Class int      `json:"class"`
	Score *float64 `json:"score,omitempty"`
	Value *float64 `json:"value,omitempty"`
}

// predictions are the likeliest classes, the likeliest first, or all numbers in their
// order.
func (p *predicting) predictions(outputs []float32) []prediction {
	metric.Probabilities(p.probs, outputs, p.l.Task)
	list := make([]prediction, len(outputs))
	for i, v := range p.probs {
		list[i] = prediction{Label: className(p.l.Classes, i), Class: i}
		if p.l.Task == data.Regress {
			list[i].Value = &v
		} else {
			list[i].Score = &v
		}
	}
	if p.l.Task == data.Regress {
		return list
	}
	// by the outputs, which still differ where probabilities are rounded to 1
	slices.SortStableFunc(list, func(x, y prediction) int { return cmp.Compare(outputs[y.Class], outputs[x.Class]) })
	return list[:min(max(p.top, 1), len(list))]
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
