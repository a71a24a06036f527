package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/checkpoint/onnx"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/train"
)

func exportCommand(a *app) *cobra.Command {
	var w weightFlags
	var format, out string
	var fold bool
	var opset int
	c := &cobra.Command{
		Use:     "export --checkpoint P --format onnx|safetensors --out F",
		Short:   "Write a model for other runtimes",
		Example: "  trainer export --checkpoint runs/flowers --format onnx --out flowers.onnx",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if format == "" {
				if format = strings.TrimPrefix(filepath.Ext(out), "."); format != "onnx" && format != "safetensors" {
					return usage(fmt.Errorf("--out %s: its name should end in .onnx or .safetensors, or --format say which of them it is", out))
				}
			}
			if format != "onnx" && format != "safetensors" {
				return usage(fmt.Errorf("--format %s: it should be onnx or safetensors", format))
			}
			return w.with(a, func(dev graph.Device, l *train.Loaded, _ *configs.Config) error {
				if format == "onnx" {
					return a.exportONNX(l, dev, out, fold, opset)
				}
				return a.exportSafetensors(l, out)
			})
		},
	}
	w.add(c)
	f := c.Flags()
	f.StringVar(&format, "format", "", "onnx: the network; safetensors: weights under PyTorch's names and layouts (default: by the name of --out)")
	f.BoolVar(&fold, "fold-norms", true, "onnx: batch norms become part of the convolutions before them")
	f.IntVar(&opset, "opset", 0, "onnx: the version of the operations, 17 to 22 (default: 17, or 19 for deformable convolutions)")
	f.StringVar(&out, "out", "", "the file to write")
	_ = c.MarkFlagRequired("out")
	a.runFlags(c)
	return c
}

// exportSafetensors writes the weights, with their description
// as metadata.
func (a *app) exportSafetensors(l *train.Loaded, out string) error {
	ts, err := writeSafetensors(out, l)
	if err != nil {
		return err
	}
	a.say("%s: %d tensors", out, ts.Len())
	return a.result(map[string]any{"out": out, "tensors": ts.Len()})
}

// writeSafetensors writes weights with their description.
func writeSafetensors(out string, l *train.Loaded) (*checkpoint.Tensors, error) {
	ts, err := train.Weights(l.Network.Params)
	if err != nil {
		return nil, err
	}
	meta, err := l.Description()
	if err != nil {
		return nil, err
	}
	meta["format"] = "pt"
	return ts, usage(checkpoint.WriteSafetensors(out, ts, meta))
}

// exportONNX writes the network, with the same metadata.
func (a *app) exportONNX(l *train.Loaded, dev graph.Device, out string, fold bool, opset int) error {
	meta, err := l.Description()
	if err != nil {
		return err
	}
	n := l.Network
	m, err := onnx.Export(l.Model, n.Params, dev, onnx.Options{Name: l.Model.Name, Height: n.Height, Width: n.Width, Channels: n.Channels,
		KeepNorms: !fold, Opset: opset, Producer: "trainer", Version: version, Metadata: meta})
	if err != nil {
		return usage(err)
	}
	if err := m.Write(out); err != nil {
		return usage(err)
	}
	a.say("%s: %d operations, %d tensors; input (N, %d, %d, %d), logits (N, %d)", out, m.Nodes, m.Constants, n.Channels, n.Height, n.Width, n.Classes)
	return a.result(map[string]any{"out": out, "operations": m.Nodes, "tensors": m.Constants})
}
