package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/data/transform"
	"github.com/seed52467199/trainer/models"
	"github.com/seed52467199/trainer/report"
)

// version is set when a release is built.
var version = "dev"

// app is one run of the program.
type app struct {
	stdout, stderr io.Writer
	started        time.Time

	// Flags of every command that runs a network.
	device      string
	threads     int
	convolution string
	seed        int64
	set         []string
	json        bool
	quiet       bool
}

// command builds the tree of commands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "trainer",
		Short:         "Train, fine-tune and evaluate image models",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE:          subcommands,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%s: %w; see %s --help", c.CommandPath(), err, c.CommandPath()))
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	commands := []func(*app) *cobra.Command{trainCommand, finetuneCommand, pretrainCommand, studyCommand, lrFindCommand, evalCommand, predictCommand, soupCommand,
		exportCommand, modelsCommand, dataCommand, configCommand, benchCommand, profileCommand}
	for _, c := range commands {
		root.AddCommand(withUsageErrors(c(a)))
	}
	return root
}

// subcommands is what a command that only has others under it does: it shows them,
// and refuses words that name none.
func subcommands(c *cobra.Command, words []string) error {
	if len(words) == 0 {
		return c.Help()
	}
	text := fmt.Sprintf("%s: there is no command %q", c.CommandPath(), words[0])
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(words[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage(errors.New(text + "; see " + c.CommandPath() + " --help"))
}

// group makes a command of others; without a word it runs the first.
func group(c *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, words []string) error {
		if len(words) > 0 {
			return subcommands(c, words)
		}
		return subs[0].RunE(subs[0], nil)
	}
	c.AddCommand(subs...)
	return c
}

// withUsageErrors makes cobra's errors about arguments and required flags errors
// of usage: it checks them in Args, which cobra calls first.
func withUsageErrors(c *cobra.Command) *cobra.Command {
	args := c.Args
	if c.RunE != nil {
		c.Args = func(c *cobra.Command, words []string) error {
			var err error
			if args != nil {
				err = args(c, words)
			}
			if err = cmp.Or(err, c.ValidateRequiredFlags(), c.ValidateFlagGroups()); err != nil {
				return usage(fmt.Errorf("%s: %w; see %s --help", c.CommandPath(), err, c.CommandPath()))
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		withUsageErrors(sub)
	}
	return c
}

// runFlags adds the flags common to all commands that run a network.
func (a *app) runFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.device, "device", "auto", "auto, cpu or cuda[:N]")
	f.IntVar(&a.threads, "threads", 0, "threads of the computation, 0 for all")
	f.StringVar(&a.convolution, "convolution", "auto", "auto (the fastest way) or direct (the closest rounding)")
	f.Int64Var(&a.seed, "seed", 0, "seed of every random draw (default: the configuration's)")
	f.StringArrayVar(&a.set, "set", nil, "key.path=value, over the configuration; may be repeated")
	a.outputFlags(c)
}

// outputFlags adds the flags about printing.
func (a *app) outputFlags(c *cobra.Command) {
	c.Flags().BoolVar(&a.json, "json", false, "print the result as JSON on the standard output")
	c.Flags().BoolVar(&a.quiet, "quiet", false, "print nothing but the result and errors")
}

// config loads a configuration under the common flags and those given.
func (a *app) config(c *cobra.Command, nameOrPath string, flags ...configs.Flag) (*configs.Config, error) {
	cfg, err := configs.Load(nameOrPath, a.loadOptions(c, flags...))
	return cfg, usage(err)
}

// loadOptions are the common flags and those given, over a configuration.
func (a *app) loadOptions(c *cobra.Command, flags ...configs.Flag) configs.Options {
	for flag, key := range map[string]string{"device": "runtime.device", "threads": "runtime.threads", "convolution": "runtime.convolution", "seed": "train.seed"} {
		if f := c.Flags().Lookup(flag); f != nil && f.Changed {
			flags = append(flags, configs.Flag{Flag: "--" + flag, Key: key, Value: f.Value.String()})
		}
	}
	return configs.Options{Set: a.set, Flags: flags, CheckModel: checkModel, CheckAuto: transform.CheckAuto}
}

func checkModel(name string) error {
	if name == configs.AutoModel {
		return nil
	}
	_, err := models.Info(name)
	return err
}

// openDevice starts the device that settings of these names describe.
func openDevice(name string, threads int, convolution string) (*cpu.Device, error) {
	if name != "auto" && name != "cpu" {
		return nil, usage(fmt.Errorf("device %s: this build computes on the cpu only; use --device cpu or auto", name))
	}
	if convolution != "auto" && convolution != "direct" {
		return nil, usage(fmt.Errorf("--convolution %s: it must be auto or direct", convolution))
	}
	d, err := cpu.New(cpu.Options{Threads: threads, DirectConvolution: convolution == "direct"})
	return d, usage(err)
}

// effectiveThreads is the number of threads that a setting stands for.
func effectiveThreads(threads int) int {
	if threads > 0 {
		return threads
	}
	return runtime.GOMAXPROCS(0)
}

// result prints v as one line of JSON with --json.
func (a *app) result(v any) error {
	if !a.json {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n", b)
	return err
}

// say prints a line for people, unless --quiet.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// terminal listens for people, unless --quiet.
func (a *app) terminal(every int) report.Listener {
	if a.quiet {
		return nil
	}
	return report.NewTerminal(a.stderr, every)
}

// flagValue is a flag of a command as a setting of the configuration, if it was given.
func flagValue(c *cobra.Command, flag, key string) []configs.Flag {
	f := c.Flags().Lookup(flag)
	if !f.Changed {
		return nil
	}
	return []configs.Flag{{Flag: "--" + flag, Key: key, Value: f.Value.String()}}
}

// listValue is a list of words as a setting.
func listValue(flag, key string, words []string) configs.Flag {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return configs.Flag{Flag: "--" + flag, Key: key, Value: "[" + strings.Join(quoted, ", ") + "]"}
}
