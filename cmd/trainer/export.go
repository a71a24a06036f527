package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/train"
)

func exportCommand(a *app) *cobra.Command {
	var w weightFlags
	var format, out string
	c := &cobra.Command{
		Use:     "export --checkpoint P --format safetensors --out F",
		Short:   "Write a model for other runtimes",
		Example: "  trainer export --checkpoint runs/flowers --format safetensors --out flowers.safetensors",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if format != "safetensors" {
				return usage(fmt.Errorf("--format %s: this version writes safetensors", format))
			}
			dev, err := openDevice(a.device, a.threads, a.convolution)
			if err != nil {
				return err
			}
			defer dev.Close()
			l, _, err := w.load(a, dev)
			if err != nil {
				return err
			}
			return a.exportSafetensors(l, out)
		},
	}
	w.add(c)
	f := c.Flags()
	f.StringVar(&format, "format", "safetensors", "safetensors: weights under PyTorch's names and layouts")
	f.StringVar(&out, "out", "", "the file to write")
	_ = c.MarkFlagRequired("out")
	a.runFlags(c)
	return c
}

// exportSafetensors writes the weights, with the model, classes and preprocessing
// as metadata.
func (a *app) exportSafetensors(l *train.Loaded, out string) error {
	ts, err := train.Weights(l.Network.Params)
	if err != nil {
		return err
	}
	preprocessing, err := json.Marshal(l.Preprocessing)
	if err != nil {
		return err
	}
	classes, err := json.Marshal(l.Classes)
	if err != nil {
		return err
	}
	meta := map[string]string{"format": "pt", "model": l.Model.Name, "class_names": string(classes), "preprocessing": string(preprocessing)}
	if err := checkpoint.WriteSafetensors(out, ts, meta); err != nil {
		return usage(err)
	}
	a.say("%s: %d tensors", out, ts.Len())
	return a.result(map[string]any{"out": out, "tensors": ts.Len()})
}
