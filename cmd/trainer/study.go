package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/study"
	"github.com/seed52467199/trainer/train"
)

func studyCommand(a *app) *cobra.Command {
	var config, output string
	var dryRun bool
	c := &cobra.Command{
		Use:   "study --config FILE_OR_NAME",
		Short: "Train variants of a configuration over several seeds and compare them",
		Long: `Train every variant of a study with every seed and write table.md, table.csv,
runs.csv and a run folder VARIANT/seed-N for each run. The same command goes on with a
study that was interrupted; what is finished is not repeated. A study is a YAML file:

  base: quickstart             # a recipe, or a file relative to this one
  set: [train.epochs=20]       # settings of all variants
  variants:
    plain: []
    wide: [model.name=deep_mlp, optimizer.lr=0.02]
  seeds: [1, 2, 3]

Embedded studies: ` + strings.Join(configs.StudyNames(), ", ") + ".",
		Example: `  trainer study --config study-attention --output runs/attention
  trainer study --config my-study.yaml --set train.epochs=2 --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.study(c, config, output, dryRun) },
	}
	f := c.Flags()
	f.StringVar(&config, "config", "", "a YAML file or the name of an embedded study")
	f.StringVar(&output, "output", "", "the study's folder (default: runs/ and the study's name)")
	f.BoolVar(&dryRun, "dry-run", false, "check all variants and list the runs, but train nothing")
	_ = c.MarkFlagRequired("config")
	a.runFlags(c)
	c.Flags().Lookup("seed").Hidden = true
	return c
}

func (a *app) study(c *cobra.Command, config, output string, dryRun bool) error {
	if c.Flags().Changed("seed") {
		return usage(errors.New("study: --seed is one seed, and a study has its own: set seeds in its file"))
	}
	for _, s := range a.set {
		if key, _, _ := strings.Cut(s, "="); configs.SetByStudy(key) {
			return usage(fmt.Errorf("study: --set %s: the study sets %s for each run itself; give seeds in its file, or --output", s, key))
		}
	}
	loaded, err := configs.LoadStudy(config, a.loadOptions(c))
	if err != nil {
		return usage(err)
	}
	if output == "" {
		output = "runs/" + loaded.Name
	}
	s := &study.Study{Study: loaded, Dir: output, Train: a.studyRun}
	if err := a.checkStudy(s); err != nil {
		return err
	}
	if dryRun {
		return a.listRuns(s)
	}
	if err := checkpoint.CheckWritable(output); err != nil {
		return usage(fmt.Errorf("the study's folder cannot be used: %w", err))
	}
	table, err := s.Run(c.Context(), func(r study.Run, done *study.Result) {
		switch {
		case done == nil:
			a.say("run %d of %d: %s, seed %d", r.Number, r.Of, r.Variant, r.Seed)
		case done.Diverged != "":
			a.say("%s, seed %d, counts as diverged: %s", r.Variant, r.Seed, done.Diverged)
		}
	})
	if errors.Is(err, train.ErrInterrupted) {
		a.say("the study stops here; the same command goes on with it")
	}
	if err != nil {
		return err
	}
	if !a.json {
		_, err = fmt.Fprint(a.stdout, table.Markdown())
	}
	return errors.Join(err, a.result(table))
}

// checkStudy builds every variant on a device of its own, which is gone before the
// first run.
func (a *app) checkStudy(s *study.Study) error {
	r := s.Variants[0].Config.Runtime
	dev, err := openDevice(r.Device, r.Threads, r.Convolution)
	if err != nil {
		return err
	}
	defer dev.Close()
	return usage(s.Check(dev))
}

// listRuns prints what a study would do.
func (a *app) listRuns(s *study.Study) error {
	table, err := s.Table()
	if err != nil {
		return err
	}
	for _, r := range s.Runs() {
		state := "to do"
		switch {
		case r.Done:
			state = "done"
		case r.Begun:
			state = "begun"
		}
		if !a.json {
			fmt.Fprintf(a.stdout, "%s\t%s\n", r.Dir, state)
		}
	}
	return a.result(table)
}

// studyRun is one training of a study.
func (a *app) studyRun(ctx context.Context, c configs.Config, resume bool) error {
	from := ""
	if resume {
		from = "auto"
	}
	again := make([]string, len(os.Args))
	for i, w := range os.Args {
		again[i] = quoteWord(w)
	}
	_, err := a.trainRun(ctx, &c, runNames{output: c.Output.Dir, resume: from}, strings.Join(again, " "))
	return err
}
