package main

import (
	"cmp"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/data"
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
			root, err := cfg.Data.Dir()
			if err != nil {
				return usage(err)
			}
			splits := []string{cfg.Data.TrainSplit, cfg.Data.ValSplit}
			if split != "" {
				splits = []string{split}
			}
			return a.describe(cfg.Data.Format, root, splits)
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
func (a *app) describe(format, root string, splits []string) error {
	result := map[string]any{"format": format, "root": root}
	for _, split := range splits {
		ds, err := data.Open(format, root, split, data.Options{})
		if err != nil {
			return usage(err)
		}
		d := data.Describe(ds, describeSample)
		mean, std, err := data.MeanStd(ds, ds.Channels(), describeSample)
		if err != nil {
			return usage(err)
		}
		classes := map[string]int{}
		for _, c := range d.Classes {
			classes[c.Name] = c.Count
		}
		result[split] = map[string]any{"images": d.Samples, "classes": classes, "channels": d.Channels, "mean": mean, "std": std,
			"width": []int{d.Width.Min, d.Width.Max}, "height": []int{d.Height.Min, d.Height.Max}, "unreadable": d.Bad}
		if a.json {
			continue
		}
		fmt.Fprintf(a.stdout, "%s: %d images of %s x %s pixels, %d channels, mean %.4f, std %.4f\n", split, d.Samples, span(d.Width), span(d.Height), d.Channels, mean, std)
		for _, c := range d.Classes {
			fmt.Fprintf(a.stdout, "  %-20s %d\n", c.Name, c.Count)
		}
		if d.Bad > 0 {
			fmt.Fprintf(a.stdout, "  %d of %d could not be read, the first because %v\n", d.Bad, d.Bad+d.Measured, d.FirstBad)
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
