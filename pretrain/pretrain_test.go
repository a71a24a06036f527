package pretrain_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/seed52467199/trainer/checkpoint"
	"github.com/seed52467199/trainer/configs"
	"github.com/seed52467199/trainer/cpu"
	"github.com/seed52467199/trainer/pretrain"
	"github.com/seed52467199/trainer/report"
	"github.com/seed52467199/trainer/train"
)

// open makes a run on the digits with these settings.
func open(t testing.TB, folder string, events report.Listener, threads int, set ...string) *pretrain.Pretraining {
	t.Helper()
	c, err := configs.Load("quickstart", configs.Options{Set: append([]string{"augment.crop=none", "augment.hflip=0.5", "train.batch_size=40",
		"optimizer.name=adamw", "optimizer.lr=0.001", "train.ema_decay=0.9", "train.clip_grad=1", "train.grad_accum=2"}, set...)})
	if err != nil {
		t.Fatal(err)
	}
	dev, err := cpu.New(cpu.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	p, err := pretrain.Open(*c, dev)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Prepare(folder, events, nil); err != nil {
		t.Fatal(err)
	}
	return p
}

// files are the tensors of a run's checkpoints, and what chose the best.
func files(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, of := range []string{"last", "best"} {
		path := filepath.Join(folder, "checkpoints", of)
		for _, name := range []string{"weights", "scaffold", "ema", "optimizer"} {
			tensors, _, err := checkpoint.ReadSafetensors(filepath.Join(path, name+".safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			for x := range tensors.All() {
				all[of+" "+name+" "+x.Name] = x.Data
			}
		}
		s, err := checkpoint.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if s.Meta.Best == nil || s.Meta.Best.Name != "loss" {
			t.Fatalf("%s: the best by %+v", of, s.Meta.Best)
		}
		all[of+" metrics"] = fmt.Append(nil, *s.Meta.Best, s.Meta.Metrics)
	}
	return all
}

// A pre-training that is interrupted after every few updates, within layers and between
// them, on another number of threads, ends with the bits of one that is not.
func TestResumeIsExact(t *testing.T) {
	for name, settings := range map[string][]string{
		"dae": {"pretrain.method=dae", "model.name=mlp_500_500_2000", "train.epochs=2", "data.train_limit=320"},
		"dae, patience": {"pretrain.method=dae", "model.name=mlp_500_500_2000", "train.epochs=4", "data.train_limit=80",
			"train.patience=1", "train.min_delta=0.05", "train.patience_start=1"},
		"rbm, plateau": {"pretrain.method=rbm", "model.name=mlp_500_500_2000", "train.epochs=3", "data.train_limit=80",
			"schedule.name=plateau", "schedule.warmup_epochs=1", "schedule.patience_epochs=0", "schedule.threshold=0.5"},
		"dae, gaussian": {"pretrain.method=dae", "pretrain.noise=gaussian", "pretrain.tied=false", "pretrain.epochs=3", "data.train_limit=400"},
		"rbm":           {"pretrain.method=rbm", "model.name=mlp_500_500_2000", "train.epochs=2", "data.train_limit=320"},
		"cae":           {"pretrain.method=cae", "model.name=lenet5", "data.size=16", "train.epochs=2", "data.train_limit=320"},
		"simmim":        {"pretrain.method=simmim", "model.name=cifar_resnet20", "data.size=8", "train.epochs=2", "data.train_limit=320", "model.drop_path=0.1"},
		"mae": {"pretrain.method=mae", "model.name=vit_tiny_patch16_224", "data.size=48", "train.epochs=1", "data.train_limit=240",
			"pretrain.decoder_width=32", "pretrain.decoder_heads=2", "pretrain.decoder_depth=1"},
	} {
		t.Run(name, func(t *testing.T) {
			whole := t.TempDir()
			p := open(t, whole, nil, 1, settings...)
			if _, err := p.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			folder, starts := t.TempDir(), 0
			for {
				if starts++; starts > 40 {
					t.Fatal("it never ends")
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				left := 3
				p := open(t, folder, report.Func(func(e report.Event) error {
					if _, ok := e.(*report.Step); ok {
						if left--; left == 0 {
							cancel()
						}
					}
					return nil
				}), 2, settings...)
				if path, _, err := checkpoint.Newest(folder); err == nil {
					s, err := checkpoint.Load(path)
					if err != nil {
						t.Fatal(err)
					}
					if err := p.Restore(s, path); err != nil {
						t.Fatal(err)
					}
				}
				_, err := p.Run(ctx)
				if err == nil {
					break
				}
				if !errors.Is(err, train.ErrInterrupted) {
					t.Fatal(err)
				}
			}
			if starts < 2 {
				t.Error("it was never interrupted")
			}
			got := files(t, folder)
			for name, want := range files(t, whole) {
				if !bytes.Equal(got[name], want) {
					t.Errorf("after %d interruptions %s differs", starts-1, name)
				}
			}
		})
	}
}
