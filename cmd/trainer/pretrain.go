package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/graph"
	"github.com/seed52467199/trainer/pretrain"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

func pretrainCommand(a *app) *cobra.Command {
	var names runNames
	var gray grayFlag
	var method string
	c := &cobra.Command{
		Use:   "pretrain --config FILE_OR_NAME",
		Short: "Train without labels, for finetune to start from",
		Long: `Train a network without labels by the method of pretrain.method. The run folder is
what finetune --weights starts from; its weights have no classifier. After each epoch
the method's loss is measured on the images of data.val_split, and chooses the best.`,
		Example: `  trainer pretrain --config mnist-rbm --output runs/rbm
  trainer finetune --config mnist-1000 --weights runs/rbm --output runs/rbm-1000`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			flags := append(names.settings(c), flagValue(c, "method", "pretrain.method")...)
			flags = append(flags, gray.settings(c)...)
			cfg, err := a.config(c, names.config, flags...)
			if err != nil {
				return err
			}
			return a.pretrain(c.Context(), cfg, names)
		},
	}
	names.add(c, "")
	gray.add(c, grayHelp)
	c.Flags().StringVar(&method, "method", "", "dae, rbm, cae, mae or simmim (default: the configuration's)")
	a.runFlags(c)
	return c
}

// pretrain runs a pre-training to its end and prints the result.
func (a *app) pretrain(ctx context.Context, cfg *configs.Config, names runNames) error {
	dir, err := cfg.Output.Folder()
	if err != nil {
		return usage(err)
	}
	var found *train.LRCurve
	u := undertaking{dir: dir, resume: names.resume}
	u.open = func(dev graph.Device, events report.Listener, from *resumption) (*train.Job, training, error) {
		if err := names.keepLR(cfg, from); err != nil {
			return nil, nil, usage(err)
		}
		p, err := pretrain.Open(*cfg, dev)
		if err != nil {
			return nil, nil, usage(err)
		}
		prepare := func() error {
			return usage(p.Prepare(dir, events, func(t *train.Trainer) {
				t.Meta.TrainerVersion = version
				t.ResumeCommand = resumeCommand(os.Args, dir)
			}))
		}
		if err := prepare(); err != nil {
			return nil, nil, err
		}
		if names.auto() && from == nil {
			if found, err = a.findLR(ctx, p.Job, p.FindLR); err != nil {
				return nil, nil, err
			}
			cfg.Optimizer.LR = p.Job.Config.Optimizer.LR
			err = prepare() // with that rate
		}
		return p.Job, unsupervised{p}, err
	}
	u.begin = func() error { return drawFound(dir, found, cfg.LRFind.Seeds) }
	r, err := a.perform(ctx, cfg, u)
	if err != nil {
		return err
	}
	a.say("next: trainer finetune --weights %s with a configuration of the model %s", quoteWord(dir), cfg.Model.Name)
	result := trainResult(dir, r, cfg.Optimizer.LR)
	result["method"] = cfg.Pretrain.Method
	return a.result(result)
}

// unsupervised is a training without labels, of which the loss alone is measured.
type unsupervised struct{ *pretrain.Pretraining }

// Metrics implements training.
func (unsupervised) Metrics() []string { return nil }
