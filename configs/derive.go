package configs

import (
	"math"
	"slices"
	"strings"
)

// Derive sets the keys that follow from others: train.grad_accum from
// train.effective_batch, and with it optimizer.lr from optimizer.lr_base. [Load] and
// [Parse] have done it already.
func (c *Config) Derive() {
	t, o := &c.Train, &c.Optimizer
	if t.BatchSize > 0 && t.EffectiveBatch > 0 && t.EffectiveBatch%t.BatchSize == 0 {
		t.GradAccum = t.EffectiveBatch / t.BatchSize
	}
	if o.LRBase > 0 && o.LRBaseSize > 0 {
		ratio := float64(t.BatchSize) * float64(t.GradAccum) / float64(o.LRBaseSize)
		if o.scalesByRoot() {
			ratio = math.Sqrt(ratio)
		}
		o.LR = o.LRBase * ratio
	}
}

// scalesByRoot tells whether the learning rate grows with the root of the batch
// instead of with the batch; auto is timm's choice.
func (o Optimizer) scalesByRoot() bool {
	if o.LRBaseScale == "auto" {
		return strings.Contains(o.Name, "ada") || strings.Contains(o.Name, "lamb")
	}
	return o.LRBaseScale == "sqrt"
}

// displaces lists keys that speak for themselves: where one is set without the key
// from which it would follow, it wins over what was said of that key before.
var displaces = map[string]string{
	"optimizer.lr":     "optimizer.lr_base",
	"train.grad_accum": "train.effective_batch",
}

// displaced are the settings, made at one place, and those that they displace.
func displaced(settings []setting) []setting {
	said := map[string]bool{}
	for _, s := range settings {
		said[s.path()] = true
	}
	all := slices.Clip(settings)
	for _, s := range settings {
		if from := displaces[s.path()]; from != "" && !said[from] {
			f := findField(from)
			all = append(all, setting{f, f.preset(), s.where})
		}
	}
	return all
}
