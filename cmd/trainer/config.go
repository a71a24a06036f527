package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
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
	show := &cobra.Command{
		Use: "show FILE_OR_NAME", Short: "Print what a configuration means in the end", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
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
			_, err = fmt.Fprintf(a.stdout, "%s\n", trimNewline(text))
			return err
		},
	}
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

func trimNewline(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == '\n' {
		b = b[:len(b)-1]
	}
	return b
}
