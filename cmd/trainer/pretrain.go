package main

import (
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
	var method string
	c := &cobra.Command{
		Use:   "pretrain --config FILE_OR_NAME",
		Short: "Train without labels, for finetune to start from",
		Long: `Train a network without labels by the method of pretrain.method. The run folder is
what finetune --weights starts from; its weights have no classifier.`,
		Example: `  trainer pretrain --config mnist-rbm --output runs/rbm
  trainer finetune --config mnist-1000 --weights runs/rbm --output runs/rbm-1000`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			flags := append(flagValue(c, "output", "output.dir"), flagValue(c, "method", "pretrain.method")...)
			cfg, err := a.config(c, names.config, flags...)
			if err != nil {
				return err
			}
			return a.pretrain(c, cfg, names.resume)
		},
	}
	names.add(c, "")
	c.Flags().StringVar(&method, "method", "", "dae, rbm, cae, mae or simmim (default: the configuration's)")
	a.runFlags(c)
	return c
}

// pretrain runs a pre-training to its end and prints the result.
func (a *app) pretrain(c *cobra.Command, cfg *configs.Config, resume string) error {
	dir, err := cfg.Output.Folder()
	if err != nil {
		return usage(err)
	}
	u := undertaking{dir: dir, resume: resume}
	u.open = func(dev graph.Device, events report.Listener, _ *resumption) (*train.Job, training, error) {
		p, err := pretrain.Open(*cfg, dev)
		if err != nil {
			return nil, nil, usage(err)
		}
		err = p.Prepare(dir, events, func(t *train.Trainer) {
			t.Meta.TrainerVersion = version
			t.ResumeCommand = resumeCommand(os.Args, dir)
		})
		return p.Job, unsupervised{p}, usage(err)
	}
	r, err := a.perform(c.Context(), cfg, u)
	if err != nil {
		return err
	}
	a.say("next: trainer finetune --weights %s with a configuration of the model %s", quoteWord(dir), cfg.Model.Name)
	return a.result(map[string]any{"run": dir, "method": cfg.Pretrain.Method, "last": epochResult(r.Last), "images_per_s": r.ImagesPerSecond})
}

// unsupervised is a training without labels, which nothing is evaluated by.
type unsupervised struct{ *pretrain.Pretraining }

// Metrics implements training.
func (unsupervised) Metrics() []string { return nil }

// BestBy implements training.
func (unsupervised) BestBy() string { return "" }
