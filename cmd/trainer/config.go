package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

func configCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Show and check configurations"}
	list := &cobra.Command{
		Use: "list", Short: "List the embedded recipes", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.result(configs.Names())
			}
			for _, n := range configs.Names() {
				fmt.Fprintln(a.stdout, n)
			}
			return nil
		},
	}
	var plot string
	show := &cobra.Command{
		Use: "show FILE_OR_NAME", Short: "Print what a configuration means in the end, or draw its learning rate", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkPlot(plot); err != nil {
				return usage(err)
			}
			cfg, err := a.config(c, args[0])
			if err != nil {
				return err
			}
			text := cfg.YAML()
			if a.json {
				if text, err = cfg.JSON(); err != nil {
					return err
				}
			}
			if plot != "" {
				if err := a.plotRates(args[0], cfg, plot); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(a.stdout, "%s\n", trimNewline(text))
			return err
		},
	}
	show.Flags().StringVar(&plot, "plot", "", "draw the learning rate over the epochs into this .svg or .png file")
	check := &cobra.Command{
		Use: "check FILE_OR_NAME", Short: "Check a configuration", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := a.config(c, args[0]); err != nil {
				return err
			}
			a.say("%s is right", args[0])
			return a.result(map[string]any{"config": args[0], "valid": true})
		},
	}
	schema := &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of configurations", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := configs.Schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s\n", trimNewline(s))
			return err
		},
	}
	for _, sub := range []*cobra.Command{show, check} {
		sub.Flags().StringArrayVar(&a.set, "set", nil, "key.path=value, over the configuration; may be repeated")
	}
	a.outputFlags(c)
	for _, sub := range []*cobra.Command{list, show, check, schema} {
		a.outputFlags(sub)
	}
	return group(c, list, show, check, schema)
}

// plotRates draws the learning rate of a configuration into a file.
func (a *app) plotRates(name string, c *configs.Config, path string) error {
	r, err := train.ScheduledRates(*c)
	if err != nil {
		return usage(err)
	}
	title := fmt.Sprintf("%s: %s, %d epochs", name, c.Schedule.Name, c.Train.Epochs)
	if c.Schedule.Name == "plateau" {
		title += ", before any evaluation"
	}
	err = report.PlotLines(path, report.LinePlot{Title: title, XLabel: "epoch", YLabel: "learning rate", Lines: []report.Line{{X: r.Epochs, Y: r.LR}}})
	if err != nil {
		return err
	}
	if r.NoData != nil {
		a.say("one rate an epoch, because the updates cannot be counted: %v", r.NoData)
	}
	a.say("the learning rate is drawn in %s, %d for each epoch", path, r.UpdatesPerEpoch)
	return nil
}

func trimNewline(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == '\n' {
		b = b[:len(b)-1]
	}
	return b
}
