package configs

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

// What follows from other keys follows in whatever order they are said, and a key that
// speaks for itself later wins.
func TestDerive(t *testing.T) {
	dir := write(t,
		"base.yaml", "model: {name: x}\noptimizer: {lr_base: 0.1}\ntrain: {effective_batch: 1024, batch_size: 512}\n",
		"own.yaml", "extends: base.yaml\noptimizer: {lr: 0.3}\n",
		"again.yaml", "extends: own.yaml\noptimizer: {lr_base: 0.2}\n",
		"accum.yaml", "extends: base.yaml\ntrain: {grad_accum: 3}\n",
	)
	for _, test := range []struct {
		file  string
		set   []string
		lr    float64
		accum int
	}{
		{"base.yaml", nil, 0.4, 2},
		{"base.yaml", []string{"train.batch_size=64"}, 0.4, 16},
		{"base.yaml", []string{"train.effective_batch=512"}, 0.2, 1},
		{"base.yaml", []string{"train.grad_accum=1"}, 0.2, 1},
		{"base.yaml", []string{"optimizer.lr=0.7"}, 0.7, 2},
		{"base.yaml", []string{"optimizer.lr=0.7", "optimizer.lr_base=0.2"}, 0.8, 2},
		{"base.yaml", []string{"optimizer.lr_base=0.2", "optimizer.lr=0.7"}, 0.7, 2},
		{"base.yaml", []string{"optimizer.lr_base_size=1024"}, 0.1, 2},
		{"base.yaml", []string{"optimizer.name=adamw"}, 0.2, 2},
		{"base.yaml", []string{"optimizer.name=adam", "optimizer.lr_base_scale=linear"}, 0.4, 2},
		{"base.yaml", []string{"optimizer.lr_base_scale=sqrt"}, 0.2, 2},
		{"own.yaml", nil, 0.3, 2},
		{"again.yaml", nil, 0.8, 2},
		{"accum.yaml", nil, 0.6, 3},
		{"accum.yaml", []string{"train.effective_batch=512"}, 0.2, 1},
	} {
		c, err := Load(dir+"/"+test.file, Options{Set: test.set})
		if err != nil {
			t.Errorf("%s %v: %v", test.file, test.set, err)
			continue
		}
		if math.Abs(c.Optimizer.LR/test.lr-1) > 1e-15 || c.Train.GradAccum != test.accum {
			t.Errorf("%s %v: lr %g and grad_accum %d, want %g and %d", test.file, test.set, c.Optimizer.LR, c.Train.GradAccum, test.lr, test.accum)
		}
		// The effective configuration says it in numbers, and means the same again.
		back, err := Parse("config.yaml", c.YAML(), Options{})
		if err != nil || !reflect.DeepEqual(back.Train, c.Train) || !reflect.DeepEqual(back.Optimizer, c.Optimizer) {
			t.Errorf("%s %v: the effective configuration means something else (%v):\n%s", test.file, test.set, err, c.YAML())
		}
	}
	for set, want := range map[string]string{
		"train.batch_size=100":  "train.effective_batch is 1024, and should be a multiple of train.batch_size, which is 100: set train.batch_size to 64, which divides it",
		"train.batch_size=2000": "should be a multiple of train.batch_size, which is 2000: set train.batch_size to 1024, which divides it",
	} {
		if _, err := Load(dir+"/base.yaml", Options{Set: []string{set}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", set, err, want)
		}
	}
}
