package main

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/data"
	"github.com/seed52467199/trainer/train"
)

func dataCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "data", Short: "List the data formats, look at data"}
	list := &cobra.Command{
		Use: "list", Short: "List the data formats", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var rows []map[string]any
			t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, f := range data.Formats() {
				rows = append(rows, map[string]any{"name": f.Name, "about": f.About})
				fmt.Fprintf(t, "%s\t%s\n", f.Name, f.About)
			}
			if a.json {
				return a.result(rows)
			}
			return t.Flush()
		},
	}
	var dir, split, config string
	var g grid
	show := &cobra.Command{
		Use: "show [FILE_OR_NAME]", Short: "Describe the data of a configuration, or of --data DIR with --set data.format=F",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name := config
			if len(args) > 0 {
				if config != "" {
					return usage(fmt.Errorf("%s and --config %s: name one configuration", args[0], config))
				}
				name = args[0]
			}
			cfg, err := a.config(c, name)
			if err != nil {
				return err
			}
			if dir != "" {
				cfg.Data.Root = dir
			}
			if g.file != "" {
				cfg.Data.TrainSplit = cmp.Or(split, cfg.Data.TrainSplit)
				return g.draw(c.Context(), a, cfg)
			}
			splits := []string{cfg.Data.TrainSplit, cfg.Data.ValSplit}
			if split != "" {
				splits = []string{split}
			}
			return a.describe(cfg.Data, splits)
		},
	}
	show.Flags().StringVar(&config, "config", "", "a recipe's name or a file, as the argument")
	show.Flags().StringVar(&g.file, "grid", "", "draw training images as the network sees them, augmented, into this PNG file")
	show.Flags().IntVar(&g.samples, "samples", 8, "rows of --grid: different images")
	show.Flags().IntVar(&g.draws, "draws", 8, "columns of --grid: how often each is augmented")
	show.Flags().StringVar(&dir, "data", "", "where the data is")
	show.Flags().StringVar(&split, "split", "", "one split only")
	show.Flags().StringArrayVar(&a.set, "set", nil, "key.path=value, over the configuration; may be repeated")
	a.outputFlags(c)
	for _, sub := range []*cobra.Command{list, show} {
		a.outputFlags(sub)
	}
	return group(c, list, show)
}

// describeSample is how many images of a split are looked at.
const describeSample = 1000

// describe prints what is in each split.
func (a *app) describe(d configs.Data, splits []string) error {
	root, err := d.Dir()
	if err != nil {
		return usage(err)
	}
	result := map[string]any{"format": d.Format, "root": root}
	for _, split := range splits {
		ds, err := train.OpenData(d, split, nil)
		if err != nil {
			return usage(err)
		}
		about := data.Describe(ds, describeSample)
		mean, std, err := data.MeanStd(ds, ds.Channels(), describeSample)
		if err != nil {
			return usage(err)
		}
		classes, values := map[string]int{}, map[string]any{}
		for _, c := range about.Classes {
			classes[c.Name] = c.Count
		}
		for _, v := range about.Values {
			values[v.Name] = map[string]float64{"min": v.Min, "mean": v.Mean, "max": v.Max, "std": v.Std}
		}
		result[split] = map[string]any{"images": about.Samples, "task": about.Task.String(), "classes": classes, "values": values,
			"channels": about.Channels, "features": about.Features, "mean": mean, "std": std, "width": []int{about.Width.Min, about.Width.Max},
			"height": []int{about.Height.Min, about.Height.Max}, "unreadable": about.Bad}
		if a.json {
			continue
		}
		if len(about.Features) > 0 {
			fmt.Fprintf(a.stdout, "%s: %d rows of %d numbers (%s), mean %.4g, std %.4g\n",
				split, about.Samples, about.Channels, strings.Join(about.Features, ", "), mean, std)
		} else {
			fmt.Fprintf(a.stdout, "%s: %d images of %s x %s pixels, %d channels, mean %.4f, std %.4f\n",
				split, about.Samples, span(about.Width), span(about.Height), about.Channels, mean, std)
		}
		for _, c := range about.Classes {
			fmt.Fprintf(a.stdout, "  %-20s %d\n", c.Name, c.Count)
		}
		for _, v := range about.Values {
			fmt.Fprintf(a.stdout, "  %-20s %.4g to %.4g, mean %.4g, std %.4g\n", v.Name, v.Min, v.Max, v.Mean, v.Std)
		}
		if about.Bad > 0 {
			fmt.Fprintf(a.stdout, "  %d of %d could not be read, the first because %v\n", about.Bad, about.Bad+about.Measured, about.FirstBad)
		}
	}
	return a.result(result)
}

func span(s data.Span) string {
	if s.Min == s.Max {
		return fmt.Sprint(s.Min)
	}
	return fmt.Sprintf("%d..%d", s.Min, s.Max)
}
