package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/models/layers"
)

func modelsCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "models", Short: "List the models, show one"}
	var ofLayers bool
	list := &cobra.Command{
		Use: "list", Short: "List the models, or the layers to build them of", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if ofLayers {
				return a.listLayers()
			}
			var rows []map[string]any
			t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
			fmt.Fprintln(t, "model\tinput\tparameters\tMACs\t")
			for _, name := range models.Names() {
				info, err := models.Info(name)
				if err != nil {
					return err
				}
				cost, err := models.Measure(name, models.Options{})
				if err != nil {
					return err
				}
				rows = append(rows, map[string]any{"name": name, "params": cost.Params, "macs": cost.MACs, "activations": cost.Activations,
					"input": []int{info.InChans, info.InputSize, info.InputSize}, "classes": info.NumClasses, "paper": info.Paper})
				fmt.Fprintf(t, "%s\t%dx%dx%d\t%.2f M\t%.3f G\t\n", name, info.InChans, info.InputSize, info.InputSize, float64(cost.Params)/1e6, float64(cost.MACs)/1e9)
			}
			if a.json {
				return a.result(rows)
			}
			return t.Flush()
		},
	}
	list.Flags().BoolVar(&ofLayers, "layers", false, "list what model.norm, model.act, model.attn and model.conv may be")
	var classes, size, chans int
	show := &cobra.Command{
		Use: "show NAME", Short: "Show a model's layers and where its weights are found", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.showModel(args[0], models.Options{NumClasses: classes, ImageSize: size, InChans: chans})
		},
	}
	show.Flags().IntVar(&classes, "num-classes", 0, "number of classes (default: the model's)")
	show.Flags().IntVar(&size, "size", 0, "height and width of an image (default: the model's)")
	show.Flags().IntVar(&chans, "in-chans", 0, "channels of an image (default: the model's)")
	a.outputFlags(c)
	for _, sub := range []*cobra.Command{list, show} {
		a.outputFlags(sub)
	}
	return group(c, list, show)
}

// listLayers lists the layers that configurations choose from.
func (a *app) listLayers() error {
	var rows []map[string]any
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "key\tname\tfamily\tparameters\toptions\tpaper\n")
	for _, e := range layers.List("") {
		n := e.Params()
		rows = append(rows, map[string]any{"kind": e.Kind, "name": e.Name, "family": e.Family, "params": n, "options": e.Options, "paper": e.Paper})
		fmt.Fprintf(t, "model.%s\t%s\t%s\t%d\t%s\t%s\n", e.Kind, e.Name, e.Family, n, e.Options, e.Paper)
	}
	if a.json {
		return a.result(rows)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.stdout, "\nParameters are those over 256 channels, of a convolution of 3x3 from 256 to 256. Options: name:key=value,key=value")
	return err
}

func (a *app) showModel(name string, o models.Options) error {
	info, err := models.Info(name)
	if err != nil {
		return usage(err)
	}
	ps := graph.NewParams(0)
	m, err := models.New(name, ps.Root(), o)
	if err != nil {
		return usage(err)
	}
	list, cost, err := m.Layers(ps)
	if err != nil {
		return usage(err)
	}
	if a.json {
		var tensors []map[string]any
		for _, p := range ps.All() {
			tensors = append(tensors, map[string]any{"name": p.Name, "shape": []int(p.FileShape()), "trained": p.Role.Trained()})
		}
		return a.result(map[string]any{"name": name, "params": cost.Params, "macs": cost.MACs, "activations": cost.Activations,
			"config": info, "layers": list, "parameters": tensors})
	}
	weights := info.Weights
	if weights == "" {
		weights = "none are published"
	}
	fmt.Fprintf(a.stdout, "%s: %s\nweights: %s\ninput %dx%dx%d  mean %v  std %v  crop_pct %v  %s\nfirst convolution %v  classifier %v\n\n",
		name, info.Paper, weights, info.InChans, info.InputSize, info.InputSize, info.Mean, info.Std, info.CropPct, info.Interpolation, info.FirstConv, info.Classifier)
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "layer\toperation\toutput\tparameters\tMACs\tactivations")
	for _, l := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\n", l.Name, l.Op, extents(l.Output), l.Params, l.MACs, l.Activations)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\n%d trained values, %d MACs, %d activations\n", cost.Params, cost.MACs, cost.Activations)
	return err
}

// extents is a shape as people write one, 56x56x64.
func extents(shape []int) string {
	text := make([]string, len(shape))
	for i, d := range shape {
		text[i] = strconv.Itoa(d)
	}
	return strings.Join(text, "x")
}
