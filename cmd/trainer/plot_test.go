package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The learning rate of every recipe can be drawn, with the data or without it.
func TestConfigShowPlot(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		file, begins string
		args, says   []string
	}{
		{"quick.svg", "<?xml", []string{"quickstart"}, []string{"23 for each epoch"}},
		{"quick.png", "\x89PNG", []string{"quickstart", "--set", "train.grad_accum=4", "--set", "data.mean=auto", "--set", "data.std=auto"}, []string{"6 for each epoch"}},
		{"none.svg", "<?xml", []string{"cifar10-resnet20-quick", "--set", "data.root=/no/such/folder"}, []string{"1 for each epoch", "/no/such/folder"}},
		{"plateau.svg", "<?xml", []string{"quickstart", "--set", "schedule.name=plateau"}, []string{"23 for each epoch"}},
		{"one.svg", "<?xml", []string{"quickstart", "--set", "schedule.name=constant", "--set", "train.epochs=1"}, []string{"23 for each epoch"}},
	} {
		path := filepath.Join(dir, c.file)
		o := trainer(t, append([]string{"config", "show", "--plot", path}, c.args...)...)
		drawn, err := os.ReadFile(path)
		if o.status != 0 || err != nil || !bytes.HasPrefix(drawn, []byte(c.begins)) || !strings.Contains(o.stdout, "optimizer:") {
			t.Errorf("%s: status %d, %v\n%s", c.file, o.status, err, o.stderr)
		}
		if filepath.Ext(path) == ".svg" {
			for _, label := range []string{">epoch<", ">learning rate<"} {
				if !bytes.Contains(drawn, []byte(label)) {
					t.Errorf("%s has no label %s", c.file, label)
				}
			}
		}
		for _, text := range c.says {
			if !strings.Contains(o.stderr, text) {
				t.Errorf("%s: it does not say %q:\n%s", c.file, text, o.stderr)
			}
		}
	}
	for _, recipe := range strings.Fields(trainer(t, "config", "list").stdout) {
		if o := trainer(t, "config", "show", recipe, "--plot", filepath.Join(dir, recipe+".svg")); o.status != 0 {
			t.Errorf("%s: status %d\n%s", recipe, o.status, o.stderr)
		}
	}
	for args, want := range map[string]string{
		"quickstart --plot x.gif": "must end in .svg or .png",
		"quickstart --plot x.svg --set schedule.cooldown_epochs=50 --set schedule.min_lr=0.001": "cooldown_epochs",
	} {
		if o := trainer(t, append([]string{"config", "show"}, strings.Fields(args)...)...); o.status != 2 || !strings.Contains(o.stderr, want) {
			t.Errorf("%s: status %d, want 2 and %q:\n%s", args, o.status, want, o.stderr)
		}
	}
}
